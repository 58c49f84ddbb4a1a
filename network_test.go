package ddb_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// More of what happens to requests.
const (
	flippedByte   = faults + iota // of a reply with a checksum
	foreignReply                  // 200 with a page of a proxy
	provisioned                   // throttled, with a reason
	txConflict                    // with a transaction that is under way
	writeConflict                 // with a write of another Region
	hung                          // no reply until the attempt is given up
	doubled                       // delivered twice
	ghost                         // the connection breaks, and the request arrives up to 5 s later
	allFaults
)

const (
	errorType    = `{"__type":"com.amazonaws.dynamodb.v20120810#`
	foreignPage  = "<html><body>Please log in</body></html>"
	throttleText = errorType + `ProvisionedThroughputExceededException","message":"too much",` +
		`"ThrottlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"arn:aws:dynamodb:eu-central-1:1:table/t"}]}`
)

// refusal reports whether a fault is an answer of the service that says that nothing was done.
func (f fault) refusal() bool {
	return f == throttled || f == provisioned || f == txConflict || f == writeConflict
}

// twice reports whether a fault can make the network deliver a request again, behind everybody's back.
func (f fault) twice() bool { return f == doubled || f == ghost }

func (f *faulty) rare(req *http.Request, what fault) (*http.Response, error) {
	switch what {
	case foreignReply:
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}},
			Body: io.NopCloser(strings.NewReader(foreignPage)), ContentLength: int64(len(foreignPage)), Request: req,
		}, nil
	case provisioned:
		return answer(req, 400, throttleText), nil
	case txConflict:
		return answer(req, 400, errorType+`TransactionConflictException","message":"Transaction is ongoing for the item"}`), nil
	case writeConflict:
		return answer(req, 400, errorType+`ReplicatedWriteConflictException","message":"in conflict with another Region"}`), nil
	case hung:
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	again := func() *http.Request {
		r := req.Clone(context.WithoutCancel(req.Context()))
		r.Body = io.NopCloser(bytes.NewReader(body))
		return r
	}
	switch what {
	case ghost:
		delay := rand.N(5 * time.Second)
		go func() {
			<-time.After(delay)
			_, _ = f.apply(again())
		}()
		return nil, errReset
	case doubled:
		resp, err := f.apply(again())
		_, _ = f.apply(again())
		return resp, err
	}
	resp, err := f.apply(again())
	if err != nil {
		return nil, err
	}
	reply, err := io.ReadAll(resp.Body)
	if len(reply) > 0 {
		reply[len(reply)/2] ^= 1
	}
	resp.Body = io.NopCloser(bytes.NewReader(reply))
	return resp, err
}
