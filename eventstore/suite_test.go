// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"slices"
	"strings"
	"testing"
	_ "time/tzdata" // the suite uses clocks of several time zones

	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/eventstore/eventstoretest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// someTimeFeeds are the time feeds that the short form tests: each unit and each zone, and both changes to daylight saving time.
var someTimeFeeds = []string{"month_UTC", "month_+14", "day_-11:30", "day_Europe/Berlin", "hour_America/New_York"}

// longFeatures are the tests that the short form takes with items only, not with frames too, which have tests of their own.
var longFeatures = []string{"TestSuite/Feed_filters/frames", "TestSuite/Read/frames", "TestSuite/Encrypt/frames"}

func TestSuite(t *testing.T) {
	eventstoretest.Run(t, func(t testing.TB, opts ...eventstore.Option) *eventstore.Store {
		t.Helper()
		if _, name, ok := strings.Cut(t.Name(), "/Time_feed/"); ok && !longtest.Enabled() && !slices.Contains(someTimeFeeds, name) {
			t.Skip("with -long only")
		}
		if !longtest.Enabled() && slices.Contains(longFeatures, t.Name()) {
			t.Skip("with -long only")
		}
		return newStore(t, opts...)
	})
}
