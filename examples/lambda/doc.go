// SPDX-License-Identifier: Apache-2.0

// Lambda is an AWS Lambda function that stores the messages of a queue in a table: client and table are created once per process,
// a batch ends before the invocation does and reports the messages that were not stored, and each invocation logs its cost.
//
//	go run ./examples/lambda     invokes the function a few times on the embedded engine
//	go test ./examples/lambda    runs it as Lambda does, behind the runtime's HTTP interface
//
// The same program is the function: build it with GOOS=linux GOARCH=arm64 go build -tags lambda.norpc -o bootstrap, and use the runtime provided.al2023.
package main
