// SPDX-License-Identifier: Apache-2.0

// Ddb reads and changes DynamoDB tables at the command line, and writes code for package ddb.
//
//	go run github.com/dynamotable/ddb/cmd/ddb            the commands
//	go run github.com/dynamotable/ddb/cmd/ddb help gen handles
//
// In a module that uses ddb, go get -tool github.com/dynamotable/ddb/cmd/ddb makes it go tool ddb.
//
// Region, credentials and endpoint come from the environment, as for [github.com/dynamotable/ddb/ddbclient.New]: AWS_REGION,
// AWS_PROFILE, AWS_ENDPOINT_URL_DYNAMODB. A command that changes data on an endpoint that is not this machine wants the flag -live.
//
// Data go to standard output, an item on a line, in DynamoDB's JSON: numbers keep their digits, sets and binaries their types. All else goes to
// standard error. Errors name tables and attributes, and hold no data.
//
// The command gen handles writes the attribute handles of structs with dynamodbav tags, beside the file that declares
// them, and only those that are not written by hand. It is meant for go:generate:
//
//	//go:generate go tool ddb gen handles
//
// The command gen struct prints the struct, handles and definition of a live table, from its description and a sample of its
// items.
//
// The exit status is 0 if all was done, 1 if something failed, 2 for a command line that is wrong, 3 if a part was done and the rest is named, 4
// if the budget is spent, and 130 after SIGINT or SIGTERM. In the last two cases, and where a long command failed, the command is printed
// that goes on.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(start()) }

func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	s := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stderr), mixed: isTerminal(os.Stdout)}
	err := run(ctx, s, os.Args[1:])
	if err != nil && !errors.Is(err, errShown) {
		fmt.Fprintln(os.Stderr, "ddb:", message(err))
	}
	return exitStatus(err)
}
