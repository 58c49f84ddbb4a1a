// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Contributor insights. The engine only stores the setting.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateContributorInsights.html
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-subresources.md)
const (
	insightsActionSet = "[ENABLE, DISABLE]"
	insightsModeSet   = "[THROTTLED_KEYS, ACCESSED_AND_THROTTLED_KEYS]"
	insightsAll       = "ACCESSED_AND_THROTTLED_KEYS"
	maxListedInsights = 100

	statusEnabled  = "ENABLED"
	statusDisabled = "DISABLED"
)

// insights is the setting of a table or one of its indexes.
type insights struct {
	enabled bool
	mode    string
	changed time.Time
	readyAt time.Time // when ENABLING or DISABLING is over
}

func (i insights) status(now time.Time) string {
	switch changing := now.Before(i.readyAt); {
	case i.enabled && changing:
		return "ENABLING"
	case i.enabled:
		return statusEnabled
	case changing:
		return "DISABLING"
	default:
		return statusDisabled
	}
}

// ContributorInsightsInput holds the parameters of UpdateContributorInsights and DescribeContributorInsights.
type ContributorInsightsInput struct {
	TableName                 *string
	IndexName                 *string
	ContributorInsightsAction *string
	ContributorInsightsMode   *string
}

// ContributorInsights describes the setting in wire format.
type ContributorInsights struct {
	TableName                   string
	IndexName                   string   `json:",omitempty"`
	ContributorInsightsRuleList []string `json:",omitempty"`
	ContributorInsightsStatus   string
	ContributorInsightsMode     string     `json:",omitempty"`
	LastUpdateDateTime          *Timestamp `json:",omitempty"`
}

// UpdateContributorInsights enables or disables the insights for a table or an index.
func (e *Engine) UpdateContributorInsights(_ context.Context, in *ContributorInsightsInput) (*ContributorInsights, error) {
	var c constraints
	c.tableName("tableName", in.TableName)
	if c.required("contributorInsightsAction", in.ContributorInsightsAction != nil) {
		c.enum("contributorInsightsAction", in.ContributorInsightsAction, insightsActionSet)
	}
	c.enum("contributorInsightsMode", in.ContributorInsightsMode, insightsModeSet)
	if err := c.err(); err != nil {
		return nil, err
	}
	now := e.clock.Now()
	t, err := e.insightsTable(in, now)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	index := text(in.IndexName)
	if t.status(now) == statusCreating {
		return nil, invalid("Table or Index is not in a valid state to update Key Access Insights: TableStatus must be ACTIVE to enable ContributorInsights.")
	}
	if x := t.Schema().Index(index); x != nil && x.status(now) == statusCreating {
		return nil, invalid("Table or Index is not in a valid state to update Key Access Insights: IndexStatus must be ACTIVE to enable ContributorInsights.")
	}
	old := t.settings.insights[index]
	next := insights{enabled: is(in.ContributorInsightsAction, "ENABLE"), mode: old.mode, changed: now, readyAt: now.Add(e.stateDelay)}
	if next.enabled {
		next.mode = cmp.Or(text(in.ContributorInsightsMode), insightsAll)
	}
	if next.enabled != old.enabled || next.mode != old.mode {
		if t.settings.insights == nil {
			t.settings.insights = make(map[string]insights)
		}
		t.settings.insights[index] = next
	}
	d := t.describeInsights(index, now)
	d.ContributorInsightsRuleList, d.LastUpdateDateTime = nil, nil
	return d, nil
}

// DescribeContributorInsights describes the insights for a table or an index.
func (e *Engine) DescribeContributorInsights(_ context.Context, in *ContributorInsightsInput) (*ContributorInsights, error) {
	var c constraints
	c.tableName("tableName", in.TableName)
	if err := c.err(); err != nil {
		return nil, err
	}
	now := e.clock.Now()
	t, err := e.insightsTable(in, now)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.describeInsights(text(in.IndexName), now), nil
}

// insightsTable returns the table of an operation on insights, which may name one of its global indexes.
func (e *Engine) insightsTable(in *ContributorInsightsInput, now time.Time) (*Table, error) {
	if in.IndexName != nil && (len(*in.IndexName) < 3 || len(*in.IndexName) > 255) {
		return nil, invalid("IndexName must be at least 3 characters long and at most 255 characters long")
	}
	t, err := e.current(in.TableName, now)
	if err != nil || in.IndexName == nil {
		return t, err
	}
	if x := t.Schema().Index(*in.IndexName); x == nil || x.Local {
		return nil, &Error{
			Type:    ResourceNotFoundException,
			Message: "Requested resource not found: Index: " + *in.IndexName + " not found for table: " + t.name,
		}
	}
	return t, nil
}

