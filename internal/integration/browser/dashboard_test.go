// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"cmp"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the screenshots in docs")

// tableTexts returns the cells of all tables, by id, without explanations.
const tableTexts = `Object.fromEntries([...document.querySelectorAll("main table")].map(t =>
	[t.id, [...t.rows].filter(r => !r.classList.contains("explain")).map(r => [...r.cells].map(c => c.textContent.trim()))]))`

const figureTexts = `[...document.querySelectorAll("[data-path]")].map(n => n.dataset.path + " " + n.textContent)`

func (b *tab) tables() map[string][][]string {
	b.t.Helper()
	return evaluate[map[string][][]string](b, tableTexts)
}

func TestDashboard(t *testing.T) {
	s := openShop(t)
	b := openTab(t, s.recorder)
	s.run(300)

	// The parts share one page.
	parts := []struct {
		name string
		run  func(*testing.T, *shop, *tab)
	}{
		{"the first paint equals the script's", firstPaint},
		{"numbers match the JSON", numbers},
		{"formats are those of the server", formats},
		{"screenshots", screenshots},
		{"contrast", contrast},
		{"themes", themes},
		{"live", live},
		{"paused", paused},
		{"sorted by keyboard", sorted},
		{"explained by keyboard", explained},
		{"summed up", summed},
		{"charts", charts},
		{"filtered", filtered},
		{"on a phone", narrow},
	}
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			s.t, b.t = t, t
			part.run(t, s, b)
			b.calm()
		})
	}
}

// firstPaint: without scripts the page has the same tables, with the same texts.
func firstPaint(t *testing.T, s *shop, b *tab) {
	b.scripts(false)
	b.open()
	still, stillFigures := b.tables(), evaluate[[]string](b, figureTexts)
	b.scripts(true)
	b.open()
	b.shows(s.recorder)
	if diff := gocmp.Diff(still, b.tables()); diff != "" {
		t.Errorf("tables (-server +script):\n%s", diff)
	}
	if diff := gocmp.Diff(stillFigures, evaluate[[]string](b, figureTexts)); diff != "" {
		t.Errorf("figures (-server +script):\n%s", diff)
	}
	if len(still["units"]) < 10 {
		t.Errorf("units are %v", still["units"])
	}
}

// formats: the script writes values as the table says by which the server's formats are tested.
func formats(t *testing.T, s *shop, b *tab) {
	b.open()
	b.shows(s.recorder)
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "debug", "testdata", "formats.json"))
	if err != nil {
		t.Fatal(err)
	}
	wrong := evaluate[[]string](b, string(data)+`.map(f => [f, format.shown(f.kind, f.value, Date.parse("2026-01-02T00:00:00Z"))]).
		filter(([f, got]) => got !== f.text).map(([f, got]) => JSON.stringify(f) + " is " + got)`)
	for _, text := range wrong {
		t.Error(text)
	}
}

// number reads a number of the page.
func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(strings.ReplaceAll(strings.Fields(text)[0], ",", ""), 64)
	if err != nil {
		t.Error(err)
	}
	return x
}

func near(a, b float64) bool { return math.Abs(a-b) <= 0.05+1e-9 }

