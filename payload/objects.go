// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Objects is an object store. Its methods must be safe for concurrent use. Package
// payloadtest tests implementations.
type Objects interface {
	// Put stores an object under a key if there is none; an existing object is left unchanged, without an error.
	// An object is complete or absent.
	Put(ctx context.Context, key string, data []byte) error
	// Get returns an object. If it is missing, the error is ErrMissing; if it has more than limit bytes, ErrCorrupt.
	Get(ctx context.Context, key string, limit int64) ([]byte, error)
	// Delete removes an object. Deleting a missing one is not an error.
	Delete(ctx context.Context, key string) error
	// List yields the objects whose keys begin with the prefix, in any order.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
}

// Object is one object of a listing.
type Object struct {
	Key  string
	Size int64
	// ModifiedAt is when it was written, by the clock of the object store.
	ModifiedAt time.Time
}

// Conditions that callers branch on; test them with errors.Is.
var (
	// ErrMissing means that the object is not there. It was dropped or swept, or is in another store.
	ErrMissing = errors.New("the payload is not in the object store")
	// ErrCorrupt means that the object is not what was stored.
	ErrCorrupt = errors.New("the payload is not what was stored")
	// ErrBadRef means that a reference is not one of this store.
	ErrBadRef = errors.New("the reference is not one of this payload store")
	// ErrTooLarge means that data is larger than the store allows; nothing was stored.
	ErrTooLarge = errors.New("the payload is too large")
)
