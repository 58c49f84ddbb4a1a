package engine

import (
	"context"
	"time"
)

// timeToLive is the TTL setting of a table.
type timeToLive struct {
	attribute string
	enabled   bool
	readyAt   time.Time // when ENABLING or DISABLING is over
}

// recovery is the backup setting of a table.
type recovery struct{}

var _ = context.Background
