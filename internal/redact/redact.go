// SPDX-License-Identifier: Apache-2.0

// Package redact returns texts of errors without the data that the service and the SDK quote.
package redact

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/unsent"
)

// Error is ddberr.Redact.
func Error(err error) error {
	if !quotes(err) {
		return err
	}
	return quiet.Later(Text, err)
}

// All is [Error] of each error that is not nil.
func All(errs ...error) []error {
	var all []error
	for _, err := range errs {
		if err != nil {
			all = append(all, Error(err))
		}
	}
	return all
}

// quotes reports whether an error of the SDK can be reached from err by Unwrap.
func quotes(err error) bool {
	switch err.(type) { //nolint:errorlint // each error of the tree is looked at
	case nil:
		return false
	case *smithy.OperationError, smithy.APIError, *smithy.DeserializationError, *smithyhttp.ResponseError, *smithyhttp.RequestSendError, *url.Error:
		return true
	}
	return slices.ContainsFunc(unwrapped(err), quotes)
}

// unwrapped returns the errors that err wraps.
func unwrapped(err error) []error {
	switch e := err.(type) { //nolint:errorlint // one step of the tree
	case interface{ Unwrap() []error }:
		return e.Unwrap()
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			return []error{inner}
		}
	}
	return nil
}

// Text returns an error's text, in which the texts of the SDK and the service are shortened to what is known to quote no data.
func Text(err error) string {
	switch e := err.(type) { //nolint:errorlint // each error of the tree has its own part of the text
	case nil:
		return "unknown cause"
	case *smithy.OperationError:
		return operationText(e)
	case smithy.APIError:
		return API(e, err)
	case *smithyhttp.ResponseError:
		return operationText(err)
	case *smithy.DeserializationError:
		return unreadableReply
	case *url.Error:
		return connectionText(e)
	}
	text := err.Error()
	for _, inner := range unwrapped(err) {
		if raw := inner.Error(); raw != "" && quotes(inner) {
			text = strings.ReplaceAll(text, raw, Text(inner))
		}
	}
	return text
}

const unreadableReply = "the SDK cannot decode the reply"

// operationText returns the text of an operation that failed in the SDK.
func operationText(err error) string {
	if cred, ok := errors.AsType[*unsent.CredentialsError](err); ok {
		return cred.Error()
	}
	if text, ok := unreachable(err); ok {
		return text
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return API(api, err)
	}
	if errors.As(err, new(*smithy.DeserializationError)) {
		return unreadableReply
	}
	text := err.Error()
	if u, ok := errors.AsType[*url.Error](err); ok {
		text = strings.ReplaceAll(text, u.Error(), connectionText(u))
	}
	return text
}

// API returns the service's error as text: its code, its message if that is known, and the ID of the request.
func API(api smithy.APIError, err error) string {
	text := Code(api)
	if said, known := quiet.ServiceText(api.ErrorMessage()); known {
		text += ": " + said
	} else if api.ErrorMessage() != "" {
		text += " (" + withheld + ")"
	}
	var re interface{ ServiceRequestID() string }
	if errors.As(err, &re) && re.ServiceRequestID() != "" {
		text += " (request " + quiet.Name(re.ServiceRequestID()) + ")"
	}
	return text
}

const withheld = "its message may quote data and is not shown here; errors.As gives it"

// Message returns a message of the service without code and request ID.
func Message(message string) string {
	if said, known := quiet.ServiceText(message); known {
		return said
	}
	return withheld
}

// Code returns the service's error code. A reply that is not the service's may have any text there.
func Code(api smithy.APIError) string { return quiet.Code(api.ErrorCode()) }

// unreachable returns the text for an endpoint to which there is no connection.
func unreachable(err error) (string, bool) {
	var (
		u    *url.Error
		dial *net.OpError
		dns  *net.DNSError
	)
	if !errors.As(err, &u) || !errors.As(err, &dns) && (!errors.As(err, &dial) || dial.Op != "dial") {
		return "", false
	}
	return "no connection to " + u.URL + ": " + u.Err.Error() + "; check endpoint, Region and network, or start the local server", true
}

// connectionText returns the text of a request whose connection failed. The error of net/http for a reply that is not HTTP
// quotes the reply.
func connectionText(u *url.Error) string {
	var (
		network     net.Error
		errno       syscall.Errno
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		host        x509.HostnameError
	)
	if errors.As(u.Err, &network) || errors.As(u.Err, &errno) || errors.As(u.Err, &certificate) || errors.As(u.Err, &authority) || errors.As(u.Err, &host) ||
		errors.Is(u.Err, io.EOF) || errors.Is(u.Err, io.ErrUnexpectedEOF) || errors.Is(u.Err, context.Canceled) || errors.Is(u.Err, context.DeadlineExceeded) {
		return u.Error()
	}
	if inner := unwrapped(u.Err); inner == nil && knownConnectionTexts[u.Err.Error()] {
		return u.Error()
	}
	return u.Op + " " + u.URL + ": the connection failed, or its reply is not HTTP"
}

// knownConnectionTexts are texts of net/http for a connection that ended, which have no type of their own.
var knownConnectionTexts = map[string]bool{
	"http: server closed idle connection":                     true,
	"http2: client connection lost":                           true,
	"http2: server sent GOAWAY and closed the connection":     true,
	"net/http: timeout awaiting response headers":             true,
	"net/http: TLS handshake timeout":                         true,
	"http: server gave HTTP response to HTTPS client":         true,
	"net/http: HTTP/1.x transport connection broken":          true,
	"net/http: request canceled while waiting for connection": true,
}
