// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ref is a reference: the place of the data, and its sizes and hash.
type ref struct {
	key    string
	codec  string // of the compression, empty for none
	size   int64  // of the data
	stored int64  // of the object
	sum    [sha256.Size]byte
}

// memory returns how many bytes are held while the data is fetched.
func (r ref) memory() int64 {
	if r.codec == "" {
		return r.size
	}
	return r.size + r.stored
}

const refForm = "p1"

// String returns the reference as text: the format, the compression, both sizes and the key, which ends in the hash.
func (r ref) String() string {
	return strings.Join([]string{refForm, r.codec, strconv.FormatInt(r.size, 10), strconv.FormatInt(r.stored, 10), r.key}, ":")
}

// dayLayout is the layout of the day of a write.
const dayLayout = "20060102"

// newRef returns the reference of data, by space, day and content.
func newRef(prefix, space, codec string, day time.Time, data []byte, stored int) ref {
	sum := sha256.Sum256(data)
	place := sha256.Sum256([]byte(space))
	name := hex.EncodeToString(sum[:])
	if codec != "" {
		name += "." + codec
	}
	key := prefix + "/" + hex.EncodeToString(place[:16]) + "/" + day.UTC().Format(dayLayout) + "/" + name
	return ref{key: key, codec: codec, size: int64(len(data)), stored: int64(stored), sum: sum}
}

// parseRef parses a reference. Its errors do not show the text.
func parseRef(prefix, text string) (ref, error) {
	bad := func(why string) (ref, error) { return ref{}, fmt.Errorf("%w: %s", ErrBadRef, why) }
	parts := strings.SplitN(text, ":", 5)
	if len(parts) != 5 || parts[0] != refForm {
		return bad("its format is unknown")
	}
	r := ref{codec: parts[1], key: parts[4]}
	var err1, err2 error
	r.size, err1 = strconv.ParseInt(parts[2], 10, 64)
	r.stored, err2 = strconv.ParseInt(parts[3], 10, 64)
	if err1 != nil || err2 != nil || r.size < 0 || r.stored < 0 || r.codec == "" && r.size != r.stored {
		return bad("its sizes are invalid")
	}
	day, name, ok := parseKey(prefix, r.key)
	if !ok || day.IsZero() {
		return bad("its key is not below the prefix of the store, or does not have the format of its keys")
	}
	digits, codec, _ := strings.Cut(name, ".")
	sum, err := hex.DecodeString(digits)
	if err != nil || len(sum) != sha256.Size || codec != r.codec {
		return bad("its key does not contain the content's hash")
	}
	copy(r.sum[:], sum)
	if r.String() != text {
		return bad("it is written differently")
	}
	return r, nil
}

// parseKey splits a key that newRef has made.
func parseKey(prefix, key string) (day time.Time, name string, ok bool) {
	rest, ok := strings.CutPrefix(key, prefix+"/")
	if !ok {
		return day, "", false
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || len(parts[0]) != 32 {
		return day, "", false
	}
	if _, err := hex.DecodeString(parts[0]); err != nil {
		return day, "", false
	}
	day, err := time.Parse(dayLayout, parts[1])
	return day, parts[2], err == nil
}