// numbers are compared with the snapshot and not with the output of the page's script.
func numbers(t *testing.T, s *shop, b *tab) {
	b.shows(s.recorder)
	want, got := s.recorder.Snapshot(), b.tables()

	if len(got["units"]) != len(want.Units)+1 || want.Cost == nil {
		t.Fatalf("%d rows of units, want %d", len(got["units"])-1, len(want.Units))
	}
	for i, u := range want.Units {
		row := got["units"][i+1]
		if names := []string{u.Table, u.Index, u.Operation, u.Label}; !slices.Equal(names, row[:4]) {
			t.Errorf("units of %q, want %q", row[:4], names)
		}
		for j, x := range []float64{float64(u.Operations), u.ReadUnits, u.WriteUnits, u.Units, 100 * u.Share} {
			if !near(number(t, row[4+j]), x) {
				t.Errorf("units: %q in column %d, want %g", row[4+j], 4+j, x)
			}
		}
	}
	for i, k := range want.HotKeys {
		if row := got["hotKeys"][i+1]; row[0] != k.Partition.String() || !near(number(t, row[3]), k.Units) || number(t, row[6]) != float64(k.Throttled) {
			t.Errorf("hot key %q, want %+v", row, k)
		}
	}
	hot, err := s.orders.PartitionHash("customer-hot")
	if err != nil || want.HotKeys[0].Partition != hot {
		t.Errorf("the hottest key is %s, want %s: %v", want.HotKeys[0].Partition, hot, err)
	}
	for i, x := range want.Throttles {
		if row := got["throttles"][i+1]; !slices.Equal(row[:5], []string{x.Table, x.Index, x.Operation, x.Label, x.Reason}) || number(t, row[5]) != float64(x.Count) {
			t.Errorf("throttles %q, want %+v", row, x)
		}
	}
	for i, x := range want.Latencies {
		if row := got["latencies"][i+1]; !slices.Equal(row[:2], []string{x.Table, x.Operation}) || number(t, row[2]) != float64(x.Calls) || math.Abs(number(t, row[6])-x.MaxMs) > 0.5 {
			t.Errorf("latencies %q, want %+v", row, x)
		}
	}
	billed := 0
	for _, x := range want.MostExpensive {
		if x.MaxUnits > 0 {
			billed++
		}
	}
	for id, rows := range map[string]int{
		"throttles": len(want.Throttles), "errors": len(want.Errors), "hotKeys": len(want.HotKeys), "latencies": len(want.Latencies),
		"slowest": min(10, len(want.Slowest)), "mostExpensive": min(10, billed), "estimates": len(want.Estimates), "averages": 3,
		"outcomes": len(want.Outcomes), "paths": len(want.Paths), "throughput": len(want.Throughput), "budgets": len(want.Budgets),
		"longCalls": len(want.LongCalls), "processes": 1,
	} {
		if len(got[id]) != rows+1 || rows == 0 {
			t.Errorf("%d rows of %s, want %d", len(got[id])-1, id, rows)
		}
	}
	for i, x := range want.Slowest[:min(10, len(want.Slowest))] {
		row := got["slowest"][i+1]
		if !slices.Equal(row[:4], []string{x.Operation, x.Table, x.Index, x.Label}) || number(t, row[4]) != float64(x.Calls) || math.Abs(number(t, row[5])-x.MaxMs) > 0.5 {
			t.Errorf("slowest %q, want %+v", row, x)
		}
	}
	for i, x := range want.Throughput {
		row := got["throughput"][i+1]
		if !slices.Equal(row[:2], []string{x.Table, x.Index}) || !near(number(t, row[3]), x.BusiestRead) || !near(number(t, row[7]), x.BusiestWrite) || row[10] != x.Source {
			t.Errorf("throughput %q, want %+v", row, x)
		}
	}
	for i, x := range want.Outcomes {
		row := got["outcomes"][i+1]
		for j, n := range []int64{x.UnknownOutcomes, x.FailedConditions, x.Unprocessed, x.OverBudget} {
			if number(t, row[3+j]) != float64(n) {
				t.Errorf("outcomes %q, want %+v", row, x)
			}
		}
	}
	if want.Totals.UnknownOutcomes == 0 || want.Totals.FailedConditions == 0 || want.Totals.Unprocessed == 0 || want.Totals.OverBudget == 0 {
		t.Errorf("the load shows no such outcomes: %+v", want.Totals)
	}
	for path, x := range map[string]float64{
		"totals.calls": float64(want.Totals.Calls), "totals.failed": float64(want.Totals.Failed), "totals.throttled": float64(want.Totals.Throttled),
		"totals.unknownOutcomes": float64(want.Totals.UnknownOutcomes), "cost.total": want.Cost.Total,
		"totals.readUnits": want.Totals.ReadUnits, "totals.writeUnits": want.Totals.WriteUnits, "averages.0.calls": want.Averages[0].Calls,
	} {
		if text := b.text("document.querySelector(" + quoted(`[data-path="`+path+`"]`) + ").textContent"); !near(number(t, text), x) {
			t.Errorf("%s is %q, want %g", path, text, x)
		}
	}
	if want.Totals.Failed == 0 || want.Totals.Throttled == 0 || want.Totals.Retries == 0 {
		t.Errorf("the load lacks some outcomes: %+v", want.Totals)
	}
}

// screenshots are written with -update, and must be small enough for the documents.
func screenshots(t *testing.T, s *shop, b *tab) {
	b.shows(s.recorder)
	b.until(`document.getElementById("status").dataset.state === "live"`)
	for _, theme := range []string{"light", "dark"} {
		b.prefer(theme)
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		b.must(err)
		if len(png) < 20_000 || len(png) > 200_000 {
			t.Errorf("the screenshot in %s has %d bytes", theme, len(png))
		}
		if *update {
			b.must(os.WriteFile(filepath.Join("..", "..", "..", "docs", "dashboard-"+theme+".png"), png, 0o600))
		}
		if dir := os.Getenv(screenshotsVariable); dir != "" { // for those who work on the page
			b.must(os.WriteFile(filepath.Join(dir, theme+".png"), png, 0o600))
			b.keep(theme + "-whole")
		}
	}
	b.prefer("light")
}

