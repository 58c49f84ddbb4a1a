// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"math"
	"time"
)

// Price is the price of request units, in a currency of your choice. The prices of a Region are on
// https://aws.amazon.com/dynamodb/pricing/on-demand/.
type Price struct {
	Currency     string  `json:"currency"`     // such as USD
	ReadMillion  float64 `json:"readMillion"`  // of a million read units
	WriteMillion float64 `json:"writeMillion"` // of a million write units
}

func (p Price) of(read, write float64) float64 {
	return (read*p.ReadMillion + write*p.WriteMillion) / 1e6
}

// prices are by table; that of the empty name is of all others.
type prices struct {
	currency string
	byTable  map[string]Price
}

// set ignores a price that is negative or not finite, because it would make the sums wrong.
func (p *prices) set(price Price, tables []string) {
	for _, x := range []float64{price.ReadMillion, price.WriteMillion} {
		if !(x >= 0 && x <= math.MaxFloat64) { // written so that NaN is refused
			return
		}
	}
	if p.byTable == nil {
		p.byTable = make(map[string]Price)
	}
	p.currency = price.Currency
	if len(tables) == 0 {
		tables = []string{""}
	}
	for _, t := range tables {
		p.byTable[t] = price
	}
}

func (p *prices) of(table string) Price {
	if own, ok := p.byTable[table]; ok {
		return own
	}
	return p.byTable[""]
}

const hoursInMonth = 730

// costOf returns what the units cost so far, and what they would cost in an hour and a month at the rate of the last five
// minutes.
func (r *Recorder) costOf(units []Units, f Filter, now time.Time) *Cost {
	if r.prices.byTable == nil {
		return nil
	}
	c := &Cost{Currency: r.prices.currency}
	for i := range units {
		u := &units[i]
		u.Cost = r.prices.of(u.Table).of(u.ReadUnits, u.WriteUnits)
		c.Total += u.Cost
	}
	over := float64(max(1, min(rateSeconds, int(now.Sub(r.since)/time.Second))))
	for key, s := range r.series.m {
		if !f.admits(key.table, key.label) {
			continue
		}
		var read, write float64
		for i := range s.seconds {
			if t := &s.seconds[i]; t.at >= now.Unix()-rateSeconds && t.at < now.Unix() {
				read += t.read
				write += t.write
			}
		}
		c.PerHour += r.prices.of(key.table).of(read, write) / over * float64(time.Hour/time.Second)
	}
	c.PerMonth = c.PerHour * hoursInMonth
	return c
}
