// SPDX-License-Identifier: Apache-2.0

// Package unsent has the errors of calls that ended before there was a request, and names missing credentials in words that help.
package unsent

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// CredentialsError is a call for which there were no credentials, so that nothing was sent.
type CredentialsError struct{ Err error }

// Error says what to set; the cause tells a source that failed from none at all.
func (e *CredentialsError) Error() string {
	return fmt.Sprintf("no AWS credentials, nothing was sent: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of "+
		"~/.aws/config or ~/.aws/credentials, or run under a role; a local server takes made-up ones (%v)", e.Err)
}

// Unwrap returns the cause.
func (e *CredentialsError) Unwrap() error { return e.Err }

// RetryableError keeps the SDK from asking again within the call: each source has retries of its own.
func (e *CredentialsError) RetryableError() bool { return false }

// Error is any other error before there was a request.
type Error struct{ Err error }

// Error is the text of the cause.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Credentials are another provider's, with errors that say what to do.
type Credentials struct{ aws.CredentialsProvider }

var _ aws.CredentialProviderSource = (*Credentials)(nil)

// Explain makes the errors of a provider say what to do. It leaves alone what needs that not, such as nil.
func Explain(p aws.CredentialsProvider) aws.CredentialsProvider {
	if !NeedsExplaining(p) {
		return p
	}
	return &Credentials{p}
}

// NeedsExplaining reports whether a provider asks for credentials, and has no such errors yet.
func NeedsExplaining(p aws.CredentialsProvider) bool {
	_, done := p.(*Credentials)
	return !done && p != nil && !aws.IsCredentialsProvider(p, (*aws.AnonymousCredentials)(nil))
}

// Retrieve marks every error as one of a call that was not sent.
func (p *Credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := p.CredentialsProvider.Retrieve(ctx)
	switch {
	case err == nil:
		return c, nil
	case ctx.Err() != nil: // they may be there, there was no time to get them
		return c, &Error{err}
	}
	return c, &CredentialsError{err}
}

// IsCredentialsProvider is how the SDK asks what it is in truth.
func (p *Credentials) IsCredentialsProvider(target aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(p.CredentialsProvider, target)
}

// ProviderSources are the provider's own, for the SDK's user agent.
func (p *Credentials) ProviderSources() []aws.CredentialSource {
	if s, ok := p.CredentialsProvider.(aws.CredentialProviderSource); ok {
		return s.ProviderSources()
	}
	return nil
}