// worstContrasts returns the texts with the least contrast to their background, by the rule of WCAG 2.
// https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
const worstContrasts = `(() => {
	const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const known = new Map(); // a page has few colours, and reading a pixel takes long
	const rgba = color => { if (!known.has(color)) { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
		const d = canvas.getImageData(0, 0, 1, 1).data; known.set(color, [d[0], d[1], d[2], d[3] / 255]); }
		return [...known.get(color)]; };
	const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
	const light = c => [0, 1, 2].map(i => c[i] / 255).map(x => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
		.reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
	// What is behind a node's text: the colours of all nodes around it, and how much of the text is left over them.
	const behind = new Map([[null, { ground: [255, 255, 255, 1], opacity: 1 }]]);
	const around = node => { if (!behind.has(node)) { const below = around(node.parentElement), style = getComputedStyle(node);
		behind.set(node, { ground: over(rgba(style.backgroundColor), below.ground), opacity: below.opacity * Number(style.opacity) }); }
		return behind.get(node); };
	const seen = [];
	for (const node of document.querySelectorAll("body *")) {
		const text = [...node.childNodes].filter(c => c.nodeType === 3).map(c => c.data.trim()).join("");
		if (!text || !node.getClientRects().length || node.matches("script, style, .skip")) continue;
		const { ground, opacity } = around(node);
		const style = getComputedStyle(node), ink = rgba(node instanceof SVGElement ? style.fill : style.color);
		ink[3] *= opacity;
		const [a, b] = [light(over(ink, ground)), light(ground)].sort((x, y) => y - x);
		seen.push({ text: text.slice(0, 40), ratio: (a + 0.05) / (b + 0.05) });
	}
	return seen.sort((x, y) => x.ratio - y.ratio).slice(0, 3);
})()`

// readable: all texts of the page have the contrast that WCAG 2 requires.
func (b *tab) readable(where string) {
	b.t.Helper()
	type contrast struct {
		Text  string  `json:"text"`
		Ratio float64 `json:"ratio"`
	}
	for _, x := range evaluate[[]contrast](b, worstContrasts) {
		b.t.Logf("%s: %.1f for %q", where, x.Ratio, x.Text)
		if x.Ratio < 4.5 {
			b.t.Errorf("%s: the contrast of %q is %.2f", where, x.Text, x.Ratio)
		}
	}
}

func contrast(_ *testing.T, _ *shop, b *tab) {
	for _, theme := range []string{"light", "dark"} {
		b.prefer(theme)
		// The page has the theme, and no colour transition is running.
		b.until(`matchMedia("(prefers-color-scheme: ` + theme + `)").matches && document.getAnimations().length === 0`)
		b.readable(theme)
	}
	b.prefer("light")
}

func themes(t *testing.T, _ *shop, b *tab) {
	const ground = `getComputedStyle(document.body).backgroundColor`
	b.prefer("light")
	light := b.text(ground)
	b.prefer("dark")
	dark := b.text(ground)
	if light == dark {
		t.Errorf("dark and light have the same background, %s", dark)
	}
	b.press("t")
	if got := b.text(ground); got != light {
		t.Errorf("the switch gives %s, want %s", got, light)
	}
	b.open()
	b.until(`document.documentElement.dataset.at`)
	if got := b.text(ground); got != light {
		t.Errorf("the choice was not kept: %s, want %s", got, light)
	}
	b.press("t")
	if got := b.text(ground); got != dark {
		t.Errorf("the switch gives %s, want %s", got, dark)
	}
	b.prefer("light")
	b.press("t")
}

const callsShown = `document.querySelector('[data-path="totals.calls"]').textContent`

func live(t *testing.T, s *shop, b *tab) {
	before := number(t, b.text(callsShown))
	s.must(s.stock.Put(t.Context(), &stockItem{SKU: "news", Qty: 1}))
	s.advance()
	b.shows(s.recorder)
	if after := number(t, b.text(callsShown)); after != before+1 {
		t.Errorf("%g calls, then %g", before, after)
	}
	if got := b.text(`document.getElementById("status").textContent`); !strings.HasPrefix(got, "Live") {
		t.Errorf("the state is %q", got)
	}
}

