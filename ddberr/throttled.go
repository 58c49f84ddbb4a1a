// SPDX-License-Identifier: Apache-2.0

package ddberr

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
)

// ThrottledError is the error of a call that was refused for lack of capacity after all retries. It matches [ErrThrottled].
type ThrottledError struct {
	// Reasons are DynamoDB's, such as TableReadKeyRangeThroughputExceeded: a hot key, for which more capacity does not help.
	Reasons []ThrottlingReason
	// Attempts is how often the SDK client sent the request; 0 if its retryer does not report it.
	Attempts int
	cause    error
}

// Throttled returns the error of a call that was throttled, with the service's error as its cause.
func Throttled(cause error, attempts int, reasons ...ThrottlingReason) *ThrottledError {
	return &ThrottledError{Reasons: reasons, Attempts: attempts, cause: cause}
}

// ThrottlingReason says which limit of which resource was exceeded; see
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing.html
type ThrottlingReason struct {
	Reason   string
	Resource string // ARN of the table or index
}

// HotKey reports whether a single partition is over its limit.
func (r ThrottlingReason) HotKey() bool { return strings.Contains(r.Reason, "KeyRange") }

// advice returns what to do about a reason other than a hot key.
func (r ThrottlingReason) advice() string {
	switch {
	case strings.Contains(r.Reason, "ProvisionedThroughput"):
		return "the provisioned units are used up: raise them, or bill on demand"
	case strings.Contains(r.Reason, "MaxOnDemand"):
		return "the maximum that was set for on-demand requests is reached: raise MaxOnDemand"
	case strings.Contains(r.Reason, "AccountLimit"):
		return "the account's quota for a table in this Region is reached: ask AWS for a higher one"
	}
	return ""
}

// Error lists the reasons, the number of attempts, and how to allow more.
func (e *ThrottledError) Error() string {
	var b strings.Builder
	b.WriteString("throttled: ")
	if len(e.Reasons) == 0 {
		b.WriteString(redact.Text(e.cause))
	}
	var advices []string
	for i, r := range e.Reasons {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(r.Reason)
		if r.HotKey() {
			b.WriteString(" (one partition is over its limit: spread the key, more capacity does not help)")
		} else if advice := r.advice(); advice != "" && !slices.Contains(advices, advice) {
			advices = append(advices, advice)
		}
	}
	for _, advice := range advices {
		b.WriteString("; " + advice)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, "; after %d attempts, which ddbclient.WithMaxAttempts, or the retryer of your own client, can raise", e.Attempts)
	} else if e.Attempts == 1 {
		b.WriteString("; after one attempt, to which ddbclient.WithMaxAttempts, or the retryer of your own client, can add more")
	}
	return b.String()
}

// Is makes the error match [ErrThrottled].
func (e *ThrottledError) Is(target error) bool { return target == ErrThrottled }

// Unwrap returns the service's error, redacted as by [Redact].
func (e *ThrottledError) Unwrap() error { return Redact(e.cause) }

// Format prints the text of Error for every verb.
func (e *ThrottledError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *ThrottledError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }
