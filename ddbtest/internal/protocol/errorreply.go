// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"net/http"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// Namespaces of exceptions in __type.
const (
	dynamoNamespace    = "com.amazonaws.dynamodb.v20120810#"
	validateNamespace  = "com.amazon.coral.validate#"
	serviceNamespace   = "com.amazon.coral.service#"
	availableNamespace = "com.amazon.coral.availability#"
)

// namespaces of the exceptions that are not DynamoDB's own.
var namespaces = map[string]string{
	engine.ValidationException:            validateNamespace,
	engine.SerializationException:         serviceNamespace,
	engine.ThrottlingException:            availableNamespace,
	"UnknownOperationException":           serviceNamespace,
	"MissingAuthenticationTokenException": serviceNamespace,
	"IncompleteSignatureException":        serviceNamespace,
	"InvalidSignatureException":           serviceNamespace,
	"UnrecognizedClientException":         serviceNamespace,
	"ExpiredTokenException":               serviceNamespace,
	"AccessDeniedException":               serviceNamespace,
	"ServiceUnavailableException":         serviceNamespace,
	"RequestEntityTooLargeException":      serviceNamespace,
}

// capitalized are the exceptions whose member is Message, with a capital.
var capitalized = map[string]bool{
	engine.SerializationException:               true,
	engine.TransactionCanceledException:         true,
	engine.TransactionInProgressException:       true,
	engine.IdempotentParameterMismatchException: true,
}

// errorReply returns the status and the body of an error answer.
func errorReply(err error) (int, []byte) {
	e := engine.AsError(err)
	namespace, ok := namespaces[e.Type]
	if !ok {
		namespace = dynamoNamespace
	}
	w := newWriter(len(e.Item))
	w.str("__type", namespace+e.Type)
	if e.Reasons != nil {
		w.reasons(e.Reasons)
	}
	if e.Item != nil {
		w.raw("Item", e.Item)
	}
	if e.Throttling != nil {
		w.throttling(e.Type, e.Throttling)
	}
	if e.Message != "" {
		name := "message"
		if capitalized[e.Type] {
			name = "Message"
		}
		w.str(name, e.Message)
	}
	status := http.StatusBadRequest
	switch e.Type {
	case engine.InternalServerError:
		status = http.StatusInternalServerError
	case "RequestEntityTooLargeException":
		status = http.StatusRequestEntityTooLarge
	case "ServiceUnavailableException":
		status = http.StatusServiceUnavailable
	}
	return status, w.end()
}

func (w *writer) reasons(reasons []engine.CancellationReason) {
	w.name("CancellationReasons")
	w.open('[')
	for _, reason := range reasons {
		w.next()
		w.open('{')
		w.str("Code", reason.Code)
		if reason.Item != nil {
			w.raw("Item", reason.Item)
		}
		if reason.Message != "" {
			w.str("Message", reason.Message)
		}
		w.close('}')
	}
	w.close(']')
}

func (w *writer) throttling(exception string, reasons []engine.ThrottlingReason) {
	name := "ThrottlingReasons"
	if exception == engine.ThrottlingException {
		name = "throttlingReasons"
	}
	w.name(name)
	w.open('[')
	for _, reason := range reasons {
		w.next()
		w.open('{')
		w.str("reason", reason.Reason)
		w.str("resource", reason.Resource)
		w.close('}')
	}
	w.close(']')
}
