package codec_test

import (
	"reflect"
	"testing"

	"github.com/dynamotable/ddb/internal/codec"
)

func plan[T any](tb testing.TB) *codec.Plan {
	tb.Helper()
	p, err := codec.PlanOf(reflect.TypeFor[T]())
	if err != nil {
		tb.Fatal(err)
	}
	return p
}