func paused(t *testing.T, s *shop, b *tab) {
	b.press("p")
	b.until(`document.getElementById("status").textContent === "Paused" && document.getElementById("pause").getAttribute("aria-pressed") === "true"`)
	asked, before := b.asked.Load(), b.text(callsShown)
	s.must(s.stock.Put(t.Context(), &stockItem{SKU: "news", Qty: 2}))
	s.advance()
	_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`new Promise(done => setTimeout(() => done(true), 2500))`, chromedp.EvalAwaitPromise))
	b.must(err)
	if b.asked.Load() > asked+1 || b.text(callsShown) != before { // one request may have been in flight
		t.Errorf("%d requests while paused, and shows %s after %s", b.asked.Load()-asked, b.text(callsShown), before)
	}
	b.press("p")
	b.shows(s.recorder)
}

// focused returns the focused element.
const focused = `(() => { const n = document.activeElement, th = n.closest("th"), table = n.closest("table");
	return (table ? table.id + " " : "") + (th ? th.dataset.key + " " : "") + (n.className || n.id || n.tagName); })()`

// tabTo presses Tab until an element has the focus.
func (b *tab) tabTo(where string) {
	b.t.Helper()
	var seen []string
	for range 250 {
		b.press(kb.Tab)
		at := b.text(focused)
		if strings.HasPrefix(at, where) {
			return
		}
		seen = append(seen, at)
	}
	b.t.Fatalf("Tab does not lead to %s but to %q", where, seen)
}

func sorted(t *testing.T, s *shop, b *tab) {
	b.open()
	b.shows(s.recorder)
	b.press(kb.Tab)
	if got := b.text(focused); got != "skip" {
		t.Errorf("the first stop is %s, want the link to the figures", got)
	}
	b.press(kb.Enter)
	b.until(`document.activeElement.id === "main"`)
	b.tabTo("units operations ")
	if got := b.text(`getComputedStyle(document.activeElement).outlineStyle`); got == "none" {
		t.Error("the focus is not visible")
	}
	for _, c := range []struct {
		want      string
		direction int
	}{{"descending", -1}, {"ascending", 1}} {
		b.press(kb.Enter)
		if got := b.text(`document.activeElement.closest("th").getAttribute("aria-sort")`); got != c.want {
			t.Errorf("sorted %s, want %s", got, c.want)
		}
		if n := evaluate[int](b, `document.querySelectorAll("#units [aria-sort]").length`); n != 1 {
			t.Errorf("%d columns are marked as sorted", n)
		}
		if !slices.IsSortedFunc(b.tables()["units"][1:], func(x, y []string) int {
			return c.direction * cmp.Compare(number(t, x[4]), number(t, y[4]))
		}) {
			t.Errorf("rows are not %s by operations", c.want)
		}
	}
	b.tabTo("errors type ")
	b.press(kb.Enter)
	if got := b.text(`document.activeElement.closest("th").getAttribute("aria-sort")`); got != "ascending" {
		t.Errorf("names are sorted %s at first", got)
	}
}

// explained: an explanation is opened by keyboard and stays open while figures change.
func explained(t *testing.T, s *shop, b *tab) {
	b.open()
	b.shows(s.recorder)
	b.tabTo("mostExpensive SUMMARY")
	b.press(kb.Enter)
	b.until(`document.activeElement.parentElement.open`)
	s.advance()
	b.shows(s.recorder)
	if !evaluate[bool](b, `document.activeElement.tagName === "SUMMARY" && document.activeElement.parentElement.open`) {
		t.Error("an update closed the explanation, or moved the focus")
	}
	text := b.text(`document.activeElement.parentElement.querySelector("pre").textContent`)
	if want := s.recorder.Snapshot().MostExpensive[0].Call.Explain; text != want || !strings.Contains(text, "units") {
		t.Errorf("the explanation is\n%s\nwant\n%s", text, want)
	}
}

func summed(t *testing.T, s *shop, b *tab) {
	b.open()
	b.shows(s.recorder)
	b.tabTo("units table ")
	b.must(chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS("#groups button:nth-child(2)"))))
	total := 0.0
	for _, u := range s.recorder.Snapshot().Units {
		if u.Table == "orders" {
			total += u.Units
		}
	}
	rows := b.tables()["units"][1:]
	at := slices.IndexFunc(rows, func(row []string) bool { return row[0] == "orders" })
	if len(rows) != 3 || at < 0 || !near(number(t, rows[at][7]), total) {
		t.Errorf("by table: %q, want %g units of orders", rows, total)
	}
}
