package cases

import (
	"context"

	"github.com/dynamotable/ddb"
)

type table = *ddb.Table[order, string, int]

func none(ctx context.Context, t table, o *order) {
	_ = t.Put(ctx, o, ddb.If[order]())                       // want "If of nothing"
	_ = t.Put(ctx, o, ddb.If(ddb.Or[order]()))               // want "Or of nothing"
	_ = t.Put(ctx, o, ddb.If(ddb.In(status)))                // want "In of nothing"
	_ = t.Put(ctx, o, ddb.If([]ddb.Cond[order]{}...))        // want "If of nothing"
	_ = t.Put(ctx, o, ddb.If(ddb.And[order](), total.Gt(1))) // an And of nothing holds
	_ = t.Query("a").Filter()
}

func some(ctx context.Context, t table, o *order, name string, least int) error {
	var conds []ddb.Cond[order]
	if name != "" {
		conds = append(conds, status.Eq(name))
	}
	if least > 0 {
		conds = append(conds, total.Ge(least))
	}
	return t.Put(ctx, o, ddb.If(conds...)) // want "If of conds, which may be empty"
}

func param(ctx context.Context, t table, names []string) ([]order, error) {
	either := make([]ddb.Cond[order], 0, len(names))
	for _, n := range names {
		either = append(either, status.Eq(n))
	}
	return t.Query("a").Filter(ddb.Or(either...)).Collect(ctx) // want "Or of either, which may be empty"
}

func inIf(ctx context.Context, t table, o *order, name string) error {
	conds := []ddb.Cond[order]{}
	switch name {
	case "a":
		conds = append(conds, status.Eq(name))
	}
	if err := t.Put(ctx, o, ddb.If(conds...)); err != nil { // want "If of conds, which may be empty"
		return err
	}
	return nil
}

func always(ctx context.Context, t table, o *order, name string) error {
	var conds []ddb.Cond[order]
	conds = append(conds, total.Gt(0))
	if name != "" {
		conds = append(conds, status.Eq(name))
	}
	return t.Put(ctx, o, ddb.If(conds...))
}

func branches(ctx context.Context, t table, o *order, name string) error {
	var conds []ddb.Cond[order]
	if name != "" {
		conds = append(conds, status.Eq(name))
	} else {
		conds = append(conds, total.Gt(0))
	}
	return t.Put(ctx, o, ddb.If(conds...))
}

func clauses(ctx context.Context, t table, o *order, name string) error {
	var conds []ddb.Cond[order]
	switch name {
	case "":
		conds = append(conds, total.Gt(0))
	default:
		conds = append(conds, status.Eq(name))
	}
	return t.Put(ctx, o, ddb.If(conds...))
}

func looked(ctx context.Context, t table, o *order, name string) error {
	var conds []ddb.Cond[order]
	if name != "" {
		conds = append(conds, status.Eq(name))
	}
	if len(conds) == 0 {
		return t.Put(ctx, o)
	}
	return t.Put(ctx, o, ddb.If(conds...))
}

func guarded(ctx context.Context, t table, o *order, name string, least int) error {
	if name == "" && least == 0 {
		return t.Put(ctx, o)
	}
	var conds []ddb.Cond[order]
	if name != "" {
		conds = append(conds, status.Eq(name))
	}
	if least > 0 {
		conds = append(conds, total.Ge(least))
	}
	return t.Put(ctx, o, ddb.If(conds...))
}

func below(ctx context.Context, t table, o *order, name string) error {
	var conds []ddb.Cond[order]
	if name != "" {
		conds = append(conds, status.Eq(name))
		return t.Put(ctx, o, ddb.If(conds...))
	}
	return t.Put(ctx, o)
}

func literal(ctx context.Context, t table, o *order) error {
	var conds []ddb.Cond[order]
	for _, name := range []string{"a", "b"} {
		conds = append(conds, status.Ne(name))
	}
	return t.Put(ctx, o, ddb.If(conds...))
}

func closure(ctx context.Context, t table, o *order) error {
	var conds []ddb.Cond[order]
	add := func(c ddb.Cond[order]) { conds = append(conds, c) }
	add(total.Gt(1))
	return t.Put(ctx, o, ddb.If(conds...))
}

func given(ctx context.Context, t table, o *order, conds []ddb.Cond[order]) error {
	return t.Put(ctx, o, ddb.If(conds...))
}

func filled(ctx context.Context, t table, o *order) error {
	conds := []ddb.Cond[order]{total.Gt(1)}
	return t.Put(ctx, o, ddb.If(conds...))
}

func afterError(ctx context.Context, t table, o *order, name string) error {
	var conds []ddb.Cond[order]
	if err := t.Put(ctx, o); err != nil {
		return err
	}
	if name != "" {
		conds = append(conds, status.Eq(name))
	}
	return t.Put(ctx, o, ddb.If(conds...)) // want "If of conds, which may be empty"
}
