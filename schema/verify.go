// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Difference is one difference between the live table and the definition.
type Difference struct {
	Index string // empty for the table itself
	What  string // such as "key", "projection", "billing mode"
	Want  string
	Got   string
	// Extra means that the live table has more than the definition, such as an index of a newer program or of
	// another item type; EnsureTable accepts such a table.
	Extra bool
}

// String returns the difference in one line.
func (d Difference) String() string {
	where := ""
	if d.Index != "" {
		where = "index " + d.Index + " "
	}
	return fmt.Sprintf("%s%s is %s, want %s", where, d.What, d.Got, d.Want)
}

// Verify compares the live table with the definition and the options, and returns every difference. It changes nothing.
func (s *Spec) Verify(ctx context.Context, client Client) ([]Difference, error) {
	if err := s.usable(client); err != nil {
		return nil, err
	}
	live, err := Describe(ctx, client, s.table.Name)
	if err != nil {
		return nil, err
	}
	ttl, err := s.liveTTL(ctx, client)
	if err != nil {
		return nil, err
	}
	settings, err := s.settings(ctx, client, live)
	if err != nil {
		return nil, err
	}
	return append(s.compare(live, ttl), s.compareLive(settings)...), nil
}

type comparison struct{ found []Difference }

func (c *comparison) check(index, what, want, got string) {
	if want != got {
		c.found = append(c.found, Difference{Index: index, What: what, Want: want, Got: got})
	}
}

// compare lists all differences, the table's first, then index by index.
func (s *Spec) compare(live *types.TableDescription, ttl string) []Difference {
	var c comparison
	kinds := map[string]types.ScalarAttributeType{}
	for _, d := range live.AttributeDefinitions {
		kinds[deref(d.AttributeName)] = d.AttributeType
	}
	c.check("", "status", string(types.TableStatusActive), string(live.TableStatus))
	c.check("", "key", s.table.Key.Text(), keyText(live.KeySchema, kinds))
	s.compareSettings(&c, live, ttl)
	for _, i := range s.indexes {
		if i.Global {
			s.compareGlobal(&c, i, live, kinds)
			continue
		}
		compareLocal(&c, i, live, kinds)
	}
	s.compareVectors(&c, live, kinds)
	for _, g := range live.GlobalSecondaryIndexes {
		s.compareExtra(&c, deref(g.IndexName))
	}
	for _, l := range live.LocalSecondaryIndexes {
		s.compareExtra(&c, deref(l.IndexName))
	}
	return c.found
}

func (s *Spec) compareSettings(c *comparison, live *types.TableDescription, ttl string) {
	billing := types.BillingModeProvisioned
	if live.BillingModeSummary != nil {
		billing = live.BillingModeSummary.BillingMode
	}
	c.check("", "billing mode", string(s.billing), string(billing))
	if s.throughput != nil {
		c.check("", "throughput", unitsText(s.throughput), describedUnits(live.ProvisionedThroughput))
	}
	if s.maxOnDemand != nil {
		c.check("", "maximum on-demand throughput", onDemandText(s.maxOnDemand), onDemandText(live.OnDemandThroughput))
	}
	if s.warm != nil {
		c.checkWarm("", s.warm, warmOf(live.WarmThroughput))
	}
	if want := s.table.TTL; want != "" {
		c.check("", "TTL attribute", want, orNone(ttl))
	}
	if s.stream != "" {
		got := "off"
		if hasStream(live) {
			got = string(live.StreamSpecification.StreamViewType)
		}
		c.check("", "stream", string(s.stream), got)
	}
	if s.protect != nil {
		c.check("", "deletion protection", strconv.FormatBool(*s.protect), strconv.FormatBool(deref(live.DeletionProtectionEnabled)))
	}
	if s.class != "" {
		got := types.TableClassStandard
		if live.TableClassSummary != nil {
			got = live.TableClassSummary.TableClass
		}
		c.check("", "table class", string(s.class), string(got))
	}
	if s.sse != nil {
		got := "a key owned by DynamoDB"
		if live.SSEDescription != nil {
			got = string(live.SSEDescription.SSEType)
		}
		c.check("", "encryption", string(s.sse.SSEType), got)
		if want, got := keyPart(deref(s.sse.KMSMasterKeyId)), encryptionKey(live); want != "" && got != "" {
			c.check("", "encryption key", want, got)
		}
	}
}

// keyPart returns the id of a KMS key that is given by its id or ARN, and is empty for an alias, which only KMS can resolve.
func keyPart(key string) string {
	if strings.Contains(key, "alias/") {
		return ""
	}
	return key[strings.LastIndexByte(key, '/')+1:]
}

// encryptionKey returns the id of the KMS key of a table, if it has one.
func encryptionKey(live *types.TableDescription) string {
	if live.SSEDescription == nil {
		return ""
	}
	return keyPart(deref(live.SSEDescription.KMSMasterKeyArn))
}

