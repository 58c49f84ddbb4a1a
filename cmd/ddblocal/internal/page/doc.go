// SPDX-License-Identifier: Apache-2.0

// Package page is the page of ddblocal: tables, items, indexes and streams of an engine, for developers. It is HTML made by
// the server: no script, no build step, nothing loaded from the network.
//
// Every view is a link, and shows the request that it sent, what that cost, and the same request as a command of the AWS
// CLI and as Go. Values are shown as they are stored, in DynamoDB's JSON; no number passes through a float.
//
// It shows and changes data, so it answers only requests from this machine that address it by a name of this machine. It
// changes nothing without a token from its own forms, and cannot be framed.
package page
