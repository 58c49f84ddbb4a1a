// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/longtest"
)

// protection is what a table uses to recognise its writes.
type protection struct {
	name                          string
	version, revision, tombstones bool
}

var protections = []protection{
	{name: "plain"}, {name: "version", version: true}, {name: "revision", revision: true},
	{name: "version and revision", version: true, revision: true}, {name: "tombstones", revision: true, tombstones: true},
}

func (p protection) table(t testing.TB, client *dynamodb.Client) *users {
	opts := []ddb.TableOption{ddb.WithRetryBudget(nil)}
	if p.version {
		opts = append(opts, ddb.Version(userVersion))
	}
	if p.revision {
		opts = append(opts, ddb.Version(userRevision))
	}
	if p.tombstones {
		opts = append(opts, ddb.Tombstones("deleted", time.Hour))
	}
	table, err := ddb.NewSimple(client, "accounts", userID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return table
}

// matrixVerb is a write of the matrix. Before the write, the item has 5 logins or does not exist.
type matrixVerb struct {
	name   string
	absent bool // there is no item before
	run    func(ctx context.Context, c *dynamodb.Client, table *users, u user) error
	// effect is the number of times that the stored item (nil for none) shows the write; once is correct.
	effect func(u *user) int64
	// refuses reports that the write must fail because of its condition.
	refuses bool
	// immune returns the tables on which even a delivery unknown to the client cannot apply the write twice.
	immune func(protection) bool
	// decided reports that the outcome is known after a lost reply of this kind. It always is after a rejection, and with a request ID.
	decided func(protection, fault) bool
}

func always(protection) bool    { return true }
func guarded(p protection) bool { return p.version || p.revision }

// certain: the outcome is known after every lost reply.
func certain(protection, fault) bool { return true }

// proven: only a revision proves what happened.
func proven(p protection, _ fault) bool { return p.revision }

// repeated: without a condition it is sent again, and a revision proves the outcome.
func repeated(p protection, _ fault) bool { return p.revision || !p.version }

// isNew returns 1 for the item that writes of a whole item store.
func isNew(u *user) int64 {
	if u != nil && u.Name == "new" {
		return 1
	}
	return 0
}

func counted(u *user) int64 {
	if u == nil {
		return 0
	}
	return u.Logins - 5
}

func gone(u *user) int64 {
	if u == nil {
		return 1
	}
	return 0
}

func last(_ user, err error) error { return err }

var matrixVerbs = []matrixVerb{
	{name: "Put", effect: isNew, immune: always, decided: repeated, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		u.Name = "new"
		return t.Put(ctx, &u)
	}},
	{name: "Put of a new item", absent: true, effect: isNew, immune: always, decided: repeated, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		return t.Put(ctx, &user{ID: u.ID, Name: "new"})
	}},
	{name: "Create", absent: true, effect: isNew, immune: always, decided: proven, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		return t.Create(ctx, &user{ID: u.ID, Name: "new"})
	}},
	{name: "Create of an existing item", refuses: true, effect: isNew, immune: always, decided: func(p protection, _ fault) bool { return p.tombstones }, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		return t.Create(ctx, &user{ID: u.ID, Name: "new"})
	}},
	{name: "Replace", effect: isNew, immune: always, decided: proven, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		u.Name = "new"
		return t.Replace(ctx, &u)
	}},
	{name: "Put under a condition", effect: isNew, immune: always, decided: proven, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		u.Name = "new"
		return t.Put(ctx, &u, ddb.If(userName.Eq("old")))
	}},
	{name: "Update", effect: isNew, immune: always, decided: repeated, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		return last(t.Update(ctx, u.ID, userName.Set("new")))
	}},
	{name: "Update of a version", effect: isNew, immune: always, decided: repeated, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		if u.Version == 0 {
			return last(t.Update(ctx, u.ID, userName.Set("new")))
		}
		return last(t.Update(ctx, u.ID, userName.Set("new"), ddb.If(userVersion.Eq(u.Version))))
	}},
	{name: "count", effect: counted, immune: func(p protection) bool { return p.revision }, decided: proven, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		return last(t.Update(ctx, u.ID, userLogins.Add(1)))
	}},
	{name: "count of a version", effect: counted, immune: guarded, decided: proven, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		if u.Version == 0 {
			return last(t.Update(ctx, u.ID, userLogins.Add(1)))
		}
		return last(t.Update(ctx, u.ID, userLogins.Add(1), ddb.If(userVersion.Eq(u.Version))))
	}},
	{name: "exact count", effect: counted, immune: always, decided: certain, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		return last(t.Update(ctx, u.ID, userLogins.Add(1).Exact()))
	}},
	{name: "count in a transaction", effect: counted, immune: always, decided: certain, run: func(ctx context.Context, c *dynamodb.Client, t *users, u user) error {
		return ddb.Transact(ctx, c, t.TxUpdate(u.ID, userLogins.Add(1)))
	}},
	{name: "Upsert", absent: true, effect: isNew, immune: always, decided: repeated, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		return last(t.Upsert(ctx, u.ID, userName.Set("new")))
	}},
	{name: "DeleteItem", effect: gone, immune: always, decided: func(p protection, what fault) bool {
		return !guarded(p) || p.tombstones || p.revision && lostFirst(what)
	}, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		return t.DeleteItem(ctx, &u)
	}},
	{name: "delete in a transaction", effect: gone, immune: always, decided: certain, run: func(ctx context.Context, c *dynamodb.Client, t *users, u user) error {
		return ddb.Transact(ctx, c, t.TxDeleteItem(&u))
	}},
	{name: "stale Put", refuses: true, effect: isNew, immune: always, decided: proven, run: func(ctx context.Context, _ *dynamodb.Client, t *users, u user) error {
		u.Name = "new"
		if u.Version == 0 && u.Revision.IsZero() {
			return t.Put(ctx, &u, ddb.If(userName.Eq("other")))
		}
		u.Version--
		r := &u.Revision // as of the previous write
		r.Number--
		copy(r.Tags[:], r.Tags[1:])
		return t.Put(ctx, &u)
	}},
}

