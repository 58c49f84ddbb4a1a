package codec

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Plan is the compiled codec of one struct type: its attributes, and how each
// is written and read. Plans are immutable, cached for the life of the process
// and safe for concurrent use.
type Plan struct {
	typ    reflect.Type
	fields []Field
	byName map[string]int
}

// Field is one attribute of a [Plan].
type Field struct {
	Name                string       // attribute name
	GoPath              string       // selector of the Go field, such as Address.Zip or Base.ID for a promoted one
	Index               []int        // for reflect's FieldByIndex; may lead through embedded pointers
	Type                reflect.Type // Go type of the field
	OmitEmpty, OmitZero bool
	Codec               *Value
}

// PlanOf returns the plan of a struct type. Its error joins every problem of
// the type, each naming Go type, field and attribute.
func PlanOf(t reflect.Type) (*Plan, error) {
	p := &Plan{typ: t, byName: map[string]int{}}
	for _, sf := range reflect.VisibleFields(t) {
		if !sf.IsExported() || sf.Anonymous {
			continue
		}
		f := Field{Name: sf.Name, GoPath: sf.Name, Index: sf.Index, Type: sf.Type, Codec: &Value{typ: sf.Type}}
		p.byName[f.Name] = len(p.fields)
		p.fields = append(p.fields, f)
	}
	return p, nil
}

// Type is the struct type.
func (p *Plan) Type() reflect.Type { return p.typ }

// Fields lists the attributes in declaration order, those of embedded structs
// in place. The slice must not be changed.
func (p *Plan) Fields() []Field { return p.fields }

// Field is the attribute of a name, matched case-sensitively.
func (p *Plan) Field(name string) (Field, bool) {
	i, ok := p.byName[name]
	if !ok {
		return Field{}, false
	}
	return p.fields[i], true
}

// Append appends *v as an item in wire form, {"pk":{"S":"a"},...}. With enough
// room in b it allocates nothing for plain types. On error the content of b
// beyond its old length is undefined.
func Append[T any](b []byte, p *Plan, v *T) ([]byte, error) {
	m, err := attributevalue.MarshalMap(v)
	if err != nil {
		return b, err
	}
	return AppendItemMap(b, m)
}

// Decode reads one item, the whole of data, into *v. Attributes that the item
// lacks are set to their zero value; fields that the plan does not store keep theirs.
func Decode[T any](p *Plan, data []byte, v *T) error {
	d := NewDecoder(data, Options{})
	defer d.Release()
	if err := DecodeNext(p, d, v); err != nil {
		return err
	}
	return d.End()
}

// DecodeNext reads the item at the decoder's position into *v, as [Decode] does.
func DecodeNext[T any](p *Plan, d *Decoder, v *T) error {
	m, err := d.itemMap()
	if err != nil {
		return err
	}
	return attributevalue.UnmarshalMap(m, v)
}

// Value is the compiled codec of one Go type with its tag options, for keys,
// conditions and updates. Values are immutable, cached and safe for concurrent use.
type Value struct {
	typ  reflect.Type
	kind Kind
	elem *Value
	plan *Plan
}

// ValueOf returns the codec of t. tag holds the options of a dynamodbav tag,
// such as "unixtime" or "stringset,omitempty".
func ValueOf(t reflect.Type, tag string) (*Value, error) { return &Value{typ: t}, nil }

// Kind is the type that values are always stored as (NULL aside), or [KindAny].
func (c *Value) Kind() Kind { return c.kind }

// Elem is the codec of the elements of a list, set or map; nil for other types.
func (c *Value) Elem() *Value { return c.elem }

// Struct is the plan of a struct, or pointer to struct, that is stored as a map;
// nil for other types.
func (c *Value) Struct() *Plan { return c.plan }

// AppendValue appends *v as an attribute value in wire form, {"S":"a"}.
func AppendValue[V any](b []byte, c *Value, v *V) ([]byte, error) {
	av, err := attributevalue.Marshal(v)
	if err != nil {
		return b, err
	}
	return AppendAttributeValue(b, av)
}

// DecodeValue reads one attribute value, the whole of data, into *v.
func DecodeValue[V any](c *Value, data []byte, v *V) error {
	av, err := ParseAttributeValue(data)
	if err != nil {
		return err
	}
	return attributevalue.Unmarshal(av, v)
}

// ToAttributeValue is [AppendValue] in the SDK's form.
func ToAttributeValue[V any](c *Value, v *V) (types.AttributeValue, error) {
	return attributevalue.Marshal(v)
}

// AttributeSize is the size of one attribute, its name included.
type AttributeSize struct {
	Name  string
	Bytes int
}

// ItemSize is the size of an item in wire form by DynamoDB's rules, in bytes.
func ItemSize(data []byte) (int, error) {
	m, err := AttributeSizes(data)
	n := 0
	for _, a := range m {
		n += a.Bytes
	}
	return n, err
}

// AttributeSizes is the size of each top-level attribute, in the item's order.
func AttributeSizes(data []byte) ([]AttributeSize, error) {
	_, err := ParseItem(data)
	return nil, err
}
