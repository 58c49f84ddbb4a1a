// SPDX-License-Identifier: Apache-2.0

package ddbclient

import (
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
)

// Option is an option of [New]. Of options that contradict each other the last counts.
type Option func(*clientConfig)

type clientConfig struct {
	awsConfig         *aws.Config
	region            string
	endpoint          string
	insecureHTTP      bool
	httpClient        aws.HTTPClient
	retryMode         aws.RetryMode
	maxAttempts       int // zero: the configuration's, or the default
	baseDelay         time.Duration
	maxDelay          time.Duration
	connectTimeout    time.Duration
	connectTimeoutSet bool
	attemptTimeout    time.Duration
	operationTimeout  time.Duration
	budget            *ddb.RetryBudget
	logger            *slog.Logger
	sdkOptions        []func(*dynamodb.Options)
}

const (
	defaultAttempts = 3
	defaultRetries  = 100 // of the budget
	maxIdleConns    = 256
)

func defaultClientConfig() *clientConfig {
	return &clientConfig{
		baseDelay:        50 * time.Millisecond,
		maxDelay:         5 * time.Second,
		connectTimeout:   3 * time.Second,
		attemptTimeout:   5 * time.Second,
		operationTimeout: time.Minute,
		budget:           ddb.NewRetryBudget(defaultRetries),
	}
}

// WithRustCrateSettings sets the retries and timeouts of the Rust crate dynamo_table, of which this
// library is a successor: adaptive retry mode, 3 attempts, a first wait of up to 1 s
// doubled up to 20 s, 3 s to connect, 20 s for each attempt and 60 s for each call.
//
// In adaptive mode one throttled table slows down every other table of the same
// client; prefer the defaults of [New].
func WithRustCrateSettings() Option {
	return func(c *clientConfig) {
		c.retryMode = aws.RetryModeAdaptive
		c.maxAttempts = 3
		c.baseDelay, c.maxDelay = time.Second, 20*time.Second
		c.connectTimeout, c.connectTimeoutSet = 3*time.Second, true
		c.attemptTimeout, c.operationTimeout = 20*time.Second, time.Minute
	}
}

// WithConfig uses a configuration that is already there instead of loading one. A
// Retryer and an HTTP client of the caller's own making in it are kept.
func WithConfig(cfg aws.Config) Option {
	return func(c *clientConfig) { c.awsConfig = &cfg }
}

// WithRegion sets the AWS Region, such as eu-central-1.
func WithRegion(region string) Option {
	return func(c *clientConfig) { c.region = region }
}

// WithEndpoint sends everything to a URL such as http://localhost:8000, whatever the environment says.
func WithEndpoint(url string) Option {
	return func(c *clientConfig) { c.endpoint = url }
}

// WithInsecureHTTP allows plain http to other hosts than the local machine, such as
// a container of a test set-up. Items and session tokens are then readable on the way.
func WithInsecureHTTP() Option {
	return func(c *clientConfig) { c.insecureHTTP = true }
}

// WithHTTPClient sends requests with the given client, whose own connection settings
// then count; the timeouts of attempts and calls stay.
func WithHTTPClient(client aws.HTTPClient) Option {
	return func(c *clientConfig) { c.httpClient = client }
}

// WithRetryMode sets the SDK's retry mode, which is standard otherwise.
func WithRetryMode(mode aws.RetryMode) Option {
	return func(c *clientConfig) { c.retryMode = mode }
}

// WithMaxAttempts sets how often a call is sent at most, the first time included; 1 means no retry.
func WithMaxAttempts(n int) Option {
	return func(c *clientConfig) {
		if n == 0 {
			n = -1 // zero is what the field holds by itself, and no sensible request
		}
		c.maxAttempts = n
	}
}

// WithBackoff sets the longest wait before the first retry of a call, which doubles
// for each further one, and the longest wait of all. Waits are random between zero and that.
func WithBackoff(base, ceiling time.Duration) Option {
	return func(c *clientConfig) { c.baseDelay, c.maxDelay = base, ceiling }
}

// WithConnectTimeout bounds the time to connect; zero is no bound of its own.
func WithConnectTimeout(d time.Duration) Option {
	return func(c *clientConfig) { c.connectTimeout, c.connectTimeoutSet = d, true }
}

// WithAttemptTimeout bounds each attempt of a call, from connecting to the last byte
// of the reply; zero is no bound. An attempt that exceeds it is retried.
func WithAttemptTimeout(d time.Duration) Option {
	return func(c *clientConfig) { c.attemptTimeout = d }
}

// WithOperationTimeout bounds each call with all its attempts and waits, besides the
// caller's context; zero is no bound.
func WithOperationTimeout(d time.Duration) Option {
	return func(c *clientConfig) { c.operationTimeout = d }
}

// WithLogger logs to the given logger instead of slog.Default.
func WithLogger(logger *slog.Logger) Option {
	return func(c *clientConfig) { c.logger = logger }
}

// WithSDKOptions changes the SDK client's options after everything else was set.
func WithSDKOptions(f func(*dynamodb.Options)) Option {
	return func(c *clientConfig) {
		if f != nil {
			c.sdkOptions = append(c.sdkOptions, f)
		}
	}
}

// withBudget shares a budget that exists before the client.
func withBudget(b *ddb.RetryBudget) Option {
	return func(c *clientConfig) { c.budget = b }
}
