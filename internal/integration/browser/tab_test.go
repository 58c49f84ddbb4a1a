// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/dynamotable/ddb/debug"
)

// requiredVariable makes a missing browser an error.
const requiredVariable = "DDB_BROWSER"

// screenshotsVariable names a folder for pictures of the pages, for those who work on them.
const screenshotsVariable = "DDB_SCREENSHOTS"

// tab is a page of a browser with its own server.
type tab struct {
	t      *testing.T
	ctx    context.Context
	server *httptest.Server
	base   string       // addresses that pages may request
	asked  atomic.Int64 // requests for JSON

	mu       sync.Mutex
	requests []string
	errors   []string
}

// openTab opens a tab for the page of package debug, or skips the test without a browser.
func openTab(t *testing.T, h http.Handler) *tab {
	t.Helper()
	b := &tab{t: t}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/ddb", func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		if r.URL.Query().Get("format") == "page" {
			b.asked.Add(1)
		}
	})
	b.start(mux, "/debug/ddb")
	return b
}

// browser is the context of the one browser of all tests, which the first of them starts. Each test has a tab with its own storage.
var browser context.Context

func TestMain(m *testing.M) {
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.Flag("headless", "new"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1280, 900), chromedp.Flag("force-device-scale-factor", "1"), chromedp.Flag("lang", "en-US"),
		// No page is kept for the way back, and no process for the next site: tests load hundreds of pages, each once.
		chromedp.Flag("disable-features", "Translate,BackForwardCache,RenderDocument,SpareRendererForSitePerProcess"))...)
	ctx, leave := chromedp.NewContext(allocator)
	browser = ctx //nolint:fatcontext // set once
	status := m.Run()
	leave()
	stop()
	os.Exit(status)
}

// startBrowser starts the browser, if it does not run yet.
var startBrowser = sync.OnceValue(func() error { return chromedp.Do(browser) })

// start starts the server and opens the tab.
func (b *tab) start(h http.Handler, base string) {
	t := b.t
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv(requiredVariable) == "required" {
			t.Fatal(err)
		}
		t.Skip("there is no chromium on PATH; " + requiredVariable + "=required makes that an error")
	}
	b.server = httptest.NewServer(h)
	t.Cleanup(b.server.Close)
	b.base = b.server.URL + base

	b.must(startBrowser())
	ctx, leave := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(leave)
	b.must(chromedp.Listen(ctx, b.listen))
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b.ctx = limited
	for _, enable := range []error{
		call(b.ctx, network.Enable, network.EnableParams{}),
		call(b.ctx, log.Enable, cdp.Empty{}),
		call(b.ctx, runtime.Enable, cdp.Empty{}),
	} {
		b.must(enable)
	}
	b.size(1280, 900)
	b.prefer("light")
}

func call[P, R any](ctx context.Context, c cdp.Command[P, R], params P) error {
	_, err := chromedp.Call(ctx, c, params)
	return err
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, fmt.Sprintf("exception: %+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		b.errors = append(b.errors, fmt.Sprintf("console: %s", e.Type))
	case *log.EventEntryAdded:
		b.errors = append(b.errors, fmt.Sprintf("log: %s: %s", e.Entry.Level, e.Entry.Text))
	}
}

// calm fails the test if there were errors, or requests to other servers.
func (b *tab) calm() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.errors {
		b.t.Error(e)
	}
	if len(b.requests) == 0 {
		b.t.Error("there were no requests")
	}
	for _, url := range b.requests {
		if !strings.HasPrefix(url, b.base) && !strings.HasPrefix(url, "data:") && url != "about:blank" {
			b.t.Errorf("a request went to %s", url)
		}
	}
}

func (b *tab) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// keep writes a picture of the whole page to the folder for pictures, if there is one.
func (b *tab) keep(name string) {
	b.t.Helper()
	dir := os.Getenv(screenshotsVariable)
	if dir == "" {
		return
	}
	whole, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	b.must(err)
	b.must(os.WriteFile(filepath.Join(dir, name+".png"), whole, 0o600))
}

func (b *tab) size(width, height int64) {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)))
}

// prefer sets the colour scheme of the system.
func (b *tab) prefer(scheme string) {
	b.t.Helper()
	b.must(call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}, // no colour is measured in the middle of a transition
		},
	}))
}

func (b *tab) scripts(on bool) {
	b.t.Helper()
	b.must(call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}))
}

// open loads the page.
func (b *tab) open() {
	b.t.Helper()
	b.visit("")
}

// visit loads a page below the base.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(b.base+path)))
}

// waitFor returns a script that ends when an expression is true.
func waitFor(expression string) string {
	return "new Promise(done => { const check = () => (" + expression + ") ? done(true) : setTimeout(check, 20); check(); })"
}

// until waits until an expression is true in the page.
func (b *tab) until(expression string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](waitFor(expression), chromedp.EvalAwaitPromise)); err != nil {
		b.t.Fatalf("waiting for %s: %v", expression, err)
	}
}

// shows waits until the page shows the recorder's current data.
func (b *tab) shows(r *debug.Recorder) {
	b.t.Helper()
	s := r.Snapshot()
	at, err := s.Time.MarshalText()
	b.must(err)
	b.until("document.documentElement.dataset.at === " + quoted(string(at)))
}

func (b *tab) press(keys string) {
	b.t.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.KeyEvent(keys)))
}

func evaluate[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *tab) text(expression string) string {
	b.t.Helper()
	return evaluate[string](b, expression)
}

// quoted returns a text as a JavaScript literal.
func quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(data)
}
