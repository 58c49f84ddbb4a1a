package live

import (
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
)

// File is an item of the table files. It was written by ddb gen struct, from a sample of 2 items, and is yours to edit.
// A remark says in how many of them an attribute was, and with which types.
type File struct {
	PK   []byte                          `dynamodbav:"pk"`       // 2 of 2: B
	TTL  types.AttributeValue            `dynamodbav:"ttl"`      // 2 of 2: N, S
	Rest map[string]types.AttributeValue `dynamodbav:",unknown"` // what no field is for, kept when an item is written back
}

// Handles of the attributes of [File].
var (
	filePK  = ddb.BinField(func(v *File) *[]byte { return &v.PK })
	fileTTL = ddb.Field(func(v *File) *types.AttributeValue { return &v.TTL })
)

// FileTable is the table files with its indexes.
// Its time to live is left out: items of the sample have values in the attribute that are no whole seconds.
type FileTable struct {
	*ddb.SimpleTable[File, []byte]
}

// NewFileTable defines the table. It sends nothing.
func NewFileTable(client ddb.Client, opts ...ddb.TableOption) (*FileTable, error) {
	t, err := ddb.NewSimple(client, "files", filePK, opts...)
	if err != nil {
		return nil, err
	}
	all := &FileTable{SimpleTable: t}
	return all, nil
}

// FileSchema is what EnsureTable and VerifyTable are to know besides.
func FileSchema() []schema.Option {
	return []schema.Option{}
}
