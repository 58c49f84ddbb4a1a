package eventstore_test

import (
	"testing"

	"github.com/dynamotable/ddb/eventstore/eventstoretest"
)

func TestSuite(t *testing.T) {
	eventstoretest.Run(t, newStore)
}
