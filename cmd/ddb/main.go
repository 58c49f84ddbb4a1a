// SPDX-License-Identifier: Apache-2.0

// Ddb reads and changes DynamoDB tables at the command line, and writes code for package ddb.
//
//	go run github.com/dynamotable/ddb/cmd/ddb            the commands
//	go run github.com/dynamotable/ddb/cmd/ddb help gen handles
//
// In a module that uses ddb, go get -tool github.com/dynamotable/ddb/cmd/ddb makes it go tool ddb.
//
// Region, credentials and endpoint are taken from the environment, as in [github.com/dynamotable/ddb/ddbclient.New]: AWS_REGION,
// AWS_PROFILE, AWS_ENDPOINT_URL_DYNAMODB. A command that changes data at an endpoint that is not on this machine requires the
// flag -live.
//
// Data are written to standard output, one item on each line, in DynamoDB's JSON: numbers keep their digits, and sets and
// binaries their types. Everything else is written to standard error. Errors name tables and attributes, and contain no data.
//
// The command gen handles writes the attribute handles of structs with dynamodbav tags to a file next to the one that declares
// the structs. It leaves out handles that are written by hand. It is meant for go:generate:
//
//	//go:generate go tool ddb gen handles
//
// The command gen struct prints the struct, handles and definition of an existing table, based on its description and a sample of
// its items.
//
// The exit status is 0 if everything was done, 1 if something failed, 2 if the command line is wrong, 3 if only a part was done
// and the rest was reported, 4 if the budget is spent, and 130 after SIGINT or SIGTERM. In the last two cases, and if a long
// command failed, the command that resumes it is printed.
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
