// Package kinds has a field of every sort.
package kinds

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/uuid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cmd/ddb/internal/handles/testdata/kinds/other"
)

type (
	Name    string
	Count   uint16
	Names   []string
	Bytes   []byte
	Labels  map[string]string
	Stamp   time.Time
	Octet   byte
	Any     = map[string]any
	Flag    bool
	Level   int
	private struct {
		Promoted string `dynamodbav:"promoted"`
	}
)

// MarshalText is used with the option text only.
func (l Level) MarshalText() ([]byte, error) { return []byte{'0' + byte(l)}, nil }

// UnmarshalText reads what MarshalText gives.
func (l *Level) UnmarshalText(b []byte) error { *l = Level(b[0] - '0'); return nil }

// Own is stored by its own methods.
type Own struct{ A, B int }

// MarshalDynamoDBAttributeValue stores one number.
func (o Own) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return &types.AttributeValueMemberN{Value: "1"}, nil
}

// UnmarshalDynamoDBAttributeValue reads it.
func (o *Own) UnmarshalDynamoDBAttributeValue(types.AttributeValue) error { return nil }

// Node holds itself.
type Node struct {
	Value string `dynamodbav:"value"`
	Next  *Node  `dynamodbav:"next"`
}

// Box is generic: the types made from it have handles.
type Box[T any] struct {
	Key   string `dynamodbav:"key"`
	Value T      `dynamodbav:"value"`
}

// NumberBox is one.
type NumberBox Box[int]

// TimeBox is another, by alias.
type TimeBox = Box[time.Time]

// Everything is an item.
type Everything struct {
	other.Base
	*Audit
	private
	Text        string                  `dynamodbav:"text"`
	Named       Name                    `dynamodbav:"named"`
	Int         int                     `dynamodbav:"int"`
	Unsigned    Count                   `dynamodbav:"unsigned"`
	Float       float64                 `dynamodbav:"float"`
	IntAsText   int                     `dynamodbav:"int_as_text,string"`
	Bool        bool                    `dynamodbav:"bool"`
	Flag        Flag                    `dynamodbav:"flag"`
	Binary      []byte                  `dynamodbav:"binary"`
	NamedBinary Bytes                   `dynamodbav:"named_binary"`
	Octets      []Octet                 `dynamodbav:"octets"`
	Hash        [4]byte                 `dynamodbav:"hash"`
	ID          uuid.UUID               `dynamodbav:"id"`
	TextID      uuid.UUID               `dynamodbav:"text_id,text"`
	At          time.Time               `dynamodbav:"at"`
	Expires     time.Time               `dynamodbav:"expires,unixtime"`
	Stamp       Stamp                   `dynamodbav:"stamp"`
	Unix        attributevalue.UnixTime `dynamodbav:"unix"`
	Exact       json.Number             `dynamodbav:"exact"`
	AlsoExact   attributevalue.Number   `dynamodbav:"also_exact"`
	Big         big.Int                 `dynamodbav:"big"`
	Addr        netip.Addr              `dynamodbav:"addr"`
	Level       Level                   `dynamodbav:"level"`
	LevelText   Level                   `dynamodbav:"level_text,text"`
	Own         Own                     `dynamodbav:"own"`
	Revision    ddb.Revision            `dynamodbav:"revision"`
	List        []string                `dynamodbav:"list"`
	NamedList   Names                   `dynamodbav:"named_list"`
	Structs     []Part                  `dynamodbav:"structs"`
	Array       [2]int                  `dynamodbav:"array"`
	Strings     []string                `dynamodbav:"strings,stringset"`
	Numbers     []float64               `dynamodbav:"numbers,numberset"`
	Binaries    [][]byte                `dynamodbav:"binaries"`
	MapSet      map[string]struct{}     `dynamodbav:"map_set,stringset"`
	BoolSet     map[string]bool         `dynamodbav:"bool_set,stringset"`
	Map         map[string]int          `dynamodbav:"map"`
	NamedKeys   map[Name]Part           `dynamodbav:"named_keys"`
	IntKeys     map[int]string          `dynamodbav:"int_keys"`
	NamedMap    Labels                  `dynamodbav:"named_map"`
	Any         any                     `dynamodbav:"any"`
	AnyMap      Any                     `dynamodbav:"any_map"`
	Raw         types.AttributeValue    `dynamodbav:"raw"`
	Pointer     *string                 `dynamodbav:"pointer"`
	PointerTime *time.Time              `dynamodbav:"pointer_time"`
	Nested      Part                    `dynamodbav:"nested"`
	Maybe       *Part                   `dynamodbav:"maybe"`
	Node        Node                    `dynamodbav:"node"`
	Anonymous   struct{ Inner int }     `dynamodbav:"anonymous"`
	Carrier     other.Carrier           `dynamodbav:"carrier"`
	Untagged    string
	Ünïcode     string                          `dynamodbav:"ünïcode"`
	Empty       struct{}                        `dynamodbav:"empty"`
	Rest        map[string]types.AttributeValue `dynamodbav:",unknown"`
	Ignored     chan int                        `dynamodbav:"-"`
	unexported  int
}

// Audit is embedded by a pointer.
type Audit struct {
	By   string `dynamodbav:"by"`
	Made int    `dynamodbav:"made_by_audit"`
}

// Part is nested.
type Part struct {
	Size  int `dynamodbav:"size"`
	Inner struct {
		Note string `dynamodbav:"note"`
	} `dynamodbav:"inner"`
}

// The names of the imports that handles need are taken.
var time2, types2 = 1, 2

func uuid2() { _, _ = time2, types2 }
