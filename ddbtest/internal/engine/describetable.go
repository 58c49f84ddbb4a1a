// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Timestamp is a time in wire format: seconds with three decimals.
type Timestamp struct{ time.Time }

// MarshalJSON writes the seconds since 1970.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(t.UnixMilli())/1000, 'f', 3, 64), nil
}

var _ json.Marshaler = Timestamp{}

// TableDescription describes a table in wire format.
type TableDescription struct {
	AttributeDefinitions      []AttributeDefinition `json:",omitempty"`
	TableName                 string
	KeySchema                 []KeySchemaElement `json:",omitempty"`
	TableStatus               string
	CreationDateTime          *Timestamp             `json:",omitempty"`
	ProvisionedThroughput     *ThroughputDescription `json:",omitempty"`
	TableSizeBytes            int64
	ItemCount                 int64
	TableArn                  string
	TableID                   string                   `json:"TableId"`
	BillingModeSummary        *BillingModeSummary      `json:",omitempty"`
	LocalSecondaryIndexes     []IndexDescription       `json:",omitempty"`
	GlobalSecondaryIndexes    []IndexDescription       `json:",omitempty"`
	VectorIndexes             []VectorIndexDescription `json:",omitempty"`
	StreamSpecification       *StreamSpecification     `json:",omitempty"`
	LatestStreamLabel         string                   `json:",omitempty"`
	LatestStreamArn           string                   `json:",omitempty"`
	SSEDescription            *SSEDescription          `json:",omitempty"`
	TableClassSummary         *TableClassSummary       `json:",omitempty"`
	DeletionProtectionEnabled bool
	OnDemandThroughput        *OnDemandThroughput    `json:",omitempty"`
	WarmThroughput            *WarmThroughputSummary `json:",omitempty"`
}

// ThroughputDescription describes provisioned throughput.
type ThroughputDescription struct {
	LastIncreaseDateTime   *Timestamp `json:",omitempty"`
	LastDecreaseDateTime   *Timestamp `json:",omitempty"`
	NumberOfDecreasesToday int64
	ReadCapacityUnits      int64
	WriteCapacityUnits     int64
}

// BillingModeSummary describes the billing mode.
type BillingModeSummary struct {
	BillingMode                       string
	LastUpdateToPayPerRequestDateTime *Timestamp `json:",omitempty"`
}

// IndexDescription describes an index. A local one has no status and no
// throughput.
type IndexDescription struct {
	IndexName             string
	KeySchema             []KeySchemaElement
	Projection            Projection
	IndexStatus           string                 `json:",omitempty"`
	Backfilling           *bool                  `json:",omitempty"`
	ProvisionedThroughput *ThroughputDescription `json:",omitempty"`
	IndexSizeBytes        int64
	ItemCount             int64
	IndexArn              string
	OnDemandThroughput    *OnDemandThroughput    `json:",omitempty"`
	WarmThroughput        *WarmThroughputSummary `json:",omitempty"`
}

// SSEDescription describes the encryption of a table with a KMS key.
type SSEDescription struct {
	Status          string
	SSEType         string
	KMSMasterKeyArn string
}

// TableClassSummary describes the table class.
type TableClassSummary struct {
	TableClass         string
	LastUpdateDateTime *Timestamp `json:",omitempty"`
}

// WarmThroughputSummary describes warm throughput.
type WarmThroughputSummary struct {
	ReadUnitsPerSecond  int64
	WriteUnitsPerSecond int64
	Status              string
}

// Warm throughput of a table whose request did not ask for more.
const (
	defaultWarmReads  = 12000
	defaultWarmWrites = 4000
)

// DescribeTable describes the table with a name.
func (e *Engine) DescribeTable(_ context.Context, name *string) (*TableDescription, error) {
	t, err := e.describedTable(name)
	if err != nil {
		return nil, err
	}
	return e.describe(t, ""), nil
}

// sortedDefinitions returns definitions in the order of their names.
func sortedDefinitions(defs []AttributeDefinition) []AttributeDefinition {
	return slices.SortedFunc(slices.Values(defs), func(a, b AttributeDefinition) int {
		return strings.Compare(text(a.AttributeName), text(b.AttributeName))
	})
}

// describedTable returns the table of a table operation.
func (e *Engine) describedTable(name *string) (*Table, error) {
	if err := tablePresent(name); err != nil {
		return nil, err
	}
	var c constraints
	c.describedName("tableName", name)
	if err := c.err(); err != nil {
		return nil, err
	}
	t := e.lookup(*name)
	if t == nil {
		return nil, tableNotFound(tableOf(*name))
	}
	return t, nil
}

