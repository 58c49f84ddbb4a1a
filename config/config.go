// SPDX-License-Identifier: Apache-2.0

// Package config reads the settings of a data layer from the environment and from sections of TOML and
// JSON files: where DynamoDB is, and what the tables are called. It is a module of its own, so that only those who
// import it build the TOML library.
//
//	cfg, err := config.FromTOML(file)
//	if err != nil {
//		return err
//	}
//	cfg, err = cfg.FromEnv(os.Environ()) // what is set there wins
//	if err != nil {
//		return err
//	}
//	client, err := ddbclient.New(ctx, cfg.ClientOptions()...)
//	if err != nil {
//		return err
//	}
//	store, err := eventstore.New(client, cfg.EventsTable())
//	if err != nil {
//		return err
//	}
//
// A key that is not known is an error, for it is most likely a known one that is misspelt. All problems are named at once, in an
// error that matches [ddb.ErrInvalid]; none shows a value.
package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
)

// Config is what can be set. The zero Config means the SDK's own defaults, and tables without a prefix.
type Config struct {
	// Backend is the kind of storage: "dynamo" or empty. ErrBackend tells of any other.
	Backend string
	// Region is the AWS Region. Empty: as the SDK finds it.
	Region string
	// Endpoint is the URL of a DynamoDB other than the Region's. Empty: as the SDK finds it.
	Endpoint string
	// TablePrefix stands before the names of all tables that have no name of their own. A hyphen is put in between if it ends
	// in a letter or digit: app makes app-events.
	TablePrefix string
	// Names of single tables, used as they are. Empty: the prefix and the usual name.
	Events, Snapshots, Positions, Leases, Grants string
	// StreamARN is the stream that change capture reads.
	StreamARN string

	// Of sections that Excalibur reads, see [FromJSON].

	// DefaultTable is the table for what has none of its own, used as it is.
	DefaultTable string
	// ConsistentReads asks for consistent reads where the program leaves that open, by [ddb.Consistent]. The layers of this library read consistently whatever it says.
	ConsistentReads bool
	// MaxAttempts is how often a call is sent at most, and AttemptTimeout how long an attempt may take; 0 is the default of [ddbclient.New].
	MaxAttempts    int
	AttemptTimeout time.Duration
	// Credentials are an access key and its secret. Empty: as the SDK finds them, which is better than a file.
	Credentials Credentials
}

// Format prints the settings, for every verb, and of the credentials whether there are any.
func (c Config) Format(s fmt.State, _ rune) {
	type settings Config // without this method
	_, _ = fmt.Fprintf(s, "%+v", settings(c))
}

// Credentials are an access key and its secret. No form of printing shows them.
type Credentials struct{ accessKey, secretKey string }

// IsZero reports whether there are none.
func (c Credentials) IsZero() bool { return c == Credentials{} }

// String tells whether there are any.
func (c Credentials) String() string {
	if c.IsZero() {
		return "none"
	}
	return "set"
}

// Format prints what String gives, for every verb.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, c.String()) }

// MarshalText is as String, for logs.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// ErrBackend means that the settings are for another storage than DynamoDB. Programs with several kinds go on to the next.
var ErrBackend = errors.New("the settings are for another storage backend")

// EventsTable is the name of the events' table, "events" behind the prefix unless it has its own.
func (c Config) EventsTable() string { return c.table(c.Events, "events") }

// SnapshotsTable is the name of the snapshots' table, "snapshots" behind the prefix unless it has its own.
func (c Config) SnapshotsTable() string { return c.table(c.Snapshots, "snapshots") }

// PositionsTable is the name of the positions' table, "positions" behind the prefix unless it has its own.
func (c Config) PositionsTable() string { return c.table(c.Positions, "positions") }

// LeasesTable is the name of the table with the leases and checkpoints of change capture, "leases"
// behind the prefix unless it has its own.
func (c Config) LeasesTable() string { return c.table(c.Leases, "leases") }

// GrantsTable is the name of the grants' table, "grants" behind the prefix unless it has its own.
func (c Config) GrantsTable() string { return c.table(c.Grants, "grants") }

// Table is the name of any other table behind the prefix.
func (c Config) Table(name string) string { return c.table("", name) }

func (c Config) table(own, usual string) string {
	if own != "" {
		return own
	}
	p := c.TablePrefix
	if p != "" && !strings.HasSuffix(p, "-") && !strings.HasSuffix(p, "_") && !strings.HasSuffix(p, ".") {
		p += "-"
	}
	return p + usual
}

// ClientOptions are the options for [ddbclient.New].
func (c Config) ClientOptions() []ddbclient.Option {
	var opts []ddbclient.Option
	if c.Region != "" {
		opts = append(opts, ddbclient.WithRegion(c.Region))
	}
	if c.Endpoint != "" {
		opts = append(opts, ddbclient.WithEndpoint(c.Endpoint))
	}
	if c.MaxAttempts > 0 {
		opts = append(opts, ddbclient.WithMaxAttempts(c.MaxAttempts))
	}
	if c.AttemptTimeout > 0 {
		opts = append(opts, ddbclient.WithAttemptTimeout(c.AttemptTimeout))
	}
	if keys := c.Credentials; !keys.IsZero() {
		opts = append(opts, ddbclient.WithSDKOptions(func(o *dynamodb.Options) {
			o.Credentials = aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(keys.accessKey, keys.secretKey, ""))
		}))
	}
	return opts
}

// tableNames are the names that DynamoDB takes, see
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
var tableNames = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

// check names everything that is wrong.
func (c Config) check() error {
	var errs []error
	if b := strings.ToLower(c.Backend); b != "" && b != "dynamo" && b != "dynamodb" {
		errs = append(errs, ErrBackend)
	}
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			errs = append(errs, errors.New("the endpoint is not an http or https URL"))
		}
	}
	if c.Region != "" && !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(c.Region) {
		errs = append(errs, errors.New("the region is not formed as regions are"))
	}
	for what, name := range map[string]string{
		"events": c.EventsTable(), "snapshots": c.SnapshotsTable(), "positions": c.PositionsTable(), "leases": c.LeasesTable(), "grants": c.GrantsTable(),
	} {
		if !tableNames.MatchString(name) {
			errs = append(errs, fmt.Errorf("the name of the %s table is not one that DynamoDB takes: 3 to 255 letters, digits, points, hyphens and underscores", what))
		}
	}
	if c.DefaultTable != "" && !tableNames.MatchString(c.DefaultTable) {
		errs = append(errs, errors.New("the name of the default table is not one that DynamoDB takes: 3 to 255 letters, digits, points, hyphens and underscores"))
	}
	if c.MaxAttempts < 0 || c.AttemptTimeout < 0 {
		errs = append(errs, errors.New("a number of attempts or a timeout is negative"))
	}
	if (c.Credentials.accessKey == "") != (c.Credentials.secretKey == "") {
		errs = append(errs, errors.New("an access key and a secret key go together, and one of them is missing"))
	}
	if c.StreamARN != "" && (!strings.HasPrefix(c.StreamARN, "arn:") || !strings.Contains(c.StreamARN, "/stream/")) {
		errs = append(errs, errors.New("the stream ARN is not that of a DynamoDB stream"))
	}
	return invalid(errs...)
}

func invalid(errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return &ddb.InvalidError{Problems: []error{fmt.Errorf("configuration: %w", err)}}
	}
	return nil
}
