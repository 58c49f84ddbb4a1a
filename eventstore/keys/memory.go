// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// Memory keeps keys in memory, for tests: data encrypted with them is lost with the process. The zero value has no keys. It is safe for concurrent use.
type Memory struct {
	mu   sync.Mutex
	keys map[string][]byte // by id; nil: deleted
}

var _ eventstore.Keys = (*Memory)(nil)

// Key returns the key of a subject, and makes it if there is none. For a forgotten subject the error is [eventstore.ErrForgotten].
func (m *Memory) Key(_ context.Context, subject string) (eventstore.Key, error) {
	if m == nil || subject == "" {
		return eventstore.Key{}, invalid("the Memory is nil, or the subject is empty")
	}
	id := IDOf(subject)
	m.mu.Lock()
	defer m.mu.Unlock()
	secret, ok := m.keys[id]
	if !ok {
		secret = make([]byte, 32)
		if _, err := rand.Read(secret); err != nil {
			return eventstore.Key{}, err
		}
		m.set(id, secret)
	}
	if secret == nil {
		return eventstore.Key{}, eventstore.ErrForgotten
	}
	return eventstore.Key{ID: id, Secret: secret}, nil
}

// ByID returns the key with an id. The error is [eventstore.ErrForgotten] if it was deleted, and [ddb.ErrNotFound] if it never existed.
func (m *Memory) ByID(_ context.Context, id string) (eventstore.Key, error) {
	if m == nil || id == "" {
		return eventstore.Key{}, invalid("the Memory is nil, or the id is empty")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	secret, ok := m.keys[id]
	switch {
	case !ok:
		return eventstore.Key{}, ddb.ErrNotFound
	case secret == nil:
		return eventstore.Key{}, eventstore.ErrForgotten
	}
	return eventstore.Key{ID: id, Secret: secret}, nil
}

// Forget permanently deletes the key of a subject.
func (m *Memory) Forget(_ context.Context, subject string) error {
	if m == nil || subject == "" {
		return invalid("the Memory is nil, or the subject is empty")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set(IDOf(subject), nil)
	return nil
}

func (m *Memory) set(id string, secret []byte) {
	if m.keys == nil {
		m.keys = make(map[string][]byte)
	}
	m.keys[id] = secret
}

// Format prints only the type's name, for every verb.
func (m *Memory) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "keys.Memory") }
