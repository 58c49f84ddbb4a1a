// SPDX-License-Identifier: Apache-2.0

package value

// MaxItemSize is the largest size of an item in bytes, names included.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const MaxItemSize = 400 * 1024

// Size returns the bytes that a value counts towards the size of its item.
//
// A string counts its UTF-8 bytes and a binary its raw bytes. A number counts
// its [Number.Size]. A Boolean and a null count one. A list or map counts
// three bytes, one for every element, and its contents, names included. A set
// counts its members.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
func Size(v Value) int {
	switch v := v.(type) {
	case String:
		return len(v)
	case Binary:
		return len(v)
	case Number:
		return v.Size()
	case Bool, Null:
		return 1
	case List:
		size := 3
		for _, e := range v {
			size += 1 + Size(e)
		}
		return size
	case Map:
		size := 3
		for name, e := range v {
			size += 1 + len(name) + Size(e)
		}
		return size
	case StringSet:
		return sumLen(v)
	case BinarySet:
		return sumLen(v)
	case NumberSet:
		size := 0
		for _, n := range v {
			size += n.Size()
		}
		return size
	default:
		return 0
	}
}

// ItemSize returns the size of an item in bytes: its names and its values.
func ItemSize(item Item) int {
	size := 0
	for name, v := range item {
		size += len(name) + Size(v)
	}
	return size
}

// Size returns the bytes that the number counts towards the size of its item:
// one, plus one for every two digits before and for every two digits after the
// decimal point, plus one if it is negative. Zeros at either end of the digits
// do not count.
func (n Number) Size() int {
	if n.hi == 0 {
		return 1
	}
	_, count := n.unpack()
	whole := min(max(int(n.exp), 0), count)
	size := 1 + (whole+1)/2 + (count-whole+1)/2
	if n.neg {
		size++
	}
	return size
}

func sumLen(members []string) int {
	size := 0
	for _, m := range members {
		size += len(m)
	}
	return size
}
