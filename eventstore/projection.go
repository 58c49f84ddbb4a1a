// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
)

// Projection is a read model that a subscription builds from the feed, asynchronously, in versions: when its form or code changes, raise the
// version and give it tables of its own. The new version is built beside the live one, from the beginning of the feed, and becomes the live one by
// itself when it has caught up (blue-green):
//
//	balances, err := eventstore.NewProjection(store.Feed().Filter(types.Filter()), "balances", 2, positions.As(host), handle, eventstore.Shared())
//	err = balances.Run(ctx)
//
// Readers ask [Projection.Live] which version to read. The program with the former version goes on building that until it is stopped, so
// that it can be gone back to with [Projection.Switch]. The handler is as in [Feed.Subscribe]; its position is saved under [Projection.Consumer].
//
// Which versions there are, and which one is live, is kept in the store's table.
type Projection struct {
	feed      *Feed
	name      string
	version   int
	positions Positions
	handle    func(context.Context, Commit) error
	opts      []SubscribeOption
	every     int64
	failed    error // why it could not be made; every call returns it
}

// projectionLook is how often a version that is not live looks whether it has caught up.
const projectionLook = 10 * time.Second

// NewProjection describes a version of a projection, from 1 on. The options are those of its subscription. It sends nothing.
// After an error the projection is not nil: each of its calls returns that error.
func NewProjection(feed *Feed, name string, version int, positions Positions, handle func(ctx context.Context, c Commit) error, opts ...SubscribeOption) (*Projection, error) {
	p := &Projection{feed: feed, name: name, version: version, positions: positions, handle: handle, opts: opts}
	s, err := feed.newSubscription(p.Consumer(), positions, handle, opts)
	if name == "" || version < 1 {
		err = errors.Join(err, &ddb.InvalidError{Problems: []error{fmt.Errorf("projection: it needs a name, and a version of at least 1, not %d", version)}})
	}
	if err != nil {
		p.failed = err
		return p, err
	}
	p.every = int64(s.every)
	return p, nil
}

// usable says why a projection cannot be used: it was not made, or could not be.
func (p *Projection) usable() error {
	switch {
	case p != nil && p.failed != nil:
		return p.failed
	case p == nil || p.feed == nil:
		return notMade("Projection", "NewProjection")
	}
	return nil
}

// Consumer is the name under which this version saves its positions and parks commits, such as balances@2.
func (p *Projection) Consumer() string {
	if p == nil {
		return ""
	}
	return consumerOf(p.name, p.version)
}

func consumerOf(name string, version int) string { return name + "@" + strconv.Itoa(version) }

const projectionPrefix = "J#"

// projectionKey is where a version of a projection is registered; version 0 tells which is live.
func projectionKey(name string, version int) ddb.Key[string, int64] {
	return ddb.Key[string, int64]{Partition: projectionPrefix + name, Sort: int64(version)}
}

// Run builds the projection and keeps it up to date, until the context ends or its subscription does, with the error of [Feed.Subscribe].
// While a lower version is live, or none, it looks every 10 seconds whether each shard is fewer commits behind than [SaveEvery], and becomes the live one then. It never
// replaces a higher version. That costs a read of all positions each time, and nothing once it is live.
func (p *Projection) Run(ctx context.Context) error {
	if err := p.usable(); err != nil {
		return err
	}
	s, err := p.feed.newSubscription(p.Consumer(), p.positions, p.handle, p.opts)
	if err != nil {
		return err
	}
	if err := s.persist(ctx, p.register); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	looking, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := p.switchWhenReady(looking, s); err != nil && looking.Err() == nil {
			cancel(err)
		}
	})
	err = s.run(ctx)
	if err == nil { // UntilEnd: it has handled everything
		err = s.persist(ctx, func(ctx context.Context) error { _, err := p.switchIfReady(ctx); return err })
	}
	stop()
	wg.Wait()
	return err
}

// register notes that the version is being built, the first time.
func (p *Projection) register(ctx context.Context) error {
	return repeat.Write(ctx, func() error {
		_, err := p.feed.store.table.Upsert(ctx, projectionKey(p.name, p.version), ddb.SetIfMissing(rowAt, p.feed.store.o.now().UnixNano()))
		return err
	})
}

// switchWhenReady looks until this version, or a higher one, is live.
func (p *Projection) switchWhenReady(ctx context.Context, s *subscription) error {
	for {
		if err := p.feed.store.o.wait(ctx, projectionLook); err != nil {
			return err
		}
		done := false
		err := s.persist(ctx, func(ctx context.Context) (err error) {
			done, err = p.switchIfReady(ctx)
			return err
		})
		if done || err != nil {
			return err
		}
	}
}

