// A user's own driver can run the analyzers.
package main

import (
	"fmt"

	"github.com/dynamotable/ddb/ddbvet/check"
)

func main() {
	for _, a := range check.Analyzers() {
		fmt.Println(a.Name)
	}
}