// current returns the table with a name or an ARN, without what has been deleted.
func (e *Engine) current(name *string, now time.Time) (*Table, error) {
	t := e.lookup(*name)
	if t == nil {
		return nil, tableNotFound(tableOf(*name))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp(now)
	return t, nil
}

// describeInsights describes the insights for the table or an index. The caller holds mu.
func (t *Table) describeInsights(index string, now time.Time) *ContributorInsights {
	i := t.settings.insights[index]
	d := &ContributorInsights{
		TableName:                 t.name,
		IndexName:                 index,
		ContributorInsightsStatus: i.status(now),
		ContributorInsightsMode:   i.mode,
		LastUpdateDateTime:        timestamp(i.changed),
	}
	if !i.enabled {
		return d
	}
	key, resource := t.Schema().Key, t.name
	if x := t.Schema().Index(index); x != nil {
		key, resource = x.Key, resource+"-"+index
	}
	for _, rule := range []string{"PKC", "SKC", "PKT", "SKT"} { // accessed and throttled partition and sort keys
		if rule[0] == 'S' && len(key.Range) == 0 || rule[2] == 'C' && i.mode != insightsAll {
			continue
		}
		d.ContributorInsightsRuleList = append(d.ContributorInsightsRuleList,
			"DynamoDBContributorInsights-"+rule+"-"+resource+"-"+strconv.FormatInt(i.changed.UnixMilli(), 10))
	}
	return d
}

// ListContributorInsightsInput holds the parameters of ListContributorInsights.
type ListContributorInsightsInput struct {
	TableName  *string
	MaxResults *int64
	NextToken  *string
}

// ContributorInsightsList is a page of insights in wire format.
type ContributorInsightsList struct {
	ContributorInsightsSummaries []*ContributorInsights
	NextToken                    string `json:",omitempty"`
}

// ListContributorInsights lists the tables and indexes, of one table or of all, with insights that are not off.
func (e *Engine) ListContributorInsights(_ context.Context, in *ListContributorInsightsInput) (*ContributorInsightsList, error) {
	var c constraints
	if in.TableName != nil {
		c.tableName("tableName", in.TableName)
	}
	c.atMost("maxResults", in.MaxResults, maxListedInsights)
	if err := c.err(); err != nil {
		return nil, err
	}
	tables, now := e.Tables(), e.clock.Now()
	if in.TableName != nil {
		t, err := e.current(in.TableName, now)
		if err != nil {
			return nil, err
		}
		tables = []*Table{t}
	}
	after, err := base64.RawURLEncoding.DecodeString(text(in.NextToken))
	if err != nil {
		return nil, invalid("Invalid NextToken")
	}
	out := &ContributorInsightsList{ContributorInsightsSummaries: []*ContributorInsights{}}
	for _, t := range tables {
		out.ContributorInsightsSummaries = append(out.ContributorInsightsSummaries, t.insightsAfter(string(after), now)...)
	}
	slices.SortFunc(out.ContributorInsightsSummaries, func(a, b *ContributorInsights) int { return strings.Compare(a.place(), b.place()) })
	if limit := in.MaxResults; limit != nil && *limit > 0 && int64(len(out.ContributorInsightsSummaries)) > *limit {
		out.ContributorInsightsSummaries = out.ContributorInsightsSummaries[:*limit]
		out.NextToken = base64.RawURLEncoding.EncodeToString([]byte(out.ContributorInsightsSummaries[*limit-1].place()))
	}
	return out, nil
}

// place is the position of a summary in a list: the table, then its indexes.
func (d *ContributorInsights) place() string { return d.TableName + "/" + d.IndexName }

// insightsAfter returns the summaries of the table that follow a place.
func (t *Table) insightsAfter(place string, now time.Time) []*ContributorInsights {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []*ContributorInsights
	for index := range t.settings.insights {
		d := t.describeInsights(index, now)
		gone := index != "" && t.Schema().Index(index) == nil
		if d.ContributorInsightsStatus != statusDisabled && !gone && d.place() > place {
			d.ContributorInsightsRuleList, d.LastUpdateDateTime = nil, nil
			list = append(list, d)
		}
	}
	return list
}
