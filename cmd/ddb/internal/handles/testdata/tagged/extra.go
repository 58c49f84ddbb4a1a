//go:build ddb_extra && !never

package tagged

// Extra is there with the tag ddb_extra only.
type Extra struct {
	ID string `dynamodbav:"id"`
}
