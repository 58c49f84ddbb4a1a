// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

type object = map[string]any

// Random programs of operations on one table have the same answers, step by step.
func TestPrograms(t *testing.T) {
	p := newPair(t)
	var tables atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		g := &program{T: t, table: "program-" + strconv.FormatInt(tables.Add(1), 10)}
		g.both(p, "CreateTable", programTable(g.table))
		operations := []func(*pair){
			g.put, g.put, g.put, g.update, g.update, g.update, g.remove, g.get,
			g.query, g.query, g.scan, g.batchWrite, g.batchGet, g.transactWrite, g.transactGet,
		}
		for range rapid.IntRange(5, 25).Draw(t, "steps") {
			rapid.SampledFrom(operations).Draw(t, "operation")(p)
		}
		g.step(p, "Scan", object{"TableName": g.table})
		g.both(p, "DeleteTable", object{"TableName": g.table})
	})
}

func programTable(name string) object {
	key := func(hash, sort string) []object {
		return []object{{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}}
	}
	def := func(name, kind string) object { return object{"AttributeName": name, "AttributeType": kind} }
	return object{
		"TableName": name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": key("p", "s"),
		"AttributeDefinitions": []object{def("p", "S"), def("s", "N"), def("g", "S"), def("h", "N"), def("r", "B")},
		"GlobalSecondaryIndexes": []object{
			{"IndexName": "global", "KeySchema": key("g", "h"), "Projection": object{"ProjectionType": "ALL"}},
			{"IndexName": "keys", "KeySchema": key("g", "s"), "Projection": object{"ProjectionType": "KEYS_ONLY"}},
		},
		"LocalSecondaryIndexes": []object{{
			"IndexName": "local", "KeySchema": key("p", "r"),
			"Projection": object{"ProjectionType": "INCLUDE", "NonKeyAttributes": []string{"x"}},
		}},
	}
}

// program draws the parameters of requests.
type program struct {
	*rapid.T

	table string
}

// both sends a request to both engines.
func (g *program) both(p *pair, operation string, in object) (body string, ours, theirs answer) {
	g.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		g.Fatal(err)
	}
	ours, theirs = p.ask(g, operation, string(text))
	return string(text), wordless(ours), wordless(theirs)
}

// step sends a request to both engines and fails if the replies differ.
func (g *program) step(p *pair, operation string, in object) answer {
	g.Helper()
	body, ours, theirs := g.both(p, operation, in)
	if diff := described(operation, body, ours, theirs); diff != "" {
		g.Fatal(diff)
	}
	return ours
}

func (g *program) pick(of ...string) string { return rapid.SampledFrom(of).Draw(g.T, "pick") }

func (g *program) chance(n int) bool { return rapid.IntRange(1, n).Draw(g.T, "chance") == 1 }

func (g *program) key() object {
	return object{"p": object{"S": g.pick("a", "b")}, "s": object{"N": g.pick("1", "2", "-3", "10", "2.5")}}
}

// value draws an attribute value of any kind.
func (g *program) value() object {
	switch g.pick("S", "N", "B", "SS", "NS", "BOOL", "NULL", "L", "M") {
	case "S":
		return object{"S": g.pick("", "a", "b", "ba", strings.Repeat("long", 300))}
	case "N":
		return object{"N": g.number()}
	case "B":
		return object{"B": g.pick("", "YQ==", "YWI=")}
	case "SS":
		return object{"SS": []string{g.pick("a", "b"), g.pick("c", "d")}}
	case "NS":
		return object{"NS": []string{g.pick("1", "2.0"), g.pick("3", "-4")}}
	case "BOOL":
		return object{"BOOL": g.chance(2)}
	case "L":
		return object{"L": []object{{"N": g.number()}, {"S": g.pick("a", "b")}}}
	case "M":
		return object{"M": object{"a": object{"N": g.number()}}}
	default:
		return object{"NULL": true}
	}
}

func (g *program) number() string {
	return g.pick("0", "1", "-1", "2.50", "1e3", "0.001", "99999999999999999999999999999999999999", "1E-130", "9.9e125")
}

func (g *program) item() object {
	item := g.key()
	for _, name := range []string{"x", "y", "z"} {
		if g.chance(2) {
			item[name] = g.value()
		}
	}
	if g.chance(2) {
		item["g"] = object{"S": g.pick("k", "l")}
	}
	if g.chance(2) {
		item["h"] = object{"N": g.pick("1", "2", "3")}
	}
	if g.chance(3) {
		item["r"] = object{"B": g.pick("YQ==", "YWI=")}
	}
	return item
}

