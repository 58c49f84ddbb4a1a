// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"time"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/core"
)

// SDKTimes stores the times of the table's items, at any depth, in the form of the SDK's attributevalue, as if each had the
// tag option sdktime: RFC 3339 text with the offset of the time and without trailing zeros in its fraction, such as
// 2026-11-21T08:30:00.5+02:00. It is for tables that were written by the SDK or that other programs share, above all if a
// time is a key or is compared. Times with the option unixtime are not affected.
//
// That form does not sort, so conditions such as Between and Lt, sort keys and indexes find the wrong items unless all times
// are whole seconds in UTC. Without the option times are stored in a form that sorts, see [TimeField]; both forms can always
// be read.
//
// It applies to the item type T in the whole process: all tables of T need it, and New refuses it if a handle of T made a
// condition before the first table was described. The tag option sdktime does the same for one field.
func SDKTimes() TableOption { return core.SDKTimes{} }

// TimeText returns the text in which a time is stored by default, for expressions that are written by hand ([RawText],
// [Raw]) and for other programs: RFC 3339 in UTC with nine digits of the second, such as 2026-11-21T06:30:00.500000000Z.
// Such texts sort like the times, for the years 0 to 9999; times of other years are not stored.
func TimeText(t time.Time) string { return t.UTC().Format(codec.Sortable) }
