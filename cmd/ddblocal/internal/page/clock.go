// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// clockUnits are the units in which the clock can be advanced.
var clockUnits = []struct {
	Name, Title string
	size        time.Duration
}{{"s", "seconds", time.Second}, {"m", "minutes", time.Minute}, {"h", "hours", time.Hour}, {"d", "days", 24 * time.Hour}}

// mostAhead is the maximum by which the clock can be ahead; it cannot go back before a restart.
const mostAhead = 50 * 365 * 24 * time.Hour

// clockView is the content of the view of the clock.
type clockView struct {
	Steps []struct{ Title, Amount, Unit string }
	Units any
}

// showClock shows the engine's time, and the form that advances it.
func (p *Page) showClock(w http.ResponseWriter, r *http.Request) {
	p.showClockWith(w, r, http.StatusOK)
}

func (p *Page) showClockWith(w http.ResponseWriter, r *http.Request, status int, problems ...string) {
	p.show(w, r, status, "clock", &view{Title: "Clock", Problems: problems, Content: clockView{
		Steps: []struct{ Title, Amount, Unit string }{{"1 minute", "1", "m"}, {"1 hour", "1", "h"}, {"1 day", "1", "d"}, {"30 days", "30", "d"}},
		Units: clockUnits,
	}})
}

// advance advances the engine's clock; events that are due then happen before the response.
func (p *Page) advance(w http.ResponseWriter, r *http.Request) {
	if !p.checkForm(w, r) {
		return
	}
	text, unit := r.PostForm.Get("amount"), r.PostForm.Get("unit")
	amount, err := strconv.ParseInt(text, 10, 64)
	var size time.Duration
	for _, u := range clockUnits {
		if u.Name == unit {
			size = u.size
		}
	}
	ahead := time.Until(p.Engine.Clock().Now())
	if err != nil || amount < 1 || size == 0 || amount > int64((mostAhead-ahead)/size) {
		p.showClockWith(w, r, http.StatusBadRequest, fmt.Sprintf("%q is no number of seconds, minutes, hours or days by which the clock can be advanced; together it can be %d years",
			text, mostAhead/(365*24*time.Hour)))
		return
	}
	p.Engine.Clock().Advance(time.Duration(amount) * size)
	p.redirect(w, r, []string{"clock"}, "done", "advanced")
}
