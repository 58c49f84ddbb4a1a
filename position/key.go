// SPDX-License-Identifier: Apache-2.0

package position

import (
	"errors"
	"strings"
)

// HandlerKey identifies a position in event-sourced systems that route by aggregate: the position of a handler
// in an aggregate's timeline. Its parts may be any text.
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

// Consumer returns the consumer under which the position is stored: the handler.
func (k HandlerKey) Consumer() string { return k.Handler }

// Partition returns the partition under which the position is stored: domain, edition and root, each
// escaped, so that distinct keys have distinct partitions.
func (k HandlerKey) Partition() string {
	return escaper.Replace(k.Domain) + separator + escaper.Replace(k.Edition) + separator + escaper.Replace(k.Root)
}

// ParseHandlerKey returns the key of a consumer and partition.
func ParseHandlerKey(consumer, partition string) (HandlerKey, error) {
	parts := strings.Split(partition, separator)
	if len(parts) != 3 {
		return HandlerKey{}, errors.New("position: the partition is not that of a HandlerKey: it does not have three parts")
	}
	k := HandlerKey{Handler: consumer, Domain: unescaper.Replace(parts[0]), Edition: unescaper.Replace(parts[1]), Root: unescaper.Replace(parts[2])}
	if k.Partition() != partition {
		return HandlerKey{}, errors.New("position: the partition is not that of a HandlerKey: it is escaped differently")
	}
	return k, nil
}
