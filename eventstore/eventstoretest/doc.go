// SPDX-License-Identifier: Apache-2.0

// Package eventstoretest tests the guarantees of package eventstore against the server that a client talks to. [Run] tests each method;
// [Storm] tests what stays true with many writers and with faults:
//
//	func TestStore(t *testing.T) {
//		eventstoretest.Run(t, func(t testing.TB, opts ...eventstore.Option) *eventstore.Store {
//			store, err := eventstore.New(newClient(t), "events", opts...)
//			if err != nil {
//				t.Fatal(err)
//			}
//			return store
//		})
//	}
package eventstoretest
