// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
)

// rule is how the service answers a request, and the source for it.
type rule struct {
	name      string
	operation string
	body      string
	// want is the whole message of the error, or a part of the answer if the
	// request succeeds.
	want string
	// code is the name of the exception; ValidationException by default, "-" for
	// success.
	code   string
	source string
}

// Where rules come from.
const (
	apiPages     = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/"
	guidePages   = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
	dynalite     = "https://github.com/architect/dynalite"
	dynoxideRepo = "https://github.com/nubo-db/dynoxide/"
	extenddb     = "https://github.com/ExtendDB/extenddb/"
	ministack    = "https://github.com/ministackorg/ministack/"
	floci        = "https://github.com/floci-io/floci/"
	scylla       = "https://github.com/scylladb/scylladb/"
	daxClient    = "https://github.com/aws/aws-dax-js-sdk"
	invalidParam = "One or more parameter values were invalid: "
	oneError     = "1 validation error detected: "
)

// The tables of the rules.
var ruleTables = []string{
	`{"TableName":"hash","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}`,
	`{"TableName":"number","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"p","AttributeType":"N"}],
		"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}`,
	`{"TableName":"pair","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"},{"AttributeName":"s","AttributeType":"S"},{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],
		"KeySchema":[{"AttributeName":"p","KeyType":"HASH"},{"AttributeName":"s","KeyType":"RANGE"}],
		"GlobalSecondaryIndexes":[{"IndexName":"global","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}],
		"LocalSecondaryIndexes":[{"IndexName":"local","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}]}`,
}

// newRuleEngine returns an engine with the tables of rules, each with items.
func newRuleEngine(t *testing.T) *ddbtest.Engine {
	t.Helper()
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	for _, table := range ruleTables {
		mustAnswer(t, e, "CreateTable", table)
	}
	mustAnswer(t, e, "PutItem", `{"TableName":"hash","Item":{"p":{"S":"a"},"x":{"N":"1"},"m":{"M":{"k":{"S":"v"}}},"ss":{"SS":["b","a"]}}}`)
	for _, n := range []string{"1", "2", "1000"} {
		mustAnswer(t, e, "PutItem", `{"TableName":"number","Item":{"p":{"N":"`+n+`"}}}`)
	}
	for _, s := range []string{"1", "2", "3"} {
		mustAnswer(t, e, "PutItem", `{"TableName":"pair","Item":{"p":{"S":"a"},"s":{"S":"`+s+`"},"g":{"S":"x"},"n":{"N":"`+s+`"},"x":{"S":"v`+s+`"}}}`)
	}
	return e
}

// mustAnswer sends a request that has to succeed, and returns the answer.
func mustAnswer(t *testing.T, e *ddbtest.Engine, operation, body string) string {
	t.Helper()
	got := raw(t, e, operation, body)
	if strings.Contains(got, `"__type"`) {
		t.Fatalf("%s %s: %s", operation, body, got)
	}
	return got
}

// checkRules sends each request to a new engine.
func checkRules(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			if r.source == "" {
				t.Error("the rule has no source")
			}
			got := raw(t, newRuleEngine(t), r.operation, r.body)
			if r.code == "-" {
				if strings.Contains(got, `"__type"`) || !strings.Contains(got, r.want) {
					t.Errorf("got  %s\nwant %s", got, r.want)
				}
				return
			}
			var answer struct {
				Type    string `json:"__type"`
				Message string
			}
			if err := json.Unmarshal([]byte(got), &answer); err != nil {
				t.Fatalf("%s: %v", got, err)
			}
			_, code, _ := strings.Cut(answer.Type, "#")
			want := r.code
			if want == "" {
				want = "ValidationException"
			}
			if code != want || answer.Message != r.want {
				t.Errorf("got  %s: %s\nwant %s: %s", code, answer.Message, want, r.want)
			}
		})
	}
}
