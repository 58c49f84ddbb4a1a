// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"time"

	"github.com/dynamotable/ddb"
)

// rateSeconds is how far back rates go.
const rateSeconds = 300

// rateRing counts by the second, in a ring of the last rateSeconds complete ones and
// the one under way.
type rateRing [rateSeconds + 1]rateBucket

type rateBucket struct {
	second int64 // since 1970; what is in the bucket is of this second
	calls  float64
	failed float64
	tries  float64 // that were throttled
	read   float64
	write  float64
}

func (r *rateRing) add(now time.Time, call *ddb.Call) {
	second := now.Unix()
	b := r.at(second)
	switch {
	case b.second > second: // the clock went back, to a second that is forgotten
		return
	case b.second < second:
		*b = rateBucket{second: second}
	}
	b.calls++
	if call.Failed() {
		b.failed++
	}
	b.tries += float64(len(call.Throttled))
	b.read += call.Consumed.ReadUnits
	b.write += call.Consumed.WriteUnits
}

func (r *rateRing) at(second int64) *rateBucket {
	n := int64(len(r))
	return &r[(second%n+n)%n]
}

// rates are the complete seconds before now.
func (r *rateRing) rates(now time.Time) Rates {
	out := Rates{
		End:   time.Unix(now.Unix(), 0).UTC(),
		Calls: make([]float64, rateSeconds), Failed: make([]float64, rateSeconds), Throttled: make([]float64, rateSeconds),
		ReadUnits: make([]float64, rateSeconds), WriteUnits: make([]float64, rateSeconds),
	}
	for i := range rateSeconds {
		second := now.Unix() - rateSeconds + int64(i)
		if b := r.at(second); b.second == second {
			out.Calls[i], out.Failed[i], out.Throttled[i] = b.calls, b.failed, b.tries
			out.ReadUnits[i], out.WriteUnits[i] = b.read, b.write
		}
	}
	return out
}

// averages are over the last seconds, or over those since the recorder was made.
func (r *Rates) averages(age time.Duration) []Average {
	var all []Average
	for _, seconds := range []int{10, 60, rateSeconds} {
		over := min(seconds, int(age/time.Second))
		mean := func(values []float64) float64 {
			sum := 0.0
			for _, v := range values[len(values)-over:] {
				sum += v
			}
			return sum / float64(max(over, 1))
		}
		all = append(all, Average{
			Seconds: seconds, Calls: mean(r.Calls), Failed: mean(r.Failed), Throttled: mean(r.Throttled),
			ReadUnits: mean(r.ReadUnits), WriteUnits: mean(r.WriteUnits),
		})
	}
	return all
}
