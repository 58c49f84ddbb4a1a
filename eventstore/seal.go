// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"

	"github.com/dynamotable/ddb"
)

// ErrForgotten means that the key of the subject was deleted. Its data can no longer be read, and no new data can be stored.
var ErrForgotten = errors.New("the key of the subject was deleted")

// Key is a key with which the data of a subject is encrypted.
type Key struct {
	// ID is stored with the data, and must not reveal the subject. It has 1 to 128 bytes.
	ID string
	// Secret has 32 bytes, for AES-256.
	Secret []byte
}

// Keys stores a key for each subject. Package eventstore/keys provides two implementations, in a DynamoDB table and in memory; another one could
// use a key management service. It must be safe for concurrent use.
type Keys interface {
	// Key returns the key of a subject, and makes it if there is none yet. Once Forget was called, it always returns [ErrForgotten].
	Key(ctx context.Context, subject string) (Key, error)
	// ByID returns the key with an id. It returns [ErrForgotten] if the key was deleted, and only then: for an unknown id it returns another error.
	ByID(ctx context.Context, id string) (Key, error)
	// Forget deletes the key of a subject, whether there is one or not. Repeating it changes nothing.
	Forget(ctx context.Context, subject string) error
}

// Encrypt encrypts data and metadata of events with the key of a subject. The function returns the subject of a stream; if it is empty, the
// events are not encrypted. When the key is deleted ([Keys].Forget), the data is unreadable wherever it was stored: in events, offloaded
// data, snapshots and stored states of a [Repository], views with [Views.Encrypt], copies by [Copy], and backups.
//
// A read gets the key once for each subject and keeps it until the read ends; a subscription reads it again every few hundred events. An event whose key was
// deleted has [Event.Forgotten] set and neither data nor metadata. Streams stay readable, and versions and the feed do not change. An append to the
// stream of a forgotten subject fails with [ErrForgotten] and writes nothing.
//
// Names of streams, types, ids, correlation, causation and times are not encrypted, nor is what handlers store elsewhere, or put into their errors, which [Park] keeps. All data of a
// stream belongs to one subject: keep the data of other subjects in other streams. The subject of an edition's stream follows from its own name; see [EditionStream].
//
// The algorithm is AES-256-GCM with a random nonce; the stream and the version are authenticated, so that data cannot be put in another event's place. An event
// grows by 28 bytes and the key's id. If one process uses the option, all need it. It can be added to a store that has events: existing events stay as they are.
func Encrypt(keys Keys, subject func(stream string) string) Option {
	return func(o *options) error {
		o.keys, o.subject = keys, subject
		if keys == nil || subject == nil {
			return errors.New("option Encrypt: it needs keys, and a function that returns the subject of a stream")
		}
		return nil
	}
}

// form is how the data of an event is encoded in storage.
type form struct {
	key  string // the id of the key; empty: not encrypted
	enc  int    // the version of the encrypted form
	zip  string // the name of the compressor; empty: not compressed
	size int64  // before they were compressed
}

// sealForm is the version of the encrypted form of events: a nonce, followed by the encrypted length of the metadata, the metadata as JSON, and the data.
const sealForm = 1

const (
	nonceBytes = 12
	tagBytes   = 16
)

