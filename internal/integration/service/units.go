// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"math"
	"strings"
)

// units is what a call has cost: what the reply says, or else, from the sizes of request and reply, more than that. The estimate takes
// a strongly consistent read and a transaction's double price, so that the bound holds where a reply says nothing.
func units(operation string, request, reply []byte) float64 {
	var said struct {
		ConsumedCapacity json.RawMessage `json:"ConsumedCapacity"`
	}
	if json.Unmarshal(reply, &said) == nil && len(said.ConsumedCapacity) > 0 {
		type capacity struct {
			CapacityUnits float64 `json:"CapacityUnits"`
		}
		var one capacity
		if json.Unmarshal(said.ConsumedCapacity, &one) == nil {
			return one.CapacityUnits
		}
		var several []capacity
		if json.Unmarshal(said.ConsumedCapacity, &several) == nil {
			sum := 0.0
			for _, c := range several {
				sum += c.CapacityUnits
			}
			return sum
		}
	}
	kilobytes := func(b []byte, size float64) float64 { return math.Ceil(float64(len(b)) / size) }
	switch operation {
	case "GetItem", "Query", "Scan":
		return kilobytes(reply, 4<<10)
	case "BatchGetItem":
		return kilobytes(reply, 4<<10) + 100
	case "TransactGetItems":
		return 2 * (kilobytes(reply, 4<<10) + 100)
	case "PutItem", "UpdateItem", "DeleteItem":
		// An update is priced by the whole item, of which the request may hold a little: what the reply returned counts too.
		return kilobytes(request, 1<<10) + kilobytes(reply, 1<<10)
	case "BatchWriteItem":
		return kilobytes(request, 1<<10) + 25
	case "TransactWriteItems":
		return 2 * (kilobytes(request, 1<<10) + 100)
	}
	if strings.HasPrefix(operation, "Create") || strings.HasPrefix(operation, "Update") {
		return 1 // control plane; they cost nothing, and a run that does nothing else ends all the same
	}
	return 0
}
