package ddb

// WriteOption is an option of Put, Replace and the deletes: [If] and [ReturnOld]. A
// condition by itself is none; write ddb.If(status.Eq("open")).
type WriteOption[T any] interface{ applyWrite(*writeCall[T]) }

// UpdateOption is what Update and Upsert take: changes, [If] and [ReturnOld]. A
// condition by itself is none; write ddb.If(status.Eq("open")).
type UpdateOption[T any] interface{ applyUpdate(*writeCall[T]) }

// Option is an option of every write.
type Option[T any] interface {
	WriteOption[T]
	UpdateOption[T]
}

type writeCall[T any] struct {
	conds   []Cond[T]
	changes []Change[T]
	old     *T
}

func (c Change[T]) applyUpdate(w *writeCall[T]) { w.changes = append(w.changes, c) }

type ifOption[T any] struct{ cond Cond[T] }

func (o ifOption[T]) applyWrite(w *writeCall[T])  { w.conds = append(w.conds, o.cond) }
func (o ifOption[T]) applyUpdate(w *writeCall[T]) { w.conds = append(w.conds, o.cond) }

// If makes a write happen only where the conditions hold for the stored item
// (all of them, if there are several). Otherwise the call returns a
// [*ConditionFailed] with the item as it is. A write refused by its condition
// still costs write units.
//
// If without conditions, and a condition that is none (the zero [Cond], an [And] of
// nothing), are refused by the call.
func If[T any](conds ...Cond[T]) Option[T] { return ifOption[T]{guardOf("If", conds)} }

type oldOption[T any] struct{ dst *T }

func (o oldOption[T]) applyWrite(w *writeCall[T])  { w.old = o.dst }
func (o oldOption[T]) applyUpdate(w *writeCall[T]) { w.old = o.dst }

// ReturnOld stores the item as it was before the write in dst, which is set to
// the zero T when there was none. It costs nothing more. With it, Update returns
// the zero T instead of the new item, for DynamoDB gives only one of them.
func ReturnOld[T any](dst *T) Option[T] { return oldOption[T]{dst} }

type changeList[T any] []Change[T]

func (l changeList[T]) applyUpdate(w *writeCall[T]) { w.changes = append(w.changes, l...) }

// Changes gives several changes as one argument, for lists made at run time.
func Changes[T any](changes ...Change[T]) UpdateOption[T] { return changeList[T](changes) }

// RemoveAll drops several attributes in one update:
//
//	users.Update(ctx, "u1", ddb.RemoveAll(userNickname, userAvatar))
func RemoveAll[T any](attrs ...interface{ Remove() Change[T] }) UpdateOption[T] {
	list := make(changeList[T], len(attrs))
	for i, a := range attrs {
		list[i] = a.Remove()
	}
	return list
}
