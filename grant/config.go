// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
)

// Config is a Store's configuration as a file or the environment gives it. The zero Config is
// valid and means the defaults.
type Config struct {
	// Table is the name of the table; [DefaultTable] if it is empty.
	Table string `json:"table,omitempty"`
	// TablePrefix stands before the name, such as "test-"; ddbclient.TablePrefixFromEnv gives that
	// of the environment.
	TablePrefix string `json:"table_prefix,omitempty"`
	// Region and Endpoint are for grantclient.Open; the SDK's own settings hold where they are empty.
	Region   string `json:"region,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	// DeleteExpiredAfter is the argument of [DeleteExpired] as [time.ParseDuration] reads it,
	// such as "720h"; expired grants stay if it is empty.
	DeleteExpiredAfter string `json:"delete_expired_after,omitempty"`
	// WithoutGroups is the option of the same name.
	WithoutGroups bool `json:"without_groups,omitempty"`
}

// Validate reports everything that is wrong, as one error that matches [ddb.ErrInvalid].
// Names of tables are checked by [New].
func (c Config) Validate() error {
	_, err := c.options()
	return failed("Config", err)
}

// Options are the options of the configuration, for [New] and an existing client, which has
// a Region and an endpoint of its own: they must be empty here.
func (c Config) Options() ([]Option, error) {
	var err error
	if c.Region != "" || c.Endpoint != "" {
		err = errors.New("region and endpoint are the client's; use grantclient.Open to make a client by them")
	}
	opts, err2 := c.options()
	if err := refuse(err, err2); err != nil {
		return nil, failed("Config", err)
	}
	return opts, nil
}

func (c Config) options() ([]Option, error) {
	var opts []Option
	if c.Table != "" {
		opts = append(opts, TableName(c.Table))
	}
	if c.TablePrefix != "" {
		opts = append(opts, WithTableOptions(ddb.TablePrefix(c.TablePrefix)))
	}
	if c.DeleteExpiredAfter != "" {
		after, err := time.ParseDuration(c.DeleteExpiredAfter)
		if err != nil {
			return nil, refuse(fmt.Errorf("delete_expired_after: %w", err))
		}
		if after < 0 {
			return nil, refuse(errors.New("delete_expired_after: the duration is negative"))
		}
		opts = append(opts, DeleteExpired(after))
	}
	if c.WithoutGroups {
		opts = append(opts, WithoutGroups())
	}
	return opts, nil
}
