// SPDX-License-Identifier: Apache-2.0

// Package bench does the same work with ddb, the bare SDK, the SDK with
// attributevalue, and guregu/dynamo: through the real SDK client, over an HTTP
// client with canned replies ([Stub]) or a server on loopback.
//
//	go test -bench . -benchmem              # in Go's own form, for benchstat
//	go run ./compare -svg ../docs/bench.svg # interleaved rounds, a table and a plot
package bench
