package live

import (
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
)

// Number is an item of the table numbers. It was written by ddb gen struct, from a sample of 9 items, and is yours to edit.
// A remark says in how many of them an attribute was, and with which types.
type Number struct {
	ID        int64                           `dynamodbav:"id"`                  // 9 of 9: N
	Any       attributevalue.Number           `dynamodbav:"any"`                 // 9 of 9: N
	Big       attributevalue.Number           `dynamodbav:"big"`                 // 9 of 9: N
	Float     float64                         `dynamodbav:"float"`               // 9 of 9: N
	List      []attributevalue.Number         `dynamodbav:"list"`                // 9 of 9: L
	Set       []attributevalue.Number         `dynamodbav:"set,numberset"`       // 9 of 9: NS
	Sometimes *int64                          `dynamodbav:"sometimes,omitempty"` // 5 of 9: N
	Unsigned  uint64                          `dynamodbav:"unsigned"`            // 9 of 9: N
	Rest      map[string]types.AttributeValue `dynamodbav:",unknown"`            // what no field is for, kept when an item is written back
}

// Handles of the attributes of [Number].
var (
	numberID        = ddb.NumField(func(v *Number) *int64 { return &v.ID })
	numberAny       = ddb.OrdField(func(v *Number) *attributevalue.Number { return &v.Any })
	numberBig       = ddb.OrdField(func(v *Number) *attributevalue.Number { return &v.Big })
	numberFloat     = ddb.NumField(func(v *Number) *float64 { return &v.Float })
	numberList      = ddb.ListField(func(v *Number) *[]attributevalue.Number { return &v.List })
	numberSet       = ddb.SetField(func(v *Number) *[]attributevalue.Number { return &v.Set })
	numberSometimes = ddb.Field(func(v *Number) **int64 { return &v.Sometimes })
	numberUnsigned  = ddb.NumField(func(v *Number) *uint64 { return &v.Unsigned })
)

// NumberTable is the table numbers with its indexes.
type NumberTable struct {
	*ddb.SimpleTable[Number, int64]
}

// NewNumberTable defines the table. It sends nothing.
func NewNumberTable(client ddb.Client, opts ...ddb.TableOption) (*NumberTable, error) {
	t, err := ddb.NewSimple(client, "numbers", numberID, opts...)
	if err != nil {
		return nil, err
	}
	all := &NumberTable{SimpleTable: t}
	return all, nil
}

// NumberSchema is what EnsureTable and VerifyTable are to know besides.
func NumberSchema() []schema.Option {
	return []schema.Option{}
}
