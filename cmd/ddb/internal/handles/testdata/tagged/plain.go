// Package tagged has items under build constraints and in test files.
package tagged

// Plain is always there.
type Plain struct {
	ID string `dynamodbav:"id"`
}
