// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// local is a running ddblocal with a table, and a tab that shows its page.
type local struct {
	*tab

	client *dynamodb.Client
}

type values = map[string]types.AttributeValue

func text(s string) types.AttributeValue    { return &types.AttributeValueMemberS{Value: s} }
func numeric(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }

// openLocal builds ddblocal, starts it on a free port and fills a table of customers and orders.
func openLocal(t *testing.T) *local {
	t.Helper()
	b := &local{tab: &tab{t: t}}
	b.start(http.NotFoundHandler(), "/")
	binary := filepath.Join(t.TempDir(), "ddblocal")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/dynamotable/ddb/cmd/ddblocal")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	b.must(err)
	b.must(cmd.Start())
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
			t.Errorf("end ddblocal: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	b.must(err)
	address, _, _ := strings.Cut(strings.TrimPrefix(line, "ddblocal: listening on "), ",")
	b.base = address + "/_ddb/"
	b.client = dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: &address, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1})
	b.fill()
	return b
}

func (b *local) fill() {
	b.t.Helper()
	key := func(partition, sort string) []types.KeySchemaElement {
		return []types.KeySchemaElement{{AttributeName: &partition, KeyType: types.KeyTypeHash}, {AttributeName: &sort, KeyType: types.KeyTypeRange}}
	}
	_, err := b.client.CreateTable(b.t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("shop"), BillingMode: types.BillingModePayPerRequest, KeySchema: key("pk", "sk"),
		AttributeDefinitions:   []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: "S"}, {AttributeName: aws.String("sk"), AttributeType: "S"}, {AttributeName: aws.String("status"), AttributeType: "S"}, {AttributeName: aws.String("placed"), AttributeType: "N"}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("by-status"), KeySchema: key("status", "placed"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}},
		StreamSpecification:    &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	})
	b.must(err)
	_, err = b.client.UpdateTimeToLive(b.t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: aws.String("shop"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: aws.Bool(true)}})
	b.must(err)
	for c, name := range []string{"Ada", "Grace", "Edsger"} {
		pk := fmt.Sprintf("CUSTOMER#%d", c+1)
		b.put(values{"pk": text(pk), "sk": text("PROFILE"), "entity": text("customer"), "name": text(name), "tags": &types.AttributeValueMemberSS{Value: []string{"b2b", "vip"}}})
		for o := range 6 {
			order := values{
				"pk": text(pk), "sk": text(fmt.Sprintf("ORDER#2026-%03d", o+1)), "entity": text("order"), "status": text([]string{"open", "paid", "sent"}[o%3]),
				"placed": numeric(fmt.Sprint(1_767_225_600 + 86_400*(o+7*c))), "total": numeric([]string{"19.90", "120", "0.1", "12345678901234567890123456789012345678"}[o%4]),
				"lines":   &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberM{Value: values{"sku": text("book"), "qty": numeric("2")}}}},
				"receipt": &types.AttributeValueMemberB{Value: []byte{0, 255, byte(o)}},
			}
			if o == 5 {
				delete(order, "placed")
				order["expires"] = numeric("4102444800")
			}
			b.put(order)
		}
	}
}

func (b *local) put(item values) {
	b.t.Helper()
	_, err := b.client.PutItem(b.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("shop"), Item: item})
	b.must(err)
}

const (
	profileKey  = `{"pk":{"S":"CUSTOMER#1"},"sk":{"S":"PROFILE"}}`
	searchQuery = "tables/shop/items?index=by-status&p0=open&op=%3E%3D&s0=1767225600&limit=25"
)

// localViews are all views that have an address.
func localViews() map[string]string {
	key := url.QueryEscape(profileKey)
	return map[string]string{
		"tables": "", "items": "tables/shop/items", "search": searchQuery, "filter": "tables/shop/items?f0=status&fv0=open", "refused": "tables/shop/items?index=by-status&s0=x", "item": "tables/shop/item?key=" + key,
		"edit": "tables/shop/edit?key=" + key, "delete": "tables/shop/delete?key=" + key, "new": "tables/shop/new", "types": "tables/shop/kinds", "stream": "tables/shop/stream", "ttl": "tables/shop/ttl", "definition": "tables/shop",
		"members": "tables/shop/indexes/by-status", "import": "tables/shop/import", "clock": "clock", "faults": "faults", "nothing": "none",
	}
}

