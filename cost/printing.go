// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"encoding/json"
	"fmt"

	"github.com/dynamotable/ddb/internal/quiet"
)

// Format prints the text, without the cursor, for every verb.
func (e *BudgetExceeded) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *BudgetExceeded) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }
