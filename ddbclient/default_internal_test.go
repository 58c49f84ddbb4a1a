// SPDX-License-Identifier: Apache-2.0

package ddbclient

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/unsent"
	"github.com/dynamotable/ddb/schema"
)

// TestLazyClientMethodsReachTheirOperation sends empty inputs, which the SDK
// refuses with an error that names the operation.
func TestLazyClientMethodsReachTheirOperation(t *testing.T) {
	cleanEnv(t)
	t.Setenv("AWS_REGION", "eu-central-1")
	l := newLazyClient()
	type tables = schema.Client
	v := reflect.ValueOf(struct {
		ddb.Client
		tables
	}{l, l})
	if n := reflect.TypeFor[ddb.Client]().NumMethod() + reflect.TypeFor[schema.Client]().NumMethod(); v.NumMethod() != n {
		t.Fatalf("%d methods, want %d", v.NumMethod(), n)
	}
	for i := range v.NumMethod() {
		name := v.Type().Method(i).Name
		in := reflect.New(v.Method(i).Type().In(1).Elem())
		out := v.Method(i).Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
		err, _ := reflect.TypeAssert[error](out[1])
		var op *smithy.OperationError
		if !errors.As(err, &op) || op.Operation() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLazyClientIsCreatedOnce(t *testing.T) {
	cleanEnv(t)
	t.Setenv("AWS_REGION", "eu-central-1")
	l := newLazyClient()
	clients := make([]*dynamodb.Client, 16)
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			c, err := l.get(t.Context())
			if err != nil {
				t.Error(err)
			}
			clients[i] = c
		})
	}
	wg.Wait()
	for _, c := range clients {
		if c != clients[0] {
			t.Fatal("two clients were created")
		}
	}
	if Default() != ddb.Client(processClient) {
		t.Error("Default is not the process's client")
	}
}

func TestLazyClientTriesAgainAfterAFailure(t *testing.T) {
	cleanEnv(t)
	l := newLazyClient()
	if _, err := l.get(t.Context()); err == nil {
		t.Fatal("a client without a Region was created")
	}
	if _, err := l.PutItem(t.Context(), nil); !errors.As(err, new(*unsent.Error)) || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("a write without a client: %v", err)
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	first, err := l.get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if budgetOf(first) != l.budget {
		t.Error("the client created has another budget than the lazy client")
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	if again, err := l.get(t.Context()); err != nil || again != first {
		t.Errorf("a second client was created: %v", err)
	}
}

func TestLazyClientWaitObeysTheContext(t *testing.T) {
	l := newLazyClient()
	l.making <- struct{}{} // another goroutine loads it
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.GetItem(ctx, &dynamodb.GetItemInput{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("while another goroutine loads the configuration: %v", err)
	}
}
