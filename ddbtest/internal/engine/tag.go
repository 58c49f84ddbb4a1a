// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// TagList is a list of tags in wire format.
type TagList struct {
	Tags []Tag
}

// TagResource sets tags of the table with an ARN.
func (e *Engine) TagResource(_ context.Context, arn *string, tags []Tag) error {
	var c constraints
	c.resource(arn)
	c.required("tags", tags != nil)
	if err := c.err(); err != nil {
		return err
	}
	if len(tags) == 0 {
		return invalid("Atleast one Tag needs to be provided as Input.")
	}
	if err := checkTags(tags); err != nil {
		return err
	}
	t, err := e.resource("TagResource", *arn)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := maps.Clone(t.settings.tags)
	for _, tag := range tags {
		next[*tag.Key] = *tag.Value
	}
	if len(next) > maxTags {
		return errTooManyTags
	}
	t.settings.tags = next
	return nil
}

// UntagResource removes tags of the table with an ARN.
func (e *Engine) UntagResource(_ context.Context, arn *string, keys []string) error {
	var c constraints
	c.resource(arn)
	c.required("tagKeys", keys != nil)
	if err := c.err(); err != nil {
		return err
	}
	if len(keys) == 0 {
		return invalid("Atleast one Tag Key needs to be provided as Input.")
	}
	for _, key := range keys {
		if err := checkTagKey(key); err != nil {
			return err
		}
	}
	if len(keys) > maxTags {
		return errTooManyTags
	}
	t, err := e.resource("UntagResource", *arn)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		delete(t.settings.tags, key)
	}
	return nil
}

// ListTagsOfResource lists the tags of the table with an ARN, in the order of
// their keys.
func (e *Engine) ListTagsOfResource(_ context.Context, arn *string) (*TagList, error) {
	var c constraints
	c.resource(arn)
	if err := c.err(); err != nil {
		return nil, err
	}
	t, err := e.resource("ListTagsOfResource", *arn)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &TagList{Tags: []Tag{}}
	for _, key := range slices.Sorted(maps.Keys(t.settings.tags)) {
		tagged := t.settings.tags[key]
		out.Tags = append(out.Tags, Tag{Key: &key, Value: &tagged})
	}
	return out, nil
}

// checkTags validates the tags of a request.
func checkTags(tags []Tag) error {
	seen := make(map[string]bool, len(tags))
	for _, tag := range tags {
		if tag.Key == nil {
			return invalid("The Tag Key provided is invalid, Key: null")
		}
		key := *tag.Key
		if err := checkTagKey(key); err != nil {
			return err
		}
		switch {
		case tag.Value == nil:
			return invalid("The Tag Value provided is invalid, Value: null")
		case utf8.RuneCountInString(*tag.Value) > maxTagValue, !tagCharacters.MatchString(*tag.Value):
			return invalid("The Tag Value provided is invalid, Value: %s", *tag.Value)
		case seen[key]:
			return invalid("Duplicate Tag Keys provided as input: Duplicate Tag Key found %s", key)
		}
		seen[key] = true
	}
	if len(tags) > maxTags {
		return errTooManyTags
	}
	return nil
}

// checkTagKey validates the key of a tag to set or remove.
func checkTagKey(key string) error {
	switch {
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return invalid("Tag Key cannot be prefixed with aws:, Key: %s", key)
	case key == "", utf8.RuneCountInString(key) > maxTagKey, !tagCharacters.MatchString(key):
		return invalid("The Tag Key provided is invalid, Key: %s", key)
	}
	return nil
}

// tagCharacters are the characters of keys and values: letters, spaces and numbers of all scripts, and a few signs.
//
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-106, 372)
var tagCharacters = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// Limits of tags in characters.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

var errTooManyTags = invalid("Number of Tags exceed the current limit for the provided ResourceArn")

func (c *constraints) resource(arn *string) {
	if c.required("resourceArn", arn != nil) {
		c.length("resourceArn", *arn, 1, 1283)
	}
}

// resource returns the table with an ARN, for an operation on it.
func (e *Engine) resource(operation, arn string) (*Table, error) {
	region, account, resource, err := resourceParts(arn)
	switch {
	case err != nil:
		return nil, err
	case region != e.region:
		return nil, invalid("Invalid TableArn: Invalid ResourceArn provided as input %s", arn)
	case account != e.account:
		return nil, e.denied(operation, arn)
	}
	t := e.lookup(strings.TrimPrefix(resource, "table/"))
	if t == nil || t.arn != arn {
		return nil, &Error{Type: ResourceNotFoundException, Message: "Requested resource not found: ResourceArn: " + arn + " not found"}
	}
	return t, nil
}

// resourceParts splits the ARN of a table or a stream.
func resourceParts(arn string) (region, account, resource string, err error) {
	if !strings.HasPrefix(arn, "arn:") {
		return "", "", "", invalidParameter("ARNs must start with 'arn:': %s", arn)
	}
	parts := strings.SplitN(arn, ":", 6)
	switch {
	case len(parts) != 6 || parts[2] != "dynamodb" || strings.Contains(parts[5], "/backup/"):
		return "", "", "", invalidParameter("Provided Arn is not a DynamoDB resource arn: %s", arn)
	case !strings.HasPrefix(parts[5], "table/") || strings.Contains(parts[5], "/index/"):
		return "", "", "", invalidParameter("Invalid resource arn provided, only table or stream is accepted. Provided resource arn: %s", arn)
	}
	return parts[3], parts[4], parts[5], nil
}

// denied returns the answer to an operation on a resource of another account, which would have to allow it by a policy.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (e *Engine) denied(operation, arn string) error {
	return &Error{
		Type: AccessDeniedException,
		Message: "User: arn:aws:iam::" + e.account + ":root is not authorized to perform: dynamodb:" + operation + " on resource: " + arn +
			" because no resource-based policy allows the dynamodb:" + operation + " action",
	}
}
