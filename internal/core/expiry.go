// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/replykey"
)

// oldestExpiry is the age beyond which DynamoDB regards a time to live as a mistake, and keeps the item.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
const oldestExpiry = 5 * 365 * 24 * time.Hour

// expiry recognises expired items at the time of one request.
type expiry struct {
	names    []string // of the attribute
	from, to int64
}

// over reports whether a number is the time of an expired item.
func (e *expiry) over(number string) bool {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return n >= e.from && n <= e.to
	}
	f, err := strconv.ParseFloat(number, 64)
	return err == nil && f >= float64(e.from) && f <= float64(e.to)
}

// hides reports whether the next item has expired.
func (e *expiry) hides(d *codec.Decoder) (bool, error) {
	if e == nil {
		return false, nil
	}
	var values [1][]byte
	if err := d.Lookahead(e.names, values[:]); err != nil {
		return false, err
	}
	return e.wire(values[0]), nil
}

// wire is over for a value in wire form, which may be nil.
func (e *expiry) wire(value []byte) bool {
	if value == nil {
		return false
	}
	if v := replykey.ValueOf(value); v.Kind != 0 {
		return v.Kind == 'N' && (v.IsN && v.N >= e.from && v.N <= e.to || !v.IsN && e.over(string(v.Text)))
	}
	av, err := codec.ParseAttributeValue(value) // written in another form
	n, ok := av.(*types.AttributeValueMemberN)
	return err == nil && ok && e.over(n.Value)
}

// HideExpiredOption is the option ddb.HideExpired.
//
//go:noinline
func HideExpiredOption() TableOption {
	return TableOption(func(c *Table) error {
		c.hideExpired = true
		return nil
	})
}

func (c *Table) checkHideExpired() error {
	if c.hideExpired && c.ttl == nil {
		return errors.New("option HideExpired needs ddb.TTL with the attribute that holds the time")
	}
	return nil
}

// checkExpiryIndex refuses an index that lacks the time to live, so that expired items could not be recognised. A local
// index would cost a read for each item.
func (c *Table) checkExpiryIndex(x *IndexInfo) error {
	if !c.hideExpired || c.ttl == nil {
		return nil
	}
	name := c.ttl.Path()[0].Name
	if x.projection == types.ProjectionTypeAll || slices.Contains(x.key.names(), name) || slices.Contains(x.include, name) {
		return nil
	}
	return fmt.Errorf("index %s does not hold attribute %s, by which HideExpired recognises expired items: let it project the attribute", x.name, name)
}

// hides reports whether a read leaves out expired items; shown is true if the call wants them.
func (c *Table) hides(shown bool) bool { return c.hideExpired && !shown }

// expiryRange returns the first and the last Unix second that the time of an expired item can have.
func (c *Table) expiryRange() (from, to int64) {
	now := c.now()
	return now.Add(-oldestExpiry).Unix(), now.Unix()
}

// expiredNode returns the condition that a stored item has expired.
func (c *Table) expiredNode() expr.Node {
	from, to := c.expiryRange()
	return expr.Between{Operand: c.ttl.Path(), Low: expr.Value{AV: handle.NumberValue(from)}, High: expr.Value{AV: handle.NumberValue(to)}}
}

// absent returns the condition that there is no item with the key, or that it has expired.
func (c *Table) absent() expr.Node {
	none := c.keyCall("attribute_not_exists")
	if !c.hideExpired {
		return none
	}
	return expr.Any(none, c.expiredNode())
}

// isExpired reports whether a stored item has expired and is hidden.
func (c *Table) isExpired(item map[string]types.AttributeValue) bool {
	if !c.hideExpired {
		return false
	}
	n, ok := item[c.ttl.Path()[0].Name].(*types.AttributeValueMemberN)
	return ok && c.expiry(true).over(n.Value)
}

// expiry returns nil if nothing is hidden.
func (c *Table) expiry(hide bool) *expiry {
	if !hide {
		return nil
	}
	e := &expiry{names: []string{c.ttl.Path()[0].Name}}
	e.from, e.to = c.expiryRange()
	return e
}

// expiry returns the recognition of expired items for a read; nil if the read leaves out none.
func (r *Read) expiry() *expiry {
	c := r.hiding()
	if c == nil {
		return nil
	}
	return c.expiry(true)
}

// withExpiry adds the attribute of time to live to a projection.
func (c *Table) withExpiry(paths []expr.Path, hide bool) []expr.Path {
	if !hide || len(paths) == 0 {
		return paths
	}
	return addPath(paths, c.ttl.Path())
}

// IncludeExpired is the option ddb.IncludeExpired.
type IncludeExpired struct{}

// ConsistentOrProject makes it an option of reads by key.
func (IncludeExpired) ConsistentOrProject(r *ReadCall) { r.expired = true }

// ApplyRead makes it an option of queries and scans.
func (IncludeExpired) ApplyRead(r *Read) error {
	r.expired = true
	return nil
}
