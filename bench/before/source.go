// SPDX-License-Identifier: Apache-2.0

package main

// source is the program that is built: the calls of both versions, by name, on the replies of this one.
const source = `package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	then "before.example/ddb/bench"
	"github.com/dynamotable/ddb/bench"
)

func main() {
	log.SetFlags(0)
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	budget, err := time.ParseDuration(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if _, ok := bench.CPUTime(); !ok {
		log.Fatal("the processor time of a process is not known on this system")
	}
	now := func() time.Duration { t, _ := bench.CPUTime(); return t }
	calls, err := bench.Calls()
	if err != nil {
		log.Fatal(err)
	}
	earlier, err := then.Calls()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("| call | before | now | now / before, median | least to most |\n|---|---|---|---|---|")
	for i, call := range calls {
		if earlier[i].Name != call.Name {
			log.Fatalf("%s was %s", call.Name, earlier[i].Name)
		}
		var works []func(context.Context) error
		works = append(works, earlier[i].With["ddb"](then.Client(then.NewStub(earlier[i].Reply))))
		works = append(works, call.With["ddb"](bench.Client(bench.NewStub(call.Reply))))
		series, err := bench.Rounds(rounds, budget, now, works...)
		if err != nil {
			log.Fatal(err)
		}
		median, least, most := series[0].Ratio(series[1])
		before, after := series[0].Median(), series[1].Median()
		fmt.Printf("| %s | %.4g µs, %.0f allocs | %.4g µs, %.0f allocs | %.2f | %.2f to %.2f |\n", call.Name,
			before.NS/1000, before.Allocs, after.NS/1000, after.Allocs, median, least, most)
	}
}
`
