// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// FromEnv sets what the environment says, in the form of os.Environ, over what is set already:
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
// A variable that is empty counts as not set. A misspelt name is an error that names the right one: a name that differs from one of DYNAMO_...
// or STORAGE_BACKEND by one letter (too many, missing, another, or two in the wrong order), or by case and underscores only. All other
// variables are left alone, also those that begin with DYNAMO_: other programs have such too. If another program's
// variable is that near to one of these, take it out of environ.
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

// FromEnv is [Config.FromEnv] with nothing set before.
func FromEnv(environ []string) (Config, error) { return Config{}.FromEnv(environ) }

// misspelt gives the known name that a name was meant to be, empty for a known or a foreign one. Names of AWS are not compared:
// AWS_REGION and the like have neighbours that mean something else.
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

// nearlySame reports whether one letter is too many, missing or another, or two neighbours have changed places.
func nearlySame(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 || len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}