// switchIfReady makes this version the live one if it has caught up. It reports whether there is nothing left to do.
func (p *Projection) switchIfReady(ctx context.Context) (bool, error) {
	live, err := p.Live(ctx)
	if err != nil || live >= p.version {
		return err == nil, err
	}
	is, err := p.feed.Progress(ctx, p.Consumer(), p.positions)
	if err != nil || is.most >= p.every {
		return false, err
	}
	err = p.setLive(ctx, p.version, ddb.If(ddb.Or(ddb.NotExists(rowVersion), rowVersion.Lt(int64(p.version)))))
	if errors.Is(err, ddb.ErrConditionFailed) {
		err = nil // another process was faster
	}
	return err == nil, err
}

func (p *Projection) setLive(ctx context.Context, version int, more ...ddb.UpdateOption[row]) error {
	return repeat.Write(ctx, func() error {
		_, err := p.feed.store.table.Upsert(ctx, projectionKey(p.name, 0),
			append(more, rowVersion.Set(int64(version)), rowAt.Set(p.feed.store.o.now().UnixNano()))...)
		return err
	})
}

// Live is the version that readers should use, 0 if none was ready yet. It costs a read unit; keep it for some seconds.
func (p *Projection) Live(ctx context.Context) (int, error) {
	if err := p.usable(); err != nil {
		return 0, err
	}
	r, _, err := p.feed.store.get(ctx, projectionKey(p.name, 0))
	return int(r.Version), err
}

// Switch makes a version the live one whatever it is behind, also a lower one, to go back. A version that was never run is [ddb.ErrNotFound]. A higher
// version that runs and is not live switches again when it looks, so stop it before.
func (p *Projection) Switch(ctx context.Context, version int) error {
	if err := p.usable(); err != nil {
		return err
	}
	if version < 1 {
		return &ddb.InvalidError{Problems: []error{fmt.Errorf("projection: there is no version %d", version)}}
	}
	_, found, err := p.feed.store.get(ctx, projectionKey(p.name, version))
	if err == nil && !found {
		err = fmt.Errorf("projection: version %d was never run: %w", version, ddb.ErrNotFound)
	}
	if err != nil {
		return err
	}
	return p.setLive(ctx, version)
}

// Retire forgets a version that is not live and no longer run, so that [Projection.Versions] does not list it. Its tables and positions are the caller's to remove.
func (p *Projection) Retire(ctx context.Context, version int) error {
	live, err := p.Live(ctx)
	if err != nil {
		return err
	}
	if live == version || version < 1 {
		return &ddb.InvalidError{Problems: []error{fmt.Errorf("projection: version %d is live, or cannot be; switch to another one first", version)}}
	}
	key := projectionKey(p.name, version)
	return repeat.Write(ctx, func() error { return p.feed.store.table.Delete(ctx, key.Partition, key.Sort) })
}

// ProjectionStatus is how far one version of a projection is.
type ProjectionStatus struct {
	Name    string
	Version int
	// Live: it is what readers should use.
	Live bool
	// Started is when it was run first.
	Started time.Time
	Progress
	// Parked is how many commits are parked.
	Parked int
}

// Versions lists the versions of the projection that were run, lowest first, with lag and age of each. It costs what [Feed.Progress] and
// [Feed.Parked] cost, for each version.
func (p *Projection) Versions(ctx context.Context) ([]ProjectionStatus, error) {
	if err := p.usable(); err != nil {
		return nil, err
	}
	live := 0
	var list []ProjectionStatus
	for r, err := range p.feed.store.table.Query(projectionKey(p.name, 0).Partition).Consistent().All(ctx) {
		if err != nil {
			return nil, err
		}
		if r.SK == 0 {
			live = int(r.Version)
			continue
		}
		list = append(list, ProjectionStatus{Name: p.name, Version: int(r.SK), Live: int(r.SK) == live, Started: time.Unix(0, r.At).UTC()})
	}
	for i := range list {
		is := &list[i]
		var err error
		if is.Progress, err = p.feed.Progress(ctx, consumerOf(p.name, is.Version), p.positions); err != nil {
			return nil, err
		}
		for _, err := range p.feed.Parked(ctx, consumerOf(p.name, is.Version)) {
			if err != nil {
				return nil, err
			}
			is.Parked++
		}
	}
	return list, nil
}

// Format prints the type's name, for every verb.
func (p Projection) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "version %d of a projection", p.version)
}
