// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"encoding/json"
	"fmt"
	"math"
)

// Range is an amount of capacity units between two bounds, both included. Max is infinite if there is no limit.
type Range struct{ Min, Max float64 }

// Contains reports whether an amount is in the range.
func (r Range) Contains(units float64) bool {
	const exact = 1e-9
	return units >= r.Min-exact && units <= r.Max+exact
}

// String returns the bounds, or one amount if they are the same.
func (r Range) String() string {
	if math.IsInf(r.Max, 1) {
		return fmt.Sprintf("%g or more", r.Min)
	}
	if r.Min == r.Max {
		return fmt.Sprintf("%g", r.Min)
	}
	return fmt.Sprintf("%g to %g", r.Min, r.Max)
}

// MarshalJSON returns Min and Max; an infinite Max is null.
func (r Range) MarshalJSON() ([]byte, error) {
	if math.IsInf(r.Max, 1) {
		return fmt.Appendf(nil, `{"Min":%g,"Max":null}`, r.Min), nil
	}
	type plain Range
	return json.Marshal(plain(r)) //nolint:musttag // the names of the fields are the names of the members
}

// Plus returns the sum of both.
func (r Range) Plus(o Range) Range { return Range{r.Min + o.Min, r.Max + o.Max} }

// Times returns f times the amount.
func (r Range) Times(f float64) Range { return Range{r.Min * f, r.Max * f} }

// Estimate is the expected cost of one request, or of a whole call, if it succeeds. DynamoDB may leave a part of a batch
// unprocessed, and bills only the rest: the lower bound of a request of a batch is the cost of the cheapest item.
type Estimate struct {
	Read, Write Range
	// Repeated is the cost of a write transaction in read units, instead of Write, if it was executed before: DynamoDB
	// bills a repeated token as a read of the items. The library repeats transactions whose reply was lost.
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
	Repeated Range
}

// Contains reports whether the actual cost of a request is within the estimate.
func (e Estimate) Contains(c Consumed) bool {
	if e.Repeated.Max > 0 && c.WriteUnits == 0 && c.ReadUnits > 0 {
		return e.Repeated.Contains(c.ReadUnits)
	}
	return e.Read.Contains(c.ReadUnits) && e.Write.Contains(c.WriteUnits)
}

// Plus returns the sum of both.
func (e Estimate) Plus(o Estimate) Estimate {
	return Estimate{Read: e.Read.Plus(o.Read), Write: e.Write.Plus(o.Write), Repeated: e.Repeated.Plus(o.Repeated)}
}

// IndexCost is the cost of a write on one index.
type IndexCost struct {
	Index string
	Write Range
}
