// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/exprtext"
)

// RawValues encodes the values of raw expression text.
func RawValues(values map[string]any) (map[string]types.AttributeValue, error) {
	avs := make(map[string]types.AttributeValue, len(values))
	var errs []error
	for k, v := range values {
		if isTime(v) {
			errs = append(errs, fmt.Errorf("raw expression: value %s is a time, which is stored in several forms: give typeditem.TimeText(t), "+
				"or for an attribute with the tag option unixtime t.Unix(), with sdktime t.Format(time.RFC3339Nano)", k))
			continue
		}
		av, isValue := v.(types.AttributeValue)
		var err error
		if !isValue {
			av, err = attributevalue.Marshal(v)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("raw expression: value %s: %w", k, BuilderError(err)))
		}
		avs[k] = av
	}
	return avs, errors.Join(errs...)
}

// RawChanges returns the changes of the text of an update expression. If err or the text is wrong, it is one change that its user
// refuses.
func RawChanges(text string, names map[string]string, values map[string]types.AttributeValue, err error) []*Change {
	err = errors.Join(err, CheckRaw(text, slices.Collect(maps.Keys(names)), slices.Collect(maps.Keys(values))))
	actions, problem := exprtext.ReadUpdate(text, names, values)
	if err = errors.Join(err, problem); err != nil {
		return []*Change{{Err: err}}
	}
	list := make([]*Change, len(actions))
	for i, a := range actions {
		list[i] = &Change{Clause: a.Clause, Action: a.Action, Counts: a.Counts}
	}
	return list
}

// CheckRaw reports everything in expression text that DynamoDB would refuse: reserved words used as names, and placeholders
// that are used but not given, or given but not used.
func CheckRaw(text string, names, values []string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("raw expression: the text is empty")
	}
	scan := exprtext.ScanOf(text)
	var errs []error
	for _, w := range scan.Reserved {
		errs = append(errs, fmt.Errorf("raw expression: %s is a reserved word; write a placeholder such as #%s and give its name", w, w))
	}
	errs = append(errs, checkPlaceholders("name", "#", scan.Names, names)...)
	errs = append(errs, checkPlaceholders("value", ":", scan.Values, values)...)
	return errors.Join(errs...)
}

func checkPlaceholders(what, mark string, used, given []string) []error {
	var errs []error
	for _, p := range used {
		if !slices.Contains(given, p) {
			errs = append(errs, fmt.Errorf("raw expression: %s %s is used but not given", what, p))
		}
	}
	for _, p := range slices.Sorted(slices.Values(given)) {
		switch {
		case !strings.HasPrefix(p, mark):
			errs = append(errs, fmt.Errorf("raw expression: the placeholder of %s %q must begin with %s", what, p, mark))
		case !slices.Contains(used, p):
			errs = append(errs, fmt.Errorf("raw expression: %s %s is given but not used", what, p))
		}
	}
	return errs
}
