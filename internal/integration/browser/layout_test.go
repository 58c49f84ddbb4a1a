// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/hooks"
)

func charts(t *testing.T, s *shop, b *tab) {
	b.open()
	b.shows(s.recorder)
	labels := evaluate[[]string](b, `[...document.querySelectorAll("figure svg")].map(n => n.getAttribute("aria-label"))`)
	want := s.recorder.Snapshot()
	r := want.Rates
	if len(labels) != 4 || !strings.HasPrefix(labels[0], "Units per second, last five minutes") ||
		!strings.Contains(labels[0], "write "+strconv.FormatFloat(r.WriteUnits[299], 'f', -1, 64)+" now, "+strconv.FormatFloat(slices.Max(r.WriteUnits), 'f', -1, 64)+" at most") {
		t.Errorf("charts are called %q", labels)
	}
	if !strings.HasPrefix(labels[2], "Latency") {
		t.Errorf("the third is %q", labels[2])
	}
	if n := evaluate[int](b, `document.querySelector("figure svg .series .line").getAttribute("d").split("L").length`); n != 300 {
		t.Errorf("a line of %d points, want 300", n)
	}
	tops := func() []float64 {
		return evaluate[[]float64](b, `[...document.querySelectorAll("figure svg")].map(n => Number(n.dataset.top))`)
	}
	fits := func(what string, top, peak float64) {
		t.Helper()
		if top < peak || peak > 0 && top > 1.5*peak {
			t.Errorf("%s: the axis ends at %g, the peak is %g", what, top, peak)
		}
	}
	fits("units", tops()[0], max(slices.Max(r.ReadUnits), slices.Max(r.WriteUnits)))
	fits("calls", tops()[1], slices.Max(r.Calls))
	fits("problems", tops()[3], max(slices.Max(r.Throttled), slices.Max(r.Failed), slices.Max(r.FailedConditions)))

	// An hour, in which the program ran for the last minutes.
	b.must(chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS("#range button:nth-child(2)"))))
	b.until(`document.querySelector("figure svg").getAttribute("aria-label").includes("last hour")`)
	begin := evaluate[float64](b, `Number(document.querySelector("figure svg").dataset.begin)`)
	if begin != float64(want.Since.Unix()) {
		t.Errorf("the hour begins at %g, the program at %d", begin, want.Since.Unix())
	}
	h := want.History
	fits("latency in an hour", tops()[2], slices.Max(h.MaxMs))
	fits("calls in an hour", tops()[1], slices.Max(h.Calls[:120])/30)
	if n, least := evaluate[int](b, `Number(document.querySelectorAll("figure svg")[2].dataset.points)`), int(want.Time.Sub(want.Since)/(30*time.Second)); n < least || n > least+2 {
		t.Errorf("the latency has %d points, want about %d", n, least)
	}
	// The values under the pointer are shown above the chart.
	box := evaluate[map[string]float64](b, `document.querySelector("figure svg").getBoundingClientRect().toJSON()`)
	b.must(chromedp.Do(b.ctx, chromedp.MouseEvent("mouseMoved", box["left"]+box["width"]/2, box["top"]+20)))
	b.until(`document.querySelector("figure svg .cursor")`)
}

