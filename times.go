// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/dynamotable/ddb/internal/codec"
)

// SDKTimes stores the times of the table's items, and of all that is in them, in the form that the SDK's attributevalue gives them,
// as if each had the tag option sdktime: RFC 3339 text in the offset that the time has and without zeros at the end of its
// fraction, such as 2026-11-21T08:30:00.5+02:00. It is for tables that were written by the SDK or that other programs
// share, above all where a time is a key or is compared. Times with the option unixtime are not concerned.
//
// That form does not sort, so Between, Lt and their like, sort keys and indexes find the wrong items unless all times are whole
// seconds in UTC. Without the option times are stored in a form that sorts, see [TimeField]; both forms are read in any case.
//
// It holds for the item type T in the whole process: all tables of T need it, and a handle of T that makes a condition before
// the first table is described is refused by New. The sdktime tag option says the same of one field.
func SDKTimes() TableOption { return sdkTimes{} }

type sdkTimes struct{}

func (sdkTimes) applyTable(*core) error { return nil } // see declareTimes

// declareTimes fixes the form of times before anything else asks for the codec of the item type.
func declareTimes(t reflect.Type, opts []TableOption) error {
	keep := slices.Contains(opts, TableOption(sdkTimes{}))
	if codec.KeepSDKTimes(t, keep) {
		return nil
	}
	if keep {
		return fmt.Errorf("option SDKTimes: items of type %s are already in use with times that sort, in another table or in a condition that was made "+
			"before this table; give all tables of the type the option and make conditions after them, or use the tag option sdktime", t)
	}
	return fmt.Errorf("items of type %s keep their times in the form of the SDK in another table; give all tables of the type the option SDKTimes, or none", t)
}

// TimeText is the text in which a time is stored by default, for expressions that are written by hand ([RawText], [Raw]) and for
// programs without this library: RFC 3339 in UTC with nine digits of the second, such as 2026-11-21T06:30:00.500000000Z. Such
// texts sort as the times do, for the years 0 to 9999; the text of another year is not stored.
func TimeText(t time.Time) string { return t.UTC().Format(codec.Sortable) }

func isTime(v any) bool {
	switch v.(type) {
	case time.Time, *time.Time:
		return true
	}
	return false
}
