// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
)

var (
	entryAccount = ddb.StrField(func(e *Entry) *string { return &e.Account })
	entrySeq     = ddb.NumField(func(e *Entry) *int64 { return &e.Seq })
	entryAmount  = ddb.NumField(func(e *Entry) *int64 { return &e.Amount })
	entryNote    = ddb.StrField(func(e *Entry) *string { return &e.Note })
	entryTags    = ddb.SetField(func(e *Entry) *[]string { return &e.Tags })
)

// NewBook is the same book written with ddb, on the same client and table.
type newBook struct {
	client  ddb.Client
	entries *ddb.Table[Entry, string, int64]
}

func (b newBook) Add(ctx context.Context, e Entry) error {
	err := b.entries.Create(ctx, &e)
	if errors.Is(err, ddb.ErrConditionFailed) {
		return errExists
	}
	return err
}

func (b newBook) Get(ctx context.Context, account string, seq int64) (Entry, error) {
	e, err := b.entries.Get(ctx, account, seq, ddb.Consistent())
	if errors.Is(err, ddb.ErrNotFound) {
		return e, errMissing
	}
	return e, err
}

func (b newBook) Annotate(ctx context.Context, account string, seq int64, note, tag string) (Entry, error) {
	e, err := b.entries.Update(ctx, b.entries.Key(account, seq), entryNote.Set(note), entryTags.Insert(tag))
	if errors.Is(err, ddb.ErrNotFound) {
		return e, errMissing
	}
	return e, err
}

func (b newBook) Large(ctx context.Context, account string, since, amount int64, limit int) ([]Entry, error) {
	return b.entries.Query(account).SortKey(ddb.Ge(since)).Filter(entryAmount.Gt(amount)).Descending().Limit(limit).Consistent().Collect(ctx)
}

func (b newBook) Many(ctx context.Context, account string, seqs []int64) ([]Entry, error) {
	keys := make([]ddb.Key[string, int64], len(seqs))
	for i, seq := range seqs {
		keys[i] = b.entries.Key(account, seq)
	}
	got, err := b.entries.BatchGet(ctx, keys, ddb.Consistent())
	list := make([]Entry, len(got))
	for i := range got {
		list[i] = got[i].Item
	}
	return list, err
}

func (b newBook) Move(ctx context.Context, from, to Entry) error {
	err := ddb.Transact(ctx, b.client, b.entries.TxCreate(&from), b.entries.TxCreate(&to))
	if failed, ok := errors.AsType[*ddb.TransactionError](err); ok && errors.Is(err, ddb.ErrConditionFailed) {
		return fmt.Errorf("operation %d: %w", failed.Failed[0].Index, errExists)
	}
	return err
}
