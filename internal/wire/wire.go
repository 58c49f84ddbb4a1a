// SPDX-License-Identifier: Apache-2.0

// Package wire calls DynamoDB through the client of the AWS SDK and moves items between the reply or the request and
// the codec as wire JSON, without the SDK's attribute-value maps.
//
// Every function takes the SDK's input and returns the SDK's output. So conditions, paging keys, consumed capacity, unprocessed
// entries, request IDs and members that the service adds later are those of the SDK. Only the items take another path: those of a
// reply are read from its body into a [Rows], and those of a request are inserted into its body. A request for one item that has
// no other parameter than the table's name is written by this package completely, and a reply without members is not decoded.
// Retries, signing, endpoints, error types and tracing are not affected.
//
// # When items do not take the fast path
//
// Items take the fast path if nothing between the caller and the wire can notice the difference. Otherwise the same items are
// converted to attribute values and back with the same codec, with equal results. If the SDK's output then comes back unchanged,
// the items of a reply are still read from its body. Items do not take the fast path if
//
//   - [Options].Off is set;
//   - the client is not a *dynamodb.Client: a mock, a cache, DAX or a wrapper may look at items, keep outputs, or
//     ignore functional options. A wrapper that does none of these can declare it (see [Forwarder]);
//   - the client's protocol is not awsJson1_0;
//   - the client has middleware in the Initialize or Serialize step, or an interceptor before or after execution or
//     before serialization, because these receive inputs and outputs, unless [Options].Harmless names it. Middleware of the
//     usual tracing libraries is known and does not count. Middleware in the Build, Finalize and Deserialize steps does not
//     count either: it sees inputs and outputs without their items;
//   - the reply has syntax that the codec rejects and the SDK accepts.
//
// # Integrity
//
// A successful reply that is truncated, fails its checksum, is too large or does not come from the service is a [*ReplyError].
// This also holds if items are converted to attribute values, as long as the client obeys functional options. The SDK alone would
// only log a wrong checksum, and would take an empty body for a missing item.
//
// All functions are safe for concurrent use. They never write to their inputs, which must not be nil, and do not retain their
// arguments.
package wire

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/internal/codec"
)

// MaxReplyBytes is the largest size of a reply. The service sends at most 16 MB of items, which JSON escapes
// can make larger (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
const MaxReplyBytes = 32 << 20

// Rows receives the items of one reply, in the order of the reply. Its methods are called on the caller's goroutine, never
// concurrently, and not after the call has returned. If the call fails with an error other than a [RowError], the received items
// are invalid.
type Rows interface {
	// Reset starts a reply and discards all rows that were received since the call began, because an attempt that is repeated
	// delivers its rows again. sizeHint is the expected number of rows, or 0 if it is not known. It never exceeds the number that
	// fits into the reply.
	Reset(sizeHint int)
	// Row is called with d at the start of an item. It reads the item, or leaves d unchanged to skip it. The decoder is invalid
	// after Row returns; what it has read remains valid until the next Row returns. An error ends the delivery; the call then
	// returns it inside a [*RowError], together with the output.
	Row(d *codec.Decoder) error
}

// RowError means that the receiver rejected an item of a successful reply. The call has taken effect, and the output that is
// returned with the error is complete except for the items.
type RowError struct {
	Index int    // position of the item in its reply, table or transaction, from 0
	Where string // the result of Options.Locate for it
	Err   error  // the error that Rows.Row returned
}

func (e *RowError) Error() string {
	where := e.Where
	if where != "" {
		where = " (" + where + ")"
	}
	return fmt.Sprintf("item %d of the reply%s: %v", e.Index+1, where, e.Err)
}

func (e *RowError) Unwrap() error { return e.Err }

// Default holds the options of tables that set none; tests change it.
var Default Options

// Options are the options of one call. The zero value of each is its default.
type Options struct {
	// Off converts items to attribute values, so that middleware sees them in inputs and outputs.
	Off bool
	// Harmless names the parts of the client that neither look at items nor change or keep them: middleware by its ID, and
	// interceptors and a client that wraps the SDK's by their Go type, as %T prints it. For a wrapper it is the promise of
	// [Forwarder].
	Harmless []string
	// Locate, if not nil, returns the location of an item that could not be read, as text without data.
	Locate func(item []byte) string
	// Took, if not nil, is set to the path that the items took.
	Took *Took
	// StreamBody leaves the request body to the SDK's own reader instead of giving net/http an in-memory body.
	// See [InMemoryBody].
	StreamBody bool
	// Codec holds the options of the decoder of every reply.
	Codec codec.Options
	// Client holds functional options of the caller. They run before those of this package.
	Client []func(*dynamodb.Options)
}
