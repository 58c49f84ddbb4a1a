// SPDX-License-Identifier: Apache-2.0

package operr

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/redact"
)

// advisedError is a refusal by DynamoDB whose cause lies outside the call and is known.
type advisedError struct {
	text string // what the service said, and what to do
	err  error
	is   error // the sentinel that it matches; may be nil
}

// Error returns the service's text and what to do.
func (e *advisedError) Error() string { return e.text }

// Unwrap returns the sentinel and the service's error.
func (e *advisedError) Unwrap() []error { return redact.All(e.is, e.err) }

const (
	otherSchema = "the live table has other keys than its definition here: VerifyTable lists the differences"
	// Without omitempty, nil and a nil pointer, slice or map are stored as NULL.
	nullIndexKey = "an index key cannot be NULL: omitempty in the tag of that field stores such items without the attribute, and so leaves them out of the index"
	badIdentity  = "the credentials are not valid for this Region and endpoint: check AWS_PROFILE and the AWS_ variables, or log in again"
)

// advice adds to DynamoDB's refusals what they do not say. An entry without text matches by the code alone.
var advice = []struct {
	code, text string
	is         error
	advice     string
}{
	{"ValidationException", "does not have the specified index", ddberr.ErrTableNotFound, "EnsureTable creates the index once it is described with NewIndex, VerifyTable lists what else differs"},
	{"ValidationException", "key element does not match the schema", nil, otherSchema},
	{"ValidationException", "Type mismatch for key", nil, otherSchema},
	{"ValidationException", "does not match schema type", nil, otherSchema},
	{"ValidationException", "missed key schema element", nil, otherSchema},
	{"ValidationException", "Actual: NULL IndexName", nil, nullIndexKey},
	{"ValidationException", "secondary index key to unsupported type", nil, "the value is of another type than the index key, or NULL: " + nullIndexKey},
	{"ValidationException", "Type mismatch for Index Key", nil, "the live index has another key type than the field: VerifyTable lists the differences of the indexes that are described"},
	{"ValidationException", "secondary index key", nil, "omitempty in the tag of that field stores such items without the attribute, and so leaves them out of the index"},
	{"ValidationException", "Item size", ddberr.ErrItemTooLarge, "an item holds at most 400 KB, with the names of its attributes"},
	{"ValidationException", "operand in the update expression has an incorrect data type", nil, "the stored attribute has another type than the field, which Add, Append and set changes do not allow; " +
		"it may be NULL, as the SDK's attributevalue stores nil slices, maps and pointers: ddb.WithParents takes NULL as absent, and Set replaces it"},
	{"ValidationException", "document path provided in the update expression is invalid", nil, "the item lacks the map or list that the attribute is in, or has NULL or another type there: " +
		"ddb.WithParents makes missing maps in the same call, or Set the whole map"},
	{"AccessDeniedException", "", nil, "the policy of these credentials has to allow this operation on this table and its indexes"},
	{"UnrecognizedClientException", "", nil, badIdentity},
	{"InvalidSignatureException", "", nil, badIdentity + "; the clock of this machine may be wrong"},
	{"ExpiredTokenException", "", nil, badIdentity},
}

// advise adds what to do to a known refusal.
func advise(err error) error {
	if _, done := errors.AsType[*advisedError](err); done {
		return err
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		text := ddberr.ErrTableNotFound.Error() + " (" + redact.API(api, err) + "); check name, region and endpoint, or create it with CreateTable"
		return &advisedError{text: text, is: ddberr.ErrTableNotFound, err: err}
	}
	return AdviseOn(api.ErrorCode(), api.ErrorMessage(), err)
}

// AdviseOn adds to an error of the service what to do about it, if there is advice for its code and message.
func AdviseOn(code, message string, err error) error {
	for _, a := range advice {
		if code == a.code && strings.Contains(message, a.text) {
			return &advisedError{text: redact.Text(err) + "; " + a.advice, is: a.is, err: err}
		}
	}
	return err
}
