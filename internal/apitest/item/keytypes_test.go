package item_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/dynamotable/ddb"
)

// TestKeyTypes: every Go type that can be a key works as one.
func TestKeyTypes(t *testing.T) {
	type (
		i8  int8
		u64 uint64
		raw []byte
	)
	testKey(t, "string", ddb.StrField[rec[string]], "a\x00é😀")
	testKey(t, "int8", ddb.NumField[rec[i8]], i8(math.MinInt8))
	testKey(t, "int64", ddb.NumField[rec[int64]], int64(math.MinInt64))
	testKey(t, "uint64", ddb.NumField[rec[u64]], u64(math.MaxUint64))
	testKey(t, "float64", ddb.NumField[rec[float64]], 1.5e-100)
	testKey(t, "bytes", ddb.BinField[rec[raw]], raw{0, 255, 10, '"'})
	testKey(t, "time", ddb.TimeField[rec[time.Time]], time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	testKey(t, "text marshaler", ddb.OrdField[rec[uuid.UUID]], uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
}

// TestTextMarshalerKey: a struct with MarshalText is a key with the tag option text,
// and without it New says so.
func TestTextMarshalerKey(t *testing.T) {
	ctx := t.Context()
	type visit struct {
		Where point `dynamodbav:"where,text"`
		Note  string
	}
	visits, err := ddb.NewSimple(newClient(t), tableName(t), ddb.OrdField(func(v *visit) *point { return &v.Where }))
	if err != nil {
		t.Fatal(err)
	}
	if err := visits.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	want := visit{point{3, 4}, "here"}
	if err := visits.Put(ctx, &want); err != nil {
		t.Fatal(err)
	}
	if got, err := visits.Get(ctx, point{3, 4}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	type bare struct {
		Where point `dynamodbav:"where"`
	}
	_, err = ddb.NewSimple(newClient(t), tableName(t), ddb.OrdField(func(v *bare) *point { return &v.Where }))
	if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "tag option text") {
		t.Errorf("without the option: %v", err)
	}
}

type point struct{ X, Y int }

func (p point) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%d,%d", p.X, p.Y), nil }

func (p *point) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "%d,%d", &p.X, &p.Y)
	return err
}

type rec[K any] struct {
	Key  K      `dynamodbav:"k"`
	Data string `dynamodbav:"data"`
}

func testKey[K any, F ddb.KeyField[rec[K], K]](t *testing.T, name string, field func(func(*rec[K]) *K) F, key K) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		ctx := t.Context()
		table, err := ddb.NewSimple(newClient(t), tableName(t), ddb.KeyField[rec[K], K](field(func(r *rec[K]) *K { return &r.Key })))
		if err != nil {
			t.Fatal(err)
		}
		if err := table.CreateTable(ctx); err != nil {
			t.Fatal(err)
		}
		want := rec[K]{key, "x"}
		if err := table.Create(ctx, &want); err != nil {
			t.Fatal(err)
		}
		got, err := table.Get(ctx, key)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := table.Create(ctx, &want); !errors.Is(err, ddb.ErrConditionFailed) {
			t.Errorf("second Create: %v", err)
		}
	})
}
