// SPDX-License-Identifier: Apache-2.0

// Outbox is a service that writes orders, and two other processes that project them into a second table from the stream
// of changes. They share the shards by leases. One of them is killed and restarted while shards split; in the end the
// projection must be equal to the table.
//
//	go run ./examples/outbox
//
// It runs on the embedded engine, which it serves on a port of this machine, or on the endpoint in DYNAMODB_ENDPOINT, where
// the service decides when shards split.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
)

// worker is the environment variable that makes the program one of the two consumers.
const worker = "OUTBOX_WORKER"

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if name := os.Getenv(worker); name != "" {
		err = project(ctx, name)
	} else {
		err = run(ctx)
	}
	if err != nil {
		log.Fatal(err) //nolint:gocritic // the process ends
	}
}

// run is the service.
func run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	split := func() {}
	if os.Getenv("DYNAMODB_ENDPOINT") == "" {
		engine := ddbtest.NewEngine()
		defer engine.Close()
		url, stop, err := serve(ctx, engine)
		if err != nil {
			return err
		}
		defer stop()
		if err := os.Setenv("DYNAMODB_ENDPOINT", url); err != nil {
			return err
		}
		split = func() { engine.SplitShards(ordersTable, 2) }
	}
	t, err := openTables(ctx)
	if err != nil {
		return err
	}
	defer t.remove(context.WithoutCancel(ctx))
	if err := t.create(ctx); err != nil {
		return err
	}
	fmt.Println("created  the tables of orders, of the projection and of leases")

	first, err := startWorker(ctx, "first")
	if err != nil {
		return err
	}
	defer first.end()
	second, err := startWorker(ctx, "second")
	if err != nil {
		return err
	}
	defer second.end()
	fmt.Println("started  two workers as separate processes")

	if err := t.writeOrders(ctx, 0, 200); err != nil {
		return err
	}
	first.kill()
	split()
	fmt.Println("killed   the first worker during its work, and split the shards of the stream")
	if err := t.writeOrders(ctx, 200, 400); err != nil {
		return err
	}
	again, err := startWorker(ctx, "first")
	if err != nil {
		return err
	}
	defer again.end()
	split()
	fmt.Println("started  the worker again, and split the shards once more")
	if err := t.writeOrders(ctx, 400, 600); err != nil {
		return err
	}
	fmt.Println("wrote    600 orders, paid every second order, cancelled every third")
	return t.prove(ctx)
}

// serve serves the engine on a port of this machine, to which its workers connect.
func serve(ctx context.Context, engine *ddbtest.Engine) (url string, stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: engine.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener) //nolint:errcheck // it ends when it is closed
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

// process is a worker.
type process struct {
	cmd  *exec.Cmd
	once sync.Once
}

// startWorker starts this program as a consumer, in another process.
func startWorker(ctx context.Context, name string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program) //nolint:gosec // it is this program
	cmd.Env = append(os.Environ(), worker+"="+name)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return &process{cmd: cmd}, cmd.Start()
}

// kill ends the process without a chance to clean up.
func (p *process) kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
}

// end asks the process to finish its work and stop.
func (p *process) end() {
	p.once.Do(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.cmd.Wait()
	})
}

// writeOrders is the work of the service: orders are placed, paid and cancelled.
func (t *tables) writeOrders(ctx context.Context, from, to int) error {
	const clerks = 4
	var wg sync.WaitGroup
	errs := make([]error, clerks)
	for clerk := range clerks {
		wg.Go(func() {
			for i := from + clerk; i < to && errs[clerk] == nil; i += clerks {
				errs[clerk] = t.writeOrder(ctx, i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (t *tables) writeOrder(ctx context.Context, i int) error {
	o := Order{Customer: fmt.Sprint("customer ", i%7), ID: fmt.Sprintf("order %03d", i), Status: "open", Total: int64(i)}
	if err := t.orders.Create(ctx, &o); err != nil {
		return err
	}
	if i%2 == 0 {
		if _, err := t.orders.Update(ctx, t.orders.Key(o.Customer, o.ID), orderStatus.Set("paid")); err != nil {
			return err
		}
	}
	if i%3 == 0 {
		return t.orders.Delete(ctx, o.Customer, o.ID)
	}
	return nil
}

// prove waits until the projection is equal to the table.
func (t *tables) prove(ctx context.Context) error {
	want := map[string]ByStatus{}
	for o, err := range t.orders.Scan().Consistent().All(ctx) {
		if err != nil {
			return err
		}
		v := byStatus(&o)
		want[v.Status+"/"+v.Order] = v
	}
	for {
		got := map[string]ByStatus{}
		for v, err := range t.byStatus.Scan().Filter(t.view.Live()).Consistent().All(ctx) {
			if err != nil {
				return fmt.Errorf("the projection has %d of %d orders: %w", len(got), len(want), err)
			}
			v.Applied = ByStatus{}.Applied
			got[v.Status+"/"+v.Order] = v
		}
		if maps.Equal(got, want) {
			fmt.Println("checked  the projection has all", len(want), "orders of the table, each under its status")
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the projection has %d orders, the table %d: %w", len(got), len(want), ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (t *tables) create(ctx context.Context) error {
	return errors.Join(
		t.orders.EnsureTable(ctx, schema.Stream(types.StreamViewTypeNewAndOldImages)), t.byStatus.EnsureTable(ctx), t.leases.EnsureTable(ctx))
}

func (t *tables) remove(ctx context.Context) {
	_ = errors.Join( // only tidies up
		t.orders.DeleteTable(ctx, schema.AllowDelete(t.orders.Name())), t.byStatus.DeleteTable(ctx, schema.AllowDelete(t.byStatus.Name())),
		t.leases.DeleteTable(ctx, schema.AllowDelete("outbox-leases")))
}
