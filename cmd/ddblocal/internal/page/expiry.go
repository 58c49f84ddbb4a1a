// SPDX-License-Identifier: Apache-2.0

package page

import (
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// expiryRow is an item in the view of time to live.
type expiryRow struct {
	Key, Link, Stored, At, State string
	Expires                      bool

	due time.Time
}

// expiryView is the content of the view of time to live.
type expiryView struct {
	Attribute string // "" if time to live is off
	Rows      []expiryRow
	Next      string
	Exchange  exchange
}

// showExpiry shows the items of a table that have its attribute for time to live, and when they expire.
func (p *Page) showExpiry(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok {
		return
	}
	content := &expiryView{Attribute: t.ttl}
	v := t.view("ttl", content)
	if t.ttl == "" {
		p.show(w, r, http.StatusOK, "expiry", v)
		return
	}
	request := &readRequest{TableName: t.TableName, Limit: filteredLimit, ReturnConsumedCapacity: "TOTAL"}
	request.FilterExpression = "attribute_exists(" + request.name(t.ttl) + ")"
	reply, sent, ok := p.scan(w, r, t, request, filter{Path: strconv.Quote(t.ttl), Op: "attribute_exists", Type: "N"})
	if !ok {
		return
	}
	content.Exchange = sent
	now := p.Engine.Clock().Now()
	for _, i := range reply.Items {
		row := expiryOf(typeOf(i[t.ttl]), now)
		row.Key, row.Link = i.keyWords(t.key()), itemLink(t, i)
		content.Rows = append(content.Rows, row)
	}
	slices.SortStableFunc(content.Rows, func(a, b expiryRow) int { return a.due.Compare(b.due) })
	if len(reply.LastEvaluatedKey) > 0 {
		content.Next = t.link("ttl", "after", reply.LastEvaluatedKey.compact())
	}
	p.show(w, r, http.StatusOK, "expiry", v)
}

// expiryOf returns when an item expires, or why it does not. The attribute must be a number of seconds since 1970, and items that
// should have expired more than five years ago are not deleted.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
func expiryOf(v typed, now time.Time) expiryRow {
	row := expiryRow{Stored: v.Type + " " + v.text(), due: time.Unix(1<<40, 0)} // items that do not expire are last
	seconds, ok := new(big.Float).SetString(v.text())
	if v.Type != "N" || !ok {
		row.State = "stays: the attribute is no number but " + v.Type
		return row
	}
	whole, _ := seconds.Int64() // a number that does not fit becomes the nearest one that fits
	if !seconds.IsInt() {
		row.State = "stays: it is not a whole number"
		return row
	}
	const farthest = 253402300799 // the end of the year 9999
	if whole < 0 || whole > farthest {
		row.State = "stays: it is not a time in seconds since 1970"
		if whole > now.UnixMilli()/2 && whole < 2*now.UnixMilli() {
			row.State += "; it looks like milliseconds"
		}
		return row
	}
	due := time.Unix(whole, 0)
	row.At = due.UTC().Format(time.DateTime)
	switch left := due.Sub(now); {
	case left < -5*365*24*time.Hour:
		row.State = "stays: the time is more than five years ago"
		return row
	case left > 0:
		row.State = "expires in " + durationText(left.Round(time.Second))
	default:
		row.State = "expired " + durationText(-left.Round(time.Second)) + " ago, is not deleted yet"
	}
	row.due, row.Expires = due, true
	return row
}

// changeExpiry switches time to live on or off.
func (p *Page) changeExpiry(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok || !p.checkForm(w, r) {
		return
	}
	attribute, enabled := strings.TrimSpace(r.PostForm.Get("attribute")), true
	if r.PostForm.Get("off") != "" {
		attribute, enabled = t.ttl, false
	}
	if attribute == "" {
		p.fail(w, r, http.StatusBadRequest, "time to live needs the name of an attribute")
		return
	}
	request := map[string]any{"TableName": t.TableName, "TimeToLiveSpecification": map[string]any{"AttributeName": attribute, "Enabled": enabled}}
	if err := p.call(r.Context(), "UpdateTimeToLive", request, nil); err != nil {
		p.fail(w, r, http.StatusBadRequest, fmt.Sprintf("time to live is as it was: %v", err))
		return
	}
	p.redirect(w, r, []string{"tables", t.TableName, "ttl"}, "done", "ttl")
}
