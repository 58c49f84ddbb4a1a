// SPDX-License-Identifier: Apache-2.0

// Speed compares the processor time that servers take for an operation.
//
//	GOWORK=off go run ./speed -dynoxide "$(cd .. && go run ./internal/integration -install)"
//	GOWORK=off go run ./speed -dynoxide ./dynoxide -before ./ddblocal-of-before
//
// It starts ddblocal, from the source next to this command unless -ours names a binary, and the others, each in a process
// of its own on a loopback port. In every round each server does the same operations, one server after the other, so
// that a machine that is busy with other things slows all of them. What counts is the processor time of the server, of
// all its threads, as Linux accounts for it, and of the rounds the median. What the client costs does not count.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	log.SetFlags(0)
	ours := flag.String("ours", "", "ddblocal `binary`; built from the source next to this command if empty")
	before := flag.String("before", "", "another ddblocal `binary`, such as one of an earlier commit")
	dynoxide := flag.String("dynoxide", "", "dynoxide `binary`")
	rounds := flag.Int("rounds", 7, "rounds, of which the median counts")
	budget := flag.Duration("time", 300*time.Millisecond, "processor time for one kind of operation of one server in one round")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *ours, *before, *dynoxide, *rounds, *budget)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, ours, before, dynoxide string, rounds int, budget time.Duration) (err error) {
	if ours == "" {
		dir, err := os.MkdirTemp("", "speed-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // the system clears its folder of temporary files
		if ours, err = build(ctx, dir); err != nil {
			return err
		}
	}
	var servers []*server
	defer func() {
		for _, s := range servers {
			err = errors.Join(err, s.stop())
		}
	}()
	for _, s := range []*server{
		{name: "ddblocal", binary: ours, args: ddblocalArgs},
		{name: "before", binary: before, args: ddblocalArgs},
		{name: "dynoxide", binary: dynoxide, args: dynoxideArgs},
	} {
		if s.binary == "" {
			continue
		}
		if err := s.start(ctx); err != nil {
			return err
		}
		servers = append(servers, s)
		if err := s.fill(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	used := make(map[string]map[string][]float64) // microseconds for an operation, by work and server
	for _, w := range works {
		used[w.name] = make(map[string][]float64)
	}
	for round := range rounds {
		for _, w := range works {
			for i := range servers {
				s := servers[(i+round)%len(servers)] // none is always the first
				micros, err := s.measure(ctx, w, budget)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", s.name, w.name, err)
				}
				used[w.name][s.name] = append(used[w.name][s.name], micros)
			}
		}
	}
	return report(servers, used)
}

// report prints the medians, and those of the ratios of each round.
func report(servers []*server, used map[string]map[string][]float64) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(out, "µs of processor time")
	for _, s := range servers {
		fmt.Fprintf(out, "\t%s", s.name)
	}
	for _, s := range servers[1:] {
		fmt.Fprintf(out, "\tddblocal / %s (least to most)", s.name)
	}
	fmt.Fprintln(out)
	for _, w := range works {
		fmt.Fprint(out, w.name)
		ours := used[w.name][servers[0].name]
		for _, s := range servers {
			fmt.Fprintf(out, "\t%.0f", median(used[w.name][s.name]))
		}
		for _, s := range servers[1:] {
			var ratios []float64
			for round, theirs := range used[w.name][s.name] {
				ratios = append(ratios, ours[round]/theirs)
			}
			fmt.Fprintf(out, "\t%.2f (%.2f to %.2f)", median(ratios), slices.Min(ratios), slices.Max(ratios))
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}

func median[E cmp.Ordered](values []E) E {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
