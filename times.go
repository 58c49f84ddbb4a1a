// SPDX-License-Identifier: Apache-2.0

package ddb

import (
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
