// SPDX-License-Identifier: Apache-2.0

package ddbclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	ddbretry "github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/internal/unsent"
)

// New makes an SDK client from the SDK's default configuration chain
// (environment, shared files, roles) with these defaults in place of the SDK's:
//
//   - at most 3 attempts for each call, in the standard retry mode; AWS_MAX_ATTEMPTS,
//     AWS_RETRY_MODE and their settings in the shared config file are honoured;
//   - before a retry a random wait of up to 50 ms, doubled for each further one, up to
//     5 s (full jitter); the environment switch AWS_NEW_RETRIES_2026 changes nothing;
//   - conflicts with a transaction or with another Region's write are retried as well;
//   - retries within a [ddb.RetryBudget] of the client, which its tables' batches and
//     transactions share;
//   - 3 s to connect, 5 s for each attempt until the last byte of its reply, 60 s for
//     each call with all its attempts. An attempt that takes too long is retried;
//   - up to 256 idle connections, so that concurrent batches do not reconnect.
//
// Besides the SDK's own AWS_ENDPOINT_URL_DYNAMODB and AWS_ENDPOINT_URL it honours
// DYNAMO_ENDPOINT and then DYNAMODB_ENDPOINT, if none of those is set, and AWS_PROFILE=localstack: that alone
// means the endpoint http://127.0.0.1:4566, region us-east-1 and dummy credentials,
// each unless set otherwise. When other credentials go to an endpoint that the
// environment names, one line with its host is logged. Plain http is refused except
// to the local machine; see [WithInsecureHTTP].
//
// It sends nothing, so that credentials are looked for by the first call: from the
// environment, the shared files, a role of the container, then of the machine. If
// there are none the call ends after that one search, within seconds, with what to
// set. Errors say which setting is missing or wrong. The context bounds the
// loading of the configuration only.
func New(ctx context.Context, opts ...Option) (*dynamodb.Client, error) {
	c := defaultClientConfig()
	for _, o := range opts {
		if o != nil {
			o(c)
		}
	}
	client, err := c.build(ctx)
	if err != nil {
		return nil, fmt.Errorf("ddbclient: %w", err)
	}
	return client, nil
}

func (c *clientConfig) build(ctx context.Context) (*dynamodb.Client, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	cfg, dummy, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	var fromEnv bool
	client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.HTTPClient = c.httpClientFrom(cfg)
		o.Region = cmp.Or(c.region, o.Region)
		if cfg.Retryer == nil {
			// A RetryMaxAttempts here would wrap the retryer, and hide its budget.
			o.Retryer, o.RetryMaxAttempts = c.retryer(cfg), 0
		}
		o.APIOptions = append(slices.Clone(o.APIOptions), c.addTimeouts)
		fromEnv = c.setEndpoint(o)
		for _, f := range c.sdkOptions {
			f(o)
		}
		o.Credentials = unsent.Explain(o.Credentials)
	})
	o := client.Options()
	if err := c.checkEndpoint(o); err != nil {
		return nil, err
	}
	if fromEnv && !dummy && o.BaseEndpoint != nil {
		c.log().LogAttrs(ctx, slog.LevelInfo, "credentials go to the DynamoDB endpoint named by the environment",
			slog.String("host", hostOf(*o.BaseEndpoint)))
	}
	return client, nil
}

// load returns the configuration, and whether its credentials are dummies.
func (c *clientConfig) load(ctx context.Context) (cfg aws.Config, dummy bool, err error) {
	if c.awsConfig != nil {
		return c.awsConfig.Copy(), false, nil
	}
	var opts []func(*config.LoadOptions) error
	if c.region != "" { // here as well, because credential providers may call AWS themselves
		opts = append(opts, config.WithRegion(c.region))
	}
	if isLocalStack() {
		cfg, dummy, err = loadLocalStack(ctx, opts)
	} else {
		cfg, err = config.LoadDefaultConfig(ctx, opts...)
	}
	if err != nil {
		return cfg, false, fmt.Errorf("load the AWS configuration (check the AWS_ environment variables and ~/.aws/config): %w", err)
	}
	return cfg, dummy, nil
}

// httpClientFrom keeps what the configuration says about the connection, such as
// AWS_CA_BUNDLE, and does not change a client that the user made.
func (c *clientConfig) httpClientFrom(cfg aws.Config) aws.HTTPClient {
	if c.httpClient != nil {
		return c.httpClient
	}
	base, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if cfg.HTTPClient != nil && !ok {
		return cfg.HTTPClient
	}
	if base == nil {
		base = awshttp.NewBuildableClient()
	}
	if d := base.GetDialer(); d.Timeout == awshttp.DefaultDialConnectTimeout || c.connectTimeoutSet {
		base = base.WithDialerOptions(func(d *net.Dialer) { d.Timeout = c.connectTimeout })
	}
	return base.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = max(t.MaxIdleConns, maxIdleConns)
		t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, maxIdleConns)
	})
}

func (c *clientConfig) retryer(cfg aws.Config) aws.Retryer {
	attempts := defaultAttempts
	if cfg.RetryMaxAttempts > 0 {
		attempts = cfg.RetryMaxAttempts
	}
	if c.maxAttempts > 0 {
		attempts = c.maxAttempts
	}
	standard := func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = c.maxDelay
		o.Backoff = retry.BackoffDelayerFunc(c.delay)
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: ddbretry.ConflictCodes})
		o.RateLimiter = c.budget
		// Costs are set because AWS_NEW_RETRIES_2026 changes their defaults.
		o.RetryCost = ddbretry.Cost
		o.RetryTimeoutCost = 2 * ddbretry.Cost
		o.ThrottlingRetryCost = ddbretry.Cost
		o.NoRetryIncrement = ddbretry.FirstSuccess
	}
	mode := c.retryMode
	if mode == "" {
		mode = cfg.RetryMode
	}
	if mode == aws.RetryModeAdaptive {
		adaptive := retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
			o.StandardOptions = append(o.StandardOptions, standard)
		})
		return &budgetRetryer{adaptive, c.budget}
	}
	return &budgetRetryer{retry.NewStandard(standard), c.budget}
}

// budgetRetryer lets tables find the budget of their client.
type budgetRetryer struct {
	aws.RetryerV2
	budget *ddb.RetryBudget
}

// RetryBudget is how tables ask.
func (r *budgetRetryer) RetryBudget() *ddb.RetryBudget { return r.budget }

func (c *clientConfig) validate() error {
	var errs []error
	if c.connectTimeout < 0 || c.attemptTimeout < 0 || c.operationTimeout < 0 {
		errs = append(errs, errors.New("a timeout is negative; zero means none"))
	}
	if c.maxAttempts < 0 {
		errs = append(errs, fmt.Errorf("WithMaxAttempts(%d): must be at least 1", c.maxAttempts))
	}
	if c.baseDelay < 0 || c.maxDelay < c.baseDelay {
		errs = append(errs, fmt.Errorf("WithBackoff(%v, %v): the delays must not be negative, nor the first exceed the second", c.baseDelay, c.maxDelay))
	}
	return errors.Join(errs...)
}

func (c *clientConfig) log() *slog.Logger {
	if c.logger != nil {
		return c.logger
	}
	return slog.Default()
}
