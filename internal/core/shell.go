// SPDX-License-Identifier: Apache-2.0

package core

// The shells above the core take their own types of options and tables. These functions bring them to the core.

// PartOf returns the table of a ddb.TablePart, nil for nil.
func PartOf(table interface{ Part() *Table }) *Table {
	if table == nil {
		return nil
	}
	return table.Part()
}

// IndexOptions returns the functions of options, nil for an option that is nil.
func IndexOptions[O interface {
	ApplyIndex(*Table, *IndexInfo) error
}](opts []O) []IndexOption {
	all := make([]IndexOption, len(opts))
	for i, o := range opts {
		if any(o) != nil {
			all[i] = o.ApplyIndex
		}
	}
	return all
}

// ReadOptions returns what options of a read by key say.
func ReadOptions[O interface{ ConsistentOrProject(*ReadCall) }](opts []O) (r ReadCall) {
	for _, o := range opts {
		if any(o) != nil {
			o.ConsistentOrProject(&r)
		}
	}
	return r
}
