package main

import (
	"fmt"
	"log"
	"strings"

	"github.com/dynamotable/ddb/payload/zstd"
)

func main() {
	c := zstd.New()
	small, err := c.Compress([]byte(strings.Repeat("a line\n", 1000)))
	if err != nil {
		log.Fatal(err)
	}
	large, err := c.Decompress(small, 7000)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(large), "bytes and back")
}
