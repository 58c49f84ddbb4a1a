// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/google/uuid"

	"github.com/dynamotable/ddb/consumers"
	"github.com/dynamotable/ddb/internal/lease"
)

// ErrStreamEnded means that the stream was disabled, and all of it is handled. With [OfTable] the consumer continues with the next stream instead.
var ErrStreamEnded = errors.New("the stream is disabled and handled to its end")

// Consumer handles the changes of a table together with all other consumers of the same app, in this
// and other processes. Each shard of the stream is handled by one of them at a time, which holds its
// lease in a [Store]; the position in the shard is stored there too.
//
// A worker that dies is replaced after [Failover]. A worker that starts later asks the others for a
// share of the leases, one at a time; they finish their current work first. Leases are balanced by load, which each
// worker measures for its shards and stores in their leases; see [ShardStats]. A shard is handled after its parent, from its beginning. See
// the package comment for the guarantees.
//
// A Consumer is safe for concurrent use, but runs once at a time.
type Consumer[T any] struct {
	client  Client
	source  Source
	app     string
	store   Store
	handler Handler[T]
	cfg     *config

	failed error // of NewConsumer; every method returns it

	mu     sync.Mutex
	active bool
	worker *worker
}

// NewConsumer describes a consumer of changes of items of type T. It sends nothing. All processes that use
// one app in one store share the work; another app gets all changes for itself. An app always belongs
// to the same source.
func NewConsumer[T any](client Client, source Source, app string, store Store, handler Handler[T], opts ...Option) (*Consumer[T], error) {
	cfg, errs := newConfig(opts)
	errs = append(errs, handler.check())
	if client == nil || store == nil {
		errs = append(errs, errors.New("the client or the store is nil"))
	}
	if source == (Source{}) || app == "" {
		errs = append(errs, errors.New("the source or the app is empty"))
	}
	if err := invalid(errs...); err != nil {
		return &Consumer[T]{failed: err}, err
	}
	if cfg.worker == "" {
		var err error
		if cfg.worker, err = os.Hostname(); err != nil {
			cfg.worker = "worker"
		}
	}
	return &Consumer[T]{
		client: timedClient{client, cfg.call}, source: source, app: app, store: timedStore{store, min(cfg.call, cfg.failover/3)}, // a renewal without an answer is repeated in time
		handler: handler, cfg: cfg,
	}, nil
}

// Run handles changes until the context ends. Then it stops reading, lets handlers finish their
// current work within [DrainTimeout], stores the checkpoints and releases the leases, so that
// other workers continue at once. After that it returns nil.
//
// It ends with an error when a change cannot be handled ([*HandlerError]), when
// records were lost ([*DataLossError]), when the service refuses a call permanently, when draining
// took too long, and with [ErrStreamEnded]. Transient failures, however long, do not end it: [OnEvent]
// and [Consumer.Stats] report them.
func (c *Consumer[T]) Run(ctx context.Context) error {
	if err := c.usable(); err != nil {
		return err
	}
	c.mu.Lock()
	busy := c.active
	c.active = true
	c.mu.Unlock()
	if busy {
		return errors.New("change: the consumer runs already")
	}
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.active, c.worker = false, nil
	}()

	defer consumers.Add(c.figures)()
	owner := c.cfg.worker + "-" + uuid.NewString()
	for {
		var todo nextStream
		err := persist(ctx, c.cfg.retried(""), func() (err error) {
			todo, err = c.next(ctx)
			return err
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case !todo.ended:
			err = c.consume(ctx, owner, todo)
		case c.source.arn != "":
			err = ErrStreamEnded
		default: // until another stream is enabled
			lease.Pause(ctx, c.cfg.failover/3)
		}
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// usable returns the error of the constructor, or an error for a Consumer that was not made by it.
func (c *Consumer[T]) usable() error {
	switch {
	case c != nil && c.failed != nil:
		return c.failed
	case c == nil || c.cfg == nil:
		return invalid(errors.New("a Consumer that NewConsumer did not make"))
	}
	return nil
}

// Begin records where the app begins to read its stream, as the first Run would, and handles nothing: every change
// from now on will be handled. If the app has begun already, it changes nothing. [View.Rebuild] needs it.
func (c *Consumer[T]) Begin(ctx context.Context) error {
	if err := c.usable(); err != nil {
		return err
	}
	return persist(ctx, c.cfg.retried(""), func() error {
		todo, err := c.next(ctx)
		if err != nil || todo.ended {
			return err
		}
		w := c.newWorker("", todo)
		if err := w.read(ctx); err != nil {
			return err
		}
		return w.discover(ctx)
	})
}

func (c *Consumer[T]) newWorker(owner string, todo nextStream) *worker {
	w := newWorker(c.client, c.store, c.cfg, c.handler)
	w.app, w.owner, w.stream, w.start = c.app, owner, todo.stream, todo.start
	return w
}

func (c *Consumer[T]) consume(ctx context.Context, owner string, todo nextStream) error {
	w := c.newWorker(owner, todo)
	c.mu.Lock()
	c.worker = w
	c.mu.Unlock()
	done, err := w.consume(ctx)
	if done && err == nil {
		c.cfg.event(Event{Kind: StreamDone})
	}
	return err
}
