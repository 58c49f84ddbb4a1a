package main

import (
	"fmt"
	"log"

	"github.com/dynamotable/ddb/config"
)

func main() {
	c, err := config.FromTOML([]byte("[storage.dynamo]\ntable_prefix = \"app\"\n"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.EventsTable())
}
