// SPDX-License-Identifier: Apache-2.0

// Compare runs every call with every library in interleaved rounds in one process, prints a table of medians with the spread
// of the ratios, and draws a plot.
//
//	GOWORK=off go run ./compare -cpu -svg ../docs/bench.svg   the usual calls
//	GOWORK=off go run ./compare -cpu -of types               pages of ten types of items
//	GOWORK=off go run ./compare -cpu -of points               small writes
//	GOWORK=off go run ./compare -cpu -of indexes              reads of an index with the whole items
//
// With -cpu it compares processor time, garbage collection included: ratios of times are worth little on a machine that
// is busy, as a long call is interrupted more often than a short one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"net/http"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/bench"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 7, "rounds, of which the median counts")
	budget := flag.Duration("time", 150*time.Millisecond, "time for one library in one round")
	of := flag.String("of", "calls", "what is measured: calls, types, points or indexes")
	only := flag.String("only", "", "measure the calls whose names have this `text` alone")
	svg := flag.String("svg", "", "file for the plot")
	loopback := flag.Bool("loopback", false, "canned replies by HTTP over loopback instead of a stub")
	endpoint := flag.String("endpoint", "", "URL of a server that does the work, such as ddblocal; its table orders gets 1,000 items")
	cpu := flag.Bool("cpu", false, "processor time instead of time, for a machine that is busy with other things")
	flag.Parse()
	begun := time.Now()
	now, unit := func() time.Duration { return time.Since(begun) }, "Time"
	if *cpu {
		if _, ok := bench.CPUTime(); !ok {
			log.Fatal("the processor time of a process is not known on this system")
		}
		now, unit = func() time.Duration { t, _ := bench.CPUTime(); return t }, "Processor time"
	}
	calls, err := callsOf(*of, *endpoint != "")
	if err != nil {
		log.Fatal(err)
	}
	calls = slices.DeleteFunc(calls, func(c bench.Call) bool { return !strings.Contains(c.Name, *only) })
	if err := run(calls, *rounds, *budget, now, unit, *svg, *loopback, *endpoint); err != nil {
		log.Fatal(err)
	}
}

func callsOf(of string, server bool) ([]bench.Call, error) {
	switch {
	case of == "calls":
		return bench.Calls()
	case server:
		return nil, errors.New("a server has the items of the usual calls only")
	case of == "types":
		return bench.ItemTypes()
	case of == "points":
		return bench.Points(), nil
	case of == "indexes":
		return bench.Indexes()
	}
	return nil, fmt.Errorf("-of %s: calls, types, points or indexes", of)
}

// results are figures by call and library.
type results map[string]map[string]bench.Series

func run(calls []bench.Call, rounds int, budget time.Duration, now func() time.Duration, unit, svg string, loopback bool, endpoint string) error {
	if endpoint != "" {
		if err := bench.Fill(context.Background(), clientOf(endpoint)); err != nil {
			return err
		}
	}
	all := results{}
	for _, call := range calls {
		client, stop := clientFor(call, loopback, endpoint)
		var libs []string
		var works []func(context.Context) error
		for _, lib := range append(slices.Clone(bench.Libraries), bench.Floor) {
			if work := call.With[lib]; work != nil && (lib != bench.Floor || endpoint == "") { // a server needs a request that it can answer
				libs, works = append(libs, lib), append(works, work(client()))
			}
		}
		series, err := bench.Rounds(rounds, budget, now, works...)
		stop()
		if err != nil {
			return fmt.Errorf("%s: %w", call.Name, err)
		}
		all[call.Name] = map[string]bench.Series{}
		for i, lib := range libs {
			all[call.Name][lib] = series[i]
		}
	}
	fmt.Print(table(calls, all))
	if svg == "" {
		return nil
	}
	return os.WriteFile(svg, []byte(plot(calls, all, unit)), 0o644) //nolint:gosec // a picture for everybody
}

// clientFor makes clients that get the call's reply, from a stub or over loopback.
func clientFor(call bench.Call, loopback bool, endpoint string) (client func() *dynamodb.Client, stop func()) {
	if endpoint != "" {
		return func() *dynamodb.Client { return clientOf(endpoint) }, func() {}
	}
	if !loopback {
		return func() *dynamodb.Client { return bench.Client(call.Stub()) }, func() {}
	}
	stub := call.Stub()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := stub.Do(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer resp.Body.Close() //nolint:errcheck // in memory
		maps.Copy(w.Header(), resp.Header)
		_, _ = io.Copy(w, resp.Body)
	}))
	return func() *dynamodb.Client { return clientOf(server.URL) }, server.Close
}

func clientOf(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: credentials.NewStaticCredentialsProvider("AKID", "SECRET", ""),
	})
}

