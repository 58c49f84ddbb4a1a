// SPDX-License-Identifier: Apache-2.0

package ddbclient

import (
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	ddbretry "github.com/dynamotable/ddb/internal/retry"
)

func TestClientConfigDefaults(t *testing.T) {
	c := defaultClientConfig()
	if c.connectTimeout != 3*time.Second || c.attemptTimeout != 5*time.Second || c.operationTimeout != time.Minute ||
		c.baseDelay != 50*time.Millisecond || c.maxDelay != 5*time.Second {
		t.Errorf("the defaults are %+v", c)
	}
	WithRustCrateSettings()(c)
	if c.connectTimeout != 3*time.Second || c.attemptTimeout != 20*time.Second || c.operationTimeout != time.Minute ||
		c.baseDelay != time.Second || c.maxDelay != 20*time.Second || c.maxAttempts != 3 || c.retryMode != aws.RetryModeAdaptive {
		t.Errorf("the settings of the Rust crate are %+v", c)
	}
}

func TestNewClientDefaults(t *testing.T) {
	cleanEnv(t)
	t.Setenv("AWS_REGION", "eu-central-1")
	for _, newRetries := range []string{"", "true"} {
		t.Setenv("AWS_NEW_RETRIES_2026", newRetries)
		o := mustClient(t).Options()
		if o.Region != "eu-central-1" || o.BaseEndpoint != nil {
			t.Errorf("Region %q, endpoint %v", o.Region, aws.ToString(o.BaseEndpoint))
		}
		if n := o.Retryer.MaxAttempts(); n != 3 {
			t.Errorf("%d attempts", n)
		}
		for attempt, ms := range []int{50, 100, 200, 400, 800, 1600, 3200, 5000, 5000} {
			limit := time.Duration(ms) * time.Millisecond
			var longest time.Duration
			for range 500 {
				d, err := o.Retryer.RetryDelay(attempt+1, errors.New("any"))
				if err != nil {
					t.Fatal(err)
				}
				longest = max(longest, d)
			}
			if longest > limit || longest < limit*8/10 {
				t.Errorf("retry %d waits up to %v, want %v", attempt+1, longest, limit)
			}
		}
		for code, want := range map[string]bool{
			"TransactionConflictException": true, "ReplicatedWriteConflictException": true, "ThrottlingException": true,
			"ProvisionedThroughputExceededException": true, "ConditionalCheckFailedException": false, "ValidationException": false,
		} {
			if got := o.Retryer.IsErrorRetryable(apiError(code)); got != want {
				t.Errorf("%s is retried: %v", code, got)
			}
		}
		h, ok := o.HTTPClient.(*awshttp.BuildableClient)
		if !ok {
			t.Fatalf("the HTTP client is a %T", o.HTTPClient)
		}
		if d := h.GetDialer().Timeout; d != 3*time.Second {
			t.Errorf("connects within %v", d)
		}
		if tr := h.GetTransport(); tr.MaxIdleConnsPerHost != 256 || tr.MaxIdleConns != 256 {
			t.Errorf("%d idle connections, %d for each host", tr.MaxIdleConns, tr.MaxIdleConnsPerHost)
		}
	}
}

func TestNewOptions(t *testing.T) {
	cleanEnv(t)
	own := awshttp.NewBuildableClient()
	changed := false
	o := mustClient(t, nil, WithRegion("eu-west-1"), WithMaxAttempts(7), WithBackoff(0, 0), WithHTTPClient(own),
		WithEndpoint("https://example.com"), WithSDKOptions(nil), WithSDKOptions(func(o *dynamodb.Options) { changed = o.Region == "eu-west-1" })).Options()
	if o.Region != "eu-west-1" || o.Retryer.MaxAttempts() != 7 || o.HTTPClient != own || *o.BaseEndpoint != "https://example.com" || !changed {
		t.Errorf("some options have no effect: %+v", o)
	}
	if d, err := o.Retryer.RetryDelay(3, nil); d != 0 || err != nil {
		t.Errorf("waits %v, %v without backoff", d, err)
	}
	h := mustClient(t, WithRegion("eu-west-1"), WithConnectTimeout(time.Second)).Options().HTTPClient.(*awshttp.BuildableClient)
	if d := h.GetDialer().Timeout; d != time.Second {
		t.Errorf("connects within %v", d)
	}
}

func TestNewClientRetryModes(t *testing.T) {
	cleanEnv(t)
	t.Setenv("AWS_REGION", "eu-central-1")
	isAdaptive := func(opts ...Option) bool {
		_, adaptive := mustClient(t, opts...).Options().Retryer.(*budgetRetryer).RetryerV2.(*retry.AdaptiveMode)
		return adaptive
	}
	if isAdaptive() || !isAdaptive(WithRustCrateSettings()) || !isAdaptive(WithRetryMode(aws.RetryModeAdaptive)) {
		t.Error("adaptive mode is on without the option")
	}
	t.Setenv("AWS_RETRY_MODE", "adaptive")
	t.Setenv("AWS_MAX_ATTEMPTS", "9")
	if !isAdaptive() || isAdaptive(WithRetryMode(aws.RetryModeStandard)) {
		t.Error("AWS_RETRY_MODE should apply, unless an option overrides it")
	}
	if n := mustClient(t).Options().Retryer.MaxAttempts(); n != 9 {
		t.Errorf("%d attempts with AWS_MAX_ATTEMPTS=9", n)
	}
	if n := mustClient(t, WithRustCrateSettings()).Options().Retryer.MaxAttempts(); n != 3 {
		t.Errorf("%d attempts with an option for 3", n)
	}
	cfg := testConfig()
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	if n := mustClient(t, WithConfig(cfg)).Options().Retryer.MaxAttempts(); n != 1 {
		t.Errorf("the configuration's own retryer was replaced by one of %d attempts", n)
	}
}

