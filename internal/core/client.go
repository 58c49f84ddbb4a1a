// SPDX-License-Identifier: Apache-2.0

package core

import "github.com/dynamotable/ddb/internal/wire"

// Client is a ddb.Client of any package.
type Client interface {
	wire.GetItemAPI
	wire.PutItemAPI
	wire.UpdateItemAPI
	wire.DeleteItemAPI
	wire.QueryAPI
	wire.ScanAPI
	wire.BatchGetItemAPI
	wire.BatchWriteItemAPI
	wire.TransactGetItemsAPI
	wire.TransactWriteItemsAPI
}
