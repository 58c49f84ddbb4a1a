// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/objectstore"
)

// Exports and imports end when the state delay is over, as changes of tables do.
const (
	statusInProgress = "IN_PROGRESS"
	statusCompleted  = "COMPLETED"
	statusFailed     = "FAILED"

	// transferTokenLife is how long a client token of an export or an import is remembered after its end.
	//
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
	transferTokenLife = 8 * time.Hour
	// transferLife is how long exports and imports are listed and described.
	//
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListExports.html
	transferLife = 90 * 24 * time.Hour

	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html#limits-import-export
	maxExports         = 300 // at a time
	maxImports         = 50
	maxImportObjects   = 50_000
	maxListedTransfers = 25
)

// transfers are the exports and imports of an engine.
type transfers struct {
	mu      sync.Mutex // held while one of them is made, too
	exports []*export
	imports []*importJob
	tokens  map[transferToken]tokenUse
}

// transferToken is a client token of an operation.
type transferToken struct{ operation, token string }

// tokenUse is the request for which a client token was used, and its result.
type tokenUse struct {
	request string // its parameters
	arn     string
	ended   time.Time
}

// known returns the ARN of the export or import for which a token was used. If the parameters differ from the first use, it returns the exception. The caller holds mu.
func (ts *transfers) known(id transferToken, request any, exception string, now time.Time) (arn string, err error) {
	use, known := ts.tokens[id]
	if !known || now.Sub(use.ended) >= transferTokenLife {
		return "", nil
	}
	if use.request != fingerprintOf(request) {
		return "", &Error{Type: exception, Message: "The client token was used for a request with other parameters"}
	}
	return use.arn, nil
}

// use records the request for which a token is used. The caller holds mu.
func (ts *transfers) use(id transferToken, request any, arn string, ended time.Time) {
	if id.token == "" {
		return
	}
	if ts.tokens == nil {
		ts.tokens = make(map[transferToken]tokenUse)
	}
	ts.tokens[id] = tokenUse{fingerprintOf(request), arn, ended}
}

func fingerprintOf(request any) string {
	text, _ := json.Marshal(request) //nolint:errchkjson // text, numbers, times and JSON that was checked
	return string(text)
}

// catchUp completes exports and forgets what is too old.
func (ts *transfers) catchUp(now time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, x := range ts.exports {
		x.complete(now)
	}
	ts.exports = slices.DeleteFunc(ts.exports, func(x *export) bool { return now.Sub(x.end) >= transferLife })
	ts.imports = slices.DeleteFunc(ts.imports, func(j *importJob) bool { return now.Sub(j.end) >= transferLife })
	for id, use := range ts.tokens {
		if now.Sub(use.ended) >= transferTokenLife {
			delete(ts.tokens, id)
		}
	}
}

// transferID makes the name of an export or import: the time in milliseconds, and what makes it unique.
func transferID(now time.Time) string {
	var unique [4]byte
	_, _ = rand.Read(unique[:]) // never fails
	return fmt.Sprintf("%014d-%s", now.UnixMilli(), hex.EncodeToString(unique[:]))
}

// transferFailure is why an export or import has failed, in S3's words where there are some.
//
// https://github.com/getmoto/moto (tests/test_dynamodb/test_dynamodb_export_table.py) has code and text from the service.
type transferFailure struct{ code, message string }

func failureOf(err error) *transferFailure {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, objectstore.ErrMissing):
		return &transferFailure{"S3NoSuchBucket", err.Error()}
	case errors.Is(err, fs.ErrPermission):
		return &transferFailure{"S3AccessDenied", "Access Denied"}
	default:
		return &transferFailure{"InternalServerError", err.Error()}
	}
}

// haveBuckets is the error of an engine that has no folder of buckets.
func (e *Engine) haveBuckets(operation string) error {
	if e.buckets == "" {
		return invalid("%s needs a bucket, and this engine has none: make it with ddbtest.WithBuckets, or start ddblocal with -buckets", operation)
	}
	return nil
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$`)
	ownerName  = regexp.MustCompile(`^[0-9]{12}$`)
	tokenText  = regexp.MustCompile(`^[^\$]+$`)
)

// matches fails if s is not of a pattern.
func (c *constraints) matches(path string, s *string, re *regexp.Regexp) {
	if s != nil && !re.MatchString(*s) {
		c.fail(path, *s, false, "Member must satisfy regular expression pattern: "+strings.Trim(re.String(), "^$"))
	}
}

// source checks what names a bucket and a prefix in it.
func (c *constraints) source(path string, name, owner, prefix *string) {
	if c.required(path+"s3Bucket", name != nil) {
		c.length(path+"s3Bucket", *name, 0, 255)
		c.matches(path+"s3Bucket", name, bucketName)
	}
	c.matches(path+"s3BucketOwner", owner, ownerName)
	if prefix != nil {
		c.length(path+"s3Prefix", *prefix, 0, 1024)
	}
}

// ListJobsInput holds the parameters of ListExports and ListImports, which call the last of them differently.
type ListJobsInput struct {
	TableArn   *string
	NextToken  *string
	MaxResults *int64 // PageSize of ListImports
}

func (in *ListJobsInput) constraints(limit string) error {
	var c constraints
	if in.TableArn != nil {
		c.length("tableArn", *in.TableArn, 1, 1024)
	}
	c.atLeast(limit, in.MaxResults, 1)
	c.atMost(limit, in.MaxResults, maxListedTransfers)
	return c.err()
}

// page returns a page of the ARNs, in the order of the list, and the token of the next.
func (in *ListJobsInput) page(arns []string) (page []string, next string, err error) {
	slices.Sort(arns)
	slices.Reverse(arns)
	after, err := base64.RawURLEncoding.DecodeString(text(in.NextToken))
	if err != nil {
		return nil, "", invalid("Invalid NextToken")
	}
	arns = slices.DeleteFunc(arns, func(arn string) bool { return len(after) > 0 && arn >= string(after) })
	limit := maxListedTransfers
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	if len(arns) > limit {
		arns = arns[:limit]
		next = base64.RawURLEncoding.EncodeToString([]byte(arns[limit-1]))
	}
	return arns, next, nil
}

// describedArn checks the ARN of an export or import.
func describedArn(path string, arn *string) error {
	var c constraints
	if c.required(path, arn != nil) {
		c.length(path, *arn, 37, 1024)
	}
	return c.err()
}

// ofTable reports whether an ARN of an export or import is of a table; nil is every table.
func ofTable(arn string, table *string) bool {
	return table == nil || path.Dir(path.Dir(arn)) == *table
}
