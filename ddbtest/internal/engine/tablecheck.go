// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strconv"
	"strings"
)

// Limits of tables.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	maxLocalIndexes   = 5
	maxGlobalIndexes  = 20
	maxKeyAttributes  = 4 // of each kind in the key of a global index
	maxNonKeyPerIndex = 20
	maxCapacityUnits  = 1_000_000_000_000
)

// Value sets of enumerated members, in the service's order.
const (
	attributeTypeSet = "[B, N, S]"
	keyTypeSet       = "[HASH, RANGE]"
	projectionSet    = "[ALL, INCLUDE, KEYS_ONLY]"
	billingSet       = "[PROVISIONED, PAY_PER_REQUEST]"
	encryptionSet    = "[AES256, KMS]"
	streamViewSet    = "[OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]" // DDB-TABLE-457 of the quirks that createtable.go names
)

const onDemandMode = "PAY_PER_REQUEST"

// member returns the path of an element of a list, counted from 1.
func member(path string, i int) string { return path + "." + strconv.Itoa(i+1) + ".member" }

// list formats names as the service does.
func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

func definedNames(defs []AttributeDefinition) string {
	names := make([]string, len(defs))
	for i, d := range defs {
		names[i] = text(d.AttributeName)
	}
	return list(names)
}

// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-457) has the order.
func (c *constraints) attributeDefinitions(defs []AttributeDefinition) {
	for i, d := range defs {
		path := member("attributeDefinitions", i)
		if c.required(path+".attributeType", d.AttributeType != nil) {
			c.enum(path+".attributeType", d.AttributeType, attributeTypeSet)
		}
		if c.required(path+".attributeName", d.AttributeName != nil) {
			c.length(path+".attributeName", *d.AttributeName, 1, 255)
		}
	}
}

func (c *constraints) keySchema(path string, elements []KeySchemaElement, longest int) {
	switch {
	case len(elements) == 0:
		c.fail(path, "[]", false, "Member must have length greater than or equal to 1")
	case longest > 0 && len(elements) > longest:
		c.fail(path, printKeySchema(elements), false, "Member must have length less than or equal to "+strconv.Itoa(longest))
	}
	for i, k := range elements {
		at := member(path, i)
		if c.required(at+".attributeName", k.AttributeName != nil) {
			c.length(at+".attributeName", *k.AttributeName, 1, 255)
		}
		if c.required(at+".keyType", k.KeyType != nil) {
			c.enum(at+".keyType", k.KeyType, keyTypeSet)
		}
	}
}

func printKeySchema(elements []KeySchemaElement) string {
	parts := make([]string, len(elements))
	for i, k := range elements {
		parts[i] = "KeySchemaElement(attributeName=" + text(k.AttributeName) + ", keyType=" + text(k.KeyType) + ")"
	}
	return list(parts)
}

func (c *constraints) index(path string, x *SecondaryIndex, longestKey int) {
	c.presentName(path+".indexName", x.IndexName)
	if c.required(path+".keySchema", x.KeySchema != nil) {
		c.keySchema(path+".keySchema", x.KeySchema, longestKey)
	}
	if !c.required(path+".projection", x.Projection != nil) {
		return
	}
	c.enum(path+".projection.projectionType", x.Projection.ProjectionType, projectionSet)
	if names := x.Projection.NonKeyAttributes; names != nil {
		at := path + ".projection.nonKeyAttributes"
		switch {
		case len(names) == 0:
			c.fail(at, "[]", false, "Member must have length greater than or equal to 1")
		case len(names) > maxNonKeyPerIndex:
			c.fail(at, list(names), false, "Member must have length less than or equal to "+strconv.Itoa(maxNonKeyPerIndex))
		}
		for i, name := range names {
			c.length(member(at, i), name, 1, 255)
		}
	}
}

func (c *constraints) throughput(path string, p *ProvisionedThroughput) {
	if p == nil {
		return
	}
	if c.required(path+".writeCapacityUnits", p.WriteCapacityUnits != nil) {
		c.atLeast(path+".writeCapacityUnits", p.WriteCapacityUnits, 1)
	}
	if c.required(path+".readCapacityUnits", p.ReadCapacityUnits != nil) {
		c.atLeast(path+".readCapacityUnits", p.ReadCapacityUnits, 1)
	}
}

func (c *constraints) stream(s *StreamSpecification) {
	if s == nil {
		return
	}
	c.required("streamSpecification.streamEnabled", s.StreamEnabled != nil)
	c.enum("streamSpecification.streamViewType", s.StreamViewType, streamViewSet)
}

