// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"encoding/json"
	"os"
	"testing"
	"time"
)

// The server writes values as the table of formats says. The script does the same, which a test in a browser checks.
func TestFormats(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/formats.json")
	if err != nil {
		t.Fatal(err)
	}
	var formats []struct {
		Kind  string
		Value any
		Text  string
	}
	if err := json.Unmarshal(data, &formats); err != nil || len(formats) < 40 {
		t.Fatalf("%d formats: %v", len(formats), err)
	}
	kinds := make(map[string]bool)
	for _, f := range formats {
		kinds[f.Kind] = true
		if got := shown(f.Kind, f.Value, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)); got != f.Text {
			t.Errorf("%s of %v is %q, want %q", f.Kind, f.Value, got, f.Text)
		}
	}
	for _, s := range sections {
		for _, c := range s.Columns {
			if !kinds[c.Kind] {
				t.Errorf("column %s of %s has the kind %s, which has no format in the table", c.Title, s.ID, c.Kind)
			}
		}
	}
}
