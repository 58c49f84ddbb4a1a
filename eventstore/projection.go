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

// Projection is a read model that a subscription builds from the feed, asynchronously, in versions: when its format or code changes, raise the
// version and give it its own tables. The new version is built from the beginning of the feed while the live one stays in use, and becomes the live one
// automatically when it has caught up (blue-green):
//
//	balances, err := eventstore.NewProjection(store.Feed().Filter(types.Filter()), "balances", 2, positions.As(host), handle, eventstore.Shared())
//	err = balances.Run(ctx)
//
// Readers ask [Projection.Live] which version to read. The program with the former version keeps updating that version until it is stopped, so
// that you can switch back to it with [Projection.Switch]. The handler is as in [Feed.Subscribe]; its position is saved under [Projection.Consumer].
//
// The versions, and which one is live, are stored in the store's table.
type Projection struct {
	feed      *Feed
	name      string
	version   int
	positions Positions
	handle    func(context.Context, Commit) error
	opts      []SubscribeOption
	every     int64
	failed    error // why it could not be made; every method returns it
}

// projectionCheckInterval is how often a version that is not live checks whether it has caught up.
const projectionCheckInterval = 10 * time.Second

// NewProjection describes a version of a projection. Versions start at 1. The options are those of its subscription. It sends nothing.
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

// usable returns why a projection cannot be used: it was not made, or could not be made.
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

// projectionKey returns the key under which a version of a projection is registered; version 0 holds the live version.
func projectionKey(name string, version int) ddb.Key[string, int64] {
	return ddb.Key[string, int64]{Partition: projectionPrefix + name, Sort: int64(version)}
}

// Run builds the projection and keeps it up to date until the context or its subscription ends. It returns the error of [Feed.Subscribe].
// While a lower version is live, or none, it checks every 10 seconds whether each shard lags by fewer commits than [SaveEvery]; then it becomes the live one. It never
// replaces a higher version. Each check costs a read of all positions; there are none once it is live.
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

// register records that the version is being built, the first time.
func (p *Projection) register(ctx context.Context) error {
	return repeat.Write(ctx, func() error {
		_, err := tableOf(p.feed.store).Upsert(ctx, projectionKey(p.name, p.version), ddb.SetIfMissing(rowAt, p.feed.store.o.now().UnixNano()))
		return err
	})
}

// switchWhenReady checks repeatedly until this version, or a higher one, is live.
func (p *Projection) switchWhenReady(ctx context.Context, s *subscription) error {
	for {
		if err := p.feed.store.o.wait(ctx, projectionCheckInterval); err != nil {
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
		_, err := tableOf(p.feed.store).Upsert(ctx, projectionKey(p.name, 0),
			append(more, rowVersion.Set(int64(version)), rowAt.Set(p.feed.store.o.now().UnixNano()))...)
		return err
	})
}

// Live returns the version that readers should use, 0 if none was ready yet. It costs a read unit; cache it for some seconds.
func (p *Projection) Live(ctx context.Context) (int, error) {
	if err := p.usable(); err != nil {
		return 0, err
	}
	r, _, err := p.feed.store.get(ctx, projectionKey(p.name, 0))
	return int(r.Version), err
}

// Switch makes a version the live one, whatever its lag. The version may be lower than the live one, to switch back. If it was never run, the error is
// [ddb.ErrNotFound]. A higher
// version that runs and is not live makes itself live again at its next check, so stop it first.
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

// Retire removes a version that is neither live nor running from the list of [Projection.Versions]. The caller has to remove its tables and positions.
func (p *Projection) Retire(ctx context.Context, version int) error {
	live, err := p.Live(ctx)
	if err != nil {
		return err
	}
	if live == version || version < 1 {
		return &ddb.InvalidError{Problems: []error{fmt.Errorf("projection: version %d is live, or is not a version; switch to another one first", version)}}
	}
	key := projectionKey(p.name, version)
	return repeat.Write(ctx, func() error { return tableOf(p.feed.store).Delete(ctx, key.Partition, key.Sort) })
}

// ProjectionStatus is the progress of one version of a projection.
type ProjectionStatus struct {
	Name    string
	Version int
	// Live is true if readers should use this version.
	Live bool
	// Started is when it was first run.
	Started time.Time
	Progress
	// Parked is how many commits are parked.
	Parked int
}

// Versions lists the versions of the projection that were run, lowest first, with lag and age of each. It costs as much as [Feed.Progress] and
// [Feed.Parked] for each version.
func (p *Projection) Versions(ctx context.Context) ([]ProjectionStatus, error) {
	if err := p.usable(); err != nil {
		return nil, err
	}
	live := 0
	var list []ProjectionStatus
	for r, err := range tableOf(p.feed.store).Query(projectionKey(p.name, 0).Partition).Consistent().All(ctx) {
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
