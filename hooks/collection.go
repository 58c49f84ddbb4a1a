// SPDX-License-Identifier: Apache-2.0

package hooks

// ItemCollection is DynamoDB's estimate of the size of an item collection: all items with one partition key in a table with
// local indexes, and their entries in those indexes. It can have at most 10 GB. After that, writes that make it larger are
// refused with ItemCollectionSizeLimitExceededException; deletes are still possible.
//
// The size is a range, and may be out of date.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ItemCollectionMetrics.html
type ItemCollection struct {
	Table string `json:"table"`
	// Partition is the hash of the partition key; ddb.Table.PartitionHash returns the hash of a key that you suspect.
	Partition PartitionHash `json:"partition"`
	// MinGB and MaxGB are the bounds of the size, in gigabytes.
	MinGB float64 `json:"minGB"`
	MaxGB float64 `json:"maxGB"`
}
