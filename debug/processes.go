// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	processTimeout = 5 * time.Second
	maxExport      = 64 << 20 // bytes of the JSON of a process
)

// Processes shows several processes on one page: for each request it fetches the JSON of each process's page and merges
// them; see [Merge]. The addresses are those of the pages, such as http://10.0.0.7:8080/debug/ddb; include this process's
// own if it belongs to them. A nil client means http.DefaultClient; if the pages need credentials, the client's transport
// must add them. A process that does not answer within 5 seconds is listed with the reason, and is missing from the sums.
//
//	all, err := debug.Processes(internalClient, "http://10.0.0.7:8080/debug/ddb", "http://10.0.0.8:8080/debug/ddb")
//	mux.Handle("/debug/fleet", onlyOperators(all))
func Processes(client *http.Client, addresses ...string) (http.Handler, error) {
	if client == nil {
		client = http.DefaultClient
	}
	p := &processes{client: client}
	var errs []error
	for i, a := range addresses {
		u, err := url.Parse(a)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			errs = append(errs, fmt.Errorf("address %d is not an http or https URL", i))
		case slices.Contains(addresses[:i], a):
			errs = append(errs, fmt.Errorf("address %d is there twice", i))
		default:
			p.addresses = append(p.addresses, u)
		}
	}
	if len(addresses) == 0 {
		errs = append(errs, errors.New("no address"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("debug: Processes: %w", err)
	}
	return p, nil
}

type processes struct {
	client    *http.Client
	addresses []*url.URL
}

// ServeHTTP serves the page or its JSON, like [Recorder.ServeHTTP].
func (p *processes) ServeHTTP(w http.ResponseWriter, req *http.Request) { serve(w, req, p.snapshot) }

func (p *processes) snapshot(ctx context.Context, f Filter) Snapshot {
	ctx, cancel := context.WithTimeout(ctx, processTimeout)
	defer cancel()
	all, errs := make([]Snapshot, len(p.addresses)), make([]error, len(p.addresses))
	var wg sync.WaitGroup
	for i, a := range p.addresses {
		wg.Go(func() { all[i], errs[i] = p.ask(ctx, *a, f) })
	}
	wg.Wait()
	var answered []Snapshot
	var missing []Process
	for i, err := range errs {
		if err != nil {
			missing = append(missing, Process{Name: p.addresses[i].Host + p.addresses[i].Path, Error: err.Error()})
			continue
		}
		answered = append(answered, all[i])
	}
	m := Merge(answered...)
	if len(answered) == 0 {
		m.Time = time.Now().UTC()
		m.Since, m.Filter, m.Averages = m.Time, f, m.Rates.averages(0)
		m.Rates.End = time.Unix(m.Time.Unix(), 0).UTC()
		m.History.Start = m.Rates.End.Add(-historySteps * stepSeconds * time.Second)
	}
	m.Processes = append(m.Processes, missing...)
	return m
}

// ask requests the export of a process. The error says what happened, and contains nothing of the response.
func (p *processes) ask(ctx context.Context, address url.URL, f Filter) (s Snapshot, err error) {
	query := address.Query()
	query.Set("format", "json")
	query.Set("table", f.Table)
	query.Set("label", f.Label)
	address.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), http.NoBody)
	if err != nil {
		return s, errors.New("no request could be made")
	}
	reply, err := p.client.Do(req)
	switch {
	case ctx.Err() != nil:
		return s, errors.New("no answer in time")
	case err != nil:
		return s, errors.New("not reached")
	}
	defer func() { _ = reply.Body.Close() }() // what was read counts
	if reply.StatusCode != http.StatusOK {
		return s, fmt.Errorf("status %d", reply.StatusCode)
	}
	if err := json.NewDecoder(io.LimitReader(reply.Body, maxExport)).Decode(&s); err != nil || s.Rates.End.IsZero() || !s.consistent() {
		return Snapshot{}, errors.New("the answer is not the JSON of this page")
	}
	return s, nil
}

// consistent reports whether lists that belong together have the same length.
func (s *Snapshot) consistent() bool {
	for _, l := range s.Rates.lists() {
		if len(*l) != rateSeconds {
			return false
		}
	}
	for _, l := range append(s.History.lists(), &s.History.P50Ms, &s.History.P99Ms, &s.History.MaxMs) {
		if len(*l) != historySteps+1 {
			return false
		}
	}
	return s.History.Seconds == stepSeconds && len(s.History.Buckets) == historySteps+1
}