// describe describes a table. status, if it is not empty, is the state
// that the reply of an operation reports: the change has begun.
func (e *Engine) describe(t *Table, status string) *TableDescription {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := e.clock.Now()
	t.catchUp(now)
	schema, s := t.Schema(), &t.settings
	d := &TableDescription{
		AttributeDefinitions:      sortedDefinitions(schema.attributes),
		TableName:                 t.name,
		KeySchema:                 schema.Key.elements(),
		TableStatus:               t.status(now),
		CreationDateTime:          &Timestamp{t.created},
		ProvisionedThroughput:     s.throughput.describe(now),
		TableSizeBytes:            t.items.Bytes(),
		ItemCount:                 t.items.Len(),
		TableArn:                  t.arn,
		TableID:                   t.id,
		StreamSpecification:       s.stream,
		LatestStreamLabel:         s.streamLabel,
		DeletionProtectionEnabled: s.protected,
		OnDemandThroughput:        s.onDemand,
	}
	if status != "" {
		d.TableStatus = status
	}
	if s.streamLabel != "" {
		d.LatestStreamArn = t.arn + "/stream/" + s.streamLabel
	}
	if s.billing.named {
		d.BillingModeSummary = s.billing.describe()
	}
	if s.tableClass != "" {
		d.TableClassSummary = &TableClassSummary{TableClass: s.tableClass, LastUpdateDateTime: timestamp(s.classAt)}
	}
	if s.sse.enabled() {
		d.SSEDescription = e.describeSSE(s.sse)
	}
	d.WarmThroughput = describeWarm(s.warm, s.throughput, d.TableStatus)
	for _, x := range schema.vectors {
		v := x.describe(t, now)
		if status == statusCreating {
			v.IndexStatus = statusCreating
		}
		d.VectorIndexes = append(d.VectorIndexes, v)
	}
	for _, x := range schema.Indexes {
		if x.Local {
			d.LocalSecondaryIndexes = append(d.LocalSecondaryIndexes, x.describe(t, now))
			continue
		}
		g := x.describe(t, now)
		g.IndexStatus = x.status(now)
		if status == statusCreating || x.filling.Load() {
			g.IndexStatus = statusCreating
		}
		if g.IndexStatus == statusCreating && !x.backfillAt.IsZero() {
			backfilling := x.backfilling(now)
			g.Backfilling = &backfilling
		}
		g.ProvisionedThroughput = x.throughput.describe(now)
		g.OnDemandThroughput = x.onDemand
		g.WarmThroughput = describeWarm(x.warm, x.throughput, g.IndexStatus)
		d.GlobalSecondaryIndexes = append(d.GlobalSecondaryIndexes, g)
	}
	return d
}

func (x *Index) describe(t *Table, now time.Time) IndexDescription {
	d := IndexDescription{
		IndexName:  x.Name,
		KeySchema:  x.Key.elements(),
		Projection: Projection{ProjectionType: &x.ProjectionType, NonKeyAttributes: slices.Sorted(slices.Values(x.NonKey))},
		IndexArn:   t.arn + "/index/" + x.Name,
	}
	if !now.Before(x.readyAt) {
		d.IndexSizeBytes, d.ItemCount = x.entries.Bytes(), x.entries.Len()
	}
	return d
}

func (k *KeySchema) elements() []KeySchemaElement {
	list := make([]KeySchemaElement, 0, k.Len())
	k.Each(func(a KeyAttribute, hash bool) bool {
		kind := keyRange
		if hash {
			kind = keyHash
		}
		list = append(list, KeySchemaElement{AttributeName: &a.Name, KeyType: &kind})
		return true
	})
	return list
}

func (p throughput) describe(now time.Time) *ThroughputDescription {
	d := &ThroughputDescription{
		LastIncreaseDateTime: timestamp(p.increased),
		LastDecreaseDateTime: timestamp(p.decreased),
		ReadCapacityUnits:    p.read,
		WriteCapacityUnits:   p.write,
	}
	if p.decreasesDay == day(now) {
		d.NumberOfDecreasesToday = p.decreasesToday
	}
	return d
}

// day numbers the days in UTC.
func day(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

func (b billing) describe() *BillingModeSummary {
	d := &BillingModeSummary{BillingMode: "PROVISIONED", LastUpdateToPayPerRequestDateTime: timestamp(b.switched)}
	if b.onDemand {
		d.BillingMode = onDemandMode
	}
	return d
}

// enabled reports whether a table is encrypted with a KMS key.
func (s *SSESpecification) enabled() bool {
	return s != nil && (s.Enabled != nil && *s.Enabled || s.Enabled == nil && s.SSEType != nil)
}

func (e *Engine) describeSSE(s *SSESpecification) *SSEDescription {
	key := text(s.KMSMasterKeyID)
	if key == "" {
		key = "arn:aws:kms:" + e.region + ":" + e.account + ":key/00000000-0000-4000-8000-000000000000"
	}
	return &SSEDescription{Status: "ENABLED", SSEType: "KMS", KMSMasterKeyArn: key}
}

// describeWarm describes warm throughput: the requested or the highest ever provisioned one, and in on-demand mode the initial
// one. It never decreases.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-throughput-billing.md)
func describeWarm(w *WarmThroughput, p throughput, status string) *WarmThroughputSummary {
	d := &WarmThroughputSummary{ReadUnitsPerSecond: defaultWarmReads, WriteUnitsPerSecond: defaultWarmWrites, Status: status}
	if p.read > 0 {
		d.ReadUnitsPerSecond, d.WriteUnitsPerSecond = p.peakRead, p.peakWrite
	}
	if w != nil && w.ReadUnitsPerSecond != nil {
		d.ReadUnitsPerSecond = max(d.ReadUnitsPerSecond, *w.ReadUnitsPerSecond)
	}
	if w != nil && w.WriteUnitsPerSecond != nil {
		d.WriteUnitsPerSecond = max(d.WriteUnitsPerSecond, *w.WriteUnitsPerSecond)
	}
	return d
}

func timestamp(t time.Time) *Timestamp {
	if t.IsZero() {
		return nil
	}
	return &Timestamp{t}
}
