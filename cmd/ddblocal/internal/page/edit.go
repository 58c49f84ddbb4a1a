// SPDX-License-Identifier: Apache-2.0

package page

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// writeRequest is a PutItem, an UpdateItem or a DeleteItem.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
type writeRequest struct {
	TableName           string
	Key                 item   `json:",omitempty"`
	Item                item   `json:",omitempty"`
	UpdateExpression    string `json:",omitempty"`
	ConditionExpression string `json:",omitempty"`
	placeholders
	ReturnConsumedCapacity              string
	ReturnValuesOnConditionCheckFailure string `json:",omitempty"`
}

// The condition of a write compares at most mostConditions attributes in at most maxExpression bytes: an expression has at most
// 300 operators and 4 KB, and each comparison needs two operators. longestComparison is the length of the comparison for an
// attribute that did not exist, including the operator that joins it to the others.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	mostConditions    = 140
	maxExpression     = 4096
	longestComparison = len(" AND attribute_not_exists(#1234567890)")
)

// asRead returns the condition that attributes of an item are unchanged since they were read, so that a write cannot undo another
// one. If there are too many for a condition, only the first names are compared, and the note says so.
func asRead(r *placeholders, read item, names []string, order string) (condition, note string) {
	for n, name := range names {
		if n == mostConditions || len(condition)+longestComparison > maxExpression {
			return condition, fmt.Sprintf("The item has more attributes than a condition can hold: %d of them are compared, %s.", n, order)
		}
		if n > 0 {
			condition += " AND "
		}
		if raw, ok := read[name]; ok {
			condition += r.name(name) + " = " + r.value(raw)
		} else {
			condition += "attribute_not_exists(" + r.name(name) + ")"
		}
	}
	return condition, ""
}

// updateOf returns the request that changes an item from the state that was read to another one: it sets and removes only what
// differs, under the condition that these attributes are unchanged. What another program adds meanwhile is kept. The key is part
// of the condition: without it, an update would create an item again that was deleted meanwhile.
func updateOf(t *table, read, after item) (r *writeRequest, note string) {
	r = &writeRequest{TableName: t.TableName, Key: read.keyOf(t.key()), ReturnConsumedCapacity: "TOTAL", ReturnValuesOnConditionCheckFailure: "ALL_OLD"}
	var set, remove, changed []string
	for _, c := range changesOf(read, after) {
		changed = append(changed, c.Name)
		if c.Kind == "removed" {
			remove = append(remove, r.name(c.Name))
		} else {
			set = append(set, r.name(c.Name)+" = "+r.value(after[c.Name]))
		}
	}
	var clauses []string
	if len(set) > 0 {
		clauses = append(clauses, "SET "+strings.Join(set, ", "))
	}
	if len(remove) > 0 {
		clauses = append(clauses, "REMOVE "+strings.Join(remove, ", "))
	}
	r.UpdateExpression = strings.Join(clauses, " ")
	names := read.names(t.key())
	key, others := names[:len(r.Key)], names[len(r.Key):]
	same := slices.DeleteFunc(others, func(name string) bool { _, differs := slices.BinarySearch(changed, name); return differs })
	r.ConditionExpression, note = asRead(&r.placeholders, read, slices.Concat(key, changed, same), "first the key and what changes")
	return r, note
}

// createOf returns the request that stores an item, if no item with its key exists.
func createOf(t *table, after item) *writeRequest {
	r := &writeRequest{TableName: t.TableName, Item: after, ReturnConsumedCapacity: "TOTAL"}
	r.ConditionExpression = "attribute_not_exists(" + r.name(t.key().Partition[0].Name) + ")"
	return r
}

// deleteOf returns the request that deletes an item, if it is unchanged since it was read.
func deleteOf(t *table, read item) (r *writeRequest, note string) {
	r = &writeRequest{TableName: t.TableName, Key: read.keyOf(t.key()), ReturnConsumedCapacity: "TOTAL"}
	r.ConditionExpression, note = asRead(&r.placeholders, read, read.names(t.key()), "first the key")
	return r, note
}