// newAEAD returns the cipher of a key.
func newAEAD(k Key) (cipher.AEAD, error) {
	if len(k.ID) < 1 || len(k.ID) > 128 || len(k.Secret) != 32 {
		return nil, errors.New("eventstore: a key needs an id of 1 to 128 bytes and a secret of 32")
	}
	block, err := aes.NewCipher(k.Secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// bound returns what is authenticated with encrypted data: their kind and their place.
func bound(what string, version int64, texts ...string) []byte {
	b := append([]byte("ddb-"), what...)
	b = binary.BigEndian.AppendUint64(append(b, 0), uint64(version))
	for _, t := range texts {
		b = append(binary.AppendUvarint(b, uint64(len(t))), t...)
	}
	return b
}

// sealed returns a nonce and the data encrypted with it. The plain data is in room, between space for a nonce and a tag.
func sealed(aead cipher.AEAD, room, with []byte) ([]byte, error) {
	out := make([]byte, nonceBytes, len(room))
	if _, err := rand.Read(out); err != nil {
		return nil, err
	}
	return aead.Seal(out, out, room[nonceBytes:len(room)-tagBytes], with), nil
}

func unsealed(aead cipher.AEAD, data, with []byte) ([]byte, error) {
	if len(data) < nonceBytes+tagBytes {
		return nil, errors.New("the encrypted data are too short")
	}
	return aead.Open(nil, data[:nonceBytes], data[nonceBytes:], with)
}

// sealBuffer puts data between space for a nonce and a tag.
func sealBuffer(parts ...[]byte) []byte {
	n := nonceBytes + tagBytes
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, nonceBytes, n)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b[:n]
}

// conceal prepares data and metadata of an event for encryption. The version at which an edition branches off stays readable.
func conceal(f *framed, key string) error {
	var meta []byte
	part, parts := f.Meta[DivergenceKey]
	if len(f.Meta) > 0 {
		var err error
		if meta, err = json.Marshal(f.Meta); err != nil {
			return err
		}
	}
	f.Data = sealBuffer(binary.AppendUvarint(nil, uint64(len(meta))), meta, f.Data)
	f.Meta, f.Key, f.Enc = nil, key, sealForm
	if parts {
		f.Meta = map[string]string{DivergenceKey: part}
	}
	return nil
}

// sealPart makes the rows of a part that follow its base version: encrypted, with large data in the payload store. They stay the same while the base does, so that a
// transaction can be repeated.
func (s *Store) sealPart(ctx context.Context, p *part) error {
	if p.aead == nil || p.sent != nil && p.sentBase == p.base {
		return nil
	}
	rows := make([]row, len(p.rows))
	for i, r := range p.rows {
		seal := func(data []byte, place int, key, zip string) ([]byte, error) {
			return sealed(p.aead, data, bound("event", p.base+r.SK+int64(place), p.stream, key, zip))
		}
		var err error
		if len(r.Frame) == 0 {
			r.Data, err = seal(r.Data, 0, r.Key, r.Zip)
		} else {
			frame := make([]framed, len(r.Frame))
			for j, f := range r.Frame {
				if f.Data, err = seal(f.Data, j, f.Key, f.Zip); err != nil {
					break
				}
				frame[j] = f
			}
			r.Frame = frame
		}
		if err == nil && p.large[i] {
			r.Ref, err = s.o.payloads.Store(ctx, p.stream, r.Data)
			r.Data = nil
		}
		if err != nil {
			return fmt.Errorf("append: encrypt: %w", err)
		}
		rows[i] = r
	}
	p.sent, p.sentBase = rows, p.base
	return nil
}

// keyring gets each key once.
type keyring struct {
	keys Keys
	mu   sync.Mutex
	ids  map[string]*ringKey
}

type ringKey struct {
	once sync.Once
	aead cipher.AEAD
	err  error
}

func (r *keyring) byID(ctx context.Context, id string) (cipher.AEAD, error) {
	if r.keys == nil {
		return nil, errors.New("data are encrypted; the option Encrypt is missing")
	}
	r.mu.Lock()
	k := r.ids[id]
	if k == nil {
		k = new(ringKey)
		if r.ids == nil {
			r.ids = make(map[string]*ringKey)
		}
		r.ids[id] = k
	}
	r.mu.Unlock()
	k.once.Do(func() {
		var key Key
		if key, k.err = r.keys.ByID(ctx, id); k.err == nil {
			k.aead, k.err = newAEAD(key)
		}
	})
	return k.aead, k.err
}

func (s *Store) keyring() *keyring { return &keyring{keys: s.o.keys} }

// open decrypts the fetched data of an event. It needs the key that it was encrypted with.
func (e *Event) open(aead cipher.AEAD) error {
	if e.form.enc != sealForm {
		return fmt.Errorf("read: data of version %d are encrypted in form %d; this version of the package knows %d", e.Version, e.form.enc, sealForm)
	}
	plain, err := unsealed(aead, e.Data, bound("event", e.Version, e.Stream, e.form.key, e.form.zip))
	if err != nil {
		return fmt.Errorf("read: data of version %d are not what was encrypted for this stream and version: %w", e.Version, err)
	}
	n, used := binary.Uvarint(plain)
	if used <= 0 || n > uint64(len(plain)-used) {
		return fmt.Errorf("read: data of version %d have a broken form", e.Version)
	}
	meta := plain[used : used+int(n)]
	e.Data, e.Metadata = plain[used+int(n):], nil
	if len(meta) > 0 {
		if err := json.Unmarshal(meta, &e.Metadata); err != nil {
			return fmt.Errorf("read: metadata of version %d: %w", e.Version, err)
		}
	}
	if len(e.Data) == 0 {
		e.Data = nil
	}
	return nil
}

// forget removes all data of an event.
func (e *Event) forget() { e.Data, e.Metadata, e.ref, e.form, e.Forgotten = nil, nil, "", form{}, true }

// Values are states of aggregates and views. Encrypted values begin with a zero byte, as JSON never does, and the version of their format.
const valueForm = 1

// sealValue encodes a value, sealed with the key of a subject if there is one.
func sealValue(ctx context.Context, keys Keys, subject string, v any, with func(key string) []byte) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil || keys == nil || subject == "" {
		return text, err
	}
	key, err := keys.Key(ctx, subject)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	body, err := sealed(aead, sealBuffer(text), with(key.ID))
	if err != nil {
		return nil, err
	}
	head := append([]byte{0, valueForm, byte(len(key.ID))}, key.ID...)
	return append(head, body...), nil
}

