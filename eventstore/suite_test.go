package eventstore_test

import (
	"testing"

	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/eventstoretest"
)

func TestSuite(t *testing.T) {
	eventstoretest.Run(t, func(t testing.TB, opts ...eventstore.Option) *eventstore.Store { return newStore(t, opts...) })
}
