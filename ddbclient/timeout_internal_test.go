// SPDX-License-Identifier: Apache-2.0

package ddbclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/wire"
)

// httpFunc is an HTTP client in process, so that time can be virtual.
type httpFunc func(*http.Request) (*http.Response, error)

func (f httpFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func reply(status int, body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: body}
}

// silent is a server that accepts the request and never replies.
func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// stuckBody begins a reply that never continues.
type stuckBody struct {
	ctx   context.Context
	begun bool
}

func (b *stuckBody) Read(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		return copy(p, `{"Item": {`), nil
	}
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

func (b *stuckBody) Close() error { return nil }

var getSomething = &dynamodb.GetItemInput{
	TableName: aws.String("t"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "1"}},
}

func TestSilentServerEndsTheAttempt(t *testing.T) {
	for name, server := range map[string]httpFunc{
		"no reply": silent,
		"no end of the body": func(r *http.Request) (*http.Response, error) {
			return reply(http.StatusOK, &stuckBody{ctx: r.Context()}), nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			c := mustClient(t, WithConfig(testConfig()), WithBackoff(0, 0), WithHTTPClient(httpFunc(func(r *http.Request) (*http.Response, error) {
				calls++
				return server(r)
			})))
			start := time.Now()
			_, err := c.GetItem(t.Context(), getSomething)
			if took := time.Since(start); took != 15*time.Second || calls != 3 {
				t.Errorf("%s: %d attempts in %v, want 3 of 5s", name, calls, took)
			}
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no complete reply within 5s") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestAttemptAfterATimeoutSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := mustClient(t, WithConfig(testConfig()), WithHTTPClient(httpFunc(func(r *http.Request) (*http.Response, error) {
			if calls++; calls == 1 {
				return silent(r)
			}
			return reply(http.StatusOK, io.NopCloser(strings.NewReader("{}"))), nil
		})))
		if _, err := c.GetItem(t.Context(), getSomething); err != nil || calls != 2 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
}

func TestOperationTimeout(t *testing.T) {
	for name, tt := range map[string]struct {
		opts   []Option
		within time.Duration // of the caller's context, if any
		want   time.Duration
		text   string
	}{
		"default":          {[]Option{WithMaxAttempts(1000)}, 0, time.Minute, "did not end within 1m0s"},
		"no attempt bound": {[]Option{WithAttemptTimeout(0)}, 0, time.Minute, "did not end within 1m0s"},
		"own":              {[]Option{WithMaxAttempts(1000), WithOperationTimeout(7 * time.Second)}, 0, 7 * time.Second, "did not end within 7s"},
		"none":             {[]Option{WithMaxAttempts(20), WithOperationTimeout(0), WithBackoff(0, 0)}, 0, 100 * time.Second, "no complete reply"},
		"the caller's":     {nil, time.Second, time.Second, "deadline exceeded"},
		"seed":             {[]Option{WithRustCrateSettings(), WithMaxAttempts(1)}, 0, 20 * time.Second, "no complete reply within 20s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			opts := append([]Option{WithConfig(testConfig()), WithHTTPClient(httpFunc(silent))}, tt.opts...)
			c := mustClient(t, opts...)
			ctx := t.Context()
			if tt.within > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.within)
				defer cancel()
			}
			start := time.Now()
			_, err := c.GetItem(ctx, getSomething)
			if took := time.Since(start); took != tt.want {
				t.Errorf("%s: ended after %v, want %v: %v", name, took, tt.want, err)
			}
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("%s: %v, want it to say %q", name, err, tt.text)
			}
			if tt.within > 0 && strings.Contains(err.Error(), "Timeout)") {
				t.Errorf("%s: the error names an option: %v", name, err)
			}
		})
	}
}

// TestSilentServerOverTCP uses the SDK's real HTTP client.
func TestSilentServerOverTCP(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-release
	}))
	defer server.Close()
	defer close(release)
	c := mustClient(t, WithConfig(testConfig()), WithEndpoint(server.URL), WithAttemptTimeout(20*time.Millisecond), WithMaxAttempts(2), WithBackoff(0, 0),
		// As in calls of tables, or the SDK may break the connection first (aws-sdk-go-v2#2737).
		WithSDKOptions(func(o *dynamodb.Options) { o.HTTPClient = wire.InMemoryBody(o.HTTPClient) }))
	_, err := c.GetItem(t.Context(), getSomething)
	if !errors.Is(err, context.DeadlineExceeded) || !ddb.IsRetryable(err) {
		t.Errorf("%v", err)
	}
}