// table is the result in Markdown: medians of time, allocations, and the ratios to ddb with their spread.
func table(calls []bench.Call, all results) string {
	libs := slices.DeleteFunc(slices.Clone(bench.Libraries), func(lib string) bool {
		return !slices.ContainsFunc(calls, func(c bench.Call) bool { return all[c.Name][lib] != nil })
	})
	var b strings.Builder
	b.WriteString("| call |")
	for _, lib := range libs {
		fmt.Fprintf(&b, " %s |", lib)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(libs)) + "\n")
	for _, call := range calls {
		ours := all[call.Name]["ddb"]
		fmt.Fprintf(&b, "| %s |", call.Name)
		for _, lib := range libs {
			series := all[call.Name][lib]
			if series == nil {
				b.WriteString(" |")
				continue
			}
			f := series.Median()
			fmt.Fprintf(&b, " %.4g µs, %.0f allocs", f.NS/1000, f.Allocs)
			if lib != "ddb" {
				median, least, most := ours.Ratio(series)
				fmt.Fprintf(&b, " (%.2fx, %.2f to %.2f; %.1fx)", median, least, most, f.Allocs/ours.Median().Allocs)
			}
			b.WriteString(" |")
		}
		b.WriteByte('\n')
	}
	return b.String() + floors(calls, all)
}

// floors shows how far ddb is above the time that the SDK's client takes for the same bodies with nothing encoded or decoded,
// and the best ratio to SDK + attributevalue that any library on that client could have.
func floors(calls []bench.Call, all results) string {
	var b strings.Builder
	for _, call := range calls {
		floor := all[call.Name][bench.Floor]
		if floor == nil {
			continue
		}
		ours, theirs, f := all[call.Name]["ddb"].Median(), all[call.Name]["sdk+attributevalue"].Median(), floor.Median()
		if b.Len() == 0 {
			b.WriteString("\n| call | floor: same bodies, no items | ddb above it | ratio to sdk+attributevalue | ratio of the floor |\n|---|---|---|---|---|\n")
		}
		fmt.Fprintf(&b, "| %s | %.4g µs, %.0f allocs | %.4g µs, %.0f allocs | %.1fx, %.1fx | %.1fx, %.1fx |\n", call.Name,
			f.NS/1000, f.Allocs, (ours.NS-f.NS)/1000, ours.Allocs-f.Allocs,
			theirs.NS/ours.NS, theirs.Allocs/ours.Allocs, theirs.NS/f.NS, theirs.Allocs/f.Allocs)
	}
	return b.String()
}

var colours = []string{"#2563eb", "#94a3b8", "#a855f7", "#f59e0b", "#10b981"}

// plot draws, for each call, the time of each library as a multiple of ddb's.
func plot(calls []bench.Call, all results, unit string) string {
	const (
		width, label = 760, 190
		bar, gap     = 15, 16
	)
	longest := 1.0
	for _, call := range calls {
		for lib := range all[call.Name] {
			longest = max(longest, all[call.Name][lib].Median().NS/all[call.Name]["ddb"].Median().NS)
		}
	}
	var rows strings.Builder
	y := 56
	for _, call := range calls {
		ours := all[call.Name]["ddb"].Median()
		fmt.Fprintf(&rows, `<text x="%d" y="%d" text-anchor="end" class="call">%s</text>`+"\n", label-10, y+len(bench.Libraries)*bar/2+4, call.Name)
		for i, lib := range bench.Libraries {
			if all[call.Name][lib] == nil {
				continue
			}
			f := all[call.Name][lib].Median()
			w := max(1, int(f.NS/ours.NS/longest*(width-label-150)))
			fmt.Fprintf(&rows, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", label, y, w, bar-3, colours[i])
			fmt.Fprintf(&rows, `<text x="%d" y="%d">%.3g µs, %.0f allocs</text>`+"\n", label+w+6, y+bar-5, f.NS/1000, f.Allocs)
			y += bar
		}
		y += gap
	}
	var legend strings.Builder
	for i, lib := range bench.Libraries {
		fmt.Fprintf(&legend, `<rect x="%d" y="28" width="12" height="12" fill="%s"/><text x="%d" y="38">%s</text>`+"\n", label+i*130, colours[i], label+i*130+17, lib)
	}
	return strings.Join(slices.Concat([]string{
		fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="11">`, width, y),
		`<style>text{fill:#334155}.call{font-weight:600}@media(prefers-color-scheme:dark){text{fill:#cbd5e1}}</style>`,
		`<text x="10" y="16" font-size="13">` + unit + ` of one call through the SDK client, shorter is better; each group on its own scale of ddb = 1</text>`,
		legend.String(), rows.String(), `</svg>`, "",
	}), "\n")
}
