// SPDX-License-Identifier: Apache-2.0

// Package page is the page of ddblocal: tables, items, indexes and streams of an engine, for the person who develops
// with it. It is HTML that the server makes: no script, no build step, nothing from the network.
//
// Every view is a link, and shows the request that it sent, what that cost, and the same request as a command of the AWS
// CLI and as Go. Values are shown as they are stored, in DynamoDB's JSON; no number passes through a float.
//
// It shows and changes data, so it answers only requests that come from this machine and ask for it by a name of this
// machine, changes nothing without a token that its own forms have, and cannot be framed.
package page
