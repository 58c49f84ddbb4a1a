// SPDX-License-Identifier: Apache-2.0

package engine

// The parameters of table operations in wire format. Pointers are nil
// for parameters that a request omits.

// AttributeDefinition is the type of a key attribute.
type AttributeDefinition struct {
	AttributeName *string
	AttributeType *string
}

// KeySchemaElement is one attribute of a key.
type KeySchemaElement struct {
	AttributeName *string
	KeyType       *string
}

// Projection is the set of attributes that an index holds in addition to the keys.
type Projection struct {
	ProjectionType   *string  `json:",omitempty"`
	NonKeyAttributes []string `json:",omitempty"`
}

// ProvisionedThroughput is the capacity of a table or index in provisioned
// mode.
type ProvisionedThroughput struct {
	ReadCapacityUnits  *int64
	WriteCapacityUnits *int64
}

// OnDemandThroughput is the ceiling of a table or index in on-demand mode.
type OnDemandThroughput struct {
	MaxReadRequestUnits  *int64 `json:",omitempty"`
	MaxWriteRequestUnits *int64 `json:",omitempty"`
}

// given reports whether a request has a non-empty member: an empty one counts as absent.
func (o *OnDemandThroughput) given() bool {
	return o != nil && (o.MaxReadRequestUnits != nil || o.MaxWriteRequestUnits != nil)
}

// WarmThroughput is the capacity that a table or index can serve at once.
type WarmThroughput struct {
	ReadUnitsPerSecond  *int64
	WriteUnitsPerSecond *int64
}

// given reports whether a request has a non-empty member: an empty one counts as absent.
func (w *WarmThroughput) given() bool {
	return w != nil && (w.ReadUnitsPerSecond != nil || w.WriteUnitsPerSecond != nil)
}

// units is a member of a throughput.
type units struct {
	name  string
	units *int64
}

func (o *OnDemandThroughput) members() []units {
	return []units{{"MaxReadRequestUnits", o.MaxReadRequestUnits}, {"MaxWriteRequestUnits", o.MaxWriteRequestUnits}}
}

func (w *WarmThroughput) members() []units {
	return []units{{"ReadUnitsPerSecond", w.ReadUnitsPerSecond}, {"WriteUnitsPerSecond", w.WriteUnitsPerSecond}}
}

// SecondaryIndex describes a new global or local secondary index.
type SecondaryIndex struct {
	IndexName             *string
	KeySchema             []KeySchemaElement
	Projection            *Projection
	ProvisionedThroughput *ProvisionedThroughput // global indexes only
	OnDemandThroughput    *OnDemandThroughput    // global indexes only
	WarmThroughput        *WarmThroughput        // global indexes only
}

// StreamSpecification enables or disables the stream of a table.
type StreamSpecification struct {
	StreamEnabled  *bool
	StreamViewType *string `json:",omitempty"`
}

// SSESpecification chooses the encryption of a table.
type SSESpecification struct {
	Enabled        *bool
	SSEType        *string
	KMSMasterKeyID *string
}

// Tag is a label on a table.
type Tag struct {
	Key   *string
	Value *string
}
