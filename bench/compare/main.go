// Compare runs every call with every library in interleaved rounds in one
// process, prints a table of the best rounds, and draws a plot.
//
//	go run ./compare -rounds 7 -svg ../docs/bench.svg
//
// With -cpu it compares processor time, garbage collection included: ratios of times are worth little on a machine that
// is busy, as a long call is interrupted more often than a short one.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"runtime"
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
	rounds := flag.Int("rounds", 7, "rounds, of which the best counts")
	budget := flag.Duration("time", 150*time.Millisecond, "time for one library in one round")
	svg := flag.String("svg", "", "file for the plot")
	loopback := flag.Bool("loopback", false, "canned replies by HTTP over loopback instead of a stub")
	endpoint := flag.String("endpoint", "", "URL of a server that does the work, such as ddblocal; its table orders gets 1,000 items")
	cpu := flag.Bool("cpu", false, "processor time instead of time, for a machine that is busy with other things")
	flag.Parse()
	begun := time.Now()
	now, unit := func() time.Duration { return time.Since(begun) }, "Time"
	if *cpu {
		if _, ok := cpuTime(); !ok {
			log.Fatal("the processor time of a process is not known on this system")
		}
		now, unit = func() time.Duration { t, _ := cpuTime(); return t }, "Processor time"
	}
	if err := run(*rounds, *budget, now, unit, *svg, *loopback, *endpoint); err != nil {
		log.Fatal(err)
	}
}

// figure is the best round of one library at one call.
type figure struct {
	ns, bytes, allocs float64
}

func run(rounds int, budget time.Duration, now func() time.Duration, unit, svg string, loopback bool, endpoint string) error {
	if endpoint != "" {
		if err := bench.Fill(context.Background(), clientOf(endpoint)); err != nil {
			return err
		}
	}
	calls, err := bench.Calls()
	if err != nil {
		return err
	}
	libs := bench.Libraries
	if endpoint == "" { // a server needs a request that it can answer
		libs = append(slices.Clone(libs), bench.Floor)
	}
	results := map[string]map[string]figure{}
	for _, call := range calls {
		client, stop := clientFor(call, loopback, endpoint)
		best := map[string]figure{}
		for range rounds {
			for _, lib := range libs {
				f, err := measure(call.With[lib](client()), budget, now)
				if err != nil {
					stop()
					return fmt.Errorf("%s with %s: %w", call.Name, lib, err)
				}
				if b, ok := best[lib]; !ok || f.ns < b.ns {
					best[lib] = f
				}
			}
		}
		stop()
		results[call.Name] = best
	}
	fmt.Print(table(calls, results))
	if svg == "" {
		return nil
	}
	return os.WriteFile(svg, []byte(plot(calls, results, unit)), 0o644) //nolint:gosec // a picture for everybody
}

// clientFor makes clients that get the call's reply, from a stub or over loopback.
func clientFor(call bench.Call, loopback bool, endpoint string) (client func() *dynamodb.Client, stop func()) {
	if endpoint != "" {
		return func() *dynamodb.Client { return clientOf(endpoint) }, func() {}
	}
	if !loopback {
		return func() *dynamodb.Client { return bench.Client(bench.NewStub(call.Reply)) }, func() {}
	}
	stub := bench.NewStub(call.Reply)
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

func measure(work func(context.Context) error, budget time.Duration, now func() time.Duration) (figure, error) {
	ctx := context.Background()
	for range 3 { // warm up
		if err := work(ctx); err != nil {
			return figure{}, err
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, n, chunk := now(), 0, 1
	elapsed := time.Duration(0)
	for elapsed < budget {
		for range chunk {
			if err := work(ctx); err != nil {
				return figure{}, err
			}
		}
		n += chunk
		if elapsed = now() - start; elapsed < budget/16 {
			chunk *= 2 // the clock takes time, too
		}
	}
	runtime.ReadMemStats(&after)
	per := float64(n)
	return figure{float64(elapsed.Nanoseconds()) / per, float64(after.TotalAlloc-before.TotalAlloc) / per, float64(after.Mallocs-before.Mallocs) / per}, nil
}

// table is the result in Markdown: time, allocations, and the ratios to ddb.
func table(calls []bench.Call, results map[string]map[string]figure) string {
	var b strings.Builder
	b.WriteString("| call |")
	for _, lib := range bench.Libraries {
		fmt.Fprintf(&b, " %s |", lib)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(bench.Libraries)) + "\n")
	for _, call := range calls {
		ours := results[call.Name]["ddb"]
		fmt.Fprintf(&b, "| %s |", call.Name)
		for _, lib := range bench.Libraries {
			f := results[call.Name][lib]
			fmt.Fprintf(&b, " %.4g µs, %.0f allocs", f.ns/1000, f.allocs)
			if lib != "ddb" {
				fmt.Fprintf(&b, " (%.1fx, %.1fx)", f.ns/ours.ns, f.allocs/ours.allocs)
			}
			b.WriteString(" |")
		}
		b.WriteByte('\n')
	}
	return b.String() + floors(calls, results)
}

// floors tells how far ddb is above what the SDK's client takes for the same bodies with nothing encoded or decoded,
// and the best ratio to SDK + attributevalue that any library on that client could have.
func floors(calls []bench.Call, results map[string]map[string]figure) string {
	var b strings.Builder
	for _, call := range calls {
		ours, theirs := results[call.Name]["ddb"], results[call.Name]["sdk+attributevalue"]
		f, ok := results[call.Name][bench.Floor]
		if !ok {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("\n| call | floor: same bodies, no items | ddb above it | ratio to sdk+attributevalue | ratio of the floor |\n|---|---|---|---|---|\n")
		}
		fmt.Fprintf(&b, "| %s | %.4g µs, %.0f allocs | %.4g µs, %.0f allocs | %.1fx, %.1fx | %.1fx, %.1fx |\n", call.Name,
			f.ns/1000, f.allocs, (ours.ns-f.ns)/1000, ours.allocs-f.allocs,
			theirs.ns/ours.ns, theirs.allocs/ours.allocs, theirs.ns/f.ns, theirs.allocs/f.allocs)
	}
	return b.String()
}

var colours = []string{"#2563eb", "#94a3b8", "#a855f7", "#f59e0b", "#10b981"}

// plot draws, for each call, the time of each library as a multiple of ddb's.
func plot(calls []bench.Call, results map[string]map[string]figure, unit string) string {
	const (
		width, label = 760, 190
		bar, gap     = 15, 16
	)
	longest := 1.0
	for _, call := range calls {
		for _, lib := range bench.Libraries {
			longest = max(longest, results[call.Name][lib].ns/results[call.Name]["ddb"].ns)
		}
	}
	var rows strings.Builder
	y := 56
	for _, call := range calls {
		ours := results[call.Name]["ddb"]
		fmt.Fprintf(&rows, `<text x="%d" y="%d" text-anchor="end" class="call">%s</text>`+"\n", label-10, y+len(bench.Libraries)*bar/2+4, call.Name)
		for i, lib := range bench.Libraries {
			f := results[call.Name][lib]
			w := max(1, int(f.ns/ours.ns/longest*(width-label-150)))
			fmt.Fprintf(&rows, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", label, y, w, bar-3, colours[i])
			fmt.Fprintf(&rows, `<text x="%d" y="%d">%.3g µs, %.0f allocs</text>`+"\n", label+w+6, y+bar-5, f.ns/1000, f.allocs)
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