func TestLocal(t *testing.T) {
	b := openLocal(t)
	parts := []struct {
		name string
		run  func(*testing.T, *local)
	}{
		{"searched by keyboard", localSearch},
		{"edited by keyboard", localEdit},
		{"a lost update is refused", localLostUpdate},
		{"screenshots", localScreenshots},
		{"every view", localEveryView},
		{"hostile texts", localHostile},
		{"pages of other sites", localOtherSites},
	}
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			b.t = t
			part.run(t, b)
			b.calm()
		})
	}
}

// focusedName is the label, link or button that has the focus.
const focusedName = `(() => { const n = document.activeElement;
	return n.tagName + " " + (n.labels && n.labels.length ? n.labels[0].innerText : n.innerText || n.getAttribute("aria-label") || "").trim().replace(/\s+/g, " "); })()`

// tabToName presses Tab until an element whose name has the prefix has the focus.
func (b *local) tabToName(name string) {
	b.t.Helper()
	var seen []string
	for range 80 {
		b.press(kb.Tab)
		at := b.text(focusedName)
		if strings.HasPrefix(at, name) {
			if b.text(`getComputedStyle(document.activeElement).outlineStyle`) == "none" {
				b.t.Errorf("the focus is not visible at %s", at)
			}
			return
		}
		seen = append(seen, at)
	}
	b.t.Fatalf("Tab does not lead to %q but to %q", name, seen)
}

// enter presses Enter and waits for an expression to hold in the page that comes.
func (b *local) enter(expression string) {
	b.t.Helper()
	b.press(kb.Enter)
	b.arrives(expression)
}

// arrives is until for a page that is loading: waiting in the previous page ends when it is left. It waits for the whole page, as the
// address changes before its content is there.
func (b *local) arrives(expression string) {
	b.t.Helper()
	expression = `document.readyState === "complete" && (` + expression + `)`
	for range 10 {
		_, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](waitFor(expression), chromedp.EvalAwaitPromise))
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "navigated") && !strings.Contains(err.Error(), "context") {
			b.t.Fatalf("waiting for %s: %v", expression, err)
		}
	}
	b.t.Fatalf("the page for %s does not arrive", expression)
}

// rowsShown returns the first text of each row of items.
const rowsShown = `[...document.querySelectorAll("table.items tbody tr")].map(r => [...r.cells].slice(1, 3).map(c => c.innerText.replace(/\s+/g, " ").trim()).join(" "))`

func localSearch(t *testing.T, b *local) {
	b.visit("")
	b.press(kb.Tab)
	if got := b.text(focusedName); got != "A Skip to the content" {
		t.Errorf("the first stop is %q", got)
	}
	b.tabToName("A shop")
	b.enter(`document.querySelector("table.items")`)
	b.tabToName("INPUT pk")
	b.press("CUSTOMER#2")
	b.tabToName("INPUT sk")
	b.press("ORDER#")
	b.tabToName("SELECT condition")
	b.press("b") // begins with
	b.tabToName("BUTTON Search")
	b.enter(`location.search.includes("p0=CUSTOMER")`)
	got := evaluate[[]string](b.tab, rowsShown)
	if len(got) != 6 || got[0] != "S CUSTOMER#2 S ORDER#2026-001" {
		t.Errorf("found %q", got)
	}
	if text := b.text(`document.querySelector(".exchange").innerText`); !strings.Contains(text, "6 returned of 6 scanned, 0.5 read units") {
		t.Errorf("the request says %q", text)
	}
	// The address identifies the view: loaded again it is the same.
	address := b.text(`location.href`)
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(address)))
	if again := evaluate[[]string](b.tab, rowsShown); strings.Join(again, "|") != strings.Join(got, "|") {
		t.Errorf("loaded again it shows %q", again)
	}
	b.tabToName("SUMMARY AWS CLI")
	b.press(" ")
	b.until(`document.activeElement.parentElement.open`)
	if text := b.text(`document.activeElement.parentElement.querySelector("pre").innerText`); !strings.Contains(text, "aws dynamodb query --endpoint-url "+strings.TrimSuffix(b.base, "/_ddb/")) {
		t.Errorf("the command is %q", text)
	}
	// The same with scripts disabled: the page has none.
	b.scripts(false)
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(address)))
	if again := evaluate[[]string](b.tab, rowsShown); strings.Join(again, "|") != strings.Join(got, "|") {
		t.Errorf("without scripts it shows %q", again)
	}
	b.scripts(true)
}

