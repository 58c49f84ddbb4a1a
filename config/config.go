// SPDX-License-Identifier: Apache-2.0

// Package config reads the settings of a data layer from the environment and from sections of TOML and JSON files: where DynamoDB
// is, and the names of the tables. It is a separate module, so that only programs that import it depend on the TOML library.
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
// An unknown key is an error, because it is most likely misspelled. One error that matches [ddb.ErrInvalid] names all problems
// and shows no values.
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

// Config holds the settings. The zero Config means the SDK's own defaults, and tables without a prefix.
type Config struct {
	// Backend is the kind of storage: "dynamo" or empty. Any other is an error that matches ErrBackend.
	Backend string
	// Region is the AWS Region. If it is empty, the SDK determines it.
	Region string
	// Endpoint is the URL of DynamoDB, if it is not the endpoint of the Region. If it is empty, the SDK determines it.
	Endpoint string
	// TablePrefix is the prefix of the names of all tables that have no name of their own. If it ends in a letter or digit, a
	// hyphen follows: the prefix app results in app-events.
	TablePrefix string
	// The names of single tables, used without the prefix. An empty name means the prefix and the default name.
	Events, Snapshots, Positions, Leases, Grants string
	// StreamARN is the stream that change capture reads.
	StreamARN string

	// The following are in sections that Excalibur reads, see [FromJSON].

	// DefaultTable is the table for data that has no table of its own. It is used without the prefix.
	DefaultTable string
	// ConsistentReads asks for consistent reads where the program does not decide; see [ddb.Consistent]. The layers of this
	// library always read consistently.
	ConsistentReads bool
	// MaxAttempts is the maximum number of times that a call is sent, and AttemptTimeout the maximum duration of an attempt; 0
	// means the default of [ddbclient.New].
	MaxAttempts    int
	AttemptTimeout time.Duration
	// Credentials are an access key and its secret. If they are empty, the SDK finds credentials, which is better than a file.
	Credentials Credentials
}

// Format prints the settings for every verb. It prints only whether there are credentials.
func (c Config) Format(s fmt.State, _ rune) {
	type settings Config // without this method
	_, _ = fmt.Fprintf(s, "%+v", settings(c))
}

// Credentials are an access key and its secret. They are never printed.
type Credentials struct{ accessKey, secretKey string }

// IsZero reports whether there are no credentials.
func (c Credentials) IsZero() bool { return c == Credentials{} }

// String returns whether there are credentials.
func (c Credentials) String() string {
	if c.IsZero() {
		return "none"
	}
	return "set"
}

// Format prints the text of String for every verb.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, c.String()) }

// MarshalText returns the text of String, for logs.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// ErrBackend means that the settings are for a storage other than DynamoDB. A program that supports several kinds of storage can
// try the next one.
var ErrBackend = errors.New("the settings are for another storage backend")

// EventsTable returns the name of the table of events: its own name, or the prefix and "events".
func (c Config) EventsTable() string { return c.table(c.Events, "events") }

// SnapshotsTable returns the name of the table of snapshots: its own name, or the prefix and "snapshots".
func (c Config) SnapshotsTable() string { return c.table(c.Snapshots, "snapshots") }

// PositionsTable returns the name of the table of positions: its own name, or the prefix and "positions".
func (c Config) PositionsTable() string { return c.table(c.Positions, "positions") }

// LeasesTable returns the name of the table with the leases and checkpoints of change capture: its own name, or the prefix and
// "leases".
func (c Config) LeasesTable() string { return c.table(c.Leases, "leases") }

// GrantsTable returns the name of the table of grants: its own name, or the prefix and "grants".
func (c Config) GrantsTable() string { return c.table(c.Grants, "grants") }

// Table returns the name of any other table: the prefix and the name.
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

// ClientOptions returns the options for [ddbclient.New].
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

// tableNames matches the names that DynamoDB accepts, see
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
var tableNames = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)

// check returns an error that names everything that is wrong.
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