// write sends a request and returns its cost.
func (p *Page) write(r *http.Request, operation string, request *writeRequest) (units float64, err error) {
	var reply struct {
		ConsumedCapacity struct{ CapacityUnits float64 }
	}
	err = p.call(r.Context(), operation, request, &reply)
	return reply.ConsumedCapacity.CapacityUnits, err
}

// editView is the content of the views that change an item.
type editView struct {
	Heading, Back string
	Review, Save  string // targets of the forms; an empty Save means that there is nothing to confirm
	SaveTitle     string
	Danger        bool
	Read, Text    string // the fields of the forms
	Editing       bool   // the text can be changed
	Since         []change
	Changes       []change
	Note          string
	Exchange      exchange
	Lines         int
}

// edited is the form of an edit.
type edited struct {
	read  item // nil for a new item
	after item
	text  string
}

func (p *Page) editView(t *table, e *edited) *editView {
	v := &editView{
		Heading: "New item", Back: t.link("items"), Review: t.link("review"), SaveTitle: "Store the item",
		Text: e.text, Editing: true, Lines: min(max(strings.Count(e.text, "\n")+3, 8), 30),
	}
	if e.read != nil {
		v.Heading, v.Back, v.SaveTitle = e.read.keyWords(t.key()), itemLink(t, e.read), "Save the changes"
		v.Read = e.read.compact()
	}
	return v
}

func (p *Page) showEdit(w http.ResponseWriter, r *http.Request, status int, t *table, content *editView, problems ...string) {
	p.show(w, r, status, "edit", t.view("-", content, problems...))
}

// writable reports whether forms are shown. If the page is read-only, it sends the response itself.
func (p *Page) writable(w http.ResponseWriter, r *http.Request) bool {
	if p.ReadOnly {
		p.fail(w, r, http.StatusForbidden, readOnlyText)
	}
	return !p.ReadOnly
}

const readOnlyText = "the page is read-only: ddblocal was started with -page-read-only"

// editItem shows the form for an existing item.
func (p *Page) editItem(w http.ResponseWriter, r *http.Request) {
	t, read, ok := p.readItem(w, r)
	if !ok {
		return
	}
	p.showEdit(w, r, http.StatusOK, t, p.editView(t, &edited{read: read, text: read.json(t.key())}))
}

// readItem reads the item of the parameter key for a form. If there is none, it sends the response itself.
func (p *Page) readItem(w http.ResponseWriter, r *http.Request) (*table, item, bool) {
	t, ok := p.describes(w, r)
	if !ok || !p.writable(w, r) {
		return nil, nil, false
	}
	key, ok := p.keyParam(w, r, t, r.URL.Query().Get("key"))
	if !ok {
		return nil, nil, false
	}
	read, _, err := p.get(r, t, key)
	switch {
	case err != nil:
		p.failCall(w, r, err)
	case read == nil:
		p.fail(w, r, http.StatusNotFound, "there is no item with this key")
	default:
		return t, read, true
	}
	return nil, nil, false
}

// newItem shows the form for a new item.
func (p *Page) newItem(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok || !p.writable(w, r) {
		return
	}
	empty := make(item)
	for _, a := range t.key().all() {
		empty[a.Name] = json.RawMessage(`{"` + a.Type + `":""}`)
	}
	p.showEdit(w, r, http.StatusOK, t, p.editView(t, &edited{text: empty.json(t.key())}))
}

// readForm returns the item for which a form was made.
func readForm(r *http.Request, t *table) (read item, problems []string) {
	read, problems = parseItem(r.PostForm.Get("read"))
	if problems = append(problems, keyProblems(t, read)...); len(problems) > 0 {
		problems = append([]string{"the form does not say which item was read; load it again"}, problems...)
	}
	return read, problems
}

