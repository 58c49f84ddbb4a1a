package expression

import "github.com/dynamotable/ddb/ddbtest/internal/value"

// Update is a parsed update expression. It is immutable.
type Update struct{}

// ParseUpdate parses an UpdateExpression.
func ParseUpdate(text string, params *Params) (*Update, error) {
	return nil, errUnwritten
}

// Apply returns the item after the update. It does not change old, whose
// untouched parts the result shares. A nil old stands for an item that does
// not exist; the caller adds the key attributes to the result.
func (u *Update) Apply(old value.Item) (value.Item, error) {
	return nil, errUnwritten
}

// Attributes returns the top-level attributes that the update writes, each
// once, in the order of the expression.
func (u *Update) Attributes() []string { return nil }

// Touched returns the written paths as a projection; applied to the old and
// the new item it gives UPDATED_OLD and UPDATED_NEW.
func (u *Update) Touched() *Projection { return nil }
