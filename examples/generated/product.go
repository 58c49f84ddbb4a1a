// SPDX-License-Identifier: Apache-2.0

package main

//go:generate go run ../../cmd/ddb gen handles

// Product is an item of the table.
type Product struct {
	Shop   string   `dynamodbav:"shop"`
	Number int      `dynamodbav:"number"`
	Name   string   `dynamodbav:"name"`
	Stock  int      `dynamodbav:"stock"`
	Tags   []string `dynamodbav:"tags,stringset,omitempty"`
	Maker  Maker    `dynamodbav:"maker"`
}

// Maker is a part of a Product.
type Maker struct {
	City string `dynamodbav:"city"`
}
