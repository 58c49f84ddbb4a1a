// SPDX-License-Identifier: Apache-2.0

package explorer_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/dynamotable/ddb/eventstore"
)

// layer is a store on top of tables: how it is created, and what its callers do.
type layer struct {
	options  func() []eventstore.Option // of an event store
	feed     bool                       // it has a feed, of one shard
	patient  bool                       // it resends until it knows the outcome
	create   func(t *testing.T, w *world, users []*user)
	begins   func(r *run, s start) // sets up the world before the callers of a schedule start
	verbs    func() []*verb
	programs func() []program
}

// model is the checker's knowledge of what a layer stores. Its methods are called with the lock of the run.
type model interface {
	// stored returns an immutable copy of the stored state.
	stored() fmt.Stringer
	// begin is called before a call of the layer.
	begin(c *call)
	// effect is called when the engine has applied a request of a call.
	effect(c *call)
	// end is called when a call has returned.
	end(c *call)
	// finish is called when a schedule has ended.
	finish()
	// result returns the result that an error of the layer means.
	result(err error) result
}

// raw sends a request without the library and the network.
func (r *run) raw(op, body string, out any) {
	resp, err := r.engine.Do(rawRequest(op, `{"TableName":"`+tableName+`","ConsistentRead":true,`+body+`}`))
	if err == nil {
		err = json.NewDecoder(resp.Body).Decode(out)
	}
	if err != nil {
		panic(err)
	}
}

// rawItem reads an item whose sort key is given in wire form.
func (r *run) rawItem(partition, sort string) wireItem {
	var out struct{ Item wireItem }
	r.raw("GetItem", fmt.Sprintf(`"Key":{"pk":{"S":%q},"sk":{%s}}`, partition, sort), &out)
	return out.Item
}

func (r *run) item(partition string, sort int64) wireItem {
	return r.rawItem(partition, fmt.Sprintf(`"N":"%d"`, sort))
}

// binary returns a binary attribute.
func binary(item wireItem, name string) (b []byte) {
	b, err := base64.StdEncoding.DecodeString(item[name].B)
	if err != nil {
		panic(err)
	}
	return b
}