func (s *Spec) compareGlobal(c *comparison, i *Index, live *types.TableDescription, kinds map[string]types.ScalarAttributeType) {
	g, there := globalOf(live, i.Name)
	if !there {
		c.check(i.Name, "global index", "present", "missing")
		return
	}
	status := string(g.IndexStatus)
	if deref(g.Backfilling) {
		status += ", backfilling"
	}
	c.check(i.Name, "status", string(types.IndexStatusActive), status)
	c.check(i.Name, "key", i.Key.Text(), keyText(g.KeySchema, kinds))
	c.check(i.Name, "projection", projectionText(i.projectionSpec()), projectionText(g.Projection))
	if want := s.indexUnits(i.Name); want != nil {
		c.check(i.Name, "throughput", unitsText(want), describedUnits(g.ProvisionedThroughput))
	}
	if want := s.indexMaxOnDemand(i.Name); want != nil {
		c.check(i.Name, "maximum on-demand throughput", onDemandText(want), onDemandText(g.OnDemandThroughput))
	}
	if want := s.warmIndex[i.Name]; want != nil {
		c.checkWarm(i.Name, want, warmOfIndex(g.WarmThroughput))
	}
}

func compareLocal(c *comparison, i *Index, live *types.TableDescription, kinds map[string]types.ScalarAttributeType) {
	at := slices.IndexFunc(live.LocalSecondaryIndexes, func(l types.LocalSecondaryIndexDescription) bool { return deref(l.IndexName) == i.Name })
	if at < 0 {
		c.check(i.Name, "local index", "present", "missing (local indexes can only be created with the table)")
		return
	}
	l := live.LocalSecondaryIndexes[at]
	c.check(i.Name, "key", i.Key.Text(), keyText(l.KeySchema, kinds))
	c.check(i.Name, "projection", projectionText(i.projectionSpec()), projectionText(l.Projection))
}

func (s *Spec) compareExtra(c *comparison, name string) {
	if !s.describes(name) {
		c.found = append(c.found, Difference{Index: name, What: "index", Want: "absent", Got: "present, and not defined here", Extra: true})
	}
}

// keyText returns a key in one line, attributes in order: HASH a (S), RANGE b (N).
func keyText(elements []types.KeySchemaElement, kinds map[string]types.ScalarAttributeType) string {
	parts := make([]string, len(elements))
	for i, e := range elements {
		name := deref(e.AttributeName)
		parts[i] = fmt.Sprintf("%s %s (%s)", e.KeyType, name, kinds[name])
	}
	return strings.Join(parts, ", ")
}

func projectionText(p *types.Projection) string {
	if p == nil {
		return "none"
	}
	if len(p.NonKeyAttributes) == 0 {
		return string(p.ProjectionType)
	}
	return string(p.ProjectionType) + " " + strings.Join(slices.Sorted(slices.Values(p.NonKeyAttributes)), ", ")
}

func unitsText(t *types.ProvisionedThroughput) string {
	return fmt.Sprintf("%d read, %d write", deref(t.ReadCapacityUnits), deref(t.WriteCapacityUnits))
}

func describedUnits(t *types.ProvisionedThroughputDescription) string {
	if t == nil {
		return "none"
	}
	return unitsText(&types.ProvisionedThroughput{ReadCapacityUnits: t.ReadCapacityUnits, WriteCapacityUnits: t.WriteCapacityUnits})
}

// onDemandText treats -1, which DynamoDB stores for no limit, as none.
func onDemandText(t *types.OnDemandThroughput) string {
	if t == nil {
		return "none"
	}
	side := func(n *int64) string {
		if n == nil || *n < 0 {
			return "none"
		}
		return strconv.FormatInt(aws.ToInt64(n), 10)
	}
	return side(t.MaxReadRequestUnits) + " read, " + side(t.MaxWriteRequestUnits) + " write"
}

func warmOf(d *types.TableWarmThroughputDescription) types.WarmThroughput {
	if d == nil {
		return types.WarmThroughput{}
	}
	return types.WarmThroughput{ReadUnitsPerSecond: d.ReadUnitsPerSecond, WriteUnitsPerSecond: d.WriteUnitsPerSecond}
}

func warmOfIndex(d *types.GlobalSecondaryIndexWarmThroughputDescription) types.WarmThroughput {
	if d == nil {
		return types.WarmThroughput{}
	}
	return types.WarmThroughput{ReadUnitsPerSecond: d.ReadUnitsPerSecond, WriteUnitsPerSecond: d.WriteUnitsPerSecond}
}

// checkWarm reports warm throughput lower than required: it grows with the traffic and never decreases.
func (c *comparison) checkWarm(index string, want *types.WarmThroughput, got types.WarmThroughput) {
	if deref(got.ReadUnitsPerSecond) >= deref(want.ReadUnitsPerSecond) && deref(got.WriteUnitsPerSecond) >= deref(want.WriteUnitsPerSecond) {
		return
	}
	text := func(w types.WarmThroughput) string {
		return fmt.Sprintf("%d read, %d write", deref(w.ReadUnitsPerSecond), deref(w.WriteUnitsPerSecond))
	}
	c.check(index, "warm throughput", "at least "+text(*want), text(got))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
