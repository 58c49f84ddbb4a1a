// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/core"
)

// visit has attributes for everything that a definition can have.
type visit struct {
	Page    string    `dynamodbav:"page"`
	N       int64     `dynamodbav:"n"`
	Status  string    `dynamodbav:"status"`
	Size    int       `dynamodbav:"size"`
	Version int       `dynamodbav:"version"`
	Agent   *string   `dynamodbav:"agent"`
	Expires time.Time `dynamodbav:"expires,unixtime,omitzero"`
}

// otherVisit has text instead of a number, and a number instead of text.
type otherVisit struct {
	Page   string `dynamodbav:"page"`
	N      string `dynamodbav:"n"`
	Status int    `dynamodbav:"status,omitempty"`
}

// namedVisit is what is stored in a table of other visits.
type namedVisit struct {
	Page   string `dynamodbav:"page"`
	N      string `dynamodbav:"n"`
	Status string `dynamodbav:"status"`
	Size   int    `dynamodbav:"size"`
}

var (
	visitPage    = ddb.StrField(func(v *visit) *string { return &v.Page })
	visitN       = ddb.NumField(func(v *visit) *int64 { return &v.N })
	visitStatus  = ddb.StrField(func(v *visit) *string { return &v.Status })
	visitSize    = ddb.NumField(func(v *visit) *int { return &v.Size })
	visitVersion = ddb.NumField(func(v *visit) *int { return &v.Version })
	visitCopy    = ddb.StrField(func(v *visit) *string { page := v.Page; return &page })
	visitExpires = ddb.TimeField(func(v *visit) *time.Time { return &v.Expires })
	visitAgent   = ddb.StrField(func(v *visit) *string { return v.Agent })
)

