// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"encoding/json"
	"fmt"

	"github.com/dynamotable/ddb/internal/quiet"
)

// Format prints the text, for every verb, and so never the cursor.
func (e *BudgetExceeded) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON is the text.
func (e *BudgetExceeded) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }
