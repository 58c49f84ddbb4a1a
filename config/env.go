// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// FromEnv returns c with the settings of the environment, given in the form of os.Environ. They replace those that are already
// set:
//
//	STORAGE_BACKEND                      Backend
//	AWS_REGION, AWS_DEFAULT_REGION       Region
//	DYNAMODB_ENDPOINT                    Endpoint
//	DYNAMO_ENDPOINT                      Endpoint, over DYNAMODB_ENDPOINT
//	AWS_ENDPOINT_URL_DYNAMODB            Endpoint, over both
//	DYNAMO_TABLE_PREFIX                  TablePrefix
//	DYNAMO_EVENTS_TABLE, ..._SNAPSHOTS_TABLE, ..._POSITIONS_TABLE, ..._LEASES_TABLE, ..._GRANTS_TABLE
//	DYNAMO_STREAM_ARN                    StreamARN
//
// An empty variable counts as not set. A misspelled name is an error that names the correct one. A name counts as misspelled if
// it differs from one of the DYNAMO_ names or STORAGE_BACKEND by one letter (added, missing, different, or two swapped), or only
// by case and underscores. All other variables are ignored, even those that begin with DYNAMO_, because other programs use such
// names too. If a variable of another program is that similar to one of these, remove it from environ.
func (c Config) FromEnv(environ []string) (Config, error) {
	set := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && value != "" {
			set[name] = value
		}
	}
	var known []string
	take := func(field *string, names ...string) {
		for _, name := range names {
			known = append(known, name)
			if value, ok := set[name]; ok {
				*field = value
			}
		}
	}
	take(&c.Backend, "STORAGE_BACKEND")
	take(&c.Region, "AWS_DEFAULT_REGION", "AWS_REGION")
	take(&c.Endpoint, "DYNAMODB_ENDPOINT", "DYNAMO_ENDPOINT", "AWS_ENDPOINT_URL_DYNAMODB")
	take(&c.TablePrefix, "DYNAMO_TABLE_PREFIX")
	take(&c.Events, "DYNAMO_EVENTS_TABLE")
	take(&c.Snapshots, "DYNAMO_SNAPSHOTS_TABLE")
	take(&c.Positions, "DYNAMO_POSITIONS_TABLE")
	take(&c.Leases, "DYNAMO_LEASES_TABLE")
	take(&c.Grants, "DYNAMO_GRANTS_TABLE")
	take(&c.StreamARN, "DYNAMO_STREAM_ARN")
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if meant := misspelt(name, known); meant != "" {
			errs = append(errs, fmt.Errorf("there is no environment variable %s; the name is %s", name, meant))
		}
	}
	if err := invalid(errs...); err != nil {
		return Config{}, err
	}
	return c, c.check()
}

// FromEnv is [Config.FromEnv] of the zero Config.
func FromEnv(environ []string) (Config, error) { return Config{}.FromEnv(environ) }

// misspelt returns the known name that a name was probably meant to be. It returns "" for a known name and for an unrelated one.
// The names of AWS are not compared: names similar to AWS_REGION exist and mean something else.
func misspelt(name string, known []string) string {
	if slices.Contains(known, name) {
		return ""
	}
	for _, k := range known {
		if !strings.HasPrefix(k, "AWS_") && (plainName(name) == plainName(k) || nearlySame(name, k)) {
			return k
		}
	}
	return ""
}

func plainName(s string) string { return strings.ToUpper(strings.ReplaceAll(s, "_", "")) }

// nearlySame reports whether two names differ by one added, missing or different letter, or by two swapped neighbours.
func nearlySame(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}
