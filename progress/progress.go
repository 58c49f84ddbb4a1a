// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// State is the state of a call.
type State string

// The states.
const (
	Running State = "running"
	Waiting State = "waiting" // for capacity, a table, a lease; see Progress.Reason
	Done    State = "done"
	Stopped State = "stopped" // by its caller or a budget, before its end
	Failed  State = "failed"
)

// Ended reports whether the call is over.
func (s State) Ended() bool { return s == Done || s == Stopped || s == Failed }

// Units are capacity units, or units a second.
type Units struct {
	Read  float64 `json:"read"`
	Write float64 `json:"write"`
}

// Count is a counter of a call, such as how many items it has changed.
type Count struct {
	Name string `json:"name"`
	N    int64  `json:"n"`
}

// Progress is the state of one long call at a time.
type Progress struct {
	// Job names the call: its operation and table, or the name that [Named] gives.
	Job   string
	State State
	// Reason is why the call waits, was stopped or has failed. It contains no key.
	Reason string
	// Started is when the call began, At when this was taken.
	Started, At time.Time
	// Items is the number of items read or written so far, Total the number of all items, 0 if that is not known.
	Items, Total int64
	// Counts are further counters of the call, sorted by name.
	Counts []Count
	// Parts is the number of parts of the work, such as the segments of a scan, and PartsDone the number of them that are done, including those of earlier runs.
	Parts, PartsDone int
	// Units is the cost of the call's requests so far, as their replies state.
	Units Units
	// Rate is units a second, of the last ten seconds.
	Rate Units
	// Ceiling is the limit of the rate, such as a pace; 0 means no limit.
	Ceiling Units
	// The rest will probably take between LeftLow and LeftHigh. Both are 0 while that is unknown. They are computed from
	// the parts or items that are done, not from the table's item count, which is hours old. The range covers a 95 % interval of the size of the remaining
	// parts, and the rates of the last ten seconds and of the whole run.
	LeftLow, LeftHigh time.Duration

	position func() string
}

// Position returns the text from which the call can be resumed at the moment; empty if the call has none. It contains
// keys of items for anyone who decodes it, as cursors do.
func (p Progress) Position() string {
	if p.position == nil {
		return ""
	}
	return p.position()
}

// Elapsed returns how long the call has run.
func (p Progress) Elapsed() time.Duration { return p.At.Sub(p.Started) }

// Share returns how much is done, 0 to 1, or -1 if that is not known.
func (p Progress) Share() float64 {
	switch {
	case p.State == Done:
		return 1
	case p.Parts > 0:
		return float64(p.PartsDone) / float64(p.Parts)
	case p.Total > 0:
		return min(1, float64(p.Items)/float64(p.Total))
	}
	return -1
}

// String returns the progress in one line, for people.
func (p Progress) String() string {
	var b strings.Builder
	add := func(format string, args ...any) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		_, _ = fmt.Fprintf(&b, format, args...)
	}
	_, _ = fmt.Fprintf(&b, "%s: %s", p.Job, p.State)
	if p.Reason != "" {
		_, _ = fmt.Fprintf(&b, " (%s)", p.Reason)
	}
	if share := p.Share(); share >= 0 {
		add("%.1f %%", 100*share)
	}
	if p.Parts > 0 {
		add("%d of %d parts", p.PartsDone, p.Parts)
	}
	switch {
	case p.Total > 0:
		add("%d of %d items", p.Items, p.Total)
	case p.Items > 0 || p.State.Ended():
		add("%d items", p.Items)
	}
	for _, c := range p.Counts {
		add("%d %s", c.N, c.Name)
	}
	for _, u := range []struct {
		kind                 string
		units, rate, ceiling float64
	}{{"read", p.Units.Read, p.Rate.Read, p.Ceiling.Read}, {"write", p.Units.Write, p.Rate.Write, p.Ceiling.Write}} {
		if u.units == 0 && u.rate == 0 {
			continue
		}
		add("%s %s units", number(u.units), u.kind)
		switch {
		case p.State.Ended():
		case u.ceiling > 0:
			add("%s of %s a second", number(u.rate), number(u.ceiling))
		default:
			add("%s a second", number(u.rate))
		}
	}
	add("%v", p.Elapsed().Round(time.Second))
	if !p.State.Ended() && p.LeftHigh > 0 {
		add("%v to %v left", p.LeftLow.Round(time.Second), p.LeftHigh.Round(time.Second))
	}
	return b.String()
}

// number formats a number of units with at most one decimal.
func number(n float64) string { return fmt.Sprint(math.Round(10*n) / 10) }

// MarshalJSON returns the progress for machines, with times in seconds and without the position.
func (p Progress) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Job       string    `json:"job"`
		State     State     `json:"state"`
		Reason    string    `json:"reason,omitempty"`
		Started   time.Time `json:"started"`
		At        time.Time `json:"at"`
		Elapsed   float64   `json:"elapsedSeconds"`
		Items     int64     `json:"items"`
		Total     int64     `json:"total,omitempty"`
		Counts    []Count   `json:"counts,omitempty"`
		Parts     int       `json:"parts,omitempty"`
		PartsDone int       `json:"partsDone,omitempty"`
		Units     Units     `json:"units"`
		Rate      Units     `json:"unitsPerSecond"`
		Ceiling   Units     `json:"ceilingPerSecond"`
		LeftLow   float64   `json:"leftLowSeconds,omitempty"`
		LeftHigh  float64   `json:"leftHighSeconds,omitempty"`
	}{
		p.Job, p.State, p.Reason, p.Started, p.At, p.Elapsed().Seconds(), p.Items, p.Total, p.Counts, p.Parts, p.PartsDone,
		p.Units, p.Rate, p.Ceiling, p.LeftLow.Seconds(), p.LeftHigh.Seconds(),
	})
}

// Format prints the line for people, for every verb.
func (p Progress) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, p.String()) }
