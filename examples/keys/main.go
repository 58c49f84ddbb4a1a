// SPDX-License-Identifier: Apache-2.0

// Keys models an issue tracker in one table: composite keys that sort, several kinds of
// items, indexes of several attributes, a sparse index, and unique values. It prints the result
// and the cost of each query. It runs on the embedded engine, or on the endpoint in
// DYNAMODB_ENDPOINT:
//
//	go run ./examples/keys
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/multikey"
	"github.com/dynamotable/ddb/unique"
)

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	err := run(context.Background(), client)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client ddb.Client) error {
	t, err := open(ctx, client)
	if err != nil {
		return err
	}
	defer t.drop(context.WithoutCancel(ctx))
	for _, step := range []func(context.Context) error{t.seed, t.byKey, t.byIndex, t.queue, t.names} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// seed writes issues of two projects. Issue 10 comes after issue 9, and project "web" is not
// confused with project "web#2"; keys of simply joined text would get both wrong.
func (t *tracker) seed(ctx context.Context) error {
	opened := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	for n := range 12 {
		for _, project := range []string{"web", "web#2"} {
			i := Issue{
				Tenant: "acme", Key: IssueKey{project, n + 1}, Assignee: []string{"ann", "bob", ""}[n%3],
				Status: []string{"open", "done"}[n%2], Priority: 1 + n%3, Opened: opened.Add(time.Duration(n) * time.Hour),
			}
			if err := t.issues.Create(ctx, &i); err != nil {
				return err
			}
		}
	}
	for k, text := range []string{"I see it too", "since Monday", "fixed"} {
		c := Comment{Tenant: "acme", Key: CommentKey{"web", 9, opened.Add(time.Duration(k) * time.Millisecond)}, Text: text}
		if err := t.comments.Create(ctx, &c); err != nil {
			return err
		}
	}
	one, err := t.issues.Get(ctx, "acme", IssueKey{"web#2", 10})
	if err != nil {
		return err
	}
	text, err := one.Key.MarshalText()
	fmt.Printf("a key is stored as %s\n\n", text)
	return err
}

// byKey makes the queries that the table's own key can answer.
func (t *tracker) byKey(ctx context.Context) error {
	web, err := issueKeys.Prefix(IssueKey{Project: "web"}, 1)
	if err != nil {
		return err
	}
	ofIssue, err := commentKeys.Prefix(CommentKey{Project: "web", Issue: 9}, 2)
	if err != nil {
		return err
	}
	acme := t.issues.Query("acme")
	if err := show(ctx, "issues of project web", acme.SortKey(ddb.BeginsWithText[IssueKey](web)), issueName); err != nil {
		return err
	}
	if err := show(ctx, "issues 9 to 11 of project web", acme.SortKey(ddb.Between(IssueKey{"web", 9}, IssueKey{"web", 11})), issueName); err != nil {
		return err
	}
	if err := show(ctx, "the newest 2 issues of project web", acme.SortKey(ddb.BeginsWithText[IssueKey](web)).Descending().Limit(2), issueName); err != nil {
		return err
	}
	return show(ctx, "comments on issue 9", t.comments.Query("acme").SortKey(ddb.BeginsWithText[CommentKey](ofIssue)),
		func(c Comment) string { return fmt.Sprintf("%q", c.Text) })
}

// byIndex queries by several separate attributes: all of the partition
// key, and the first ones of the sort key.
func (t *tracker) byIndex(ctx context.Context) error {
	ann := t.byAssignee.Query(multikey.K2("acme", "ann"))
	sort := multikey.Of2(issueStatus, issuePriority)
	if err := show(ctx, "all issues of ann", ann, issueName); err != nil {
		return err
	}
	if err := show(ctx, "open issues of ann", ann.SortKey(multikey.FirstOne(sort, ddb.Eq("open"))), issueName); err != nil {
		return err
	}
	return show(ctx, "closed issues of bob, priority 2 and up", t.byAssignee.Query(multikey.K2("acme", "bob")).SortKey(ddb.Ge(multikey.K2("done", 2))), issueName)
}

// queue queries open issues, the most urgent first. Closed issues are not in this index, so
// it stays small; Derive adds and removes issues.
func (t *tracker) queue(ctx context.Context) error {
	web := t.open.Query(multikey.K2("acme", "web"))
	if err := show(ctx, "open issues of project web, most urgent first", web.Limit(3), issueName); err != nil {
		return err
	}
	next, err := web.First(ctx)
	if err != nil {
		return err
	}
	key := t.issues.Key(next.Tenant, next.Key)
	if _, err := t.issues.Update(ctx, key, issueStatus.Set("done")); err != nil {
		return err
	}
	if err := show(ctx, "the same after the first is closed", web.Limit(3), issueName); err != nil {
		return err
	}
	_, err = t.issues.Update(ctx, key, issuePriority.Set(9))
	if !errors.Is(err, ddb.ErrInvalid) {
		return fmt.Errorf("an update that would leave the rank stale: %w", err)
	}
	fmt.Printf("an update of only the priority is refused, since the rank is computed from the priority and the time\n\n")
	return nil
}

// names shows that the names of projects are unique within a tenant.
func (t *tracker) names(ctx context.Context) error {
	for _, p := range []Project{{"acme", "p1", "web"}, {"acme", "p2", "web"}, {"other", "p1", "web"}} {
		err := ddb.Transact(ctx, t.client, t.projects.TxCreate(&p), t.projectNames.TxReserve(p.Tenant, p.Name, p.ID))
		switch {
		case errors.Is(err, unique.ErrTaken):
			owner, err := t.projectNames.Owner(ctx, p.Tenant, p.Name)
			if err != nil {
				return err
			}
			fmt.Printf("%s %s: the name %s is taken, by %s\n", p.Tenant, p.ID, p.Name, owner)
		case err != nil:
			return err
		default:
			fmt.Printf("%s %s: the name %s is free\n", p.Tenant, p.ID, p.Name)
		}
	}
	return nil
}

// show prints one page of a query and its cost.
func show[T any](ctx context.Context, what string, q interface {
	Page(ctx context.Context) (ddb.Page[T], error)
}, name func(T) string,
) error {
	page, err := q.Page(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d read, %.1f units\n   ", what, page.Scanned, page.Consumed.ReadUnits)
	for _, item := range page.Items {
		fmt.Print(" ", name(item))
	}
	fmt.Println()
	return nil
}

func issueName(i Issue) string {
	return fmt.Sprintf("%s/%d(%s,%d)", i.Key.Project, i.Key.Number, i.Status, i.Priority)
}
