// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }
