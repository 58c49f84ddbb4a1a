// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/internal/retry"
)

// TestRetryBudgetTokens uses the budget as the SDK's retryer does, as its RateLimiter.
func TestRetryBudgetTokens(t *testing.T) {
	b := NewRetryBudget(2)
	release, err := b.GetToken(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.GetToken(t.Context(), 9); !errors.Is(err, retry.ErrBudgetEmpty) {
		t.Errorf("an empty budget gave a token: %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if _, err := b.GetToken(t.Context(), 10); err != nil {
		t.Errorf("released tokens are not back: %v", err)
	}
	var none *RetryBudget
	if _, err := none.GetToken(t.Context(), 1e9); err != nil {
		t.Errorf("a nil budget refused a token: %v", err)
	}
	if _, err := new(RetryBudget).GetToken(t.Context(), 1); err == nil {
		t.Error("a zero budget gave a token")
	}
}

type owner struct {
	aws.Retryer
	Client

	budget *RetryBudget
}

func (o owner) RetryBudget() *RetryBudget { return o.budget }

func TestBudgetOf(t *testing.T) {
	own := NewRetryBudget(1)
	cfg := aws.Config{Region: "eu-central-1"}
	owned := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.Retryer = owner{Retryer: o.Retryer, budget: own} })
	var none *dynamodb.Client
	for name, tt := range map[string]struct {
		client Client
		want   *RetryBudget
	}{
		"client with a budget": {owner{budget: own}, own}, "retryer with a budget": {owned, own},
		"SDK client": {dynamodb.NewFromConfig(cfg), defaultBudget}, "nil": {nil, defaultBudget}, "nil SDK client": {none, defaultBudget},
	} {
		if budgetOf(tt.client) != tt.want.shared() {
			t.Errorf("%s: got another budget", name)
		}
	}
}