// editForm reads the form of an edit; problems are shown to the person who wrote it.
func editForm(r *http.Request, t *table) (e *edited, problems []string) {
	e = &edited{text: strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n")} // forms send \r\n
	if r.PostForm.Get("read") != "" {
		read, problems := readForm(r, t)
		if len(problems) > 0 {
			return e, problems
		}
		e.read = read
	}
	after, problems := parseItem(e.text)
	if len(problems) > 0 {
		return e, problems
	}
	e.after = after
	problems = keyProblems(t, after)
	if e.read != nil && len(problems) == 0 && canonicalItem(e.read.keyOf(t.key())) != canonicalItem(after.keyOf(t.key())) {
		problems = append(problems, "the key of an item cannot change; make a new item, and delete this one")
	}
	return e, problems
}

func canonicalItem(i item) string { return canonical(json.RawMessage(i.compact())) }

// edited reads the table and the form of an edit. If something is wrong, it sends the response itself.
func (p *Page) edited(w http.ResponseWriter, r *http.Request) (*table, *edited, bool) {
	t, ok := p.describes(w, r)
	if !ok || !p.checkForm(w, r) {
		return nil, nil, false
	}
	e, problems := editForm(r, t)
	if len(problems) > 0 {
		p.showEdit(w, r, http.StatusBadRequest, t, p.editView(t, e), problems...)
		return nil, nil, false
	}
	return t, e, true
}

// review shows what a form would change, and the request that makes the change.
func (p *Page) review(w http.ResponseWriter, r *http.Request) {
	t, e, ok := p.edited(w, r)
	if !ok {
		return
	}
	if e.read != nil {
		now, _, err := p.get(r, t, e.read.keyOf(t.key()))
		if err != nil {
			p.failCall(w, r, err)
			return
		}
		if len(changesOf(e.read, now)) > 0 {
			p.changedSince(w, r, t, e, now)
			return
		}
	}
	p.showReview(w, r, t, e)
}

func (p *Page) showReview(w http.ResponseWriter, r *http.Request, t *table, e *edited) {
	v := p.editView(t, e)
	v.Changes = changesOf(e.read, e.after)
	if len(v.Changes) == 0 {
		p.showEdit(w, r, http.StatusOK, t, v, "nothing is different from what was read")
		return
	}
	p.plan(r, t, v, e)
	p.showEdit(w, r, http.StatusOK, t, v)
}

// plan adds the request of an edit, and the form that sends it.
func (p *Page) plan(r *http.Request, t *table, v *editView, e *edited) {
	operation, request, note := requestOf(t, e)
	v.Note, v.Save = note, t.link("save")
	v.Exchange = p.exchange(r, operation, request)
	v.Exchange.Planned = true
}

func requestOf(t *table, e *edited) (operation string, request *writeRequest, note string) {
	if e.read == nil {
		return "PutItem", createOf(t, e.after), ""
	}
	request, note = updateOf(t, e.read, e.after)
	return "UpdateItem", request, note
}

// changedSince responds to an edit of an item that has changed since it was read: it shows what has changed, and the edit again,
// applied to the current item.
func (p *Page) changedSince(w http.ResponseWriter, r *http.Request, t *table, e *edited, now item) {
	if now == nil {
		p.fail(w, r, http.StatusConflict, "the item was deleted since it was read; nothing was saved", "what you wrote:\n"+e.text)
		return
	}
	merged, both := maps.Clone(now), []string{}
	since := changesOf(e.read, now)
	for _, c := range changesOf(e.read, e.after) {
		if slices.ContainsFunc(since, func(s change) bool { return s.Name == c.Name }) && canonical(e.after[c.Name]) != canonical(now[c.Name]) {
			both = append(both, strconv.Quote(c.Name))
		}
		if c.Kind == "removed" {
			delete(merged, c.Name)
		} else {
			merged[c.Name] = e.after[c.Name]
		}
	}
	again := &edited{read: now, after: merged, text: merged.json(t.key())}
	v := p.editView(t, again)
	v.Since, v.Changes = since, changesOf(now, merged)
	if len(v.Changes) > 0 {
		p.plan(r, t, v, again)
	}
	problems := []string{"the item was changed since it was read, so nothing was saved; below are your changes to the item as it is now"}
	if len(both) > 0 {
		problems = append(problems, "both changes are about "+strings.Join(both, ", ")+": saving would undo the other")
	}
	p.showEdit(w, r, http.StatusConflict, t, v, problems...)
}

// save stores what was reviewed.
func (p *Page) save(w http.ResponseWriter, r *http.Request) {
	t, e, ok := p.edited(w, r)
	if !ok {
		return
	}
	if e.read != nil && len(changesOf(e.read, e.after)) == 0 {
		p.showReview(w, r, t, e)
		return
	}
	operation, request, _ := requestOf(t, e)
	units, err := p.write(r, operation, request)
	switch {
	case isKind(err, "ConditionalCheckFailedException") && e.read == nil:
		p.showEdit(w, r, http.StatusConflict, t, p.editView(t, e), "there is an item with this key already; nothing was saved")
	case isKind(err, "ConditionalCheckFailedException"):
		now, _, err := p.get(r, t, e.read.keyOf(t.key()))
		if err != nil {
			p.failCall(w, r, err)
			return
		}
		p.changedSince(w, r, t, e, now)
	case err != nil:
		p.showEdit(w, r, http.StatusBadRequest, t, p.editView(t, e), err.Error())
	default:
		key := e.after.keyOf(t.key())
		p.redirect(w, r, []string{"tables", t.TableName, "item"}, "key", key.compact(), "done", "saved", "spent", unitsParam(units))
	}
}

func unitsParam(units float64) string { return strconv.FormatFloat(units, 'f', -1, 64) }

// redirect responds to a successful form with a redirect to the view that shows the result. It makes the link itself, so the link
// is always below Path.
func (p *Page) redirect(w http.ResponseWriter, r *http.Request, elements []string, params ...string) {
	http.Redirect(w, r, link(elements, params...), http.StatusSeeOther)
}

// confirmDelete shows the item that will be deleted.
func (p *Page) confirmDelete(w http.ResponseWriter, r *http.Request) {
	t, read, ok := p.readItem(w, r)
	if !ok {
		return
	}
	p.showDelete(w, r, http.StatusOK, t, read, nil)
}

func (p *Page) showDelete(w http.ResponseWriter, r *http.Request, status int, t *table, read item, since []change, problems ...string) {
	v := p.editView(t, &edited{read: read})
	v.Editing, v.Since, v.Changes, v.Danger = false, since, changesOf(read, nil), true
	v.Save, v.SaveTitle = t.link("delete"), "Delete the item"
	request, note := deleteOf(t, read)
	v.Note, v.Exchange = note, p.exchange(r, "DeleteItem", request)
	v.Exchange.Planned = true
	p.showEdit(w, r, status, t, v, problems...)
}

// deleteItem deletes an item if it is unchanged since it was read.
func (p *Page) deleteItem(w http.ResponseWriter, r *http.Request) {
	t, ok := p.describes(w, r)
	if !ok || !p.checkForm(w, r) {
		return
	}
	read, problems := readForm(r, t)
	if len(problems) > 0 {
		p.fail(w, r, http.StatusBadRequest, problems...)
		return
	}
	request, _ := deleteOf(t, read)
	units, err := p.write(r, "DeleteItem", request)
	switch {
	case isKind(err, "ConditionalCheckFailedException"):
		now, _, err := p.get(r, t, read.keyOf(t.key()))
		switch {
		case err != nil:
			p.failCall(w, r, err)
		case now == nil:
			p.fail(w, r, http.StatusConflict, "the item was deleted already")
		default:
			p.showDelete(w, r, http.StatusConflict, t, now, changesOf(read, now), "the item was changed since it was read; it was not deleted")
		}
	case err != nil:
		p.failCall(w, r, err)
	default:
		p.redirect(w, r, []string{"tables", t.TableName, "items"}, "done", "deleted", "spent", unitsParam(units))
	}
}
