// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Objects is an object store. Its methods must be safe for concurrent use. Package
// payloadtest tests an implementation for what is said here.
type Objects interface {
	// Put stores an object under a key if there is none; if there is one, it is left unchanged, without an error.
	// An object is there as a whole or not at all.
	Put(ctx context.Context, key string, data []byte) error
	// Get returns an object. One that is not there is ErrMissing, one of more than limit bytes ErrCorrupt.
	Get(ctx context.Context, key string, limit int64) ([]byte, error)
	// Delete removes an object; one that is not there is no error.
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
	// ErrMissing means that the object is not there: it was dropped, swept away, or is in another store.
	ErrMissing = errors.New("the payload is not in the object store")
	// ErrCorrupt means that the object is not what was stored.
	ErrCorrupt = errors.New("the payload is not what was stored")
	// ErrBadRef means that a reference is not one of this store's.
	ErrBadRef = errors.New("the reference is not one of this payload store")
	// ErrTooLarge means that data are larger than the store takes; nothing was stored.
	ErrTooLarge = errors.New("the payload is too large")
)
