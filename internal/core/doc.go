// SPDX-License-Identifier: Apache-2.0

// Package core is the library without type parameters: tables, their reads and writes, batches, transactions, indexes and schema.
// Package ddb is a typed shell over it. A method of ddb.Table or ddb.Query passes the addresses of keys, items and lists as values of type
// any, which point to the types that the caller's handles have, and the core encodes and decodes them by the plans of internal/codec. So the
// compiler makes one copy of this code, and not one for each item type.
//
// Callers have checked the types: a parameter that is documented as a *T or a *[]T of the table's item type is never of another type.
// Everything else that a program can get wrong is checked here, before anything is sent.
//
// The core imports the public packages below the root (such as ddberr, hooks and cost), internal/handle, internal/operr and the other
// internal packages; it does not import package ddb. To find your way, start with table.go (what a table is made of) and request.go (the
// path of every request), then read put.go and provenwrite.go for writes, and query.go, read.go and page.go for reads.
package core
