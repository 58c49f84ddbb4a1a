// SPDX-License-Identifier: Apache-2.0

package core

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/dynamotable/ddb/internal/codec"
)

type SDKTimes struct{}

// ApplyTable makes it a TableOption.
func (SDKTimes) ApplyTable(*Table) error { return nil } // see declareTimes

// declareTimes sets the form of times before anything else uses the codec of the item type.
func declareTimes(t reflect.Type, opts []AnyTableOption) error {
	keep := slices.Contains(opts, AnyTableOption(SDKTimes{}))
	if codec.KeepSDKTimes(t, keep) {
		return nil
	}
	if keep {
		return fmt.Errorf("option SDKTimes: items of type %s are already in use with times that sort, in another table or in a condition that was made "+
			"before this table; give all tables of the type the option and make conditions after them, or use the tag option sdktime", t)
	}
	return fmt.Errorf("items of type %s keep their times in the form of the SDK in another table; give all tables of the type the option SDKTimes, or none", t)
}
