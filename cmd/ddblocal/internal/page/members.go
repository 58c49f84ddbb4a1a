// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// memberRow is an item of the table in the view of an index.
type memberRow struct {
	Key, Link string
	Cells     []cell   // the attributes of the index's key
	Why       []string // why it is not in the index; empty if it is
}

// membersView is the content of the view that shows which items are in an index.
type membersView struct {
	Index, Key string
	Columns    []string
	Rows       []memberRow
	In, Read   int64
	OnlyOut    bool
	All, Out   string // links
	Next       string
	Exchange   exchange
}

// The maximum sizes of key attributes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxPartitionBytes = 2048
	maxSortBytes      = 1024
)

// showMembers reads a table and shows which of its items are in an index, and why the others are not.
func (p *Page) showMembers(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok {
		return
	}
	name, q := r.PathValue("index"), r.URL.Query()
	content := &membersView{Index: name, OnlyOut: q.Get("only") == "out"}
	var why func(i item) []string
	if x, _, ok := t.find(name); ok {
		keys := t.keySet(x.KeySchema)
		content.Key = keyText(keys)
		for _, a := range keys.all() {
			content.Columns = append(content.Columns, a.Name)
		}
		why = func(i item) []string { return outOfIndex(keys, i) }
	} else if n := slices.IndexFunc(t.VectorIndexes, func(x vectorIndex) bool { return x.IndexName == name }); n >= 0 {
		x := t.VectorIndexes[n]
		content.Key = fmt.Sprintf("%s, %d dimensions", x.VectorAttribute.AttributeName, x.Dimensions)
		content.Columns = []string{x.VectorAttribute.AttributeName}
		for _, e := range x.SearchSchema {
			content.Columns = append(content.Columns, e.AttributeName)
		}
		why = func(i item) []string { return outOfVectorIndex(&x, t, i) }
	} else {
		p.fail(w, r, http.StatusNotFound, fmt.Sprintf("the table has no index %q", name))
		return
	}
	request := &readRequest{TableName: t.TableName, Limit: 100, ReturnConsumedCapacity: "TOTAL"}
	if content.OnlyOut {
		request.Limit = filteredLimit
	}
	reply, sent, ok := p.scan(w, r, t, request)
	if !ok {
		return
	}
	content.Exchange = sent
	for _, i := range reply.Items {
		row := memberRow{Key: i.keyWords(t.key()), Link: itemLink(t, i), Cells: i.cells(content.Columns), Why: why(i)}
		content.Read++
		if len(row.Why) == 0 {
			content.In++
		}
		if len(row.Why) > 0 || !content.OnlyOut {
			content.Rows = append(content.Rows, row)
		}
	}
	content.All, content.Out = t.membersLink(name), t.membersLink(name, "only", "out")
	if len(reply.LastEvaluatedKey) > 0 {
		content.Next = t.membersLink(name, "only", q.Get("only"), "after", reply.LastEvaluatedKey.compact())
	}
	p.show(w, r, http.StatusOK, "members", t.view("-", content))
}

// outOfIndex returns why an item is not in an index. An item is in an index if it has all attributes of the index's key, with the
// defined types. A write with another type is rejected, but items that are older than the index can have it.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-indexes-general-sparse-indexes.html
func outOfIndex(k keySet, i item) (why []string) {
	for n, a := range k.all() {
		raw, ok := i[a.Name]
		most := maxPartitionBytes
		if n >= len(k.Partition) {
			most = maxSortBytes
		}
		switch v := typeOf(raw); {
		case !ok:
			why = append(why, a.Name+" is absent")
		case v.Type != a.Type:
			why = append(why, a.Name+" has the type "+v.Type+", the index takes "+a.Type)
		case keyBytes(v) == 0:
			why = append(why, a.Name+" is empty")
		case keyBytes(v) > most:
			why = append(why, fmt.Sprintf("%s has %s bytes, a key at most %s", a.Name, grouped(int64(keyBytes(v))), grouped(int64(most))))
		}
	}
	return why
}

// keyBytes returns the size of a value of a key; a number always fits.
func keyBytes(v typed) int {
	switch v.Type {
	case "S":
		return len(v.text())
	case "B":
		data, _ := base64.StdEncoding.DecodeString(v.text()) // it comes from the engine
		return len(data)
	}
	return 1
}

// outOfVectorIndex is outOfIndex for a vector index. It requires a list with as many numbers as the index has dimensions, and the
// attributes that restrict every search.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
func outOfVectorIndex(x *vectorIndex, t *table, i item) (why []string) {
	name := x.VectorAttribute.AttributeName
	raw, ok := i[name]
	v := typeOf(raw)
	var elements []json.RawMessage
	switch {
	case !ok:
		why = append(why, name+" is absent")
	case v.Type != "L":
		why = append(why, name+" has the type "+v.Type+", the index takes a list of numbers")
	default:
		_ = json.Unmarshal(v.Raw, &elements) // it comes from the engine
		if int64(len(elements)) != x.Dimensions {
			why = append(why, fmt.Sprintf("%s has %d elements, the index takes %d", name, len(elements), x.Dimensions))
		} else if n := slices.IndexFunc(elements, func(e json.RawMessage) bool { return !fits32(typeOf(e)) }); n >= 0 {
			why = append(why, fmt.Sprintf("%s[%d] is not a 32-bit number", name, n))
		}
	}
	for _, e := range x.SearchSchema {
		raw, ok := i[e.AttributeName]
		defined := t.defined(e.AttributeName)
		switch v := typeOf(raw); {
		case !ok && e.SearchSchemaElementType == "HASH":
			why = append(why, e.AttributeName+" is absent")
		case ok && defined != "" && v.Type != defined:
			why = append(why, e.AttributeName+" has the type "+v.Type+", the index takes "+defined)
		case ok && e.SearchSchemaElementType == "HASH" && keyBytes(v) == 0:
			why = append(why, e.AttributeName+" is empty")
		}
	}
	return why
}

func fits32(v typed) bool {
	_, err := strconv.ParseFloat(v.text(), 32)
	return v.Type == "N" && err == nil
}
