// SPDX-License-Identifier: Apache-2.0

// Package page implements the web page of ddblocal. It shows the tables, items, indexes and streams of an engine to developers.
// It is HTML that the server renders: no script, no build step, and nothing is loaded from the network.
//
// Every view is a link, and shows the request that it sent, its cost, and the same request as a command of the AWS CLI and as Go
// code. Values are shown as they are stored, in DynamoDB's JSON; numbers are never converted to floats.
//
// The page shows and changes data, so it only accepts requests from this machine that use a name of this machine. It changes
// nothing without a token from its own forms, and cannot be framed.
package page
