// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// eventRecord is a record in the JSON of Lambda and of Kinesis Data Streams for DynamoDB.
type eventRecord struct {
	EventID      string        `json:"eventID"`
	EventName    string        `json:"eventName"`
	Dynamodb     *eventChange  `json:"dynamodb"`
	UserIdentity *userIdentity `json:"userIdentity"`
}

type eventChange struct {
	ApproximateCreationDateTime          json.Number     `json:"ApproximateCreationDateTime"`
	ApproximateCreationDateTimePrecision string          `json:"ApproximateCreationDateTimePrecision"` // of Kinesis
	Keys                                 json.RawMessage `json:"Keys"`
	OldImage                             json.RawMessage `json:"OldImage"`
	NewImage                             json.RawMessage `json:"NewImage"`
	SequenceNumber                       string          `json:"SequenceNumber"` // not of Kinesis
}

// userIdentity is spelled type, principalId by Lambda and Type, PrincipalId by the API; encoding/json takes both.
type userIdentity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId"`
}

// DecodeLambda reads the event that AWS Lambda passes to a function with a trigger on a
// DynamoDB stream. After an error, which is a [*DecodeError] if a record is invalid, it
// returns the changes before that record.
//
// https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
func DecodeLambda[T any](event []byte) ([]Change[T], error) {
	records, err := lambdaRecords(event)
	if err != nil {
		return nil, err
	}
	changes := make([]Change[T], 0, len(records))
	for i := range records {
		c, err := decodeLambda[T](&records[i])
		if err != nil {
			return changes, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

func lambdaRecords(event []byte) ([]eventRecord, error) {
	var e struct {
		Records []eventRecord `json:"Records"`
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, fmt.Errorf("change: not an event of a DynamoDB stream: %w", jsonFault(err))
	}
	return e.Records, nil
}

func decodeLambda[T any](r *eventRecord) (Change[T], error) { return decodeEvent[T](r, time.Second) }

// LambdaResponse reports from which record on Lambda has to try again. The trigger must have
// ReportBatchItemFailures among its function response types; without it Lambda treats any
// response as success of the whole batch.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
type LambdaResponse struct {
	BatchItemFailures []LambdaFailure `json:"batchItemFailures"`
}

// LambdaFailure identifies a record by its sequence number. Lambda tries again from the lowest one.
type LambdaFailure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// LambdaHandler returns a function for a Lambda trigger. Pass it to lambda.Start of
// aws-lambda-go:
//
//	lambda.Start(change.LambdaHandler(project, func(_ context.Context, c change.Change[Order], err error) {
//		slog.Error("projection", "record", c.Seq, "err", err)
//	}))
//
// It handles the changes of an event one by one. At the first one that fails or cannot be read it
// stops, calls failed if that is not nil, and reports the record, so that Lambda tries again from
// there and repeats nothing before it. The trigger's settings determine how often,
// and where records that always fail are sent. If the context ends between two changes, the rest is
// reported in the same way.
func LambdaHandler[T any](handle func(context.Context, Change[T]) error, failed func(context.Context, Change[T], error)) func(context.Context, json.RawMessage) (LambdaResponse, error) {
	return func(ctx context.Context, event json.RawMessage) (LambdaResponse, error) {
		response := LambdaResponse{BatchItemFailures: []LambdaFailure{}} // null would not be a list
		records, err := lambdaRecords(event)
		if err != nil {
			return response, err
		}
		for i := range records {
			c, err := decodeLambda[T](&records[i])
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = handle(ctx, c)
			}
			if err == nil {
				continue
			}
			if c.Seq == "" {
				return response, err // a failure without a name would end in an endless loop
			}
			if failed != nil {
				failed(ctx, c, err)
			}
			response.BatchItemFailures = append(response.BatchItemFailures, LambdaFailure{ItemIdentifier: string(c.Seq)})
			break
		}
		return response, nil
	}
}

// decodeEvent reads a record whose times are in the given unit.
func decodeEvent[T any](r *eventRecord, unit time.Duration) (Change[T], error) {
	c := Change[T]{Kind: Kind(r.EventName), EventID: r.EventID}
	d := r.Dynamodb
	if d == nil {
		return c, &DecodeError{Err: errors.New("it has no change")}
	}
	c.Seq = Seq(d.SequenceNumber)
	if u := r.UserIdentity; u != nil {
		c.TTLExpired = isExpiry(c.Kind, u.Type, u.PrincipalID)
	}
	at, err := eventTime(d.ApproximateCreationDateTime, unit)
	if err != nil {
		return c, &DecodeError{Seq: c.Seq, Part: "ApproximateCreationDateTime", Err: err}
	}
	c.ApproxTime = at
	return fill(c, func(part string) ([]byte, error) {
		var data json.RawMessage
		switch part {
		case partKeys:
			data = d.Keys
		case partOld:
			data = d.OldImage
		case partNew:
			data = d.NewImage
		}
		if string(data) == "null" {
			return nil, nil
		}
		return data, nil
	})
}

// eventTime reads a time that counts units since 1970, as an integer or with a fraction or an exponent.
func eventTime(n json.Number, unit time.Duration) (time.Time, error) {
	if n == "" {
		return time.Time{}, nil
	}
	if i, err := n.Int64(); err == nil {
		perSecond := int64(time.Second / unit)
		return time.Unix(i/perSecond, i%perSecond*int64(unit)).UTC(), nil
	}
	f, err := n.Float64()
	if seconds := f * unit.Seconds(); err == nil && math.Abs(seconds) < math.MaxInt32*1000 {
		whole, fraction := math.Modf(seconds)
		return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), nil
	}
	return time.Time{}, errors.New("it is not a time")
}

// jsonFault removes data from errors of encoding/json, whose type errors quote the input.
func jsonFault(err error) error {
	switch e := err.(type) { //nolint:errorlint // encoding/json does not wrap
	case *json.UnmarshalTypeError:
		return fmt.Errorf("wrong type at byte %d", e.Offset)
	case *json.SyntaxError:
		return fmt.Errorf("malformed JSON at byte %d", e.Offset)
	}
	return errors.New("malformed JSON")
}
