// SPDX-License-Identifier: Apache-2.0

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
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/core"
)

type (
	small   int8
	counter uint64
	raw     []byte
)

// keyed has an attribute of every Go type that can be a key.
type keyed struct {
	Text    string    `dynamodbav:"text"`
	Small   small     `dynamodbav:"small"`
	Number  int64     `dynamodbav:"number"`
	Counter counter   `dynamodbav:"counter"`
	Float   float64   `dynamodbav:"float"`
	Raw     raw       `dynamodbav:"raw"`
	At      time.Time `dynamodbav:"at"`
	UUID    uuid.UUID `dynamodbav:"uuid"`
	Where   point     `dynamodbav:"where,text"`
	Data    string    `dynamodbav:"data"`
}

// TestKeyTypes: every Go type that is documented as a key type works as a key.
func TestKeyTypes(t *testing.T) {
	testKey(t, "string", ddb.StrField[keyed], func(k *keyed) *string { return &k.Text }, "a\x00é😀")
	testKey(t, "int8", ddb.NumField[keyed], func(k *keyed) *small { return &k.Small }, math.MinInt8)
	testKey(t, "int64", ddb.NumField[keyed], func(k *keyed) *int64 { return &k.Number }, math.MinInt64)
	testKey(t, "uint64", ddb.NumField[keyed], func(k *keyed) *counter { return &k.Counter }, math.MaxUint64)
	testKey(t, "float64", ddb.NumField[keyed], func(k *keyed) *float64 { return &k.Float }, 1.5e-100)
	testKey(t, "bytes", ddb.BinField[keyed], func(k *keyed) *raw { return &k.Raw }, raw{0, 255, 10, '"'})
	testKey(t, "time", ddb.TimeField[keyed], func(k *keyed) *time.Time { return &k.At }, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	testKey(t, "text marshaler", ddb.OrdField[keyed], func(k *keyed) *uuid.UUID { return &k.UUID }, uuid.MustParse("6ba7b810-9dad-11d1-80b4-00c04fd430c8"))
}

// testKey stores and reads an item by a key of one type.
func testKey[K any, F ddb.KeyField[keyed, K]](t *testing.T, name string, field func(func(*keyed) *K) F, of func(*keyed) *K, key K) {
	t.Helper()
	var want keyed
	*of(&want) = key
	var partition ddb.KeyField[keyed, K] = field(of)
	t.Run(name, func(t *testing.T) { testKeyOf(t, partition, want, &key) })
}

func testKeyOf(t *testing.T, partition any, want keyed, key any) {
	t.Helper()
	ctx := t.Context()
	table, err := apitest.Untyped[keyed](newClient(t), tableName(t), partition, core.NoSort{})
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(ctx, nil); err != nil {
		t.Fatal(err)
	}
	want.Data = "x"
	if err := table.Put(ctx, core.VerbCreate, &want, nil); err != nil {
		t.Fatal(err)
	}
	var got keyed
	if err := table.Get(ctx, new(core.GetState), key, &got, core.ReadCall{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := table.Put(ctx, core.VerbCreate, &want, nil); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Errorf("second Create: %v", err)
	}
}

// TestTextMarshalerKey: a struct with MarshalText is a key with the tag option
// text; without the option the error of New names it.
func TestTextMarshalerKey(t *testing.T) {
	testKey(t, "with the option", ddb.OrdField[keyed], func(k *keyed) *point { return &k.Where }, point{3, 4})
	type bare struct {
		Where point `dynamodbav:"where"`
	}
	_, err := apitest.Untyped[bare](newClient(t), tableName(t), ddb.OrdField(func(v *bare) *point { return &v.Where }), core.NoSort{})
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
