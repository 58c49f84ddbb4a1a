// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
)

// Config is a Store's configuration, for files and the environment. The zero Config is
// valid and means the defaults.
type Config struct {
	// Table is the name of the table; [DefaultTable] if it is empty.
	Table string `json:"table,omitempty"`
	// TablePrefix is put before the name, such as "test-"; ddbclient.TablePrefixFromEnv returns that
	// of the environment.
	TablePrefix string `json:"table_prefix,omitempty"`
	// Region and Endpoint are for grantclient.Open; if they are empty, the SDK's own settings apply.
	Region   string `json:"region,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	// DeleteExpiredAfter is the argument of [DeleteExpired] as [time.ParseDuration] reads it,
	// such as "720h"; expired grants stay if it is empty.
	DeleteExpiredAfter string `json:"delete_expired_after,omitempty"`
	// WithoutGroups is as the option of the same name.
	WithoutGroups bool `json:"without_groups,omitempty"`
}

// Validate reports all errors of the configuration, as one error that matches [ddb.ErrInvalid].
// Names of tables are checked by [New].
func (c Config) Validate() error {
	_, err := c.options()
	return failed("Config", err)
}

// Options returns the options of the configuration, for [New] and an existing client. The client has
// its own Region and endpoint, so they must be empty here.
func (c Config) Options() ([]Option, error) {
	var err error
	if c.Region != "" || c.Endpoint != "" {
		err = errors.New("region and endpoint are those of the client; use grantclient.Open to make a client from them")
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
