// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Settings that DescribeTable does not describe have separate operations. A client needs them only if an option uses them.
type (
	backupsClient interface {
		DescribeContinuousBackups(context.Context, *dynamodb.DescribeContinuousBackupsInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeContinuousBackupsOutput, error)
		UpdateContinuousBackups(context.Context, *dynamodb.UpdateContinuousBackupsInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateContinuousBackupsOutput, error)
	}
	insightsClient interface {
		DescribeContributorInsights(context.Context, *dynamodb.DescribeContributorInsightsInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeContributorInsightsOutput, error)
		UpdateContributorInsights(context.Context, *dynamodb.UpdateContributorInsightsInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateContributorInsightsOutput, error)
	}
	policyClient interface {
		GetResourcePolicy(context.Context, *dynamodb.GetResourcePolicyInput, ...func(*dynamodb.Options)) (*dynamodb.GetResourcePolicyOutput, error)
	}
)

// CheckClient returns the error of [New], or an error for a nil client and for options that need methods that the client
// lacks, in addition to those of [Client].
func (s *Spec) CheckClient(client Client) error { return s.usable(client) }

// lacking returns errors for the options that the client does not support.
func (s *Spec) lacking(client Client) []error {
	var lacking []error
	lacks := func(option, methods string) {
		lacking = append(lacking, fmt.Errorf("option %s: the client (%T) lacks %s", option, client, methods))
	}
	if _, ok := client.(backupsClient); s.recovery != nil && !ok {
		lacks("PointInTimeRecovery", "DescribeContinuousBackups and UpdateContinuousBackups")
	}
	if _, ok := client.(insightsClient); s.insights && !ok {
		lacks("ContributorInsights", "DescribeContributorInsights and UpdateContributorInsights")
	}
	if _, ok := client.(policyClient); s.policy != "" && !ok {
		lacks("ResourcePolicy", "GetResourcePolicy")
	}
	return lacking
}

// liveSettings are the table's values of the settings in the options.
type liveSettings struct {
	arn      string
	days     int32 // of point-in-time recovery; 0 means off
	insights bool
	policy   string
	tags     map[string]string
}

// settings reads only the settings in the options, for a table that was described.
func (s *Spec) settings(ctx context.Context, client Client, table *types.TableDescription) (liveSettings, error) {
	live := liveSettings{arn: deref(table.TableArn)}
	var errs []error
	if s.recovery != nil {
		out, err := client.(backupsClient).DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: &s.table.Name})
		errs = append(errs, err)
		if err == nil && out.ContinuousBackupsDescription != nil {
			if r := out.ContinuousBackupsDescription.PointInTimeRecoveryDescription; r != nil && r.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled {
				live.days = max(1, deref(r.RecoveryPeriodInDays))
			}
		}
	}
	if s.insights {
		out, err := client.(insightsClient).DescribeContributorInsights(ctx, &dynamodb.DescribeContributorInsightsInput{TableName: &s.table.Name})
		errs = append(errs, err)
		if err == nil {
			live.insights = out.ContributorInsightsStatus == types.ContributorInsightsStatusEnabled || out.ContributorInsightsStatus == types.ContributorInsightsStatusEnabling
		}
	}
	if s.policy != "" {
		out, err := client.(policyClient).GetResourcePolicy(ctx, &dynamodb.GetResourcePolicyInput{ResourceArn: &live.arn})
		if _, none := errors.AsType[*types.PolicyNotFoundException](err); err != nil && !none {
			errs = append(errs, err)
		} else if err == nil {
			live.policy = deref(out.Policy)
		}
	}
	if len(s.tags) > 0 {
		tags, err := liveTags(ctx, client, live.arn)
		errs = append(errs, err)
		live.tags = tags
	}
	return live, errors.Join(errs...)
}

func liveTags(ctx context.Context, client Client, arn string) (map[string]string, error) {
	tags := make(map[string]string)
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: &arn}
	for {
		out, err := client.ListTagsOfResource(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, t := range out.Tags {
			tags[deref(t.Key)] = deref(t.Value)
		}
		if deref(out.NextToken) == "" {
			return tags, nil
		}
		in.NextToken = out.NextToken
	}
}

// set enables settings that are off and adds missing tags; settings that differ are left for compareLive. It returns the resulting
// settings: a description that is read immediately may still be the old one.
func (s *Spec) set(ctx context.Context, client Client, live liveSettings) (liveSettings, error) {
	if s.recovery != nil && live.days == 0 {
		// A new table's backups are not available immediately.
		err := poll(ctx, func() (bool, error) {
			_, err := client.(backupsClient).UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{TableName: &s.table.Name, PointInTimeRecoverySpecification: s.recovery})
			if _, early := errors.AsType[*types.ContinuousBackupsUnavailableException](err); early {
				return false, nil
			}
			return true, err
		})
		if err != nil {
			return live, fmt.Errorf("point-in-time recovery: %w", err)
		}
		live.days = deref(s.recovery.RecoveryPeriodInDays)
	}
	if s.insights && !live.insights {
		_, err := client.(insightsClient).UpdateContributorInsights(ctx, &dynamodb.UpdateContributorInsightsInput{
			TableName: &s.table.Name, ContributorInsightsAction: types.ContributorInsightsActionEnable,
		})
		if err != nil {
			return live, fmt.Errorf("contributor insights: %w", err)
		}
		live.insights = true
	}
	var missing []types.Tag
	tags := maps.Clone(live.tags)
	for _, key := range slices.Sorted(maps.Keys(s.tags)) {
		if _, ok := tags[key]; !ok {
			missing = append(missing, types.Tag{Key: aws.String(key), Value: aws.String(s.tags[key])})
			tags[key] = s.tags[key]
		}
	}
	if len(missing) > 0 {
		if _, err := client.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: &live.arn, Tags: missing}); err != nil {
			return live, fmt.Errorf("tags: %w", err)
		}
		live.tags = tags
	}
	return live, nil
}

// compareLive lists the differences of the settings.
func (s *Spec) compareLive(live liveSettings) []Difference {
	var c comparison
	if s.recovery != nil {
		days := func(n int32) string {
			if n == 0 {
				return "off"
			}
			return fmt.Sprintf("%d days", n)
		}
		c.check("", "point-in-time recovery", days(deref(s.recovery.RecoveryPeriodInDays)), days(live.days))
	}
	if s.insights && !live.insights {
		c.check("", "contributor insights", "on", "off")
	}
	if s.policy != "" && !sameJSON(s.policy, live.policy) {
		c.check("", "resource policy", "the given one", map[bool]string{true: "none", false: "another"}[live.policy == ""])
	}
	for _, key := range slices.Sorted(maps.Keys(s.tags)) {
		got, ok := live.tags[key]
		if !ok {
			got = "none"
		}
		c.check("", "tag "+key, s.tags[key], got)
	}
	return c.found
}

func sameJSON(a, b string) bool {
	decode := func(s string) (v any, ok bool) {
		d := json.NewDecoder(strings.NewReader(s))
		d.UseNumber()
		err := d.Decode(&v)
		return v, err == nil
	}
	x, ok1 := decode(a)
	y, ok2 := decode(b)
	return ok1 && ok2 && reflect.DeepEqual(x, y)
}
