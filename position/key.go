// SPDX-License-Identifier: Apache-2.0

package position

import (
	"errors"
	"strings"
)

// HandlerKey names a position as event-sourced systems do that route by aggregate: how far a handler has come
// in an aggregate's timeline. Its parts may hold any text.
type HandlerKey struct {
	Handler string
	Domain  string
	Edition string
	Root    string
}

const separator = "#"

var (
	escaper   = strings.NewReplacer("%", "%25", separator, "%23")
	unescaper = strings.NewReplacer("%25", "%", "%23", separator)
)

// Consumer is the consumer under which the position is kept: the handler.
func (k HandlerKey) Consumer() string { return k.Handler }

// Partition is the partition under which the position is kept: domain, edition and root, each
// escaped, so that distinct keys have distinct partitions.
func (k HandlerKey) Partition() string {
	return escaper.Replace(k.Domain) + separator + escaper.Replace(k.Edition) + separator + escaper.Replace(k.Root)
}

// ParseHandlerKey gives back the key of a consumer and partition.
func ParseHandlerKey(consumer, partition string) (HandlerKey, error) {
	parts := strings.Split(partition, separator)
	if len(parts) != 3 {
		return HandlerKey{}, errors.New("position: the partition is not of a HandlerKey: it has not three parts")
	}
	k := HandlerKey{Handler: consumer, Domain: unescaper.Replace(parts[0]), Edition: unescaper.Replace(parts[1]), Root: unescaper.Replace(parts[2])}
	if k.Partition() != partition {
		return HandlerKey{}, errors.New("position: the partition is not of a HandlerKey: it is escaped in another way")
	}
	return k, nil
}
