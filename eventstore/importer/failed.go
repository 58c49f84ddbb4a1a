// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"iter"
)

// failedSource is a source that could not be made: it yields the error.
type failedSource struct{ err error }

func (f failedSource) Streams(context.Context) iter.Seq2[Stream, error] {
	return failing[Stream](f.err)
}

func (f failedSource) Events(context.Context, Stream) iter.Seq2[Record, error] {
	return failing[Record](f.err)
}

// failing yields an error.
func failing[V any](err error) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var zero V
		yield(zero, err)
	}
}
