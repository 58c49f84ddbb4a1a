// SPDX-License-Identifier: Apache-2.0

// Members is the service of the guide docs/guides/first-service.md: the members of teams over HTTP, with optimistic locking by
// entity tags, paging, unique addresses, and requests that can be repeated. Its tests compare it with the guide.
//
//	go run ./examples/members                             sends a few requests to itself
//	go run ./examples/members -listen 127.0.0.1:8080      serves, on the embedded engine or the endpoint in DYNAMODB_ENDPOINT
//	go test ./examples/members                            tests it, lost replies included
package main
