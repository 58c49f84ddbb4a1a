package engine

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// TagList is a list of tags in the form of the wire.
type TagList struct {
	Tags []Tag
}

// TagResource sets tags of the table with an ARN.
func (e *Engine) TagResource(_ context.Context, arn *string, tags []Tag) error {
	var c constraints
	c.resource(arn)
	if c.required("tags", tags != nil) {
		c.tags("tags", tags)
	}
	if err := c.err(); err != nil {
		return err
	}
	if len(tags) == 0 {
		return invalid("Atleast one Tag needs to be provided as Input.")
	}
	if err := checkTags(tags); err != nil {
		return err
	}
	t, err := e.resource(*arn)
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
		return &Error{Type: LimitExceededException, Message: "The number of tags exceeds the limit of 50 per resource"}
	}
	t.settings.tags = next
	return nil
}

// UntagResource removes tags of the table with an ARN.
func (e *Engine) UntagResource(_ context.Context, arn *string, keys []string) error {
	var c constraints
	c.resource(arn)
	if c.required("tagKeys", keys != nil) {
		for i, key := range keys {
			c.length(member("tagKeys", i), key, 1, 128)
		}
	}
	if err := c.err(); err != nil {
		return err
	}
	if len(keys) == 0 {
		return invalid("Atleast one Tag Key needs to be provided as Input.")
	}
	t, err := e.resource(*arn)
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
	t, err := e.resource(*arn)
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

func (c *constraints) resource(arn *string) {
	if c.required("resourceArn", arn != nil) {
		c.length("resourceArn", *arn, 1, 1283)
	}
}

// resource returns the table with an ARN.
func (e *Engine) resource(arn string) (*Table, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "dynamodb" || !strings.HasPrefix(parts[5], "table/") {
		return nil, invalid("Invalid TableArn: Invalid ResourceArn provided as input %s", arn)
	}
	t := e.lookup(strings.TrimPrefix(parts[5], "table/"))
	if t == nil || t.arn != arn {
		return nil, &Error{Type: ResourceNotFoundException, Message: "Requested resource not found: ResourcArn: " + arn + " not found"}
	}
	return t, nil
}