// TestFirstErrors: the errors of typical beginners' mistakes name the operation, the table, the cause, and what to do
// next.
func TestFirstErrors(t *testing.T) {
	needsEngine(t, "the message comes from the server")
	ctx := t.Context()
	client := ddbtest.New(t)
	visits, err := ddb.New(client, "visits", visitPage, visitN)
	byStatus, err2 := ddb.NewIndex(visits, "by-status", visitStatus, visitSize)
	if err := errors.Join(err, err2, visits.CreateTable(ctx)); err != nil {
		t.Fatal(err)
	}
	bySize, err := ddb.NewIndex(visits, "by-size", visitSize, visitN)
	guarded, err2 := ddb.New(client, "visits", visitPage, visitN, ddb.Version(visitVersion))
	otherPage, otherN := ddb.StrField(func(v *otherVisit) *string { return &v.Page }), ddb.StrField(func(v *otherVisit) *string { return &v.N })
	texts, err3 := ddb.New(client, "visits", otherPage, otherN)
	sized, err4 := ddb.New(client, "named", otherPage, otherN)
	none, err5 := ddb.New(client, "none", visitPage, visitN)
	v := visit{Page: "p", N: 1, Status: "open"}
	if err := errors.Join(err, err2, err3, err4, err5, guarded.Put(ctx, &v)); err != nil {
		t.Fatal(err)
	}
	named, err := apitest.Untyped[namedVisit](client, "named",
		ddb.StrField(func(v *namedVisit) *string { return &v.Page }), ddb.StrField(func(v *namedVisit) *string { return &v.N }))
	_, err2 = core.NewIndex(named, "by-status",
		ddb.StrField(func(v *namedVisit) *string { return &v.Status }), ddb.NumField(func(v *namedVisit) *int { return &v.Size }), nil)
	if err := errors.Join(err, err2, named.CreateTable(ctx, nil), named.Put(ctx, core.VerbPut, &namedVisit{"p", "1", "open", 1}, nil)); err != nil {
		t.Fatal(err)
	}
	stale := v
	if err := guarded.Put(ctx, &v); err != nil {
		t.Fatal(err)
	}
	key := visits.Key("p", 1)
	page, err := visits.Query("p").Limit(1).Page(ctx)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 399*1024)
	sizedStatus := ddb.NumField(func(v *otherVisit) *int { return &v.Status })

	for name, tc := range map[string]struct {
		err  error
		is   error
		want []string
	}{
		"no table":               {none.Put(ctx, &v), ddb.ErrTableNotFound, []string{"PutItem none", "check name, region and endpoint", "CreateTable"}},
		"no index":               {second(bySize.Query(1).Collect(ctx)), ddb.ErrTableNotFound, []string{"Query visits/by-size", "specified index", "EnsureTable", "VerifyTable"}},
		"other key, get":         {second(texts.Get(ctx, "p", "1")), nil, []string{"GetItem visits", "VerifyTable"}},
		"other key, put":         {texts.Put(ctx, &otherVisit{Page: "p", N: "1"}), nil, []string{"PutItem visits", "key n", "VerifyTable"}},
		"other key, query":       {second(texts.Query("p").SortKey(ddb.Gt("x")).Collect(ctx)), nil, []string{"Query visits", "VerifyTable"}},
		"other key, batch":       {texts.BatchPut(ctx, []otherVisit{{Page: "p", N: "1"}}), nil, []string{"BatchWriteItem visits", "1 of 1", "VerifyTable"}},
		"other key, transaction": {ddb.Transact(ctx, client, texts.TxPut(&otherVisit{Page: "p", N: "1"})), nil, []string{"operation 0 (Put visits)", "VerifyTable"}},
		"other index key":        {sized.Put(ctx, &otherVisit{Page: "p", N: "2", Status: 5}), nil, []string{"PutItem named", "Index Key status", "IndexName: by-status", "VerifyTable"}},
		"other type stored":      {second(sized.Get(ctx, "p", "1")), nil, []string{"GetItem named", "attribute status", "wire type S", "Go type int"}},
		"sum of text":            {second(sized.Update(ctx, sized.Key("p", "1"), sizedStatus.Add(1))), nil, []string{"UpdateItem named", "type than the field"}},
		"empty index key":        {visits.Put(ctx, &visit{Page: "p", N: 3}), nil, []string{"PutItem visits", "by-status", "omitempty"}},
		"empty key":              {visits.Put(ctx, &visit{}), ddb.ErrInvalid, []string{"PutItem visits", "key attribute page is empty"}},
		"item grown too large":   {second(visits.Update(ctx, key, visitStatus.Set(long+long))), ddb.ErrItemTooLarge, []string{"UpdateItem visits", "400 KB"}},
		"stale put":              {guarded.Put(ctx, &stale), ddb.ErrConditionFailed, []string{"PutItem visits", "version = ?", "read it again"}},
		"stale update":           {second(guarded.Update(ctx, key, visitSize.Add(1), ddb.If(visitVersion.Eq(1)))), ddb.ErrConditionFailed, []string{"UpdateItem visits", "read it again"}},
		"stale in transaction":   {ddb.Transact(ctx, client, guarded.TxPut(&stale)), ddb.ErrConditionFailed, []string{"operation 0 (Put visits)", "read it again"}},
		"another cursor":         {second(byStatus.Query("open").After(page.Next).Page(ctx)), ddb.ErrBadCursor, []string{"Query visits/by-status", "another table, index or query", "from the beginning"}},
		"filter on key":          {second(visits.Query("p").Filter(visitN.Gt(1)).Collect(ctx)), ddb.ErrInvalid, []string{"Query visits", "key attribute n", "SortKey"}},
		"changed twice":          {second(visits.Update(ctx, key, visitSize.Set(1), visitSize.Add(1))), ddb.ErrInvalid, []string{"attribute size is changed twice in one update"}},
		"handle of a copy":       {second(visits.Update(ctx, key, visitCopy.Set("x"))), ddb.ErrInvalid, []string{"table_test.visit", "not of a copy", "firsterrors_test.go:"}},
		"handle of a pointer":    {second(visits.Update(ctx, key, visitAgent.Set("x"))), ddb.ErrInvalid, []string{"for a pointer field", "&v.Name", "firsterrors_test.go:"}},
		"empty transaction":      {ddb.Transact(ctx, client), ddb.ErrInvalid, []string{"ddb: TransactWriteItems: invalid call: 0 operations"}},
	} {
		if tc.err == nil || tc.is != nil && !errors.Is(tc.err, tc.is) {
			t.Errorf("%s: %v, want %v", name, tc.err, tc.is)
			continue
		}
		for _, want := range tc.want {
			if strings.Count(tc.err.Error(), want) != 1 {
				t.Errorf("%s: %q, want %q in it once", name, tc.err, want)
			}
		}
	}
	if text := guarded.Put(ctx, &visit{Page: "p", N: 1}).Error(); strings.Contains(text, "read it again") {
		t.Errorf("a put of version zero is not stale: %s", text)
	}
}

