package eventstore

// BucketUnit is the span of time that shares partitions of the index by time.
type BucketUnit string

// The units.
const (
	Month BucketUnit = "month"
	Day   BucketUnit = "day"
	Hour  BucketUnit = "hour"
)

func (s *Store) bucketOf(stream string, at, version int64) (bucket, sort string) { return "", "" }
