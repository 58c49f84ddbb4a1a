package ddb_test

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

func TestMain(m *testing.M) {
	// Keep-alive connections of a client outlive a test when the suite runs on a real endpoint.
	goleak.VerifyTestMain(measured{m},
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

// newClient is a client of a fresh engine, or of the endpoint in DYNAMODB_ENDPOINT.
func newClient(t testing.TB) *dynamodb.Client { return ddbtest.NewFromEnv(t) }

// onEndpoint reports whether the suite runs on an endpoint other than our engine.
func onEndpoint() bool { return os.Getenv("DYNAMODB_ENDPOINT") != "" }

// needsEngine skips tests of what only our engine can show, such as faults.
func needsEngine(t testing.TB, why string) {
	t.Helper()
	if onEndpoint() {
		t.Skip("only on the embedded engine: " + why)
	}
}

var (
	tables  atomic.Int64
	started = time.Now().UnixNano()
)

// tableName is unique, so that tests can share an endpoint.
func tableName(t testing.TB) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name())
	return fmt.Sprintf("%.60s-%x-%d", name, started, tables.Add(1))
}

// The tables of most tests.
type (
	customerID string
	orderID    string
)

type address struct {
	City string `dynamodbav:"city"`
	Zip  string `dynamodbav:"zip"`
}

type line struct {
	SKU string `dynamodbav:"sku"`
	Qty int    `dynamodbav:"qty"`
}

type order struct {
	Customer customerID        `dynamodbav:"customer_id"`
	ID       orderID           `dynamodbav:"order_id"`
	Status   string            `dynamodbav:"status"`
	Total    int64             `dynamodbav:"total"`
	Tags     []string          `dynamodbav:"tags,stringset,omitempty"`
	PlacedAt time.Time         `dynamodbav:"placed_at"`
	Address  address           `dynamodbav:"address"`
	Lines    []line            `dynamodbav:"lines,omitempty"`
	Notes    []string          `dynamodbav:"notes,omitempty"`
	Labels   map[string]string `dynamodbav:"labels,omitempty"`
	Gift     *bool             `dynamodbav:"gift,omitempty"`
	Visits   int               `dynamodbav:"visits,omitempty"`
}

var (
	orderCustomer = ddb.StrField(func(o *order) *customerID { return &o.Customer })
	orderKey      = ddb.StrField(func(o *order) *orderID { return &o.ID })
	orderStatus   = ddb.StrField(func(o *order) *string { return &o.Status })
	orderTotal    = ddb.NumField(func(o *order) *int64 { return &o.Total })
	orderTags     = ddb.SetField(func(o *order) *[]string { return &o.Tags })
	orderPlacedAt = ddb.TimeField(func(o *order) *time.Time { return &o.PlacedAt })
	orderCity     = ddb.StrField(func(o *order) *string { return &o.Address.City })
	orderLines    = ddb.ListField(func(o *order) *[]line { return &o.Lines })
	orderNotes    = ddb.ListField(func(o *order) *[]string { return &o.Notes })
	orderLabels   = ddb.MapField(func(o *order) *map[string]string { return &o.Labels })
	orderGift     = ddb.Field(func(o *order) **bool { return &o.Gift })
	orderVisits   = ddb.NumField(func(o *order) *int { return &o.Visits })
)

// newOrders is a fresh, empty orders table.
func newOrders(t testing.TB, opts ...ddb.TableOption) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	orders, err := ddb.New(newClient(t), tableName(t), orderCustomer, orderKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return orders
}

type user struct {
	ID      string    `dynamodbav:"id"`
	Email   string    `dynamodbav:"email"`
	Name    string    `dynamodbav:"name"`
	Logins  int64     `dynamodbav:"logins"`
	Points  int64     `dynamodbav:"points"`
	Nick    string    `dynamodbav:"nick,omitempty"`
	Avatar  []byte    `dynamodbav:"avatar,omitempty"`
	Version int64     `dynamodbav:"version"`
	Made    time.Time `dynamodbav:"made"`
	Changed time.Time `dynamodbav:"changed"`

	Revision ddb.Revision `dynamodbav:"revision,omitzero"`
}

var (
	userID       = ddb.StrField(func(u *user) *string { return &u.ID })
	userEmail    = ddb.StrField(func(u *user) *string { return &u.Email })
	userName     = ddb.StrField(func(u *user) *string { return &u.Name })
	userLogins   = ddb.NumField(func(u *user) *int64 { return &u.Logins })
	userPoints   = ddb.NumField(func(u *user) *int64 { return &u.Points })
	userNick     = ddb.StrField(func(u *user) *string { return &u.Nick })
	userAvatar   = ddb.BinField(func(u *user) *[]byte { return &u.Avatar })
	userVersion  = ddb.NumField(func(u *user) *int64 { return &u.Version })
	userRevision = ddb.Field(func(u *user) *ddb.Revision { return &u.Revision })
	userMade     = ddb.TimeField(func(u *user) *time.Time { return &u.Made })
	userChanged  = ddb.TimeField(func(u *user) *time.Time { return &u.Changed })
)

// newUsers is a fresh, empty users table without a sort key.
func newUsers(t testing.TB, opts ...ddb.TableOption) *ddb.SimpleTable[user, string] {
	t.Helper()
	users, err := ddb.NewSimple(newClient(t), tableName(t), userID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return users
}
