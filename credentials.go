package ddb

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// credentialsError is a call for which there were no credentials, so that nothing was sent.
type credentialsError struct{ err error }

// Error says what to set; the cause tells a source that failed from none at all.
func (e *credentialsError) Error() string {
	return fmt.Sprintf("no AWS credentials, nothing was sent: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of "+
		"~/.aws/config or ~/.aws/credentials, or run under a role; a local server takes made-up ones (%v)", e.err)
}

func (e *credentialsError) Unwrap() error { return e.err }

// RetryableError keeps the SDK from asking again within the call: each source has retries of its own.
func (e *credentialsError) RetryableError() bool { return false }

// unsentError is any other error before there was a request.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }

func (e *unsentError) Unwrap() error { return e.err }

// explainedCredentials are another provider's, with errors that say what to do.
type explainedCredentials struct{ aws.CredentialsProvider }

var _ aws.CredentialProviderSource = (*explainedCredentials)(nil)

func explainCredentials(p aws.CredentialsProvider) aws.CredentialsProvider {
	if !needsExplaining(p) {
		return p
	}
	return &explainedCredentials{p}
}

func needsExplaining(p aws.CredentialsProvider) bool {
	_, done := p.(*explainedCredentials)
	return !done && p != nil && !aws.IsCredentialsProvider(p, (*aws.AnonymousCredentials)(nil))
}

// Retrieve marks every error as one of a call that was not sent.
func (p *explainedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := p.CredentialsProvider.Retrieve(ctx)
	switch {
	case err == nil:
		return c, nil
	case ctx.Err() != nil: // they may be there, there was no time to get them
		return c, &unsentError{err}
	}
	return c, &credentialsError{err}
}

// IsCredentialsProvider is how the SDK asks what it is in truth.
func (p *explainedCredentials) IsCredentialsProvider(target aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(p.CredentialsProvider, target)
}

// ProviderSources are the provider's own, for the SDK's user agent.
func (p *explainedCredentials) ProviderSources() []aws.CredentialSource {
	if s, ok := p.CredentialsProvider.(aws.CredentialProviderSource); ok {
		return s.ProviderSources()
	}
	return nil
}