type apiError string

func (e apiError) Error() string     { return string(e) }
func (e apiError) ErrorCode() string { return string(e) }

func TestNewClientKeepsTheConfigurationsHTTPClient(t *testing.T) {
	cfg := testConfig()
	foreign := httpFunc(silent)
	cfg.HTTPClient = foreign
	if got, ok := mustClient(t, WithConfig(cfg)).Options().HTTPClient.(httpFunc); !ok || reflect.ValueOf(got).Pointer() != reflect.ValueOf(foreign).Pointer() {
		t.Error("the user's own HTTP client was replaced")
	}
	cfg.HTTPClient = awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = time.Hour }).
		WithTransportOptions(func(tr *http.Transport) { tr.MaxIdleConnsPerHost, tr.DisableCompression = 1000, true })
	h := mustClient(t, WithConfig(cfg)).Options().HTTPClient.(*awshttp.BuildableClient)
	if tr := h.GetTransport(); h.GetDialer().Timeout != time.Hour || tr.MaxIdleConnsPerHost != 1000 || !tr.DisableCompression {
		t.Error("settings of the user's client were lost")
	}
	h = mustClient(t, WithConfig(cfg), WithConnectTimeout(time.Second)).Options().HTTPClient.(*awshttp.BuildableClient)
	if h.GetDialer().Timeout != time.Second {
		t.Error("the option has no effect")
	}
}

func TestNewClientRefuses(t *testing.T) {
	cleanEnv(t)
	region := WithRegion("eu-central-1")
	for name, tt := range map[string]struct {
		opts []Option
		want string
	}{
		"no Region":        {nil, "AWS_REGION"},
		"negative timeout": {[]Option{region, WithOperationTimeout(-1)}, "negative"},
		"no attempts":      {[]Option{region, WithMaxAttempts(0)}, "at least 1"},
		"negative delay":   {[]Option{region, WithBackoff(-1, 1)}, "WithBackoff"},
		"delays swapped":   {[]Option{region, WithBackoff(2, 1)}, "WithBackoff"},
	} {
		c, err := New(t.Context(), tt.opts...)
		if c != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want it to say %q", name, err, tt.want)
		}
	}
	t.Setenv("AWS_MAX_ATTEMPTS", "many")
	if _, err := New(t.Context(), region); err == nil || !strings.Contains(err.Error(), "AWS_") {
		t.Errorf("a configuration that cannot be read: %v", err)
	}
}

func TestBudgetOfClient(t *testing.T) {
	cfg := aws.Config{Region: "eu-central-1"}
	own := ddb.NewRetryBudget(1)
	made := mustClient(t, WithConfig(cfg), withBudget(own))
	if budgetOf(made) != own {
		t.Error("a client does not share its budget")
	}
	if budgetOf(mustClient(t, WithConfig(cfg), WithRustCrateSettings(), withBudget(own))) != own {
		t.Error("an adaptive client does not share its budget")
	}
	if newLazyClient().RetryBudget() == nil {
		t.Error("a lazy client has no budget of its own")
	}
	// The SDK takes its retries from the same budget.
	retryer := made.Options().Retryer.(aws.RetryerV2)
	if _, err := retryer.GetRetryToken(t.Context(), errors.New("any")); err != nil {
		t.Errorf("the first retry: %v", err)
	}
	if _, err := retryer.GetRetryToken(t.Context(), errors.New("any")); !errors.Is(err, ddbretry.ErrBudgetEmpty) {
		t.Errorf("with the budget spent: %v", err)
	}
	if _, err := own.GetToken(t.Context(), ddbretry.Cost); !errors.Is(err, ddbretry.ErrBudgetEmpty) {
		t.Errorf("the SDK's retry did not spend the budget: %v", err)
	}
}

// budgetOf gets the budget as a table does.
func budgetOf(c *dynamodb.Client) *ddb.RetryBudget {
	return c.Options().Retryer.(interface{ RetryBudget() *ddb.RetryBudget }).RetryBudget()
}

func mustClient(t *testing.T, opts ...Option) *dynamodb.Client {
	t.Helper()
	c, err := New(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cleanEnv hides the machine's AWS settings from a test.
func cleanEnv(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "DYNAMO_ENDPOINT", "DYNAMODB_ENDPOINT", "DYNAMO_TABLE_PREFIX", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE",
		"AWS_CA_BUNDLE", "AWS_NEW_RETRIES_2026",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	dir := t.TempDir()
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(dir, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "credentials"))
}

// testConfig returns a configuration that needs no environment.
func testConfig() aws.Config {
	return aws.Config{
		Region:       "eu-central-1",
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
		BaseEndpoint: aws.String("http://localhost:1"),
	}
}
