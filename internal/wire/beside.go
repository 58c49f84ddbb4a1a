// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// replies holds the replies of a call whose outputs other code may look at. Reading the items from the body of a reply is cheaper
// than reading them from the attribute values that the SDK made of it, and has the same result as long as these were not changed.
type replies struct {
	mu   sync.Mutex
	over bool // the call has returned; a wrapper may still send requests
	all  []reply
}

type reply struct {
	out any // the SDK's output
	sum uint64
	buf *buffer
}

// keep stores the body of a valid reply from which the SDK made out. It reports whether it keeps the buffer.
func (k *call) keep(out any, buf *buffer) bool {
	owner := k.owner
	if owner == nil {
		owner = k
	}
	if k.direct || owner.sink == nil || owner.o.Off {
		return false
	}
	sum, ok := fingerprint(out)
	if !ok {
		return false
	}
	r := &owner.replies
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	r.all = append(r.all, reply{out: out, sum: sum, buf: buf})
	return true
}

// deliver passes items that were not delivered yet to the sink: from the body of the reply from which the SDK made out, or from
// out itself, with bridge.
func (k *call) deliver(out any, bridge func(*bridge) error) error {
	if taken, err := k.fromBody(out); taken {
		k.took(Beside)
		return err
	}
	k.becausef("the items are not as the SDK has read them from the reply, or the reply has JSON that only the SDK takes")
	k.took(Values)
	b := k.bridge()
	return b.done(bridge(b))
}

// fromBody reports whether it delivered the items.
func (k *call) fromBody(out any) (taken bool, err error) {
	r := &k.replies
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.release()
	for _, have := range r.all {
		if have.out != out {
			continue
		}
		if sum, ok := fingerprint(out); !ok || sum != have.sum {
			return false, nil
		}
		switch _, err := k.sinkFrom(have.buf); {
		case err == nil:
			return true, nil
		case errors.Is(err, codec.ErrSyntax):
			return false, nil
		default:
			return true, &ReplyError{Operation: k.op, Read: k.read, Fault: ReplyMismatch, Err: err}
		}
	}
	return false, nil
}

// release releases all buffers; after that no replies are stored. The caller holds the lock.
func (r *replies) release() {
	for _, have := range r.all {
		have.buf.release()
	}
	r.all, r.over = nil, true
}

// end discards the replies of a call that has failed.
func (r *replies) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.release()
}

var (
	seed       = maphash.MakeSeed()
	key1, key2 = rand.Uint64(), rand.Uint64() //nolint:gosec // the hash finds accidental changes, and protects nothing
)

// fingerprint returns a number that changes when the items of an output change.
func fingerprint(out any) (uint64, bool) {
	switch o := out.(type) {
	case *dynamodb.GetItemOutput:
		return sumMap(o.Item), true
	case *dynamodb.QueryOutput:
		return sumList(o.Items), true
	case *dynamodb.ScanOutput:
		return sumList(o.Items), true
	case *dynamodb.PutItemOutput:
		return sumMap(o.Attributes), true
	case *dynamodb.UpdateItemOutput:
		return sumMap(o.Attributes), true
	case *dynamodb.DeleteItemOutput:
		return sumMap(o.Attributes), true
	case *dynamodb.BatchGetItemOutput:
		sum := uint64(len(o.Responses))
		for table, items := range o.Responses {
			sum += mix(maphash.String(seed, table), sumList(items)) // in any order
		}
		return sum, true
	case *dynamodb.TransactGetItemsOutput:
		sum := uint64(len(o.Responses))
		for _, r := range o.Responses {
			sum = mix(sum, sumMap(r.Item))
		}
		return sum, true
	}
	return 0, false
}

// mix combines two sums; their order matters. Its keys are random, so that items with equal sums cannot be constructed.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^key1, b^key2)
	return hi ^ lo
}

func sumList(items []map[string]types.AttributeValue) uint64 {
	sum := uint64(len(items))
	for _, item := range items {
		sum = mix(sum, sumMap(item))
	}
	return sum
}

func sumMap(m map[string]types.AttributeValue) uint64 {
	if m == nil {
		return 1
	}
	sum := uint64(len(m))
	for name, av := range m {
		sum += mix(maphash.String(seed, name), sumValue(av)) // in any order
	}
	return mix(2, sum)
}

func sumValue(av types.AttributeValue) uint64 {
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		return mix(3, maphash.String(seed, v.Value))
	case *types.AttributeValueMemberN:
		return mix(4, maphash.String(seed, v.Value))
	case *types.AttributeValueMemberB:
		return mix(5, maphash.Bytes(seed, v.Value))
	case *types.AttributeValueMemberBOOL:
		if v.Value {
			return 6
		}
		return 7
	case *types.AttributeValueMemberNULL:
		if v.Value {
			return 8
		}
		return 9
	case *types.AttributeValueMemberM:
		return mix(10, sumMap(v.Value))
	case *types.AttributeValueMemberL:
		sum := uint64(len(v.Value))
		for _, e := range v.Value {
			sum = mix(sum, sumValue(e))
		}
		return mix(11, sum)
	case *types.AttributeValueMemberSS:
		return mix(12, sumTexts(v.Value))
	case *types.AttributeValueMemberNS:
		return mix(13, sumTexts(v.Value))
	case *types.AttributeValueMemberBS:
		sum := uint64(len(v.Value))
		for _, e := range v.Value {
			sum = mix(sum, maphash.Bytes(seed, e))
		}
		return mix(14, sum)
	}
	return maphash.Comparable(seed, av)
}

func sumTexts(all []string) uint64 {
	sum := uint64(len(all))
	for _, e := range all {
		sum = mix(sum, maphash.String(seed, e))
	}
	return sum
}
