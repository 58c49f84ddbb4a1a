package ddb

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
)

const (
	// tokensKept is how many writes a put remembers. On a hot item others may write over
	// ours before it can be read back.
	tokensKept = 8
	tokenSep   = "."
)

// WriteToken makes a string attribute name the write that stored the item, by a fresh
// random token, so that a write whose reply was lost recognises its own item:
//
//	type Account struct {
//		ID      string `dynamodbav:"id"`
//		Version int64  `dynamodbav:"version"`
//		Token   string `dynamodbav:"token"`
//	}
//	accounts, err := ddb.NewSimple(client, "accounts", accountID, ddb.Version(accountVersion), ddb.WriteToken(accountToken))
//
// The attribute belongs to the table: every Put, Create, Replace, Update and Upsert sets
// it, alone or in a transaction, and an update of it is refused. With [Version] a put keeps
// the tokens of the 7 writes before it too, as far as the item that was read has them, so
// that others may write over it meanwhile; an Update keeps its own alone. It adds up to 135
// bytes to an item. Batches store the attribute as it is in the item.
//
// After a lost reply, with the item read back:
//
//   - it names our token: the write was applied, and the call succeeds;
//   - it shows, by version and tokens, another's write in the place of ours: [*ConditionFailed];
//   - its version admits our write still: it is sent again, and can take effect once only;
//   - neither: [ErrOutcomeUnknown]. That is left for writes under no condition on the
//     version, such as a count that is not found stored ([Change.Exact] settles these),
//     and after more writes by others than tokens are kept;
//   - it is gone: a delete leaves nothing behind that could name it, so that after a lost
//     reply of [Table.DeleteItem] nobody knows whose delete it was: [ErrOutcomeUnknown].
//     In a transaction ([Table.TxDeleteItem]) that is known.
func WriteToken(attr AnyAttr) TableOption {
	return tableOption(func(c *core) error {
		h, err := c.ownAttr("WriteToken", attr, codec.S)
		if err != nil {
			return err
		}
		if h.field.Type.Kind() != reflect.String {
			return fmt.Errorf("option WriteToken: attribute %s is a %s; it must be a string", h.path, h.field.Type)
		}
		c.token = h
		return nil
	})
}

// newToken is random and 16 characters long.
func newToken() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// nextTokens puts a token before those of the item that is written over. Only a version
// proves that it is this item.
func nextTokens(token, before string, known bool) string {
	if !known || before == "" {
		return token
	}
	kept := strings.Split(before, tokenSep)
	return token + tokenSep + strings.Join(kept[:min(len(kept), tokensKept-1)], tokenSep)
}

// tokensOf is the stored tokens, the newest first.
func (c *core) tokensOf(stored map[string]types.AttributeValue) []string {
	if c.token == nil {
		return nil
	}
	s, ok := stored[c.token.path.String()].(*types.AttributeValueMemberS)
	if !ok || s.Value == "" {
		return nil
	}
	return strings.Split(s.Value, tokenSep)
}

// written reports whether the stored item names the write with the token.
func (c *core) written(stored map[string]types.AttributeValue, token string) bool {
	if token == "" {
		return false
	}
	return slices.Contains(c.tokensOf(stored), token)
}

// latestToken is that of the write that stored an item which the caller read.
func latestToken[T any](c *core, item *T) string {
	if c.token == nil {
		return ""
	}
	token, _, _ := strings.Cut(reflect.ValueOf(item).Elem().FieldByIndex(c.token.field.Index).String(), tokenSep)
	return token
}

// stampToken gives an update a token, which it returns.
func (c *core) stampToken(u *expr.Update) string {
	if c.token == nil {
		return ""
	}
	token := newToken()
	u.Set = append(u.Set, expr.Action{Path: c.token.path, Right: expr.Value{AV: &types.AttributeValueMemberS{Value: token}}})
	return token
}
