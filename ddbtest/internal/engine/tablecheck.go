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
	maxTags           = 50
)

// Value sets of enumerated members, in the service's order.
const (
	attributeTypeSet = "[B, N, S]"
	keyTypeSet       = "[HASH, RANGE]"
	projectionSet    = "[ALL, INCLUDE, KEYS_ONLY]"
	billingSet       = "[PROVISIONED, PAY_PER_REQUEST]"
	streamViewSet    = "[NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY]"
	tableClassSet    = "[STANDARD, STANDARD_INFREQUENT_ACCESS]"
)

const onDemandMode = "PAY_PER_REQUEST"

// member returns the path of an element of a list, counted from 1.
func member(path string, i int) string { return path + "." + strconv.Itoa(i+1) + ".member" }

// list prints names as the service does.
func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

func definedNames(defs []AttributeDefinition) string {
	names := make([]string, len(defs))
	for i, d := range defs {
		names[i] = text(d.AttributeName)
	}
	return list(names)
}

func (c *constraints) attributeDefinitions(defs []AttributeDefinition) {
	for i, d := range defs {
		path := member("attributeDefinitions", i)
		if c.required(path+".attributeName", d.AttributeName != nil) {
			c.length(path+".attributeName", *d.AttributeName, 1, 255)
		}
		if c.required(path+".attributeType", d.AttributeType != nil) {
			c.enum(path+".attributeType", d.AttributeType, attributeTypeSet)
		}
	}
}

func (c *constraints) keySchema(path string, elements []KeySchemaElement, longest int) {
	switch {
	case len(elements) == 0:
		c.fail(path, "[]", false, "Member must have length greater than or equal to 1")
	case len(elements) > longest:
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
	c.newName(path+".indexName", x.IndexName)
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

func (c *constraints) tags(path string, tags []Tag) {
	for i, tag := range tags {
		at := member(path, i)
		if c.required(at+".key", tag.Key != nil) {
			c.length(at+".key", *tag.Key, 1, 128)
		}
		if c.required(at+".value", tag.Value != nil) {
			c.length(at+".value", *tag.Value, 0, 256)
		}
	}
}

// checkBilling validates that throughput is given exactly in provisioned mode.
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

// checkTableKey validates the key schema of a table.
func checkTableKey(key []KeySchemaElement, defs []AttributeDefinition) error {
	if !is(key[0].KeyType, keyHash) {
		return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	}
	if len(key) > 1 {
		if !is(key[1].KeyType, keyRange) {
			return invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
		}
		if text(key[0].AttributeName) == text(key[1].AttributeName) {
			return invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
		}
	}
	for _, k := range key {
		if !defined(text(k.AttributeName), defs) {
			return invalid("Invalid KeySchema: Some index key attribute have no definition")
		}
	}
	return nil
}

func defined(name string, defs []AttributeDefinition) bool {
	return slices.ContainsFunc(defs, func(d AttributeDefinition) bool { return text(d.AttributeName) == name })
}

// checkIndexKey validates the key schema of an index: partition key attributes
// first, then sort key attributes, at most perKind of each.
func checkIndexKey(key []KeySchemaElement, defs []AttributeDefinition, perKind int) error {
	var names []string
	hashes, ranges := 0, 0
	for i, k := range key {
		name := text(k.AttributeName)
		switch {
		case i == 0 && !is(k.KeyType, keyHash):
			return invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
		case is(k.KeyType, keyHash) && ranges > 0:
			return invalid("Invalid KeySchema: All HASH key elements must precede the RANGE key elements")
		case is(k.KeyType, keyHash):
			hashes++
		default:
			ranges++
		}
		if perKind == 1 && i == 1 && !is(k.KeyType, keyRange) {
			return invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
		}
		if slices.Contains(names, name) {
			if len(key) == 2 {
				return invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
			}
			return invalid("Invalid KeySchema: The KeySchema contains the attribute %s more than once", name)
		}
		names = append(names, name)
	}
	if hashes > perKind || ranges > perKind {
		return invalid("Invalid KeySchema: An index key can have at most %d HASH and %d RANGE key elements", perKind, perKind)
	}
	for _, name := range names {
		if !defined(name, defs) {
			return invalidParameter("Some index key attributes are not defined in AttributeDefinitions. Keys: %s, AttributeDefinitions: %s", list(names), definedNames(defs))
		}
	}
	return nil
}

// checkGlobalIndex validates the definition of a new global index.
func checkGlobalIndex(x *SecondaryIndex, defs []AttributeDefinition, onDemand bool) error {
	if err := checkIndexKey(x.KeySchema, defs, maxKeyAttributes); err != nil {
		return err
	}
	if err := checkProjection(x.Projection); err != nil {
		return err
	}
	name := text(x.IndexName)
	if onDemand && x.ProvisionedThroughput != nil {
		return invalidParameter("ProvisionedThroughput should not be specified for index: %s when BillingMode is PAY_PER_REQUEST", name)
	}
	if !onDemand && x.ProvisionedThroughput == nil {
		return invalidParameter("ProvisionedThroughput is not specified for index: %s", name)
	}
	return checkBounds(x.ProvisionedThroughput, name)
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
	return nil
}

func checkStream(s *StreamSpecification) error {
	if s == nil {
		return nil
	}
	if *s.StreamEnabled && s.StreamViewType == nil {
		return invalidParameter("StreamViewType must be specified when StreamEnabled is true")
	}
	if !*s.StreamEnabled && s.StreamViewType != nil {
		return invalidParameter("StreamViewType must not be specified when StreamEnabled is false")
	}
	return nil
}

func checkTags(tags []Tag) error {
	if len(tags) > maxTags {
		return invalidParameter("Too many tags: the limit is %d", maxTags)
	}
	seen := make(map[string]bool)
	for _, tag := range tags {
		if strings.HasPrefix(strings.ToLower(text(tag.Key)), "aws:") {
			return invalid("One or more parameter values were not valid. The tag keys may not start with \"aws:\"")
		}
		if seen[text(tag.Key)] {
			return invalid("Duplicate tag key found: %s", text(tag.Key))
		}
		seen[text(tag.Key)] = true
	}
	return nil
}

func newThroughput(p *ProvisionedThroughput) throughput {
	if p == nil {
		return throughput{}
	}
	return throughput{read: *p.ReadCapacityUnits, write: *p.WriteCapacityUnits}
}