// expressions adds an expression with a text and the values that it names.
func (g *program) expression(in object, parameter, text string) {
	in[parameter] = text
	values, _ := in["ExpressionAttributeValues"].(object)
	if values == nil {
		values = object{}
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,()=<>+-", r) }) {
		if !strings.HasPrefix(word, ":") || values[word] != nil {
			continue
		}
		switch word[1] {
		case 'n':
			values[word] = object{"N": g.number()}
		case 's':
			values[word] = object{"SS": []string{g.pick("a", "b"), g.pick("c", "d")}}
		case 'l':
			values[word] = object{"L": []object{g.value()}}
		case 't':
			values[word] = object{"S": g.pick("S", "N", "L", "NULL")}
		case 'g':
			values[word] = object{"S": g.pick("k", "l")}
		case 'h':
			values[word] = object{"N": g.pick("1", "2", "3")}
		case 'w':
			values[word] = object{"S": g.pick("a", "b")}
		default:
			values[word] = g.value()
		}
	}
	if len(values) > 0 {
		in["ExpressionAttributeValues"] = values
	}
}

func (g *program) condition() string {
	one := func() string {
		name := g.pick("x", "y", "z", "x.a", "y[0]", "absent", "h")
		return fmt.Sprintf(g.pick("%s = :v1", "%s <> :v2", "%s < :n1", "%s >= :w1", "attribute_exists(%s)", "attribute_not_exists(%s)",
			"attribute_type(%s, :t1)", "begins_with(%s, :w1)", "contains(%s, :w1)", "contains(%s, :v3)", "size(%s) > :n2",
			"%s IN (:v1, :n1, :w1)", "%s BETWEEN :n3 AND :n3", "NOT %s = :v1"), name)
	}
	switch g.pick("one", "and", "or", "both") {
	case "and":
		return one() + " AND " + one()
	case "or":
		return one() + " OR " + one()
	case "both":
		return "(" + one() + " OR " + one() + ") AND NOT " + one()
	default:
		return one()
	}
}

func (g *program) options(in object) {
	in["ReturnConsumedCapacity"] = g.pick("INDEXES", "TOTAL", "NONE")
	in["ReturnItemCollectionMetrics"] = g.pick("SIZE", "NONE")
}

func (g *program) put(p *pair) {
	in := object{"TableName": g.table, "Item": g.item(), "ReturnValues": g.pick("ALL_OLD", "NONE", "NONE", "ALL_NEW")}
	if g.chance(3) {
		g.expression(in, "ConditionExpression", g.condition())
		in["ReturnValuesOnConditionCheckFailure"] = g.pick("ALL_OLD", "NONE")
	}
	g.options(in)
	g.step(p, "PutItem", in)
}

func (g *program) change() string {
	// The path of a missing nested attribute is an error only of the service.
	return g.pick(
		"SET x = :v1", "SET x = :v1, y = :v2", "SET x = x + :n1", "SET x = :n1 - :n2", "SET y = if_not_exists(y, :v1)",
		"SET y = list_append(y, :l1)", "SET y = list_append(:l1, :l2)", "SET z = x",
		"SET g = :g1", "SET g = :v1", "SET h = :h1, g = :g1", "REMOVE g", "REMOVE x, y", "REMOVE absent",
		"ADD x :n1", "ADD z :s1", "ADD absent :n1", "DELETE z :s1", "DELETE absent :s1", "SET x = :v1 REMOVE y ADD z :n1",
		"SET s = :n1", "SET x = :v1, x = :v2", "SET x", "ADD x :v1", "DELETE x :v1", "SET x = if_not_exists(x, :n1) + :n2",
	)
}