// keyless is a credentials provider without credentials. It counts the requests for them.
type keyless struct{ asked atomic.Int32 }

func (k *keyless) Retrieve(context.Context) (aws.Credentials, error) {
	k.asked.Add(1)
	return aws.Credentials{}, errors.New("no role found")
}

// TestNoCredentials: the error of a call without credentials names what to set and reports that nothing was sent, with any
// client, and credentials are requested only once.
func TestNoCredentials(t *testing.T) {
	ctx := t.Context()
	source := &keyless{}
	cfg := aws.Config{Region: "eu-central-1", Credentials: source, BaseEndpoint: aws.String("http://127.0.0.1:1")}
	ours, err := ddbclient.New(ctx, ddbclient.WithConfig(cfg))
	if err != nil {
		t.Fatal(err)
	}
	for name, client := range map[string]*dynamodb.Client{"NewClient": ours, "the SDK's": dynamodb.NewFromConfig(cfg)} {
		visits, err := ddb.New(client, "visits", visitPage, visitN)
		if err != nil {
			t.Fatal(err)
		}
		calls := map[string]func() error{
			"Put":      func() error { return visits.Put(ctx, &visit{Page: "p"}) },
			"Update":   func() error { return second(visits.Update(ctx, visits.Key("p", 1), visitSize.Add(1))) },
			"BatchPut": func() error { return visits.BatchPut(ctx, []visit{{Page: "p"}}) },
			"Transact": func() error { return ddb.Transact(ctx, client, visits.TxPut(&visit{Page: "p"})) },
		}
		if client == ours {
			calls["Get"] = func() error { return second(visits.Get(ctx, "p", 1)) }
			calls["Ensure"] = func() error { return visits.EnsureTable(ctx) }
		}
		for call, run := range calls {
			before := source.asked.Load()
			err := run()
			if err == nil || errors.Is(err, ddb.ErrOutcomeUnknown) || ddb.IsRetryable(err) {
				t.Errorf("%s, %s: %v", name, call, err)
				continue
			}
			for _, want := range []string{"visits", "no AWS credentials", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "~/.aws", "no role found"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s, %s: %q lacks %q", name, call, err, want)
				}
			}
			if n := source.asked.Load() - before; n != 1 {
				t.Errorf("%s, %s: the source was asked %d times", name, call, n)
			}
		}
	}
}

// TestNoServer: the error of a call that cannot reach a server names the address.
func TestNoServer(t *testing.T) {
	cfg := aws.Config{Region: "eu-central-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), Credentials: aws.AnonymousCredentials{}}
	client, err := ddbclient.New(t.Context(), ddbclient.WithConfig(cfg), ddbclient.WithMaxAttempts(1))
	if err != nil {
		t.Fatal(err)
	}
	visits, err := ddb.New(client, "visits", visitPage, visitN)
	if err != nil {
		t.Fatal(err)
	}
	err = visits.Put(t.Context(), &visit{Page: "p"})
	for _, want := range []string{"PutItem visits: no connection to http://127.0.0.1:1", "refused", "check endpoint, Region"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	if !ddb.IsRetryable(err) || errors.Is(err, ddb.ErrOutcomeUnknown) {
		t.Errorf("retryable %v: %v", ddb.IsRetryable(err), err)
	}
}
