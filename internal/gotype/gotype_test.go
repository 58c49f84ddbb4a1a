// SPDX-License-Identifier: Apache-2.0

package gotype_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/dynamotable/ddb/internal/gotype"
)

func TestType(t *testing.T) {
	for _, want := range []reflect.Type{reflect.TypeFor[int](), reflect.TypeFor[[]time.Time](), reflect.TypeFor[error](), reflect.TypeFor[reflect.Type]()} {
		typ := gotype.Of(want)
		if got := gotype.Reflect(typ); got != want {
			t.Errorf("%v became %v", want, got)
		}
		if got := fmt.Sprint(typ); got != want.String() {
			t.Errorf("it prints %q, want %q", got, want)
		}
		if !gotype.Same(typ, gotype.Of(want)) || gotype.Same(typ, gotype.Of(reflect.TypeFor[bool]())) || gotype.Same(typ, gotype.Type{}) {
			t.Errorf("%v is not the same as itself alone", want)
		}
	}
	if none := gotype.Of(nil); gotype.Reflect(none) != nil || none.String() != "no type" || !gotype.Same(none, gotype.Type{}) {
		t.Errorf("the type of nothing is %v", none)
	}
}