// openValue decodes a value encoded by sealValue.
func openValue(ctx context.Context, keys Keys, data []byte, v any, with func(key string) []byte) error {
	if len(data) == 0 || data[0] != 0 {
		return json.Unmarshal(data, v)
	}
	if len(data) < 3 || data[1] != valueForm || len(data) < 3+int(data[2]) {
		return errors.New("the encrypted value has a form that this version of the package does not know")
	}
	id, body := string(data[3:3+int(data[2])]), data[3+int(data[2]):]
	aead, err := (&keyring{keys: keys}).byID(ctx, id)
	if err != nil {
		return err
	}
	text, err := unsealed(aead, body, with(id))
	if err != nil {
		return fmt.Errorf("the value is not what was encrypted for this place: %w", err)
	}
	return json.Unmarshal(text, v)
}

// subjectOf returns the subject of a stream, empty if it has none.
func (s *Store) subjectOf(stream string) string {
	if s.o.subject == nil {
		return ""
	}
	return s.o.subject(stream)
}

// stateBound returns what the state of an aggregate is bound to.
func stateBound(stream, stateType string, schema int, version int64) func(string) []byte {
	return func(key string) []byte {
		return bound("state", version, stream, stateType, strconv.Itoa(schema), key)
	}
}

// Encrypt returns views whose values are encrypted with the key of a subject. The function returns the subject for the id of a view; if it is empty, the value is
// not encrypted. The value is stored
// as JSON in the attribute sealed, and the attribute value is empty. When the key is deleted, [Views.Load] returns the zero value with [View.Forgotten] set, and
// changes by the
// feed or an append are recorded as seen but store no value.
func (v *Views[V]) Encrypt(keys Keys, subject func(id string) string) *Views[V] {
	if err := v.usable(); err != nil {
		return &Views[V]{failed: err}
	}
	if keys == nil || subject == nil {
		return &Views[V]{failed: &ddb.InvalidError{Problems: []error{errors.New("eventstore: Views.Encrypt: it needs keys, and a function that returns the subject of a view")}}}
	}
	sealing := *v
	sealing.o.keys, sealing.o.subject = keys, subject
	return &sealing
}

func viewBound(id string) func(string) []byte {
	return func(key string) []byte { return bound("view", 0, id, key) }
}

// seal returns a view as it is stored.
func (v *Views[V]) seal(ctx context.Context, view View[V]) (View[V], error) {
	if v.o.keys == nil {
		return view, nil
	}
	subject := v.o.subject(view.ID)
	view.Sealed, view.Forgotten = nil, false
	if subject == "" {
		return view, nil
	}
	var err error
	view.Sealed, err = sealValue(ctx, v.o.keys, subject, view.Value, viewBound(view.ID))
	if errors.Is(err, ErrForgotten) {
		view.Sealed, err = nil, nil
	}
	view.Value = *new(V)
	return view, err
}

// open returns a view as it is read.
func (v *Views[V]) open(ctx context.Context, view View[V]) (View[V], error) {
	if len(view.Sealed) == 0 {
		return view, nil
	}
	err := openValue(ctx, v.o.keys, view.Sealed, &view.Value, viewBound(view.ID))
	view.Sealed = nil
	if errors.Is(err, ErrForgotten) {
		view.Value, view.Forgotten, err = *new(V), true, nil
	}
	if err != nil {
		err = fmt.Errorf("view: %w", err)
	}
	return view, err
}

// Format prints that it is a key, without id and secret.
func (k Key) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "key of a subject") }

// LogValue returns the text that Format prints.
func (k Key) LogValue() slog.Value { return slog.StringValue("key of a subject") }

// MarshalJSON returns the text as a JSON string.
func (k Key) MarshalJSON() ([]byte, error) { return json.Marshal("key of a subject") }
