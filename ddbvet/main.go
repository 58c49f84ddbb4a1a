// SPDX-License-Identifier: Apache-2.0

// Ddbvet finds mistakes in code that uses package ddb which the compiler cannot see. It is run by go vet:
//
//	go install github.com/dynamotable/ddb/ddbvet@latest
//	go vet -vettool=$(which ddbvet) ./...
//
// Package check says what it finds, and has the analyzers for other drivers.
package main

import (
	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/dynamotable/ddb/ddbvet/check"
)

func main() { unitchecker.Main(check.Analyzers()...) }
