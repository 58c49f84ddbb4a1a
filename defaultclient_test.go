package ddb

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func TestLazyClientTriesAgainAfterAFailure(t *testing.T) {
	cleanEnv(t)
	l := newLazyClient()
	if _, err := l.get(t.Context()); err == nil {
		t.Fatal("a client without a Region was made")
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	first, err := l.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if budgetOf(first) != l.budget {
		t.Error("the client made has another budget than the one it stands for")
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	if again, err := l.get(t.Context()); err != nil || again != first {
		t.Errorf("a second client was made: %v", err)
	}
}

func TestLazyClientWaitObeysTheContext(t *testing.T) {
	l := newLazyClient()
	l.making <- struct{}{} // another goroutine is at it
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.GetItem(ctx, &dynamodb.GetItemInput{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("while another goroutine loads the configuration: %v", err)
	}
}
