// SPDX-License-Identifier: Apache-2.0

// Package s3 stores payloads in an S3 bucket, or in any store with S3's protocol.
//
// It is a separate module, so that only its importers build the SDK's S3 client:
//
//	client := s3.NewFromConfig(cfg)
//	bucket, err := ddbs3.New(client, "my-payloads")
//	if err != nil {
//		return err
//	}
//	payloads, err := payload.New(bucket)
//	if err != nil {
//		return err
//	}
//
// The role needs s3:PutObject, s3:GetObject, s3:DeleteObject and, for sweeping, s3:ListBucket; without the last, S3
// answers 403 for a missing object.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/payload"
)

// Client is the part of an S3 client that a bucket needs; [*s3.Client] implements it.
type Client interface {
	PutObject(context.Context, *s3.PutObjectInput, ...func(*s3.Options)) (*s3.PutObjectOutput, error)
	GetObject(context.Context, *s3.GetObjectInput, ...func(*s3.Options)) (*s3.GetObjectOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
}

// Option is an option of [New].
type Option func(*Bucket)

// Unconditional puts objects without the condition that they do not exist yet, for stores that do not support
// If-None-Match. A repeat then writes the same bytes again, which changes nothing but the time of the object.
func Unconditional() Option { return func(b *Bucket) { b.unconditional = true } }

// Prepare changes each put before it is sent: storage class, encryption, tags.
func Prepare(change func(*s3.PutObjectInput)) Option {
	return func(b *Bucket) { b.prepare = change }
}

// Bucket is an object store for package payload in one bucket. It is safe for concurrent use.
type Bucket struct {
	client        Client
	name          string
	unconditional bool
	prepare       func(*s3.PutObjectInput)
	failed        error // of New; every method returns it
}

var _ payload.Objects = (*Bucket)(nil)

// Format prints only the type's name, for every verb.
func (b Bucket) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "s3.Bucket") }

// New describes an existing bucket. It sends nothing.
//
// A put is sent with If-None-Match, and with the SDK's retries. If the object exists
// already, for example after a lost reply, the put has succeeded: its name is the hash of its content.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
func New(client Client, bucket string, opts ...Option) (*Bucket, error) {
	if client == nil || bucket == "" {
		err := &ddb.InvalidError{Problems: []error{errors.New("payload/s3: the client is nil, or the bucket has no name")}}
		return &Bucket{failed: err}, err
	}
	b := &Bucket{client: client, name: bucket, prepare: func(*s3.PutObjectInput) {}}
	for _, opt := range opts {
		if opt != nil {
			opt(b)
		}
	}
	if b.prepare == nil {
		b.failed = &ddb.InvalidError{Problems: []error{errors.New("payload/s3: the function of Prepare is nil")}}
	}
	return b, b.failed
}

// usable returns the error of New, or an error for a Bucket that New did not make.
func (b *Bucket) usable() error {
	switch {
	case b != nil && b.failed != nil:
		return b.failed
	case b == nil || b.client == nil:
		return &ddb.InvalidError{Problems: []error{errors.New("payload/s3: a Bucket that New did not make")}}
	}
	return nil
}

// conflicts is how often a put that conflicts with another put of the same object is sent.
const conflicts = 5

// Put stores an object if there is none with the key.
func (b *Bucket) Put(ctx context.Context, key string, data []byte) error {
	if err := b.usable(); err != nil {
		return err
	}
	in := &s3.PutObjectInput{
		Bucket: &b.name, Key: &key, ContentLength: aws.Int64(int64(len(data))),
		ContentType: aws.String("application/octet-stream"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	}
	if !b.unconditional {
		in.IfNoneMatch = aws.String("*")
	}
	b.prepare(in)
	var err error
	for range conflicts {
		in.Body = bytes.NewReader(data)
		_, err = b.client.PutObject(ctx, in)
		switch status(err) {
		case http.StatusPreconditionFailed: // it is there
			return nil
		case http.StatusConflict: // another put of it is in progress
			continue
		case http.StatusNotImplemented: // the store does not support the condition
			if in.IfNoneMatch != nil {
				in.IfNoneMatch = nil
				continue
			}
		}
		break
	}
	return wrap("PutObject", b.name, err)
}

// Get returns an object.
func (b *Bucket) Get(ctx context.Context, key string, limit int64) ([]byte, error) {
	if err := b.usable(); err != nil {
		return nil, err
	}
	var data []byte
	var err error
	for range conflicts { // a body that is cut off is not retried by the SDK
		var out *s3.GetObjectOutput
		if out, err = b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.name, Key: &key, ChecksumMode: types.ChecksumModeEnabled}); err != nil {
			break
		}
		data, err = payload.ReadAtMost(out.Body, limit)
		if closed := out.Body.Close(); err == nil {
			err = closed
		}
		if err == nil || errors.Is(err, payload.ErrCorrupt) || ctx.Err() != nil {
			break
		}
	}
	if _, ok := errors.AsType[*types.NoSuchKey](err); ok || status(err) == http.StatusNotFound {
		err = fmt.Errorf("%w: %w", payload.ErrMissing, err)
	}
	if err != nil {
		return nil, wrap("GetObject", b.name, err)
	}
	return data, nil
}

// Delete removes an object.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := b.usable(); err != nil {
		return err
	}
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
	if status(err) == http.StatusNotFound {
		err = nil
	}
	return wrap("DeleteObject", b.name, err)
}

// List yields the objects whose keys begin with the prefix, page by page.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[payload.Object, error] {
	if err := b.usable(); err != nil {
		return func(yield func(payload.Object, error) bool) { yield(payload.Object{}, err) }
	}
	return func(yield func(payload.Object, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix}
		for {
			out, err := b.client.ListObjectsV2(ctx, in)
			if err != nil {
				yield(payload.Object{}, wrap("ListObjectsV2", b.name, err))
				return
			}
			for _, o := range out.Contents {
				if !yield(payload.Object{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), ModifiedAt: aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) {
				return
			}
			if in.ContinuationToken = out.NextContinuationToken; aws.ToString(in.ContinuationToken) == "" {
				yield(payload.Object{}, wrap("ListObjectsV2", b.name, errors.New("the listing is truncated but has no continuation token")))
				return
			}
		}
	}
}

// status returns the HTTP status of an error, 0 if it has none.
func status(err error) int {
	if re, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return re.HTTPStatusCode()
	}
	if ae, ok := errors.AsType[smithy.APIError](err); ok && ae.ErrorCode() == "PreconditionFailed" {
		return http.StatusPreconditionFailed
	}
	return 0
}

func wrap(op, bucket string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("payload/s3: %s %s: %w", op, bucket, err)
}
