// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"errors"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// items are the items of a request, separate from the input that they belong to. The input is the call's own copy.
type items interface {
	input() smithy.Serializable
	placeholder()                              // makes the input pass the client's validation and endpoint rules
	hide()                                     // makes the input ready to be written without the items
	setAttributeValues() error                 // puts the items into the input as attribute values
	size() int                                 // about how many bytes insert adds
	insert(b, envelope []byte) ([]byte, error) // appends envelope, which hide's input made, with the items to b
}

// splice inserts items into a request that was written without them, and returns its body.
func splice(f items, req *smithyhttp.Request) ([]byte, error) {
	stream := req.GetStream()
	if stream == nil {
		return nil, errEnvelope
	}
	buf := buffers.Get().(*buffer)
	defer buf.release()
	var err error
	if buf.rest, err = readAll(stream, buf.rest[:0]); err != nil {
		return nil, err
	}
	if len(buf.rest) < len(`{}`) || buf.rest[0] != '{' {
		return nil, errEnvelope
	}
	b, err := f.insert(make([]byte, 0, f.size()+len(buf.rest)), buf.rest)
	if err != nil {
		return nil, err
	}
	if r, ok := stream.(*bytes.Reader); ok {
		// This is the reader that the protocol has just made. SetStream would copy the whole request.
		r.Reset(b)
		req.ContentLength = int64(len(b))
		return b, nil
	}
	full, err := req.SetStream(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	*req = *full
	return b, nil
}

var (
	errEnvelope = errors.New("the SDK wrote the request in an unknown form; turn the fast path off")
	errItem     = errors.New("item is not a JSON object")
)

// appendRest appends the members of envelope after the first member of an object.
func appendRest(b, envelope []byte) []byte {
	if len(envelope) > len(`{}`) {
		b = append(b, ',')
	}
	return append(b, envelope[1:]...)
}

// checkItem rejects bytes that would break the JSON of the request. Items come from the codec, so their content is not checked.
func checkItem(item []byte) error {
	if n := len(item); n < len(`{}`) || item[0] != '{' || item[n-1] != '}' {
		return errItem
	}
	return nil
}
