// SPDX-License-Identifier: Apache-2.0

// Package ddbclient makes DynamoDB clients with sound timeouts and retries, for the tables of package ddb.
//
//	client, err := ddbclient.New(ctx, ddbclient.WithRegion("eu-central-1"))
//	if err != nil {
//		return err
//	}
//	orders, err := ddb.New(client, "orders", orderCustomer, orderID)
//
// It is a package of its own because it builds the SDK's configuration and credential packages. A program that makes its client
// in another way, such as a [dynamodb.Client] of the caller's own, needs ddb alone and builds none of them.
package ddbclient