// filtered: with and without scripts the page shows the calls of one table and label.
func filtered(t *testing.T, s *shop, b *tab) {
	b.open()
	b.shows(s.recorder)
	b.must(chromedp.Do(b.ctx, chromedp.Focus(chromedp.CSS(`select[name="label"]`))))
	b.press("n") // nightly report
	b.until(`document.querySelector('select[name="label"]').value === "nightly report"`)
	want := s.recorder.SnapshotOf(debug.Filter{Label: "nightly report"})
	check := func(how string) {
		t.Helper()
		b.until(callsShown + ` === ` + quoted(strconv.FormatInt(want.Totals.Calls, 10)))
		got := b.tables()
		if len(got["units"]) != len(want.Units)+1 || len(got["latencies"]) != len(want.Latencies)+1 || want.Totals.Calls == 0 {
			t.Errorf("%s: %d rows of units, want %d", how, len(got["units"])-1, len(want.Units))
		}
		for _, row := range append(got["units"][1:], got["slowest"][1:]...) {
			if row[3] != "nightly report" {
				t.Errorf("%s: %q is shown", how, row)
			}
		}
	}
	check("with scripts")
	if at := b.text("location.search"); at != "?label=nightly+report" {
		t.Errorf("the address is %s", at)
	}
	b.scripts(false)
	b.open()
	b.must(chromedp.Do(b.ctx, chromedp.Focus(chromedp.CSS(`select[name="label"]`))))
	b.press("n")
	b.must(chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS("#apply"))))
	for b.ctx.Err() == nil { // while the page loads the next one, an evaluation gets no answer
		there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && location.search.includes("label=nightly+report")`))
		if err == nil && there {
			break
		}
	}
	check("without scripts")
	b.scripts(true)
	b.open()
}

// narrow: nothing overflows, no row wraps, and tables that scroll have a shadow at their edge.
func narrow(t *testing.T, s *shop, b *tab) {
	for _, width := range []int64{390, 500} {
		for _, theme := range []string{"light", "dark"} {
			b.size(width, 844)
			b.prefer(theme)
			evaluate[bool](b, `(localStorage.clear(), true)`) // choices of the user
			b.open()
			b.shows(s.recorder)
			b.until(`document.getAnimations().length === 0`)
			b.readable(fmt.Sprintf("%s, %d pixels", theme, width))
			if got := evaluate[int64](b, `document.documentElement.scrollWidth`); got > width {
				t.Errorf("the page is %d wide on a screen of %d", got, width)
			}
			for _, id := range []string{"pause", "theme", "filters"} {
				if right := evaluate[float64](b, `document.getElementById(`+quoted(id)+`).getBoundingClientRect().right`); right > float64(width) {
					t.Errorf("%s ends at %g of %d", id, right, width)
				}
			}
			if ground := b.text(`getComputedStyle(document.body).backgroundColor`); (ground == "rgb(20, 23, 28)") != (theme == "dark") {
				t.Errorf("%s: the background is %s", theme, ground)
			}
			for _, broken := range evaluate[[]string](b, `[...document.querySelectorAll("main table")].filter(t => t.getClientRects().length).flatMap(t =>
				[...t.rows].filter(r => !r.classList.contains("explain") && r.offsetHeight > 34).map(r => t.id + ": " + r.textContent.slice(0, 60)))`) {
				t.Errorf("%d pixels: a row wraps: %s", width, broken)
			}
			if n := evaluate[int](b, `[...document.querySelectorAll(".scroll")].filter(n => n.scrollWidth > n.clientWidth).length`); n < 5 {
				t.Errorf("%d pixels: %d tables scroll", width, n)
			}
			if plain := evaluate[int](b, `[...document.querySelectorAll(".scroll")].filter(n => (getComputedStyle(n).backgroundImage.match(/gradient/g) || []).length !== 4).length`); plain != 0 {
				t.Errorf("%d tables do not show that they scroll", plain)
			}
			b.keep("narrow-" + strconv.FormatInt(width, 10) + "-" + theme)
		}
	}
	b.prefer("light")
	b.size(1280, 900)
}

// TestHostileNames: names are text for the script as well.
func TestHostileNames(t *testing.T) {
	const hostile = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`
	ledger := cost.NewLedger()
	r := debug.New(debug.WithLedger(ledger))
	ledger.Record(hostile, hostile, hostile, 1, 1)
	call := hooks.Call{
		Operation: hostile, Table: hostile, Index: hostile, Label: hostile, Duration: time.Second, Consumed: cost.Consumed{ReadUnits: 1},
		Partitions: []hooks.PartitionHash{1}, Throttled: []ddberr.ThrottlingReason{{Reason: hostile}},
	}
	r.End(r.Begin(t.Context(), &call), &call)
	b := openTab(t, r)
	b.open()
	b.until(`document.documentElement.dataset.at && document.querySelector("#units tbody th").textContent === ` + quoted(hostile))
	if n := evaluate[int](b, `document.querySelectorAll("img, main script").length`); n != 0 {
		t.Errorf("%d elements from names", n)
	}
	if title := b.text("document.title"); strings.Contains(title, "taken") {
		t.Error("a name was run")
	}
	b.calm()
}
