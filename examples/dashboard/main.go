// SPDX-License-Identifier: Apache-2.0

// Dashboard puts a load on two tables while a recorder of package debug records the requests, and
// prints the recorded figures. With -listen it also serves the page, and continues
// with the load until it is interrupted:
//
//	go run ./examples/dashboard
//	go run ./examples/dashboard -listen 127.0.0.1:8080
//
// It always runs on the embedded engine, since it needs requests to be throttled on demand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/schema"
)

// Song is something that people listen to.
type Song struct {
	Artist string `dynamodbav:"artist"`
	Title  string `dynamodbav:"title"`
	Genre  string `dynamodbav:"genre"`
	Plays  int    `dynamodbav:"plays"`
}

// Listener is a person who listens to songs.
type Listener struct {
	Name string `dynamodbav:"name"`
	Last string `dynamodbav:"last"`
}

var (
	songArtist   = ddb.StrField(func(s *Song) *string { return &s.Artist })
	songTitle    = ddb.StrField(func(s *Song) *string { return &s.Title })
	songGenre    = ddb.StrField(func(s *Song) *string { return &s.Genre })
	songPlays    = ddb.NumField(func(s *Song) *int { return &s.Plays })
	listenerName = ddb.StrField(func(l *Listener) *string { return &l.Name })
)

type radio struct {
	songs     *ddb.Table[Song, string, string]
	byGenre   *ddb.Index[Song, string, int]
	listeners *ddb.SimpleTable[Listener, string]
}

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "", "address to serve the page at")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *listen)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, listen string) error {
	engine := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("UpdateItem").Every(40).Throttle("TableWriteKeyRangeThroughputExceeded")))
	defer engine.Close()
	recorder := debug.New()
	defer hooks.Add(recorder)()
	r, err := open(ctx, engine)
	if err != nil {
		return err
	}
	for n := range 200 {
		if err := r.listen(ctx, n); err != nil {
			return err
		}
	}
	r.report(recorder.Snapshot())
	if listen == "" {
		return nil
	}
	return r.serve(ctx, listen, recorder)
}

func open(ctx context.Context, engine *ddbtest.Engine) (*radio, error) {
	var r radio
	var err error
	r.songs, err = ddb.New(engine.Client(), "songs", songArtist, songTitle)
	if err != nil {
		return nil, err
	}
	r.listeners, err = ddb.NewSimple(engine.Client(), "listeners", listenerName)
	if err != nil {
		return nil, err
	}
	r.byGenre, err = ddb.NewIndex(r.songs, "by-genre", songGenre, songPlays)
	if err != nil {
		return nil, err
	}
	return &r, schema.EnsureTables(ctx, r.songs, r.listeners)
}

// listen is the n-th time that somebody listens to a song, half of them to the same artist.
func (r *radio) listen(ctx context.Context, n int) error {
	ctx = ddb.WithLabel(ctx, "player")
	artist := "The Beat"
	if n%2 == 1 {
		artist = fmt.Sprint("artist ", n%16)
	}
	song := r.songs.Key(artist, fmt.Sprint("song ", n%5))
	_, err := r.songs.Upsert(ctx, song, songPlays.Add(1), songGenre.Set([]string{"ska", "soul"}[n%2]))
	if err != nil {
		return err
	}
	if err := r.listeners.Put(ctx, &Listener{Name: fmt.Sprint("listener ", n%9), Last: song.Sort}); err != nil {
		return err
	}
	if n%20 != 19 {
		return nil
	}
	_, err = r.byGenre.Query("soul").Descending().Limit(3).Collect(ddb.WithLabel(ctx, "charts"))
	return err
}

// report prints the figures that are the same each time, so no durations.
func (r *radio) report(s debug.Snapshot) {
	fmt.Printf("%d calls, %g read and %g write units, %d throttled, %d failed\n",
		s.Totals.Calls, s.Totals.ReadUnits, s.Totals.WriteUnits, s.Totals.Throttled, s.Totals.Failed)
	for _, u := range s.Units {
		fmt.Printf("%-9s %-8s %-10s %-6s %5.1f units, %2.0f %%\n", u.Table, u.Index, u.Operation, u.Label, u.Units, 100*u.Share)
	}
	for _, t := range s.Throttles {
		fmt.Printf("throttled: %s %s, %d times: %s\n", t.Operation, t.Table, t.Count, t.Reason)
	}
	beat, err := r.songs.PartitionHash("The Beat")
	fmt.Println("the hottest key is The Beat's:", err == nil && s.HotKeys[0].Partition == beat)
}

// serve shows the page while the load goes on.
func (r *radio) serve(ctx context.Context, address string, recorder *debug.Recorder) error {
	mux := http.NewServeMux()
	mux.Handle("/debug/ddb", recorder) // in your own program, put it behind authentication
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	fmt.Printf("http://%s/debug/ddb\n", address)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for n := 200; ; n++ {
		select {
		case err := <-failed:
			return err
		case <-ctx.Done():
			return server.Close()
		case <-tick.C:
			if err := r.listen(ctx, n); err != nil && ctx.Err() == nil {
				return errors.Join(err, server.Close())
			}
		}
	}
}
