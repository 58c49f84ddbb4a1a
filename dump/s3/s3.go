// SPDX-License-Identifier: Apache-2.0

// Package s3 stores exports of package dump in an S3 bucket, or in any store that implements S3's protocol, and reads the exports
// that DynamoDB wrote there.
//
// It is a separate module, so that only programs that import it depend on the SDK's S3 client:
//
//	bucket, err := ddbs3.New(s3.NewFromConfig(cfg), "my-backups", ddbs3.Prefix("orders"))
//	if err != nil {
//		return err
//	}
//	report, err := dump.Export(ctx, table, bucket, dump.Name("monday"))
//
//	src, err := dump.Open(ctx, bucket, "monday")
//	err = dump.Verify(ctx, src)
//
// The role needs s3:GetObject, s3:PutObject and s3:DeleteObject on the objects, and s3:ListBucket on the bucket; to read, it
// needs only s3:GetObject and s3:ListBucket. s3:ListBucket is needed even without listing: without it, S3 responds with 403 for a
// missing object, and package dump has to detect missing objects.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/dump"
)

// Client has the methods of an S3 client that a bucket needs; [*s3.Client] implements it.
type Client interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Option is an option of [New].
type Option func(*Bucket)

// Prefix sets the prefix of the keys of the exports, such as "backups/orders". AWSDynamoDB is below it; it is the prefix that is
// also given to DynamoDB's own export. Trailing slashes are ignored. Without a prefix, AWSDynamoDB is at the top of the bucket.
func Prefix(prefix string) Option {
	return func(b *Bucket) { b.prefix = strings.TrimRight(prefix, "/") }
}

// Prepare changes each put before it is sent: storage class, encryption, tags. Do not use archive classes for exports: their
// objects must be restored before they can be read, and resuming an export reads _resume.json.
func Prepare(change func(*s3.PutObjectInput)) Option {
	return func(b *Bucket) { b.prepare = change }
}

// Bucket is a storage for package dump in one bucket. It is safe for concurrent use.
type Bucket struct {
	client  Client
	name    string
	prefix  string
	prepare func(*s3.PutObjectInput)
	failed  error // of New; every call returns it
}

var _ dump.Storage = (*Bucket)(nil)

// Format prints the name of the type for every verb, and nothing about the client.
func (b Bucket) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "s3.Bucket") }

// New returns a storage in an existing bucket. It sends nothing. Requests are retried by the client's retryer. Errors name the
// bucket and the key, and what to do if that is known.
func New(client Client, bucket string, opts ...Option) (*Bucket, error) {
	b := &Bucket{client: client, name: bucket, prepare: func(*s3.PutObjectInput) {}}
	var problems []error
	if client == nil {
		problems = append(problems, errors.New("dump/s3: the client is nil"))
	}
	if bucket == "" {
		problems = append(problems, errors.New("dump/s3: the bucket has no name"))
	}
	for _, opt := range opts {
		if opt == nil {
			problems = append(problems, errors.New("dump/s3: an option is nil"))
			continue
		}
		opt(b)
	}
	if b.prefix != "" && !fs.ValidPath(b.prefix) {
		problems = append(problems, errors.New("dump/s3: the prefix must be names with slashes between them, without one at the beginning, and none of them may be empty or dots"))
	}
	if b.prepare == nil {
		problems = append(problems, errors.New("dump/s3: the function of Prepare is nil"))
	}
	if problems != nil {
		b.failed = &ddb.InvalidError{Problems: problems}
	}
	return b, b.failed
}

// usable returns the error of New, or an error for a Bucket that New did not make.
func (b *Bucket) usable() error {
	switch {
	case b != nil && b.failed != nil:
		return b.failed
	case b == nil || b.client == nil:
		return &ddb.InvalidError{Problems: []error{errors.New("dump/s3: a Bucket that New did not make")}}
	}
	return nil
}

// key returns the key of an object.
func (b *Bucket) key(op, name string) (string, error) {
	if err := b.usable(); err != nil {
		return "", err
	}
	if !fs.ValidPath(name) || name == "." {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return b.below() + name, nil
}

// below returns the prefix of all keys.
func (b *Bucket) below() string {
	if b.prefix == "" {
		return ""
	}
	return b.prefix + "/"
}

// maxPut is the size of the largest object that one PutObject can store: 5 GB.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
const maxPut int64 = 5 << 30

// Write stores an object with one request, with a SHA-256 that S3 verifies. A request that fails stores nothing, and a reader
// sees either the whole old object or the whole new one. Data of more than 5 GB are rejected before anything is sent. The files
// of an export have the size of [dump.FileSize] plus at most a page of the scan, so only a larger FileSize reaches that limit.
//
// A put whose reply is lost is sent again with the same bytes. If Write then returns an error, the object may have been stored.
// In that case it is complete, and the next Write of the name replaces it. Two exports of the same name at the same time
// overwrite each other's objects; nothing prevents that.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
func (b *Bucket) Write(ctx context.Context, name string, data []byte) error {
	key, err := b.key("write", name)
	if err != nil {
		return err
	}
	if err := putable(int64(len(data))); err != nil {
		return b.wrap("PutObject", key, err)
	}
	in := &s3.PutObjectInput{
		Bucket: &b.name, Key: &key, Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data))),
		ContentType: aws.String("application/octet-stream"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	}
	b.prepare(in)
	_, err = b.client.PutObject(ctx, in)
	return b.wrap("PutObject", key, err)
}

func putable(size int64) error {
	if size > maxPut {
		return fmt.Errorf("%d bytes are more than the %d that one request can store; lower FileSize", size, maxPut)
	}
	return nil
}

// Remove removes an object. In a bucket with versioning, S3 keeps the older versions.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	key, err := b.key("remove", name)
	if err != nil {
		return err
	}
	_, err = b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
	if missing(err) {
		return nil
	}
	return b.wrap("DeleteObject", key, err)
}

// List returns the names of all objects that begin with a prefix, with one request for each thousand. Keys that end in a slash
// are left out: consoles store such empty objects to show a folder.
func (b *Bucket) List(ctx context.Context, prefix string) (names []string, err error) {
	if err := b.usable(); err != nil {
		return nil, err
	}
	below := b.below()
	in := &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: aws.String(below + prefix)}
	for {
		out, err := b.client.ListObjectsV2(ctx, in)
		if err != nil {
			return nil, b.wrap("ListObjectsV2", *in.Prefix, err)
		}
		for _, o := range out.Contents {
			if name, ok := strings.CutPrefix(aws.ToString(o.Key), below); ok && !strings.HasSuffix(name, "/") {
				names = append(names, name)
			}
		}
		if !aws.ToBool(out.IsTruncated) {
			return names, nil
		}
		if in.ContinuationToken = out.NextContinuationToken; aws.ToString(in.ContinuationToken) == "" {
			return nil, b.wrap("ListObjectsV2", *in.Prefix, errors.New("the listing is cut off without a token to go on with"))
		}
	}
}

// Open reads an object as a stream. If the connection breaks, or S3 closes it because a paced import reads slowly, Open
// reconnects at the same position, with the condition that the object has not changed. The context also applies to the reading.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/range-get-olap.html
func (b *Bucket) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	key, err := b.key("open", name)
	if err != nil {
		return nil, err
	}
	o := &object{ctx: ctx, bucket: b, key: key}
	if err := o.open(); err != nil {
		return nil, err
	}
	return o, nil
}
