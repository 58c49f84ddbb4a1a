// SPDX-License-Identifier: Apache-2.0

package batches_test

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/batches"
	"github.com/dynamotable/ddb/ddbtest"
)

// Room is a room of a house.
type Room struct {
	ID   string `dynamodbav:"id"`
	Name string `dynamodbav:"name"`
}

// Sensor is a sensor in a room.
type Sensor struct {
	ID   string `dynamodbav:"id"`
	Room string `dynamodbav:"room"`
}

var (
	roomID   = ddb.StrField(func(r *Room) *string { return &r.ID })
	sensorID = ddb.StrField(func(s *Sensor) *string { return &s.ID })
)

// One call writes to two tables, and another reads from them.
func ExampleRun() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	rooms, err := ddb.NewSimple(engine.Client(), "rooms", roomID)
	if err != nil {
		fmt.Println(err)
		return
	}
	sensors, err := ddb.NewSimple(engine.Client(), "sensors", sensorID)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := rooms.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := sensors.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}

	err = batches.Run(ctx,
		batches.Write(rooms, []Room{{"r1", "kitchen"}, {"r2", "hall"}}, nil),
		batches.Write(sensors, []Sensor{{"s1", "r1"}}, nil))
	if err != nil {
		fmt.Println(err)
		return
	}

	var gotRooms []ddb.Got[Room]
	var gotSensors []ddb.Got[Sensor]
	err = batches.Run(ctx,
		batches.Get(rooms, []string{"r2", "r3"}, &gotRooms),
		batches.Get(sensors, []string{"s1"}, &gotSensors))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(gotRooms[0].Item.Name, gotRooms[1].Found, gotSensors[0].Item.Room)
	// Output: hall false r1
}
