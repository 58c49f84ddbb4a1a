// SPDX-License-Identifier: Apache-2.0

package core

import (
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
)

// NewRead returns a query for the partition key that pk points to.
func NewRead(x Index, pk any) *Read {
	r := newSpec(Read{Core: x.Core, Index: x.Info})
	if x.Core.Usable() != nil {
		return r // every call that runs it returns the error
	}
	schema := r.schema()
	avs, err := handle.EncodeKey(schema.partitionField, pk, maxIndexKey)
	if err != nil {
		r.errs = append(r.errs, err)
		return r
	}
	if x.Info == nil || !x.Info.global {
		if err := x.Core.checkPartition(avs[0]); err != nil {
			r.errs = append(r.errs, err)
		}
	}
	r.partition = avs
	r.key = expr.All(partitionNode(schema.partition, avs), r.prefixNode())
	return r
}

// NewScan returns a scan of a table or an index.
func NewScan(x Index) *Read { return newSpec(Read{Core: x.Core, Index: x.Info, scan: true}) }