// update changes an item. The second engine creates an item when attributes
// are removed from a missing one (github.com/scylladb/scylladb/issues/5862), and its ALL_OLD of a new item is the key,
// so these requests are made on existing items.
func (g *program) update(p *pair) {
	text, returned := g.change(), g.pick("ALL_OLD", "NONE", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")
	in := object{"TableName": g.table, "Key": g.key(), "ReturnValues": returned}
	if returned == "ALL_OLD" || strings.HasPrefix(text, "REMOVE") || strings.HasPrefix(text, "DELETE") {
		item := g.item()
		in["Key"] = object{"p": item["p"], "s": item["s"]}
		g.step(p, "PutItem", object{"TableName": g.table, "Item": item})
	}
	g.expression(in, "UpdateExpression", text)
	if text != "SET s = :n1" && g.chance(4) { // which it checks after the condition
		g.expression(in, "ConditionExpression", g.condition())
	}
	g.options(in)
	g.step(p, "UpdateItem", in)
}

func (g *program) remove(p *pair) {
	in := object{"TableName": g.table, "Key": g.key(), "ReturnValues": g.pick("ALL_OLD", "NONE")}
	if g.chance(3) {
		g.expression(in, "ConditionExpression", g.condition())
	}
	g.options(in)
	g.step(p, "DeleteItem", in)
}

func (g *program) projection(in object) {
	if g.chance(3) {
		in["ProjectionExpression"] = g.pick("x", "p, x, y", "x.a, y[0]", "absent", "x, x.a", "y[1], y[0]")
	}
}

func (g *program) get(p *pair) {
	in := object{"TableName": g.table, "Key": g.key(), "ConsistentRead": g.chance(2), "ReturnConsumedCapacity": g.pick("INDEXES", "TOTAL")}
	g.projection(in)
	g.step(p, "GetItem", in)
}

// query reads up to ten pages of one partition.
func (g *program) query(p *pair) {
	in := object{"TableName": g.table, "ScanIndexForward": g.chance(2), "ReturnConsumedCapacity": g.pick("INDEXES", "TOTAL")}
	switch g.pick("table", "global", "keys", "local") {
	case "table":
		g.expression(in, "KeyConditionExpression", "p = :w1"+g.pick("", " AND s > :h1", " AND s BETWEEN :h1 AND :h1", " AND s <= :n1"))
	case "global":
		in["IndexName"] = "global"
		g.expression(in, "KeyConditionExpression", "g = :g1"+g.pick("", " AND h = :h1", " AND h < :h1"))
	case "keys":
		in["IndexName"] = "keys"
		g.expression(in, "KeyConditionExpression", "g = :g1")
	case "local":
		in["IndexName"] = "local"
		g.expression(in, "KeyConditionExpression", "p = :w1")
		in["ConsistentRead"] = g.chance(2)
	}
	if in["IndexName"] == nil || in["IndexName"] == "global" {
		g.projection(in)
	}
	if in["IndexName"] != "keys" && in["IndexName"] != "local" && g.chance(3) {
		g.expression(in, "FilterExpression", g.condition())
	}
	if g.chance(2) {
		in["Limit"] = rapid.IntRange(1, 3).Draw(g.T, "limit")
	}
	if in["IndexName"] != "local" && g.chance(5) { // an empty fetch from the table is not free in the second engine
		in["Select"] = g.pick("COUNT", "ALL_ATTRIBUTES", "SPECIFIC_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES")
	}
	for range 10 {
		body, _ := g.step(p, "Query", in).Body.(object)
		if body["LastEvaluatedKey"] == nil {
			return
		}
		in["ExclusiveStartKey"] = body["LastEvaluatedKey"]
	}
}

func (g *program) scan(p *pair) {
	in := object{"TableName": g.table, "ConsistentRead": g.chance(2), "ReturnConsumedCapacity": g.pick("INDEXES", "TOTAL")}
	if g.chance(2) {
		in["IndexName"] = g.pick("global", "keys", "local")
	}
	if (in["IndexName"] == nil || in["IndexName"] == "global") && g.chance(2) {
		g.expression(in, "FilterExpression", g.condition())
	}
	g.step(p, "Scan", in)
}

func (g *program) batchWrite(p *pair) {
	var writes []object
	for range rapid.IntRange(1, 4).Draw(g.T, "writes") {
		if g.chance(3) {
			writes = append(writes, object{"DeleteRequest": object{"Key": g.key()}})
		} else {
			writes = append(writes, object{"PutRequest": object{"Item": g.item()}})
		}
	}
	in := object{"RequestItems": object{g.table: writes}}
	g.options(in)
	g.step(p, "BatchWriteItem", in)
}

func (g *program) batchGet(p *pair) {
	var keys []object
	for range rapid.IntRange(1, 4).Draw(g.T, "keys") {
		keys = append(keys, g.key())
	}
	of := object{"Keys": keys, "ConsistentRead": g.chance(2)}
	g.projection(of)
	g.step(p, "BatchGetItem", object{"RequestItems": object{g.table: of}, "ReturnConsumedCapacity": "INDEXES"})
}

func (g *program) transactWrite(p *pair) {
	var actions []object
	for range rapid.IntRange(1, 4).Draw(g.T, "actions") {
		a := object{"TableName": g.table}
		kind := g.pick("Put", "Update", "Delete", "ConditionCheck")
		switch kind {
		case "Put":
			a["Item"] = g.item()
		case "Update":
			a["Key"] = g.key()
			g.expression(a, "UpdateExpression", g.pick("SET x = :v1", "SET g = :g1", "ADD x :n1", "SET x = x + :n1"))
		default:
			a["Key"] = g.key()
		}
		if kind == "ConditionCheck" || g.chance(3) {
			g.expression(a, "ConditionExpression", g.condition())
			a["ReturnValuesOnConditionCheckFailure"] = g.pick("ALL_OLD", "NONE")
		}
		actions = append(actions, object{kind: a})
	}
	in := object{"TransactItems": actions}
	g.options(in)
	g.step(p, "TransactWriteItems", in)
}

func (g *program) transactGet(p *pair) {
	var gets []object
	for range rapid.IntRange(1, 4).Draw(g.T, "gets") {
		gets = append(gets, object{"Get": object{"TableName": g.table, "Key": g.key()}})
	}
	g.step(p, "TransactGetItems", object{"TransactItems": gets, "ReturnConsumedCapacity": "INDEXES"})
}
