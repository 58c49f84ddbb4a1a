// SPDX-License-Identifier: Apache-2.0

package hotkeys_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hotkeys"
)

type Message struct {
	Room string `dynamodbav:"room"`
	At   int64  `dynamodbav:"at"`
	Text string `dynamodbav:"text"`
}

var (
	messageRoom = ddb.StrField(func(m *Message) *string { return &m.Room })
	messageAt   = ddb.NumField(func(m *Message) *int64 { return &m.At })
)

// openMessages makes a table with 200 messages of 1 KB in one room.
func openMessages(ctx context.Context, opts ...ddb.TableOption) (*ddb.Table[Message, string, int64], func(), error) {
	client, stop := ddbtest.Open()
	messages, err := ddb.New(client, "messages", messageRoom, messageAt, opts...)
	if err != nil {
		return nil, stop, err
	}
	if err := messages.EnsureTable(ctx); err != nil {
		return nil, stop, err
	}
	list := make([]Message, 200)
	for i := range list {
		list[i] = Message{Room: "go", At: int64(i), Text: fmt.Sprintf("%980d", i)}
	}
	return messages, stop, messages.BatchPut(ctx, list)
}

func Example() {
	hot := hotkeys.New(100, time.Minute)
	messages, stop, err := openMessages(context.Background(), ddb.WithHook(hot))
	defer stop()
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for i := range 50 {
		_, err := messages.Get(ctx, fmt.Sprint("room-", i), 1)
		if !errors.Is(err, ddb.ErrNotFound) { // there is only one room
			fmt.Println(err)
			return
		}
	}
	suspect, err := messages.PartitionHash("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, k := range hot.Top(1) {
		fmt.Printf("%s: %.0f %% of all units, the suspected one: %v\n", k.Table, 100*k.Share, k.Partition == suspect)
	}
	// Output:
	// messages: 89 % of all units, the suspected one: true
}
