// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/schema"
)

// memoryRows stores rows in memory. Its indexes never lag.
type memoryRows struct {
	name string
	mu   sync.RWMutex
	rows map[rowKey]row
}

func newMemoryRows(name string) *memoryRows { return &memoryRows{name: name, rows: map[rowKey]row{}} }

func (m *memoryRows) get(ctx context.Context, k rowKey) (ddb.Got[row], error) {
	got, err := m.getMany(ctx, []rowKey{k})
	if err != nil {
		return ddb.Got[row]{}, err
	}
	return got[0], nil
}

func (m *memoryRows) getTogether(ctx context.Context, a, b rowKey) (gotA, gotB ddb.Got[row], err error) {
	got, err := m.getMany(ctx, []rowKey{a, b})
	if err != nil {
		return gotA, gotB, err
	}
	return got[0], got[1], nil
}

func (m *memoryRows) getMany(ctx context.Context, keys []rowKey) ([]ddb.Got[row], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	got := make([]ddb.Got[row], len(keys))
	for i, k := range keys {
		got[i].Item, got[i].Found = m.rows[k]
	}
	return got, nil
}

func (m *memoryRows) prefix(ctx context.Context, tenant, prefix string, descending bool) iter.Seq2[row, error] {
	return m.all(ctx, func(r *row) (string, bool) {
		return r.Sort, r.Tenant == tenant && strings.HasPrefix(r.Sort, prefix)
	}, descending)
}

func (m *memoryRows) byUser(ctx context.Context, user, prefix string) iter.Seq2[row, error] {
	return m.all(ctx, func(r *row) (string, bool) {
		return r.ByUser, r.User == user && r.ByUser != "" && strings.HasPrefix(r.ByUser, prefix)
	}, false)
}

func (m *memoryRows) byType(ctx context.Context, typ, prefix string) iter.Seq2[row, error] {
	return m.all(ctx, func(r *row) (string, bool) {
		return r.ByType, r.Type == typ && r.ByType != "" && strings.HasPrefix(r.ByType, prefix)
	}, false)
}

// all yields the matching rows, in the order of the text that match returns.
func (m *memoryRows) all(ctx context.Context, match func(*row) (sort string, ok bool), descending bool) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		type sorted struct {
			sort string
			row  row
		}
		var list []sorted
		m.mu.RLock()
		for _, r := range m.rows {
			if sort, ok := match(&r); ok {
				list = append(list, sorted{sort, r})
			}
		}
		m.mu.RUnlock()
		slices.SortFunc(list, func(a, b sorted) int { return strings.Compare(a.sort, b.sort) })
		if descending {
			slices.Reverse(list)
		}
		for _, s := range list {
			if err := ctx.Err(); err != nil {
				yield(row{}, err)
				return
			}
			if !yield(s.row, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil && len(list) == 0 {
			yield(row{}, err)
		}
	}
}

func (m *memoryRows) commit(ctx context.Context, changes []change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		k := c.remove
		if c.put != nil {
			k = c.put.key()
		}
		if r, found := m.rows[k]; found != (c.rev != 0) || r.Rev != c.rev && c.rev != 0 {
			return fmt.Errorf("in memory: %w", ddb.ErrConditionFailed)
		}
	}
	for _, c := range changes {
		if c.put != nil {
			m.rows[c.put.key()] = *c.put
		} else {
			delete(m.rows, c.remove)
		}
	}
	return nil
}

func (m *memoryRows) putAll(ctx context.Context, list []row) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range list {
		m.rows[r.key()] = r
	}
	return nil
}

func (m *memoryRows) deleteAll(ctx context.Context, keys []rowKey) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range keys {
		delete(m.rows, k)
	}
	return nil
}

func (*memoryRows) ensure(ctx context.Context, _ []schema.Option) error { return ctx.Err() }

func (*memoryRows) verify(ctx context.Context, _ []schema.Option) ([]schema.Difference, error) {
	return nil, ctx.Err()
}

func (m *memoryRows) reset(ctx context.Context, allow schema.DeletePermission, _ []schema.Option) error {
	if allow != schema.AllowDelete(m.name) {
		return errors.New("the permission does not name " + m.name)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.rows, func(rowKey, row) bool { return true })
	return nil
}
