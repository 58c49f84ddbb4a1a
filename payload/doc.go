// SPDX-License-Identifier: Apache-2.0

// Package payload stores data that is too large for a DynamoDB item in an object store: S3 (package
// payload/s3), any store with the same protocol, a folder, or memory.
//
//	type Document struct {
//		ID   string       `dynamodbav:"id"`
//		Text payload.Data `dynamodbav:"text"`
//	}
//
//	payloads, err := payload.New(objects)
//	doc := Document{ID: "d1", Text: payload.Of(text)}
//	err = payload.Pack(ctx, payloads, documents, "tenant-1", &doc, &doc.Text) // before a write
//	err = documents.Put(ctx, &doc)
//	doc, err = documents.Get(ctx, "d1")
//	err = payloads.Open(ctx, &doc.Text) // after a read
//
// Data is stored before the item that refers to it, so an item never refers to missing
// data. A crash in between leaves an unreferenced object, which [Payloads.Sweep] removes later.
//
// The name of an object is the content's SHA-256, below its space and
// the UTC day of the write:
//
//	<prefix>/<hash of the space>/<day>/<sha256>[.<compression>]
//
// Storing the same data twice on a day stores them once, and an object is never overwritten with other data.
// The day makes sweeping safe: names of past days are no longer written, so an
// old unreferenced object stays unreferenced. A read verifies the
// size and the hash before it returns anything.
//
// Packages eventstore and snapshot offload data with the methods Store and Fetch. For
// fields of any table use [Data] and [Pack].
package payload
