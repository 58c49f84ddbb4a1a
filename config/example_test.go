// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"fmt"

	"github.com/dynamotable/ddb/config"
)

func ExampleFromTOML() {
	cfg, err := config.FromTOML([]byte(`
[storage.dynamo]
region = "eu-central-1"
table_prefix = "shop"
`))
	fmt.Println(cfg.Region, cfg.EventsTable(), err)
	// Output:
	// eu-central-1 shop-events <nil>
}
