// SPDX-License-Identifier: Apache-2.0

package change

import (
	"math"
	"sync"
	"time"
)

// loadHalfLife is the age at which a record counts half for the load of its shard: longer than a burst, shorter than the time after which shards should be
// balanced again.
const loadHalfLife = 2 * time.Minute

// meter measures how many records a minute a shard has, by the clock of its worker only. It is safe for concurrent use.
type meter struct {
	mu      sync.Mutex
	load    float64 // records a minute, up to since
	records int     // read since then
	since   time.Time
}

// newMeter continues with the load that the last owner of a shard has measured.
func newMeter(load int64, now time.Time) *meter { return &meter{load: float64(load), since: now} }

func (m *meter) add(records int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records += records
}

// measure returns the load at a time.
func (m *meter) measure(now time.Time) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if d := now.Sub(m.since); d > 0 {
		kept := math.Exp2(-d.Seconds() / loadHalfLife.Seconds())
		m.load = kept*m.load + (1-kept)*float64(m.records)/d.Minutes()
		m.records, m.since = 0, now
	}
	return int64(math.Round(m.load))
}