func (c *constraints) encryption(s *SSESpecification) {
	if s != nil {
		c.enum("sSESpecification.sSEType", s.SSEType, encryptionSet)
		if s.KMSMasterKeyID != nil {
			c.length("sSESpecification.kMSMasterKeyId", *s.KMSMasterKeyID, 1, 2048)
		}
	}
}

// checkBilling validates that throughput is given in provisioned mode and only then.
func checkBilling(onDemand bool, p *ProvisionedThroughput) error {
	if onDemand && p != nil {
		return invalidParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
	}
	if !onDemand && p == nil {
		return invalidParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	return nil
}

// checkBounds validates the size of provisioned throughput, of the table or of
// the index with a name.
func checkBounds(p *ProvisionedThroughput, index string) error {
	if p == nil {
		return nil
	}
	suffix := ""
	if index != "" {
		suffix = " for index " + index
	}
	if *p.ReadCapacityUnits > maxCapacityUnits {
		return invalid("Given value %d for ReadCapacityUnits is out of bounds%s", *p.ReadCapacityUnits, suffix)
	}
	if *p.WriteCapacityUnits > maxCapacityUnits {
		return invalid("Given value %d for WriteCapacityUnits is out of bounds%s", *p.WriteCapacityUnits, suffix)
	}
	return nil
}

// checkTableKey validates the key schema of a table: its definitions, then its kinds. A name that occurs twice counts as
// one without a definition.
//
// https://github.com/aws-cloudformation/cfn-lint/issues/1037 has the text for two attributes, DDB-TABLE-042 of
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks both for one, and dynoxide, which
// took the order from the service, that for names that occur twice.
func checkTableKey(key []KeySchemaElement, defs []AttributeDefinition) error {
	undefined := slices.ContainsFunc(key, func(k KeySchemaElement) bool { return !defined(text(k.AttributeName), defs) })
	switch {
	case undefined && len(key) == 1 && len(defs) > 0:
		return checkDefined(key, defs)
	case undefined, len(keyNames(nil, key)) < len(key):
		return invalid("Invalid KeySchema: Some index key attribute have no definition")
	}
	return checkPairKey(key)
}

// checkPairKey validates a key schema of a partition key and optionally a sort
// key.
func checkPairKey(key []KeySchemaElement) error {
	switch {
	case !is(key[0].KeyType, keyHash):
		return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case len(keyNames(nil, key)) < len(key):
		return invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	case len(key) > 1 && !is(key[1].KeyType, keyRange):
		return invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	}
	return nil
}

func defined(name string, defs []AttributeDefinition) bool {
	return slices.ContainsFunc(defs, func(d AttributeDefinition) bool { return text(d.AttributeName) == name })
}

// keyNames adds the names in a key schema to names, each once.
func keyNames(names []string, key []KeySchemaElement) []string {
	for _, k := range key {
		if name := text(k.AttributeName); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// checkDefined validates that the attributes of an index key are defined.
func checkDefined(key []KeySchemaElement, defs []AttributeDefinition) error {
	for _, k := range key {
		if !defined(text(k.AttributeName), defs) {
			return invalidParameter("Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s",
				list(keyNames(nil, key)), definedNames(defs))
		}
	}
	return nil
}

// checkGlobalIndex validates the key and the projection of a new global index.
func checkGlobalIndex(x *SecondaryIndex) error {
	if err := checkGlobalKey(x.KeySchema); err != nil {
		return err
	}
	return checkProjection(x.Projection)
}

// checkGlobalKey validates the key schema of a global index: up to four
// attributes of the partition key, then up to four of the sort key.
func checkGlobalKey(key []KeySchemaElement) error {
	if !is(key[0].KeyType, keyHash) {
		return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	}
	hashes, ranges := 0, 0
	for _, k := range key {
		switch {
		case is(k.KeyType, keyRange):
			ranges++
		case ranges > 0:
			return invalidParameter("All HASH key attributes must precede RANGE key attributes in the KeySchema")
		default:
			hashes++
		}
	}
	switch {
	case hashes > maxKeyAttributes:
		return invalidParameter("The KeySchema exceeds the maximum allowed number of HASH key attributes")
	case ranges > maxKeyAttributes:
		return invalidParameter("The KeySchema exceeds the maximum allowed number of RANGE key attributes")
	case len(keyNames(nil, key)) == len(key):
		return nil
	case hashes == 1 && ranges == 1:
		return invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	default:
		return invalid("The KeySchema contains multiple key attributes with the same name")
	}
}

func checkProjection(p *Projection) error {
	switch {
	case p.ProjectionType == nil:
		return invalidParameter("Unknown ProjectionType: null")
	case is(p.ProjectionType, projectInclude) && p.NonKeyAttributes == nil:
		return invalidParameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
	case !is(p.ProjectionType, projectInclude) && p.NonKeyAttributes != nil:
		return invalidParameter("ProjectionType is %s, but NonKeyAttributes is specified", *p.ProjectionType)
	}
	for i, name := range p.NonKeyAttributes {
		if slices.Contains(p.NonKeyAttributes[:i], name) {
			return invalidParameter("Duplicate element in NonKeyAttributes: %s", name)
		}
	}
	return nil
}

// checkCeiling validates the on-demand throughput of a table or the index with
// a name; -1 means no ceiling.
func checkCeiling(o *OnDemandThroughput, onDemand bool, index string) error {
	if o == nil {
		return nil
	}
	scope, suffix := "table", ""
	if index != "" {
		scope, suffix = "index : "+index, " for index : "+index
	}
	for _, m := range o.members() {
		switch {
		case m.units == nil:
		case !onDemand:
			return invalidParameter("%s for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED%s", m.name, suffix)
		case *m.units < 1 && *m.units != -1:
			return invalidParameter("Requested %s for OnDemandThroughput for %s is outside of valid range", m.name, scope)
		}
	}
	return nil
}

// checkNewCeiling validates the on-demand throughput of a new table, which has no ceiling to remove.
//
// Dynoxide has measured the text and -1 (https://github.com/nubo-db/dynoxide, CHANGELOG.md), and
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-throughput-billing.md) -1.
func checkNewCeiling(o *OnDemandThroughput, onDemand bool) error {
	if o == nil {
		return nil
	}
	for _, m := range o.members() {
		if m.units != nil && !onDemand {
			return invalidParameter("%s for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.", m.name)
		}
		if m.units != nil && *m.units < 1 {
			return invalidParameter("Requested %s for OnDemandThroughput for table is outside of valid range", m.name)
		}
	}
	return nil
}

// checkNewWarmth validates the warm throughput of a new table, or of a new index with a name: it must not be below the
// initial one.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-throughput-billing.md)
func checkNewWarmth(w *WarmThroughput, p *ProvisionedThroughput, index string) error {
	if w == nil {
		return nil
	}
	scope := "table"
	if index != "" {
		scope = "index " + index
	}
	initial := describeWarm(nil, newThroughput(p), "")
	for i, m := range w.members() {
		switch low := []int64{initial.ReadUnitsPerSecond, initial.WriteUnitsPerSecond}[i]; {
		case m.units == nil || *m.units >= low:
		case p == nil:
			return invalidParameter("Requested %s for WarmThroughput for %s is lower than initial throughput for OnDemand. "+
				"See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial", m.name, scope)
		default:
			return invalidParameter("Requested %s for WarmThroughput for %s is lower than %s of ProvisionedThroughput",
				m.name, scope, strings.Replace(m.name, "UnitsPerSecond", "CapacityUnits", 1))
		}
	}
	return nil
}

func checkTableClass(class *string) error {
	if class == nil || *class == standardClass || *class == "STANDARD_INFREQUENT_ACCESS" {
		return nil
	}
	return invalid("Invalid table-class parameter provided. Please try again with a valid table-class value: [STANDARD, STANDARD_INFREQUENT_ACCESS].")
}

const standardClass = "STANDARD"

func checkEncryption(s *SSESpecification) error {
	switch {
	case s == nil:
		return nil
	case s.Enabled != nil && !*s.Enabled && s.SSEType != nil:
		return invalidParameter("SSEType can not be specified if Enabled is false")
	case s.Enabled != nil && !*s.Enabled && s.KMSMasterKeyID != nil:
		return invalidParameter("KMSMasterKeyId can not be specified if Enabled is false")
	case is(s.SSEType, "AES256"):
		return invalidParameter("SSEType AES256 is not supported")
	case s.KMSMasterKeyID != nil && s.SSEType == nil:
		return invalidParameter("SSEType KMS is required if KMSMasterKeyId is specified")
	}
	return nil
}

func newThroughput(p *ProvisionedThroughput) throughput {
	if p == nil {
		return throughput{}
	}
	read, write := *p.ReadCapacityUnits, *p.WriteCapacityUnits
	return throughput{read: read, write: write, peakRead: read, peakWrite: write}
}
