package ddb

import (
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
)

// advisedError is a refusal by DynamoDB of which the cause outside the call is known.
type advisedError struct {
	err  error
	is   error // the sentinel that it matches, may be nil
	mend string
}

// Error is the service's text and what to do.
func (e *advisedError) Error() string { return causeText(e.err) + "; " + e.mend }

// Unwrap returns the service's error and the sentinel.
func (e *advisedError) Unwrap() []error {
	if e.is == nil {
		return []error{e.err}
	}
	return []error{e.is, e.err}
}

const (
	otherSchema = "the live table has other keys than its definition here: VerifyTable lists the differences"
	badIdentity = "the credentials are not valid for this Region and endpoint: check AWS_PROFILE and the AWS_ variables, or log in again"
)

// advice is what DynamoDB's refusals do not say. Code alone decides if there is no text.
var advice = []struct {
	code, text string
	is         error
	mend       string
}{
	{"ValidationException", "does not have the specified index", ErrTableNotFound, "EnsureTable creates the index once it is described with NewIndex, VerifyTable lists what else differs"},
	{"ValidationException", "key element does not match the schema", nil, otherSchema},
	{"ValidationException", "Type mismatch for key", nil, otherSchema},
	{"ValidationException", "does not match schema type", nil, otherSchema},
	{"ValidationException", "missed key schema element", nil, otherSchema},
	{"ValidationException", "Type mismatch for Index Key", nil, "the live index has another key type than the field: VerifyTable lists the differences of the indexes that are described"},
	{"ValidationException", "secondary index key", nil, "omitempty in the tag of that field stores such items without the attribute, and so leaves them out of the index"},
	{"ValidationException", "Item size", ErrItemTooLarge, "an item holds at most 400 KB, with the names of its attributes"},
	{"ValidationException", "operand in the update expression has an incorrect data type", nil, "the stored attribute has another type than the field, which Add, Append and set changes do not allow"},
	{"AccessDeniedException", "", nil, "the policy of these credentials has to allow this operation on this table and its indexes"},
	{"UnrecognizedClientException", "", nil, badIdentity},
	{"InvalidSignatureException", "", nil, badIdentity + "; the clock of this machine may be wrong"},
	{"ExpiredTokenException", "", nil, badIdentity},
}

// advise adds what to do to a refusal that is known.
func advise(err error) error {
	if _, done := errors.AsType[*advisedError](err); done {
		return err
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	return adviseOn(api.ErrorCode(), api.ErrorMessage(), err)
}

func adviseOn(code, message string, err error) error {
	for _, a := range advice {
		if code == a.code && strings.Contains(message, a.text) {
			return &advisedError{err: err, is: a.is, mend: a.mend}
		}
	}
	return err
}

// causeText shortens the SDK's nested texts to what a person needs: the
// service's code, its words, the request id.
func causeText(err error) string {
	if op, ok := err.(*smithy.OperationError); ok { //nolint:errorlint // as below
		if cred, ok := errors.AsType[*credentialsError](op); ok {
			return cred.Error()
		}
		if text, ok := unreachable(op); ok {
			return text
		}
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err.Error()
	}
	if advised, ok := err.(*advisedError); ok { //nolint:errorlint // as below
		return advised.Error()
	}
	switch err.(type) { //nolint:errorlint // only the SDK's own outer layers are shortened
	case *smithy.OperationError, smithy.APIError:
	default:
		if errors.Is(err, ErrTableNotFound) {
			return ErrTableNotFound.Error() + " (" + apiText(api, err) + "); check name, region and endpoint, or create it with CreateTable"
		}
		return err.Error()
	}
	return apiText(api, err)
}

func apiText(api smithy.APIError, err error) string {
	text := api.ErrorCode() + ": " + api.ErrorMessage()
	var re interface{ ServiceRequestID() string }
	if errors.As(err, &re) && re.ServiceRequestID() != "" {
		text += " (request " + re.ServiceRequestID() + ")"
	}
	return text
}

// unreachable is the text for an endpoint to which there is no connection.
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
