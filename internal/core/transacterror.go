// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
)

// cancelled converts the service's cancellation to a TransactionError.
func cancelled(actions []txAction, err error) error {
	var tce *types.TransactionCanceledException
	if !errors.As(err, &tce) {
		return err
	}
	e := ddberr.Transaction(err)
	for i, r := range tce.CancellationReasons {
		code := quiet.Code(aws.ToString(r.Code))
		if code == "None" || code == "" || i >= len(actions) {
			continue
		}
		a := actions[i]
		e.Failed = append(e.Failed, ddberr.TransactionFailure{Index: a.arg, Verb: a.verb, Table: a.core.Name, Reason: code, Err: a.reason(r, err)})
	}
	return e
}

func (a txAction) reason(r types.CancellationReason, cause error) error {
	reason := errors.New(redact.Message(aws.ToString(r.Message)))
	switch aws.ToString(r.Code) {
	case "ConditionalCheckFailed":
		return a.failed(r.Item, cause)
	case "ThrottlingError", "ProvisionedThroughputExceeded":
		return ddberr.Throttled(reason, 0)
	case "ValidationError":
		return operr.AdviseOn("ValidationException", aws.ToString(r.Message), reason)
	}
	return reason
}
