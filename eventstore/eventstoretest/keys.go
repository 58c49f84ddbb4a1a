// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"github.com/dynamotable/ddb/eventstore"
)

// Keys tests an implementation of [eventstore.Keys]. It must have no keys, and each call of the function must open it again, as another process would.
func Keys(t *testing.T, open func() eventstore.Keys) {
	t.Helper()
	ctx, k := t.Context(), open()
	// Processes that make a key at once get the same one.
	var wg sync.WaitGroup
	got := make([]eventstore.Key, 8)
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = open().Key(ctx, "ada"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, key := range got {
		if key.ID == "" || key.ID != got[0].ID || len(key.Secret) != 32 || !bytes.Equal(key.Secret, got[0].Secret) {
			t.Fatal("processes got different keys of a subject, or none")
		}
	}
	bob, err := k.Key(ctx, "bob")
	if err != nil || bob.ID == got[0].ID || bytes.Equal(bob.Secret, got[0].Secret) {
		t.Errorf("two subjects have one key, %v", err)
	}
	if same, err := open().ByID(ctx, got[0].ID); err != nil || !bytes.Equal(same.Secret, got[0].Secret) {
		t.Errorf("by its id: another key, %v", err)
	}
	if _, err := k.ByID(ctx, "none"); err == nil || errors.Is(err, eventstore.ErrForgotten) {
		t.Errorf("an id that never existed: %v; it must not count as forgotten", err)
	}
	for range 2 {
		if err := k.Forget(ctx, "ada"); err != nil {
			t.Fatal(err)
		}
		_, err = open().ByID(ctx, got[0].ID)
		wantError(t, "a key that was deleted", err, eventstore.ErrForgotten)
		_, err = open().Key(ctx, "ada")
		wantError(t, "the key of a subject that was forgotten", err, eventstore.ErrForgotten)
	}
	if err := k.Forget(ctx, "never seen"); err != nil {
		t.Errorf("to forget a subject without a key: %v", err)
	}
	_, err = k.Key(ctx, "never seen")
	wantError(t, "a subject that was forgotten before it had a key", err, eventstore.ErrForgotten)
	if same, err := k.Key(ctx, "bob"); err != nil || !bytes.Equal(same.Secret, bob.Secret) {
		t.Errorf("the key of another subject: %v", err)
	}
}
