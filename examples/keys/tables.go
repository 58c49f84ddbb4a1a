// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/keyformat"
	"github.com/dynamotable/ddb/multikey"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/unique"
)

// IssueKey sorts issues by project, then by number.
type IssueKey struct {
	Project string
	Number  int `ddbkey:"pad=6"`
}

// CommentKey sorts comments by issue, then by time.
type CommentKey struct {
	Project string
	Issue   int       `ddbkey:"pad=6"`
	At      time.Time `ddbkey:"unit=milli"`
}

// Rank sorts urgent issues first (1 is the highest priority), then older ones.
type Rank struct {
	Priority int       `ddbkey:"pad=1"`
	Opened   time.Time `ddbkey:"unit=second"`
}

var (
	issueKeys   = keyformat.New[IssueKey]("ISSUE")
	commentKeys = keyformat.New[CommentKey]("COMMENT")
	ranks       = keyformat.New[Rank]("")
)

// MarshalText is the key as it is stored.
func (k IssueKey) MarshalText() ([]byte, error) { return issueKeys.Format(k) }

// UnmarshalText reads it back.
func (k *IssueKey) UnmarshalText(b []byte) error { return issueKeys.Parse(b, k) }

// MarshalText is the key as it is stored.
func (k CommentKey) MarshalText() ([]byte, error) { return commentKeys.Format(k) }

// UnmarshalText reads it back.
func (k *CommentKey) UnmarshalText(b []byte) error { return commentKeys.Parse(b, k) }

// MarshalText is the rank as it is stored.
func (r Rank) MarshalText() ([]byte, error) { return ranks.Format(r) }

// UnmarshalText reads it back.
func (r *Rank) UnmarshalText(b []byte) error { return ranks.Parse(b, r) }

// Issue is an item of the table tracker. The table maintains Queue and Rank while the issue is open.
type Issue struct {
	Tenant   string    `dynamodbav:"tenant"`
	Key      IssueKey  `dynamodbav:"key,text"`
	Assignee string    `dynamodbav:"assignee,omitempty"`
	Status   string    `dynamodbav:"status"`
	Priority int       `dynamodbav:"priority"`
	Opened   time.Time `dynamodbav:"opened"`
	Queue    string    `dynamodbav:"queue,omitempty"`
	Rank     Rank      `dynamodbav:"rank,text,omitzero"`
}

// Comment is another kind of item in the same table.
type Comment struct {
	Tenant string     `dynamodbav:"tenant"`
	Key    CommentKey `dynamodbav:"key,text"`
	Text   string     `dynamodbav:"text"`
}

// Project has a name that is unique in its tenant.
type Project struct {
	Tenant string `dynamodbav:"tenant"`
	ID     string `dynamodbav:"id"`
	Name   string `dynamodbav:"name"`
}

// Reservation is the name of a project.
type Reservation struct {
	ID    string `dynamodbav:"id"`
	Owner string `dynamodbav:"owner"`
}

var (
	issueTenant   = ddb.StrField(func(i *Issue) *string { return &i.Tenant })
	issueKey      = ddb.Field(func(i *Issue) *IssueKey { return &i.Key })
	issueAssignee = ddb.StrField(func(i *Issue) *string { return &i.Assignee })
	issueStatus   = ddb.StrField(func(i *Issue) *string { return &i.Status })
	issuePriority = ddb.NumField(func(i *Issue) *int { return &i.Priority })
	issueOpened   = ddb.TimeField(func(i *Issue) *time.Time { return &i.Opened })
	issueQueue    = ddb.StrField(func(i *Issue) *string { return &i.Queue })
	issueRank     = ddb.Field(func(i *Issue) *Rank { return &i.Rank })

	commentTenant = ddb.StrField(func(c *Comment) *string { return &c.Tenant })
	commentKey    = ddb.Field(func(c *Comment) *CommentKey { return &c.Key })

	projectTenant = ddb.StrField(func(p *Project) *string { return &p.Tenant })
	projectID     = ddb.StrField(func(p *Project) *string { return &p.ID })

	reservationID    = ddb.StrField(func(r *Reservation) *string { return &r.ID })
	reservationOwner = ddb.StrField(func(r *Reservation) *string { return &r.Owner })
)

// tracker contains all tables and indexes.
type tracker struct {
	client       ddb.Client
	issues       *ddb.Table[Issue, string, IssueKey]
	comments     *ddb.Table[Comment, string, CommentKey]
	byAssignee   *ddb.Index[Issue, multikey.Two[string, string], multikey.Two[string, int]]
	open         *ddb.Index[Issue, multikey.Two[string, string], Rank]
	projects     *ddb.Table[Project, string, string]
	reservations *ddb.SimpleTable[Reservation, string]
	projectNames *unique.Values[Reservation, string, string]
}

func open(ctx context.Context, client ddb.Client) (*tracker, error) {
	t := &tracker{client: client}
	var err error
	t.issues, err = ddb.New(client, "keys-tracker", issueTenant, issueKey,
		ddb.Derive(issueQueue, func(i *Issue) (string, bool) { return i.Key.Project, i.Status == "open" }, issueKey, issueStatus),
		ddb.Derive(issueRank, func(i *Issue) (Rank, bool) { return Rank{i.Priority, i.Opened}, !i.Opened.IsZero() }, issuePriority, issueOpened))
	if err != nil {
		return nil, err
	}
	t.comments, err = ddb.New(client, "keys-tracker", commentTenant, commentKey)
	if err != nil {
		return nil, err
	}
	t.byAssignee, err = ddb.NewIndex(t.issues, "by-assignee", multikey.Of2(issueTenant, issueAssignee), multikey.Of2(issueStatus, issuePriority))
	if err != nil {
		return nil, err
	}
	t.open, err = ddb.NewIndex(t.issues, "open", multikey.Of2(issueTenant, issueQueue), issueRank)
	if err != nil {
		return nil, err
	}
	t.projects, err = ddb.New(client, "keys-projects", projectTenant, projectID)
	if err != nil {
		return nil, err
	}
	t.reservations, err = ddb.NewSimple(client, "keys-reservations", reservationID)
	if err != nil {
		return nil, err
	}
	t.projectNames, err = unique.New(t.reservations, "project", reservationOwner)
	if err != nil {
		return nil, err
	}
	// One definition, which includes the indexes, creates the table.
	return t, schema.EnsureTables(ctx, t.issues, t.projects, t.reservations)
}

func (t *tracker) drop(ctx context.Context) {
	_ = t.issues.DeleteTable(ctx, schema.AllowDelete(t.issues.Name()))
	_ = t.projects.DeleteTable(ctx, schema.AllowDelete(t.projects.Name()))
	_ = t.reservations.DeleteTable(ctx, schema.AllowDelete(t.reservations.Name()))
}
