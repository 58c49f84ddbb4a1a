// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

var errChanged = errors.New("the object was replaced while it was read; read the export again from its beginning")

// advice is what to do about an error of S3, by its error code.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var advice = map[string]string{
	"AccessDenied":                 "the role needs s3:GetObject, s3:PutObject and s3:DeleteObject on the objects and s3:ListBucket on the bucket; without the last S3 denies access to missing objects too",
	"NoSuchBucket":                 "create the bucket, or correct its name",
	"PermanentRedirect":            "the bucket is in another region; make a client for that",
	"AuthorizationHeaderMalformed": "the bucket may be in another region; make a client for that",
	"InvalidObjectState":           "the object is archived; restore it first",
	"PreconditionFailed":           errChanged.Error(),
	"SlowDown":                     "S3 takes fewer requests at the moment; run the call again later, with fewer workers or larger files",
}

// code returns the error code of S3, or "".
func code(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	return ""
}

// missing reports whether an object does not exist. The response for a missing bucket is 404, too.
func missing(err error) bool {
	switch code(err) {
	case "NoSuchKey", "NotFound":
		return true
	case "NoSuchBucket":
		return false
	}
	e, ok := errors.AsType[*awshttp.ResponseError](err)
	return ok && e.HTTPStatusCode() == http.StatusNotFound
}

// wrap adds the operation, the bucket, the key and advice.
func (b *Bucket) wrap(op, key string, err error) error {
	if err == nil {
		return nil
	}
	if missing(err) {
		err = fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if what := advice[code(err)]; what != "" {
		err = fmt.Errorf("%w (%s)", err, what)
	}
	return fmt.Errorf("dump/s3: %s of %s in bucket %s: %w", op, key, b.name, err)
}
