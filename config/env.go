package config

import (
	"fmt"
	"strings"
)

// FromEnv sets what the environment says, in the form of os.Environ, over what is set already:
//
//	STORAGE_BACKEND                      Backend
//	AWS_REGION, AWS_DEFAULT_REGION       Region
//	DYNAMO_ENDPOINT                      Endpoint
//	AWS_ENDPOINT_URL_DYNAMODB            Endpoint, over DYNAMO_ENDPOINT
//	DYNAMO_TABLE_PREFIX                  TablePrefix
//	DYNAMO_EVENTS_TABLE, ..._SNAPSHOTS_TABLE, ..._POSITIONS_TABLE, ..._LEASES_TABLE, ..._GRANTS_TABLE
//	DYNAMO_STREAM_ARN                    StreamARN
//
// A variable that is empty counts as not set. Any other whose name begins with DYNAMO_ is an error.
func (c Config) FromEnv(environ []string) (Config, error) {
	set := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && value != "" {
			set[name] = value
		}
	}
	known := map[string]bool{}
	take := func(field *string, names ...string) {
		for _, name := range names {
			known[name] = true
			if value, ok := set[name]; ok {
				*field = value
			}
		}
	}
	take(&c.Backend, "STORAGE_BACKEND")
	take(&c.Region, "AWS_DEFAULT_REGION", "AWS_REGION")
	take(&c.Endpoint, "DYNAMO_ENDPOINT", "AWS_ENDPOINT_URL_DYNAMODB")
	take(&c.TablePrefix, "DYNAMO_TABLE_PREFIX")
	take(&c.Events, "DYNAMO_EVENTS_TABLE")
	take(&c.Snapshots, "DYNAMO_SNAPSHOTS_TABLE")
	take(&c.Positions, "DYNAMO_POSITIONS_TABLE")
	take(&c.Leases, "DYNAMO_LEASES_TABLE")
	take(&c.Grants, "DYNAMO_GRANTS_TABLE")
	take(&c.StreamARN, "DYNAMO_STREAM_ARN")
	var errs []error
	for _, entry := range environ {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "DYNAMO_") && !known[name] {
			errs = append(errs, fmt.Errorf("there is no environment variable %s", name))
		}
	}
	if err := invalid(errs...); err != nil {
		return Config{}, err
	}
	return c, c.check()
}

// FromEnv is [Config.FromEnv] with nothing set before.
func FromEnv(environ []string) (Config, error) { return Config{}.FromEnv(environ) }
