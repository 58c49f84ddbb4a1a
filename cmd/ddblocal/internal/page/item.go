// SPDX-License-Identifier: Apache-2.0

package page

import (
	"net/http"
)

// getRequest is a GetItem.
type getRequest struct {
	TableName              string
	Key                    item
	ConsistentRead         bool
	ReturnConsumedCapacity string
}

// keyParam reads the key of an item from a URL or form. If it is not a key, it sends the response itself.
func (p *Page) keyParam(w http.ResponseWriter, r *http.Request, t *table, text string) (item, bool) {
	key, problems := parseItem(text)
	if len(problems) == 0 {
		problems = keyProblems(t, key)
	}
	if len(problems) > 0 {
		p.fail(w, r, http.StatusBadRequest, append([]string{"this is no key of " + t.TableName}, problems...)...)
		return nil, false
	}
	return key, true
}

// keyProblems returns what is wrong with the key attributes of an item.
func keyProblems(t *table, i item) (problems []string) {
	for _, a := range t.key().all() {
		raw, ok := i[a.Name]
		switch v := typeOf(raw); {
		case !ok:
			problems = append(problems, a.Name+": the attribute of the key is missing")
		case v.Type != a.Type:
			problems = append(problems, a.Name+": the attribute of the key has the type "+v.Type+", the table defines "+a.Type)
		case string(v.Raw) == `""`:
			problems = append(problems, a.Name+": the attribute of the key is empty")
		}
	}
	return problems
}

// getOf returns the request that reads an item, consistently.
func getOf(t *table, key item) getRequest { return getRequest{t.TableName, key, true, "TOTAL"} }

// get reads an item and returns the cost. The item is nil if it does not exist.
func (p *Page) get(r *http.Request, t *table, key item) (found item, units float64, err error) {
	var reply struct {
		Item             item
		ConsumedCapacity struct{ CapacityUnits float64 }
	}
	err = p.call(r.Context(), "GetItem", getOf(t, key), &reply)
	return reply.Item, reply.ConsumedCapacity.CapacityUnits, err
}

// attributeRow is an attribute of an item.
type attributeRow struct {
	Name, Type, Text, Stored string
	Key                      bool
}

// itemView is the content of the view of an item.
type itemView struct {
	Key          string
	Edit, Delete string
	Attributes   []attributeRow
	JSON         string
	Exchange     exchange
}

// showItem shows an item by its key.
func (p *Page) showItem(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok {
		return
	}
	key, ok := p.keyParam(w, r, t, r.URL.Query().Get("key"))
	if !ok {
		return
	}
	got, units, err := p.get(r, t, key)
	if err != nil {
		p.failCall(w, r, err)
		return
	}
	sent := p.exchange(r, "GetItem", getOf(t, key))
	sent.Units = units
	keys := t.key()
	var texts []string
	for _, a := range keys.all() {
		texts = append(texts, typeOf(key[a.Name]).text())
	}
	sent.Code, sent.CodeNote = getCode(t, texts)
	content := &itemView{
		Key: key.keyWords(keys), Exchange: sent,
		Edit: t.link("edit", "key", key.compact()), Delete: t.link("delete", "key", key.compact()),
	}
	v := t.view("-", content)
	if got == nil {
		v.Problems = []string{"there is no item with this key"}
		p.show(w, r, http.StatusNotFound, "item", v)
		return
	}
	content.JSON = got.json(keys)
	for _, name := range got.names(keys) {
		value := typeOf(got[name])
		content.Attributes = append(content.Attributes, attributeRow{
			Name: name, Type: value.Type, Text: value.text(), Stored: valueText(got[name]),
			Key: keys.has(name),
		})
	}
	p.show(w, r, http.StatusOK, "item", v)
}
