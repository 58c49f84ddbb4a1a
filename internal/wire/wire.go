// SPDX-License-Identifier: Apache-2.0

// Package wire calls DynamoDB through the client of the AWS SDK and moves items between the reply or the request and
// the codec as wire JSON, without the SDK's attribute-value maps.
//
// Every function takes the SDK's input and gives the SDK's output, so that conditions, paging keys, consumed capacity,
// unprocessed entries, request ids and members that the service adds later stay the SDK's own. Only the items travel
// another way: those of a reply are read straight from its body into a [Rows], those of a request are spliced into its
// body. A request for one item that has only the table's name beside it is written here alone, and a reply without
// any member is not decoded. Retries, signing, endpoints, error types and tracing are untouched.
//
// # When items do not take the short way
//
// The short way is taken when nothing between the caller and the wire can tell the difference. Otherwise the same
// items pass through attribute values and the same codec, with equal results; those of a reply are read from its body all the same
// if the SDK's output comes back as the SDK has made it. That is so when
//
//   - [Options].Off is set;
//   - the client is not a *dynamodb.Client: a mock, a cache, DAX or a wrapper may look at items, keep outputs, or
//     ignore functional options. A wrapper that does none of it can say so (see [Forwarder]);
//   - the client's protocol is not awsJson1_0;
//   - the client has middleware in the Initialize or Serialize step, or an interceptor before or after execution or
//     before serialization, as these are handed inputs and outputs, unless [Options].Harmless names it. Middleware of the usual tracing libraries is known
//     and does not count; neither does any in the Build, Finalize and Deserialize steps, which sees inputs and outputs
//     without their items;
//   - the reply has syntax that the codec refuses and the SDK accepts.
//
// # Integrity
//
// A success reply that is cut, fails its checksum, is too large or is not one of the service's is a [*ReplyError],
// also when items pass through attribute values, as long as the client obeys functional options. The SDK alone would
// log a wrong checksum and take an empty body for an absent item.
//
// All functions are safe for concurrent use, never write to their inputs, which must not be nil, and keep none of their
// arguments.
package wire

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/internal/codec"
)

// MaxReplyBytes is the size at which a reply is refused. The service sends at most 16 MB of items, which JSON escapes
// can make larger (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).
const MaxReplyBytes = 32 << 20

// Rows receives the items of one reply, in the reply's order. It is called on the caller's goroutine, never
// concurrently, and not after the call has returned. What it received is void if the call fails, except with a
// [RowError].
type Rows interface {
	// Reset starts a reply and forgets every row that came since the call began: an attempt that is repeated
	// delivers its rows again. sizeHint is the expected number of rows, 0 if it is not known; it never exceeds
	// what the reply has room for.
	Reset(sizeHint int)
	// Row is called with d at the start of an item. It reads the item, or leaves d as it is to skip it. The
	// decoder is invalid after the return; what it has read stays as it is until the next Row returns. An error ends the delivery; the call then
	// returns it inside a [*RowError], beside the output.
	Row(d *codec.Decoder) error
}

// RowError is an item of a successful reply that its receiver refused. The call has taken effect, and the output that
// comes with the error is complete but for the items.
type RowError struct {
	Index int    // position of the item in its reply, table or transaction, from 0
	Where string // what Options.Locate says of it
	Err   error  // what Rows.Row returned
}

func (e *RowError) Error() string {
	where := e.Where
	if where != "" {
		where = " (" + where + ")"
	}
	return fmt.Sprintf("item %d of the reply%s: %v", e.Index+1, where, e.Err)
}

func (e *RowError) Unwrap() error { return e.Err }

// Default are the options of tables that choose none; tests change it.
var Default Options

// Options are the choices of one call. The zero value is the default of each.
type Options struct {
	// Off sends items through attribute values, so that middleware sees them in inputs and outputs.
	Off bool
	// Harmless names what the client has and what does not look at items, change or keep them: middleware by its id, interceptors and
	// a client that wraps the SDK's by their Go type, as %T prints it. Of a wrapper it is the promise of [Forwarder].
	Harmless []string
	// Locate, if not nil, says where an item is that could not be read, in words without data.
	Locate func(item []byte) string
	// Took, if not nil, gets the way that the items took.
	Took *Took
	// StreamBody leaves the request body to the SDK's own reader instead of handing net/http an in-memory body.
	// See [InMemoryBody].
	StreamBody bool
	// Codec is handed to the decoder of every reply.
	Codec codec.Options
	// Client holds functional options of the caller. They run before those of this package.
	Client []func(*dynamodb.Options)
}