// profile is an attribute of the first customer, as it is stored.
func (b *local) profile(name string) string {
	b.t.Helper()
	out, err := b.client.GetItem(b.t.Context(), &dynamodb.GetItemInput{TableName: aws.String("shop"), Key: values{"pk": text("CUSTOMER#1"), "sk": text("PROFILE")}})
	b.must(err)
	s, _ := out.Item[name].(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// edits opens the edit of the first customer and replaces a part of its text.
func (b *local) edits(old, changed string) {
	b.t.Helper()
	b.visit("tables/shop/item?key=" + url.QueryEscape(profileKey))
	b.tabToName("A Edit")
	b.enter(`document.querySelector("textarea")`)
	// A person would select and type; here the text is set at once, and the browser sends it.
	if !evaluate[bool](b.tab, `(() => { const t = document.querySelector("textarea"), was = t.value; t.value = was.replace(`+quoted(old)+`, `+quoted(changed)+`); return t.value !== was; })()`) {
		b.t.Fatalf("the form has no %q: %s", old, b.text(`document.querySelector("textarea").value`))
	}
	b.tabToName("BUTTON Review the changes")
	b.enter(`document.querySelector("ins, .problem")`)
}

func localEdit(t *testing.T, b *local) {
	b.edits(`"Ada"`, `"Ada L. <b>"`)
	if text := b.text(`document.querySelector(".diff").innerText`); !strings.Contains(text, `- {"S":"Ada"}`) || !strings.Contains(text, `+ {"S":"Ada L. <b>"}`) {
		t.Errorf("the difference is %q", text)
	}
	if got := b.profile("name"); got != "Ada" {
		t.Errorf("before saving the name is %q", got)
	}
	b.tabToName("BUTTON Save the changes")
	b.enter(`document.querySelector(".notice")`)
	if got := b.profile("name"); got != "Ada L. <b>" {
		t.Errorf("the name is %q", got)
	}
	if text := b.text(`document.querySelector(".notice").innerText`); !strings.Contains(text, "The item is saved.") {
		t.Errorf("the page says %q", text)
	}
}

func localLostUpdate(t *testing.T, b *local) {
	b.edits(`"Ada L. <b>"`, `"Countess"`)
	b.put(values{"pk": text("CUSTOMER#1"), "sk": text("PROFILE"), "name": text("Lovelace"), "entity": text("customer")})
	b.tabToName("BUTTON Save the changes")
	b.enter(`document.querySelector(".problem")`)
	if got := b.profile("name"); got != "Lovelace" {
		t.Errorf("the name is %q: an update is lost", got)
	}
	b.forgive("409")
}

// forgive drops what the browser logs about replies with an expected status.
func (b *local) forgive(status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.errors[:0]
	for _, e := range b.errors {
		if !strings.Contains(e, "status of "+status) {
			kept = append(kept, e)
		}
	}
	b.errors = kept
}

func localScreenshots(t *testing.T, b *local) {
	b.visit(searchQuery)
	for _, theme := range []string{"light", "dark"} {
		b.prefer(theme)
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		b.must(err)
		if len(png) < 20_000 || len(png) > 200_000 {
			t.Errorf("the screenshot in %s has %d bytes", theme, len(png))
		}
		if *update {
			b.must(os.WriteFile(filepath.Join("..", "..", "..", "docs", "ddblocal-"+theme+".png"), png, 0o600))
		}
	}
	b.prefer("light")
	if os.Getenv(screenshotsVariable) != "" { // for those who work on the page
		for name, path := range localViews() {
			b.visit(path)
			b.keep("local-" + name)
		}
		b.forgive("4")
	}
}

// localEveryView visits every view, with all details open.
func localEveryView(t *testing.T, b *local) {
	for name, path := range localViews() {
		b.visit(path)
		if !evaluate[bool](b.tab, `document.querySelectorAll("details").forEach(d => d.open = true), document.querySelector("h1") !== null`) {
			t.Errorf("%s has no heading", name)
		}
		b.labelled(name)
		for _, theme := range []string{"dark", "light"} {
			b.prefer(theme)
			b.until(`matchMedia("(prefers-color-scheme: ` + theme + `)").matches && document.getAnimations().length === 0`)
			b.readable(name + ", " + theme)
		}
		b.size(390, 844)
		b.fits(name, 390)
		b.size(1280, 900)
	}
	b.forgive("4")
	if os.Getenv(screenshotsVariable) != "" {
		b.size(390, 844)
		b.visit(searchQuery)
		b.keep("local-narrow")
		b.size(1280, 900)
	}
}

// labelled: a view can be used with a screen reader.
func (b *local) labelled(name string) {
	b.t.Helper()
	for what, expression := range map[string]string{
		"fields without a label":  `[...document.querySelectorAll("input:not([type=hidden]), select, textarea")].filter(n => !n.labels.length).map(n => n.name)`,
		"links without a text":    `[...document.querySelectorAll("a, button, summary")].filter(n => !n.innerText.trim() && !n.matches(".skip")).map(n => n.outerHTML)`,
		"columns without a title": `[...document.querySelectorAll("thead th")].filter(n => !n.textContent.trim()).map(n => n.outerHTML)`,
		"duplicate ids":           `[...document.querySelectorAll("[id]")].map(n => n.id).filter((id, i, all) => all.indexOf(id) !== i)`,
		"regions without a name":  `[...document.querySelectorAll("[role=region], form, nav")].filter(n => !n.getAttribute("aria-label")).map(n => n.outerHTML.slice(0, 80))`,
		"more than one heading":   `[...document.querySelectorAll("h1")].slice(1).map(n => n.innerText)`,
	} {
		if found := evaluate[[]string](b.tab, expression); len(found) > 0 {
			b.t.Errorf("%s: %s: %q", name, what, found)
		}
	}
}

// fits: nothing of a view is outside of a narrow screen.
func (b *local) fits(name string, width int) {
	b.t.Helper()
	if got := evaluate[int](b.tab, `document.documentElement.scrollWidth`); got > width {
		b.t.Errorf("%s is %d wide on a screen of %d", name, got, width)
	}
	found := evaluate[[]string](b.tab, fmt.Sprintf(`[...document.querySelectorAll("button, input, select, textarea, nav a")].
		filter(n => n.getClientRects().length && !n.closest(".scroll") && n.getBoundingClientRect().right > %d).map(n => n.outerHTML.slice(0, 80))`, width))
	if len(found) > 0 {
		b.t.Errorf("%s: outside of the screen: %q", name, found)
	}
}

func localHostile(t *testing.T, b *local) {
	const hostile = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`
	b.put(values{"pk": text(hostile), "sk": text(hostile), hostile: text(hostile), "m": &types.AttributeValueMemberM{Value: values{hostile: text(hostile)}}})
	b.visit("tables/shop/items?p0=" + url.QueryEscape(hostile))
	for _, step := range []string{"A Open", "A Edit"} {
		b.tabToName(step)
		b.enter(`document.body && document.body.innerText.includes(` + quoted(hostile) + `) && ` + map[string]string{"A Open": `document.querySelector("#stored")`, "A Edit": `document.querySelector("textarea")`}[step])
		if n := evaluate[int](b.tab, `document.querySelectorAll("img, script").length`); n != 0 {
			t.Errorf("%s: %d elements from values", step, n)
		}
		if title := b.text("document.title"); strings.Contains(title, "taken") {
			t.Error("a value was run")
		}
	}
}

// localOtherSites: a page of another site can neither show the page in a frame nor send its forms.
func localOtherSites(t *testing.T, shown *local) {
	b, action := &local{tab: &tab{t: t}}, shown.base+"clock"
	b.start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<title>other</title><iframe src=%q></iframe><form action=%q method="post"><input name="amount" value="1"><input name="unit" value="h"><input name="token" value="guess"><button>go</button></form>`, shown.base, action)
	}), "/")
	site := strings.Replace(b.server.URL, "127.0.0.1", "localhost", 1)
	b.base = shown.base
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(site)))
	b.until(`document.readyState === "complete"`)
	b.mu.Lock()
	logged := strings.Join(b.errors, "\n")
	b.mu.Unlock()
	if !strings.Contains(logged, "frame") {
		t.Errorf("the frame was not refused; logged is %q", logged)
	}
	b.must(chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS("button"))))
	b.arrives(`location.href === ` + quoted(action) + ` && document.body`)
	if text := b.text(`document.body.innerText`); !strings.Contains(text, "pages of other sites cannot use it") {
		t.Errorf("the answer is %q", text)
	}
	b.visit("clock")
	if text := b.text(`document.body.innerText`); strings.Contains(text, "ahead") {
		t.Error("another site advanced the clock")
	}
}
