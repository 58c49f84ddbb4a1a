// SPDX-License-Identifier: Apache-2.0

// Ddb helps with tables of package ddb at the command line.
//
//	go run github.com/dynamotable/ddb/cmd/ddb            the commands
//	go run github.com/dynamotable/ddb/cmd/ddb help gen handles
//
// In a module that uses ddb, go get -tool github.com/dynamotable/ddb/cmd/ddb makes it go tool ddb.
//
// The command gen handles writes the attribute handles of structs with dynamodbav tags, beside the file that declares
// them, and only those that are not written by hand. It is meant for go:generate:
//
//	//go:generate go tool ddb gen handles
//
// The command gen struct prints the struct, handles and definition of a live table, from its description and a sample of its
// items.
//
// The exit status is 0 if all was done, 1 if something failed, and 2 for a command line that is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, streams{os.Stdout, os.Stderr}, os.Args[1:])
	stop()
	if err != nil {
		if !errors.Is(err, errShown) {
			fmt.Fprintln(os.Stderr, "ddb:", err)
		}
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}
