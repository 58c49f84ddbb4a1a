// SPDX-License-Identifier: Apache-2.0

// Package unsent has the errors of calls that ended before a request was sent, and explains missing credentials.
package unsent

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// CredentialsError is the error of a call without credentials; nothing was sent.
type CredentialsError struct{ Err error }

// Error says what to set. The cause shows whether a source failed or there was none.
func (e *CredentialsError) Error() string {
	return fmt.Sprintf("no AWS credentials, nothing was sent: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of "+
		"~/.aws/config or ~/.aws/credentials, or run under a role; a local server takes made-up ones (%v)", e.Err)
}

// Unwrap returns the cause.
func (e *CredentialsError) Unwrap() error { return e.Err }

// RetryableError keeps the SDK from retrying within the call: each source has its own retries.
func (e *CredentialsError) RetryableError() bool { return false }

// Error is any other error before there was a request.
type Error struct{ Err error }

// Error returns the text of the cause.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Credentials are another provider's, with errors that say what to do.
type Credentials struct{ aws.CredentialsProvider }

var _ aws.CredentialProviderSource = (*Credentials)(nil)

// Explain makes the errors of a provider say what to do. It returns providers that do not need it unchanged, such as nil.
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
	case ctx.Err() != nil: // there may be credentials, but there was no time to get them
		return c, &Error{err}
	}
	return c, &CredentialsError{err}
}

// IsCredentialsProvider tells the SDK the type of the wrapped provider.
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
