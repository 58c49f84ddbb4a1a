package ddb

import "os"

// With DDB_TEST_CODEC=off the whole suite runs with items as attribute values, as with [ThroughSDK].
var _ = func() bool {
	defaultWire.Off = os.Getenv("DDB_TEST_CODEC") == "off"
	return defaultWire.Off
}()