// lostFirst: the fault of the first request comes before the engine applied it.
func lostFirst(what fault) bool {
	return what == lostBefore || what == error500Before || what == foreignReply
}

// TestMatrixSingle (rows A1, A2, A4, A8, D1, D2 and I3 of the fault matrix): every verb, every
// kind of fault at each of the first four requests of the call, with and without version
// and token. The short form makes all faults at the first request, and a sample of the others.
func TestMatrixSingle(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults")
	eachCell(t, func(m *matrixCell) {
		every := longtest.Every(7)
		for what := lostBefore; what < allFaults; what++ {
			for at := range 4 {
				if at > 0 && (m.index+int(what)*3+at)%every != 0 {
					continue
				}
				m.check(fmt.Sprintf("%s at request %d", what, at), at, what)
			}
		}
	})
}

// TestMatrixPairs (row A3): a fault after a fault; the last error does not hide the one before.
func TestMatrixPairs(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults")
	if !longtest.Enabled() {
		t.Skip("needs -long")
	}
	eachCell(t, func(m *matrixCell) {
		for one := lostBefore; one < allFaults; one++ {
			for two := lostBefore; two < allFaults; two++ {
				m.check(fmt.Sprintf("%s, then %s", one, two), 0, one, two)
			}
		}
	})
}

type matrixCell struct {
	*testing.T
	protection
	verb   matrixVerb
	f      *faulty
	client *dynamodb.Client
	table  *users
	index  int // of the cell
	n      int
}

func eachCell(t *testing.T, run func(*matrixCell)) {
	for i, p := range protections {
		for k, v := range matrixVerbs {
			t.Run(p.name+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f, client := newFaulty(t)
					run(&matrixCell{T: t, protection: p, verb: v, f: f, client: client, table: p.table(t, client), index: i*len(matrixVerbs) + k})
				})
			})
		}
	}
}

// check makes the write with faults from one request on, and compares its report with what is stored.
func (m *matrixCell) check(name string, at int, plan ...fault) {
	m.Helper()
	u := m.prepare()
	m.f.Set(func(_ string, n int) fault {
		if n < at || n >= at+len(plan) {
			return noFault
		}
		return plan[n-at]
	})
	ctx, cancel := context.WithTimeout(m.Context(), time.Minute)
	err := m.verb.run(ctx, m.client, m.table, u)
	cancel()
	reached := m.f.Requests() > at // the call was long enough for the fault to occur
	m.f.Set(nil)
	<-time.After(6 * time.Second) // for late requests
	stored, rerr := m.table.Get(m.Context(), u.ID, ddb.Consistent())
	var effect int64
	switch {
	case rerr == nil:
		effect = m.verb.effect(&stored)
	case errors.Is(rerr, ddb.ErrNotFound):
		effect = m.verb.effect(nil)
	default:
		m.Fatal(rerr)
	}
	twice := false
	for _, what := range plan {
		twice = twice || what.Twice() && !m.verb.immune(m.protection)
	}
	unknown, applied := errors.Is(err, ddb.ErrOutcomeUnknown), err == nil || errors.Is(err, ddb.ErrReplyLost)
	var ok bool
	switch {
	case unknown:
		ok = (effect == 0 || effect == 1 || twice) && !ddb.IsRetryable(err)
	case applied:
		ok = !m.verb.refuses && (effect == 1 || effect > 1 && twice)
	default:
		ok = effect == 0 && (m.verb.refuses || ddb.IsRetryable(err))
	}
	if !ok {
		m.Errorf("%s: reported %v, applied %d times", name, err, effect)
	}
	if text := fmt.Sprintf("%v %+v %#v", err, err, errors.Unwrap(err)); err != nil && strings.Contains(text, "canary") {
		m.Errorf("%s: row I3: the error shows a key: %s", name, text)
	}
	if len(plan) > 1 || at > 0 || !reached || plan[0] == hung || plan[0] == ghost {
		return
	}
	if decided := plan[0].Refusal() || plan[0] == doubled || (plan[0] == cutReply || plan[0] == flippedByte) && !m.verb.refuses || m.verb.decided(m.protection, plan[0]); unknown == decided {
		m.Errorf("%s: unknown %v, want %v: %v", name, unknown, !decided, err)
	}
}

// prepare stores the item in its state before the write.
func (m *matrixCell) prepare() user {
	m.n++
	u := user{ID: fmt.Sprint("canary ", m.n), Name: "first", Logins: 5}
	if m.verb.absent {
		return u
	}
	for _, name := range []string{"first", "old"} {
		u.Name = name
		if err := m.table.Put(m.Context(), &u); err != nil {
			m.Fatal(err)
		}
	}
	return u
}
