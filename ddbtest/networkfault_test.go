// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

// createOrder returns a failed condition if the order exists.
func createOrder(ctx context.Context, c *dynamodb.Client, sk string) error {
	_, err := c.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String("orders"), Item: item{"pk": str("a"), "sk": str(sk)}, ConditionExpression: aws.String("attribute_not_exists(pk)"),
	})
	return err
}

func getOrder(ctx context.Context, c *dynamodb.Client, sk string) (string, error) {
	out, err := c.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: item{"pk": str("a"), "sk": str(sk)}})
	if err != nil {
		return "", err
	}
	s, ok := out.Item["sk"].(*types.AttributeValueMemberS)
	if !ok {
		return "", nil
	}
	return s.Value, nil
}

// A hop that repeats a request forwards the second reply: a create that was applied is refused.
func TestRepeat(t *testing.T) {
	for name, c := range map[string]struct {
		rule fault.Rule
		want string
	}{
		"second reply": {fault.On("PutItem").Repeat(0), "ConditionalCheckFailedException"},
		"first reply":  {fault.On("PutItem").Duplicate(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := faulty(t, ddbtest.WithFaults(c.rule))
			if err := createOrder(t.Context(), client, "1"); err == nil && c.want != "" || err != nil && code(err) != c.want {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if n := stored(t, client); n != 1 {
				t.Errorf("%d items stored", n)
			}
		})
	}
}

func TestRepeatLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := faulty(t, ddbtest.WithFaults(fault.On("PutItem").First(1).Repeat(time.Second), fault.On("PutItem").First(1).Repeat(time.Minute)))
		done := make(chan error, 1)
		go func() { done <- createOrder(t.Context(), client, "1") }()
		synctest.Wait()
		if n := stored(t, client); n != 1 { // between the two deliveries
			t.Errorf("%d items stored", n)
		}
		_, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: item{"pk": str("a"), "sk": str("1")}})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Errorf("the second delivery failed: %v", err)
		}
		if n := stored(t, client); n != 1 {
			t.Errorf("%d items stored after the second delivery, want 1", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := createOrder(ctx, client, "2"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a call cancelled between the deliveries failed with %v", err)
		}
		if n := stored(t, client); n != 2 {
			t.Errorf("%d items stored after a call cancelled between the deliveries, want 2", n)
		}
	})
}

// A held request is executed when the test releases it, whether or not its caller still waits.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := fault.NewGate()
		_, client := faulty(t, ddbtest.WithFaults(fault.On("PutItem").First(2).Hold(gate), fault.On("PutItem").First(1).Applied().Hold(gate)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := createOrder(ctx, client, "1"); !errors.Is(err, context.DeadlineExceeded) || stored(t, client) != 0 || gate.Held() != 1 {
			t.Errorf("after the caller has given up: %v, %d stored, %d held", err, stored(t, client), gate.Held())
		}
		done := make(chan error, 1)
		go func() { done <- createOrder(t.Context(), client, "2") }()
		if err := gate.Await(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if n := gate.Release(); n != 2 || stored(t, client) != 2 || gate.Held() != 0 {
			t.Errorf("%d released, %d stored, %d held", n, stored(t, client), gate.Held())
		}
		if err := <-done; err != nil {
			t.Errorf("a caller that still waits: %v", err)
		}
		go func() { done <- createOrder(t.Context(), client, "3") }()
		synctest.Wait()
		if n := stored(t, client); n != 3 { // the first delivery
			t.Errorf("%d stored", n)
		}
		gate.Release()
		if err := <-done; code(err) != "ConditionalCheckFailedException" {
			t.Errorf("the second delivery: %v", err)
		}
		if err := gate.Await(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing is held: %v", err)
		}
	})
}

func TestSwapReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := faulty(t, ddbtest.WithFaults(fault.On("GetItem").SwapReplies(time.Second)))
		for _, sk := range []string{"1", "2"} {
			if err := putOrder(t.Context(), client, sk); err != nil {
				t.Fatal(err)
			}
		}
		got := map[string]string{}
		var (
			mu sync.Mutex
			wg sync.WaitGroup
		)
		for _, sk := range []string{"1", "2"} {
			wg.Go(func() {
				have, err := getOrder(t.Context(), client, sk)
				mu.Lock()
				defer mu.Unlock()
				got[sk] = have
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got["1"] != "2" || got["2"] != "1" {
			t.Errorf("two concurrent requests: %v", got)
		}
		start := time.Now()
		if have, err := getOrder(t.Context(), client, "1"); have != "1" || err != nil || time.Since(start) != time.Second {
			t.Errorf("one alone: %q, %v after %v", have, err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := getOrder(ctx, client, "1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one that gives up: %v", err)
		}
		if have, err := getOrder(t.Context(), client, "2"); have != "2" || err != nil { // it is not paired with the cancelled request
			t.Errorf("the next one: %q, %v", have, err)
		}
	})
}

func TestPreviousReply(t *testing.T) {
	_, client := faulty(t, ddbtest.WithFaults(fault.On("GetItem").PreviousReply()))
	for _, sk := range []string{"1", "2", "3"} {
		if err := putOrder(t.Context(), client, sk); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range [][2]string{{"1", "1"}, {"2", "1"}, {"3", "2"}} {
		if have, err := getOrder(t.Context(), client, c[0]); have != c[1] || err != nil {
			t.Errorf("order %s: got %q, %v, want %s", c[0], have, err, c[1])
		}
	}
}

// A rule keeps no state from one engine to another.
func TestRulesAreReusable(t *testing.T) {
	rule := fault.On("GetItem").PreviousReply()
	for range 2 {
		_, client := faulty(t, ddbtest.WithFaults(rule))
		if err := putOrder(t.Context(), client, "1"); err != nil {
			t.Fatal(err)
		}
		if have, err := getOrder(t.Context(), client, "none"); have != "" || err != nil {
			t.Errorf("the first read of an engine: %q, %v", have, err)
		}
		if have, err := getOrder(t.Context(), client, "1"); have != "" || err != nil {
			t.Errorf("the second: %q, %v", have, err)
		}
	}
}

// A trickling body arrives completely if there is time, and ends at the caller's deadline otherwise.
func TestTrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, client := faulty(t, ddbtest.WithFaults(fault.On("GetItem").Trickle(time.Second)))
		if err := putOrder(t.Context(), client, "1"); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		have, err := getOrder(t.Context(), client, "1")
		if size := len(`{"Item":{"pk":{"S":"a"},"sk":{"S":"1"}}}`); have != "1" || err != nil || time.Since(start) < time.Duration(size)*time.Second {
			t.Errorf("got %q, %v after %v", have, err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		start = time.Now()
		if _, err := getOrder(ctx, client, "1"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// A gateway's reply has no mark of the service, whether it comes before or after the request is executed.
func TestGateways(t *testing.T) {
	for _, status := range []int{200, 204, 301, 400, 403, 404, 408, 413, 429, 500, 502, 503, 504} {
		for _, c := range []struct {
			kind    string
			of      func(fault.Matcher) fault.Rule
			applied bool
		}{
			{"application/json", func(m fault.Matcher) fault.Rule { return m.GatewayJSON(status) }, false},
			{"application/json", func(m fault.Matcher) fault.Rule { return m.Applied().GatewayJSON(status) }, true},
			{"text/html", func(m fault.Matcher) fault.Rule { return m.GatewayHTML(status) }, false},
			{"text/html", func(m fault.Matcher) fault.Rule { return m.Applied().GatewayHTML(status) }, true},
		} {
			e, client := faulty(t, ddbtest.WithFaults(c.of(fault.On("PutItem"))))
			server := httptest.NewServer(e.Handler())
			for n, do := range []func(*http.Request) (*http.Response, error){e.Do, func(r *http.Request) (*http.Response, error) {
				r.URL.Host, r.RequestURI = strings.TrimPrefix(server.URL, "http://"), ""
				return server.Client().Do(r)
			}} {
				resp, err := do(rawRequest(t, "PutItem", `{"TableName":"orders","Item":{"pk":{"S":"a"},"sk":{"S":"1"}}}`))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				first := byte('{')
				if c.kind == "text/html" {
					first = '<'
				}
				if err != nil || resp.StatusCode != status || resp.Header.Get("Content-Type") != c.kind || (status == 204) != (len(body) == 0) || len(body) > 0 && body[0] != first {
					t.Errorf("way %d: status %d, %v, body %q, %v", n, resp.StatusCode, resp.Header, body, err)
				}
				for name := range resp.Header {
					if strings.HasPrefix(strings.ToLower(name), "x-amz") {
						t.Errorf("header %s", name)
					}
				}
			}
			if n := stored(t, client); (n == 1) != c.applied {
				t.Errorf("%d: %d items stored, applied must be %v", status, n, c.applied)
			}
			server.Close()
		}
	}
}

// A reset in the body is a reset both in process and over a socket; a truncated body is not.
func TestResetBody(t *testing.T) {
	e, client := faulty(t, ddbtest.WithFaults(fault.On("GetItem").ResetBody()))
	if err := putOrder(t.Context(), client, "1"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	overSocket := e.Client(func(o *dynamodb.Options) {
		o.Retryer, o.BaseEndpoint, o.HTTPClient = aws.NopRetryer{}, &server.URL, server.Client()
	})
	for name, c := range map[string]*dynamodb.Client{"in process": client, "over a socket": overSocket} {
		if _, err := getOrder(t.Context(), c, "1"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", name, err)
		}
	}
	resp, err := e.Do(rawRequest(t, "GetItem", `{"TableName":"orders","Key":{"pk":{"S":"a"},"sk":{"S":"1"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	const whole = `{"Item":{"pk":{"S":"a"},"sk":{"S":"1"}}}`
	body, err := io.ReadAll(resp.Body)
	if !strings.HasPrefix(whole, string(body)) || len(body) == 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("body %q, %v", body, err)
	}
}

// A role that may only write.
func TestDeny(t *testing.T) {
	_, client := faulty(t, ddbtest.WithFaults(fault.On("GetItem").Deny()))
	if err := putOrder(t.Context(), client, "1"); err != nil {
		t.Fatal(err)
	}
	_, err := getOrder(t.Context(), client, "1")
	if code(err) != "AccessDeniedException" || !strings.Contains(err.Error(), "dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:000000000000:table/orders") {
		t.Errorf("got %v", err)
	}
}
