// SPDX-License-Identifier: Apache-2.0

package hooks

// Path says how the items of a request travelled between Go values and the wire.
type Path string

// The paths, the cheapest first.
const (
	// FastPath: items are read directly from the reply and written directly into the request; the SDK client does the rest
	// and does not see them.
	FastPath Path = "fast"
	// BesidePath: a step of the client may look at items, so the SDK decodes the reply to attribute values for it. The
	// library reads the same reply itself, unless a step changed the attribute values. A read costs no more than with the
	// SDK and attributevalue.
	BesidePath Path = "beside the SDK"
	// AttributeValuePath: items pass through the SDK's attribute values. This is used for clients other than the SDK's, with
	// ddb.ThroughSDK, if a step of the client changed the items, and for writes through a client with steps that may look at
	// items.
	AttributeValuePath Path = "attribute values"
)
