// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/unique"
)

type (
	TeamID   string
	MemberID string
)

// Member is a person in a team.
type Member struct {
	Team     TeamID       `dynamodbav:"team" json:"-"`
	ID       MemberID     `dynamodbav:"id" json:"id"`
	Email    string       `dynamodbav:"email" json:"email"`
	Name     string       `dynamodbav:"name" json:"name"`
	Role     string       `dynamodbav:"role" json:"role"`
	JoinedAt time.Time    `dynamodbav:"joined_at" json:"joined_at"`
	Revision ddb.Revision `dynamodbav:"revision" json:"-"`
}

var (
	memberTeam     = ddb.StrField(func(m *Member) *TeamID { return &m.Team })
	memberID       = ddb.StrField(func(m *Member) *MemberID { return &m.ID })
	memberRole     = ddb.StrField(func(m *Member) *string { return &m.Role })
	memberRevision = ddb.Field(func(m *Member) *ddb.Revision { return &m.Revision })
)

// Email is the reservation of an address: while it exists, nobody else in the team can have the address.
type Email struct {
	ID    string   `dynamodbav:"id"`
	Owner MemberID `dynamodbav:"owner"`
}

var (
	emailID    = ddb.StrField(func(e *Email) *string { return &e.ID })
	emailOwner = ddb.StrField(func(e *Email) *MemberID { return &e.Owner })
)

// Request is a request that was executed. Sent again, it returns the first result.
type Request struct {
	Key     string    `dynamodbav:"key"` // the team and the caller's Idempotency-Key
	Member  MemberID  `dynamodbav:"member"`
	Email   string    `dynamodbav:"email"`
	Expires time.Time `dynamodbav:"expires,unixtime"`
}

var (
	requestKey     = ddb.StrField(func(r *Request) *string { return &r.Key })
	requestExpires = ddb.TimeField(func(r *Request) *time.Time { return &r.Expires })
)

// Members is the data layer of the service.
type Members struct {
	client   ddb.Client
	members  *ddb.Table[Member, TeamID, MemberID]
	requests *ddb.SimpleTable[Request, string]
	reserved *ddb.SimpleTable[Email, string]
	emails   *unique.Values[Email, string, MemberID]
}

// NewMembers describes the tables, whose names begin with prefix. Nothing is sent.
func NewMembers(client ddb.Client, prefix string) (*Members, error) {
	members, err1 := ddb.New(client, prefix+"members", memberTeam, memberID,
		ddb.Version(memberRevision), ddb.Tombstones("deleted", time.Hour))
	requests, err2 := ddb.NewSimple(client, prefix+"requests", requestKey, ddb.TTL(requestExpires))
	reserved, err3 := ddb.NewSimple(client, prefix+"emails", emailID)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	emails, err := unique.New(reserved, "email", emailOwner)
	if err != nil {
		return nil, err
	}
	return &Members{client, members, requests, reserved, emails}, nil
}

// Ensure creates the tables that are missing.
func (m *Members) Ensure(ctx context.Context) error {
	return schema.EnsureTables(ctx, m.members, m.requests, m.reserved)
}

// ErrKeyReused means that the idempotency key belongs to another request.
var ErrKeyReused = errors.New("the idempotency key was used for another request")

// Join adds a member. If the key is that of an earlier request, it returns the member of that request.
func (m *Members) Join(ctx context.Context, team TeamID, key, email, name string) (Member, error) {
	now := time.Now()
	member := Member{Team: team, ID: MemberID(rand.Text()), Email: strings.ToLower(email), Name: name, Role: "guest", JoinedAt: now}
	request := Request{Key: string(team) + "#" + key, Member: member.ID, Email: member.Email, Expires: now.Add(24 * time.Hour)}
	err := ddb.Transact(ctx, m.client,
		m.requests.TxCreate(&request),
		m.members.TxCreate(&member),
		m.emails.TxReserve(string(team), member.Email, member.ID))
	if first, ok := ddb.CurrentOf[Request](err, 0); ok { // operation 0 failed: the request is there already
		if first.Email != member.Email {
			return Member{}, ErrKeyReused
		}
		return m.members.Get(ctx, team, first.Member, ddb.Consistent())
	}
	return member, err
}

// SetRole changes a member if it still has the revision that the caller has seen.
func (m *Members) SetRole(ctx context.Context, team TeamID, id MemberID, seen ddb.Revision, role string) (Member, error) {
	return m.members.Update(ctx, m.members.Key(team, id), memberRole.Set(role), ddb.If(memberRevision.Eq(seen)))
}

// Leave removes a member and releases the address, both or neither.
func (m *Members) Leave(ctx context.Context, team TeamID, id MemberID) error {
	member, err := m.members.Get(ctx, team, id)
	if err != nil {
		return err
	}
	return ddb.Transact(ctx, m.client,
		m.members.TxDelete(m.members.Key(team, id), ddb.If(memberRevision.Eq(member.Revision))),
		m.emails.TxRelease(string(team), member.Email, id))
}
