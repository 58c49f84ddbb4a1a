// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/cmd/ddb/internal/plain"
	"github.com/dynamotable/ddb/rawitem"
)

var streamsTail = command{
	name:  "streams tail",
	args:  "TABLE",
	brief: "print the changes of a table as they happen, from its stream",
	long: `
A change is a line of JSON: its kind (INSERT, MODIFY or REMOVE), its approximate time, its number in the stream, the key, and the item before and after it as far as
the stream has them. The changes of an item are in order. The command ends after -limit changes, when the stream is disabled, or with Ctrl-C; then it prints the
command that continues, which repeats the changes of the last second. A stream keeps changes for a day.`,
	prepare: func(f *flag.FlagSet) action {
		var c tailing
		c.define(f)
		return func(ctx context.Context, s streams, args []string) error {
			start, err := c.start()
			switch {
			case err != nil:
				return err
			case len(args) != 1:
				return usageError("streams tail: name one table")
			case c.limit < 0 || c.poll <= 0:
				return usageError("streams tail: -limit must not be negative, and -poll must be above 0")
			}
			return c.run(ctx, s, args[0], start)
		}
	},
}

// tailing follows a stream.
type tailing struct {
	connection
	from  string
	limit int
	poll  time.Duration
	plain bool
	loss  plain.Loss
}

func (c *tailing) define(f *flag.FlagSet) {
	c.connection.define(f)
	f.StringVar(&c.from, "from", "latest", "`where` to begin: latest, horizon or a time such as 2026-11-29T12:00:00Z")
	f.IntVar(&c.limit, "limit", 0, "end after `n` changes; 0 for never")
	f.DurationVar(&c.poll, "poll", time.Second, "the `time` between two reads of new changes")
	f.BoolVar(&c.plain, "plain", false, "print items as JSON without types")
}

func (c *tailing) start() (change.Start, error) {
	switch c.from {
	case "latest":
		return change.FromLatest(), nil
	case "horizon":
		return change.FromHorizon(), nil
	}
	at, err := time.Parse(time.RFC3339, c.from)
	if err != nil {
		return change.Start{}, usageError("streams tail: -from is latest, horizon or a time such as 2026-11-29T12:00:00Z")
	}
	return change.FromTime(at), nil
}

func (c *tailing) run(ctx context.Context, s streams, table string, start change.Start) error {
	client, err := c.client(ctx, s)
	if err != nil {
		return err
	}
	stream, err := change.NewStream[rawitem.Item](streamsClient(client, c.endpoint), change.OfTable(table), change.PollInterval(c.poll))
	if err != nil {
		return err
	}
	n, last := 0, time.Time{}
	for one, err := range stream.All(ctx, start) {
		if err != nil {
			if ctx.Err() != nil && !last.IsZero() {
				fmt.Fprintf(s.err, "go on with: %s\n", continueCommand(s.args, last))
			}
			return err
		}
		line, err := c.line(&one)
		if err != nil {
			return err
		}
		if _, err := s.out.Write(line); err != nil {
			return err
		}
		last = one.ApproxTime
		if n++; n == c.limit {
			break
		}
	}
	(&items{loss: c.loss}).warn(s)
	return nil
}

// continueCommand returns the command with the arguments that continues from a time. It only replaces -from, so it reads the same table.
func continueCommand(args []string, from time.Time) string {
	text := []string{"ddb"}
	add := func(list []string) {
		for _, word := range list {
			text = append(text, quote(word))
		}
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	new(tailing).define(flags)
	for len(args) > 0 && args[0] != "--" { // after -- there are only words
		name, n := flagAt(flags, args)
		n = max(1, n)
		if name != "from" {
			add(args[:n])
		}
		args = args[n:]
	}
	add([]string{"-from", from.UTC().Format(time.RFC3339)})
	add(args)
	return strings.Join(text, " ")
}

// line returns a change as JSON.
func (c *tailing) line(one *change.Change[rawitem.Item]) ([]byte, error) {
	var errs []error
	item := func(i *rawitem.Item) json.RawMessage {
		if i == nil {
			return nil
		}
		values, err := i.Values()
		sorted, err2 := rawitem.Of(values) // the images of a record are not sorted
		text := sorted.JSON()
		var err3 error
		if c.plain {
			text, err3 = plain.FromItem(text, &c.loss)
		}
		errs = append(errs, err, err2, err3)
		return text
	}
	line, err := jsonLine(struct {
		Kind    change.Kind     `json:"kind"`
		At      time.Time       `json:"at"`
		Seq     change.Seq      `json:"seq"`
		Expired bool            `json:"expired,omitempty"` // removed because its time to live was over
		Keys    json.RawMessage `json:"keys"`
		Old     json.RawMessage `json:"old,omitempty"`
		New     json.RawMessage `json:"new,omitempty"`
	}{one.Kind, one.ApproxTime.UTC(), one.Seq, one.TTLExpired, item(&one.Keys), item(one.Old), item(one.New)})
	return line, errors.Join(append(errs, err)...)
}

// streamsClient returns a client of the streams of the same service.
func streamsClient(client *dynamodb.Client, endpoint string) *dynamodbstreams.Client {
	o := client.Options()
	base := o.BaseEndpoint
	if named := cmp.Or(os.Getenv("AWS_ENDPOINT_URL_DYNAMODB_STREAMS"), os.Getenv("AWS_ENDPOINT_URL")); endpoint == "" && named != "" {
		base = &named
	}
	return dynamodbstreams.New(dynamodbstreams.Options{
		Region: o.Region, Credentials: o.Credentials, BaseEndpoint: base, HTTPClient: o.HTTPClient, Retryer: o.Retryer,
	})
}
