// SPDX-License-Identifier: Apache-2.0

package ddbclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	envTablePrefix     = "DYNAMO_TABLE_PREFIX"
	localStackProfile  = "localstack"
	localStackEndpoint = "http://127.0.0.1:4566"
	localRegion        = "us-east-1" // what a local server is given when nothing says otherwise
)

// envEndpoints are our variables for an endpoint, the first that is set counts: that of the Rust crate, and the one that tests (package ddbtest) and the
// examples read as well.
var envEndpoints = []string{"DYNAMO_ENDPOINT", "DYNAMODB_ENDPOINT"}

// endpointFromEnv is what our variables say, or "".
func endpointFromEnv() (endpoint string) {
	for _, name := range envEndpoints {
		endpoint = cmp.Or(endpoint, os.Getenv(name))
	}
	return endpoint
}

// TablePrefixFromEnv is the value of DYNAMO_TABLE_PREFIX, for [ddb.TablePrefix]. Empty
// if unset.
func TablePrefixFromEnv() string { return os.Getenv(envTablePrefix) }

// setEndpoint chooses among what is known: the option, then the SDK's sources,
// then ours. It reports whether the endpoint comes from the environment.
func (c *clientConfig) setEndpoint(o *dynamodb.Options) (fromEnv bool) {
	switch {
	case c.endpoint != "":
		o.BaseEndpoint = aws.String(c.endpoint)
		return false
	case o.BaseEndpoint != nil:
		fromEnv = c.awsConfig == nil || c.awsConfig.BaseEndpoint == nil || *c.awsConfig.BaseEndpoint == os.Getenv("AWS_ENDPOINT_URL")
	case endpointFromEnv() != "":
		o.BaseEndpoint = aws.String(endpointFromEnv())
		fromEnv = true
	case c.awsConfig == nil && isLocalStack():
		o.BaseEndpoint = aws.String(localStackEndpoint)
		fromEnv = true
	}
	if o.Region == "" && o.BaseEndpoint != nil && isLoopback(*o.BaseEndpoint) {
		o.Region = localRegion
	}
	return fromEnv
}

// checkEndpoint refuses what would fail at the first call, or send data in the clear.
func (c *clientConfig) checkEndpoint(o dynamodb.Options) error {
	var errs []error
	if o.Region == "" {
		errs = append(errs, errors.New("no AWS Region: set AWS_REGION or region in ~/.aws/config, or use ddbclient.WithRegion"))
	}
	if o.BaseEndpoint == nil {
		return errors.Join(errs...)
	}
	u, err := url.Parse(*o.BaseEndpoint)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		// The text is not shown: a URL may hold a password.
		errs = append(errs, errors.New("the endpoint is not a URL such as https://dynamodb.eu-central-1.amazonaws.com"))
	case u.Scheme == "http" && !isLoopback(*o.BaseEndpoint) && !c.insecureHTTP:
		errs = append(errs, fmt.Errorf("the endpoint at %s uses plain http, so items and session tokens would be readable on the way; use https, or ddbclient.WithInsecureHTTP if the network is trusted", u.Host))
	}
	return errors.Join(errs...)
}

func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	return u.Host
}

func isLoopback(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

func isLocalStack() bool { return os.Getenv("AWS_PROFILE") == localStackProfile }

// loadLocalStack loads the profile of that name, which the SDK would insist on, or
// else makes do with the environment. Without credentials in either it gives dummies.
func loadLocalStack(ctx context.Context, opts []func(*config.LoadOptions) error) (cfg aws.Config, dummy bool, err error) {
	env, err := config.NewEnvConfig()
	if err != nil {
		return cfg, false, err
	}
	static := credentials.NewStaticCredentialsProvider("test", "test", "")
	profile, err := config.LoadSharedConfigProfile(ctx, localStackProfile, func(o *config.LoadSharedConfigOptions) {
		if env.SharedConfigFile != "" {
			o.ConfigFiles = []string{env.SharedConfigFile}
		}
		if env.SharedCredentialsFile != "" {
			o.CredentialsFiles = []string{env.SharedCredentialsFile}
		}
	})
	if _, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); !ok {
		dummy = err == nil && !env.Credentials.HasKeys() && !hasCredentials(profile)
		if dummy {
			opts = append(opts, config.WithCredentialsProvider(static))
		}
		cfg, err = config.LoadDefaultConfig(ctx, opts...)
		return cfg, dummy, err
	}
	cfg = aws.Config{
		Region: env.Region, RetryMode: env.RetryMode, RetryMaxAttempts: env.RetryMaxAttempts, Credentials: static,
		ConfigSources: []any{env}, // where the SDK finds AWS_ENDPOINT_URL_DYNAMODB
	}
	if env.BaseEndpoint != "" {
		cfg.BaseEndpoint = aws.String(env.BaseEndpoint)
	}
	if env.Credentials.HasKeys() {
		cfg.Credentials = credentials.StaticCredentialsProvider{Value: env.Credentials}
	}
	return cfg, !env.Credentials.HasKeys(), nil
}

func hasCredentials(p config.SharedConfig) bool {
	return p.Credentials.HasKeys() || p.CredentialProcess != "" || p.RoleARN != "" || p.SSOSessionName != "" || p.SSOStartURL != ""
}
