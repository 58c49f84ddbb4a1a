// SPDX-License-Identifier: Apache-2.0

package ddb

// MaxItemSize is DynamoDB's limit of the size of an item, names and values together, in bytes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const MaxItemSize = 400 * 1024

// ItemSize returns the size in bytes that the item would have in DynamoDB if it were put now, with attribute names, derived
// attributes and stamps. [MaxItemSize] and the capacity of a write are measured in it. It sends nothing. An item that cannot
// be stored at all, such as one without its key, is refused as by Put; one that is too large is not.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func (t *Table[T, PK, SK]) ItemSize(item *T) (int, error) { return t.Part().ItemSize(item) }

// ItemSize returns the size in bytes that the item would have in DynamoDB; see [Table.ItemSize].
func (t *SimpleTable[T, PK]) ItemSize(item *T) (int, error) { return t.Part().ItemSize(item) }
