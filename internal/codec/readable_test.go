// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// A field that could be written but never read is rejected when the plan is made, at any depth; other fields are accepted.
func TestInterfacesThatCannotBeRead(t *testing.T) {
	type inner struct{ Figure fmt.Stringer }
	type bad struct {
		A fmt.Stringer                      `dynamodbav:"a"`
		B []fmt.Stringer                    `dynamodbav:"b"`
		C map[string]*fmt.Stringer          `dynamodbav:"c"`
		D error                             `dynamodbav:"d"`
		E []map[string][]inner              `dynamodbav:"e"`
		F any                               `dynamodbav:"f"`
		G []any                             `dynamodbav:"g"`
		H types.AttributeValue              `dynamodbav:"h"`
		I map[string][]types.AttributeValue `dynamodbav:"i"`
		J fmt.Stringer                      `dynamodbav:"-"`
		K nest                              `dynamodbav:"k"`
		L tree                              `dynamodbav:"l"`
		M money                             `dynamodbav:"m"`
	}
	_, err := codec.PlanOf(reflect.TypeFor[bad]())
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`bad.A (attribute "a"): Go type fmt.Stringer: an interface with methods`, `bad.B (attribute "b")`, `bad.C (attribute "c")`, `bad.D (attribute "d"): Go type error`,
		`inner.Figure (attribute "Figure")`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q", want)
		}
	}
	if n := strings.Count(err.Error(), "an interface with methods"); n != 5 {
		t.Errorf("%d refusals: %v", n, err)
	}
	// A value in an interface is read as a map, so it is written whatever it contains.
	if got := string(encode(t, nil, &one[any]{inner{}})); got != `{"V":{"M":{"Figure":{"NULL":true}}}}` {
		t.Errorf("got %s", got)
	}
	into := one[any]{&inner{}}
	if err := codec.Decode(plan[one[any]](t), []byte(`{"V":{"M":{"Figure":{"S":"x"}}}}`), &into); err == nil || !strings.Contains(err.Error(), "must hold a pointer") {
		t.Errorf("got %v", err)
	}
	if _, err := codec.PlanOf(reflect.TypeFor[inner]()); err == nil {
		t.Error("a type that was written through an interface was accepted for items")
	}
}
