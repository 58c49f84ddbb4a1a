// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"strconv"
	"sync"
)

// A text depends only on the structure of an expression, because values are placeholders. Programs have few structures, so each
// text and each map of names is made once and then shared.
const maxCached = 2048

var (
	texts   cache[string]
	aliases cache[map[string]string]
)

// text returns b as a string.
func text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return texts.get(b, func(key string) string { return key })
}

// aliasesOf returns a map from placeholders to names. The result must not be changed.
func aliasesOf(names []string) map[string]string {
	var room [256]byte
	key := room[:0]
	for _, n := range names {
		key = strconv.AppendInt(key, int64(len(n)), 10)
		key = append(append(key, ':'), n...)
	}
	return aliases.get(key, func(string) map[string]string {
		m := make(map[string]string, len(names))
		for i, n := range names {
			m[placeholder('#', i)] = n
		}
		return m
	})
}

// cache keeps up to maxCached values by key. When it is full, it is emptied. Finding a value allocates nothing.
type cache[V any] struct {
	mu sync.RWMutex
	of map[string]V
}

func (c *cache[V]) get(key []byte, build func(key string) V) V {
	c.mu.RLock()
	v, ok := c.of[string(key)]
	c.mu.RUnlock()
	if ok {
		return v
	}
	text := string(key)
	v = build(text)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil || len(c.of) >= maxCached {
		c.of = make(map[string]V)
	}
	c.of[text] = v
	return v
}
