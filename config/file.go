// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// FromTOML reads the section storage of a TOML file and ignores all other sections:
//
//	[storage]
//	backend = "dynamo"
//
//	[storage.dynamo]
//	region = "us-east-1"
//	table_prefix = "app"
//	endpoint = "http://localhost:8000"
//	events_table = "my-events"     # and snapshots_table, positions_table, leases_table, grants_table
//	stream_arn = "arn:aws:dynamodb:..."
func FromTOML(text []byte) (Config, error) {
	var file struct {
		Storage struct {
			Backend string `toml:"backend"`
			Dynamo  struct {
				Region      string `toml:"region"`
				TablePrefix string `toml:"table_prefix"`
				Endpoint    string `toml:"endpoint"`
				EndpointURL string `toml:"endpoint_url"`
				Events      string `toml:"events_table"`
				Snapshots   string `toml:"snapshots_table"`
				Positions   string `toml:"positions_table"`
				Leases      string `toml:"leases_table"`
				Grants      string `toml:"grants_table"`
				StreamARN   string `toml:"stream_arn"`
			} `toml:"dynamo"`
		} `toml:"storage"`
	}
	meta, err := toml.Decode(string(text), &file)
	if err != nil {
		if pe, ok := errors.AsType[toml.ParseError](err); ok {
			return Config{}, invalid(fmt.Errorf("line %d is not TOML: something in it is wrong or missing", pe.Position.Line))
		}
		return Config{}, invalid(errors.New("TOML: a value has another type than its key"))
	}
	var errs []error
	for _, key := range meta.Undecoded() {
		if key[0] == "storage" && (len(key) < 2 || key[1] == "dynamo" || len(key) == 2 && !isSection(meta, key)) {
			errs = append(errs, fmt.Errorf("there is no key %s", key))
		}
	}
	d := file.Storage.Dynamo
	if d.Endpoint != "" && d.EndpointURL != "" && d.Endpoint != d.EndpointURL {
		errs = append(errs, errors.New("endpoint and endpoint_url differ"))
	}
	if err := invalid(errs...); err != nil {
		return Config{}, err
	}
	c := Config{
		Backend: file.Storage.Backend, Region: d.Region, Endpoint: d.Endpoint + d.EndpointURL, TablePrefix: d.TablePrefix,
		Events: d.Events, Snapshots: d.Snapshots, Positions: d.Positions, Leases: d.Leases, Grants: d.Grants, StreamARN: d.StreamARN,
	}
	if d.Endpoint != "" {
		c.Endpoint = d.Endpoint
	}
	return c, c.check()
}

// isSection reports whether a key is a section, for example of another backend.
func isSection(meta toml.MetaData, key toml.Key) bool { return meta.Type(key...) == "Hash" }

// FromJSON reads a section of a JSON file and ignores all other sections. If the name is empty, it reads "DynamoDb". Nested
// sections are separated by colons, as in Data:DynamoDb; the case of names does not matter:
//
//	{"DynamoDb": {
//		"Region": "us-east-1",
//		"ServiceUrl": "http://localhost:8000",
//		"TablePrefix": "MyApp_",
//		"Events": {"TableName": "Events"},
//		"SnapshotStore": {"TableName": "Snapshots"},
//		"Positions": {"TableName": "Positions"},
//		"Cdc": {"StreamArn": "arn:aws:dynamodb:..."},
//		"CdcStateStore": {"TableName": "CdcState"},
//		"Authorization": {"TableName": "AuthGrants"}
//	}}
//
// It also accepts a section that Excalibur itself reads. There, the settings of the connection are in the section or in a section
// Connection inside it: Region, ServiceUrl, AccessKey, SecretKey, MaxRetryAttempts (one less than [Config.MaxAttempts]) and
// TimeoutInSeconds ([Config.AttemptTimeout]). DefaultTableName and UseConsistentReads are [Config.DefaultTable] and
// [Config.ConsistentReads]. Settings that only concern how Excalibur names its provider, keys and new tables are accepted and
// have no effect: Name, DefaultPartitionKeyAttribute, DefaultSortKeyAttribute, EnableStreams, StreamViewType, ReadCapacityUnits
// and WriteCapacityUnits.
func FromJSON(text []byte, section string) (Config, error) {
	text, section, err := find(text, section)
	if err != nil {
		return Config{}, err
	}
	type table struct {
		TableName string `json:"TableName"`
	}
	var s struct {
		connection

		TablePrefix   string `json:"TablePrefix"`
		Events        table  `json:"Events"`
		SnapshotStore table  `json:"SnapshotStore"`
		Positions     table  `json:"Positions"`
		CdcStateStore table  `json:"CdcStateStore"`
		Authorization table  `json:"Authorization"`
		Cdc           struct {
			StreamArn string `json:"StreamArn"`
		} `json:"Cdc"`

		Connection         connection `json:"Connection"`
		DefaultTableName   string     `json:"DefaultTableName"`
		UseConsistentReads bool       `json:"UseConsistentReads"`

		Name                         string `json:"Name"`
		DefaultPartitionKeyAttribute string `json:"DefaultPartitionKeyAttribute"`
		DefaultSortKeyAttribute      string `json:"DefaultSortKeyAttribute"`
		EnableStreams                bool   `json:"EnableStreams"`
		StreamViewType               string `json:"StreamViewType"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return Config{}, invalid(fmt.Errorf("JSON: section %s: %s is a %s", section, te.Field, te.Value))
		}
		return Config{}, invalid(fmt.Errorf("JSON: section %s: %w", section, err)) // names the unknown key
	}
	c := Config{
		TablePrefix: s.TablePrefix, Events: s.Events.TableName, Snapshots: s.SnapshotStore.TableName,
		Positions: s.Positions.TableName, Leases: s.CdcStateStore.TableName, Grants: s.Authorization.TableName, StreamARN: s.Cdc.StreamArn,
		DefaultTable: s.DefaultTableName, ConsistentReads: s.UseConsistentReads,
	}
	conn, err := s.over(s.Connection)
	c.Region, c.Endpoint, c.Credentials = conn.Region, conn.ServiceURL, Credentials{conn.AccessKey, conn.SecretKey}
	if n := conn.MaxRetryAttempts; n != nil {
		if c.MaxAttempts = *n + 1; *n < 0 {
			c.MaxAttempts = *n
		}
	}
	c.AttemptTimeout = time.Duration(conn.TimeoutInSeconds) * time.Second
	if err != nil {
		return Config{}, invalid(fmt.Errorf("JSON: section %s: %w", section, err))
	}
	return c, c.check()
}

// connection holds the settings of a connection under the names that Excalibur uses.
type connection struct {
	Region             string `json:"Region"`
	ServiceURL         string `json:"ServiceUrl"`
	AccessKey          string `json:"AccessKey"`
	SecretKey          string `json:"SecretKey"`
	MaxRetryAttempts   *int   `json:"MaxRetryAttempts"`
	TimeoutInSeconds   int32  `json:"TimeoutInSeconds"`
	ReadCapacityUnits  *int   `json:"ReadCapacityUnits"`
	WriteCapacityUnits *int   `json:"WriteCapacityUnits"`
}

// over adds the settings of a nested section, which must not contradict the others.
func (c connection) over(inner connection) (connection, error) {
	var errs []error
	text := func(name string, a, b string) string {
		if a != "" && b != "" && a != b {
			errs = append(errs, fmt.Errorf("%s and Connection.%s differ", name, name))
		}
		return cmp.Or(a, b)
	}
	c.Region = text("Region", c.Region, inner.Region)
	c.ServiceURL = text("ServiceUrl", c.ServiceURL, inner.ServiceURL)
	c.AccessKey = text("AccessKey", c.AccessKey, inner.AccessKey)
	c.SecretKey = text("SecretKey", c.SecretKey, inner.SecretKey)
	if c.MaxRetryAttempts != nil && inner.MaxRetryAttempts != nil && *c.MaxRetryAttempts != *inner.MaxRetryAttempts ||
		c.TimeoutInSeconds != 0 && inner.TimeoutInSeconds != 0 && c.TimeoutInSeconds != inner.TimeoutInSeconds {
		errs = append(errs, errors.New("MaxRetryAttempts or TimeoutInSeconds differ from those of Connection"))
	}
	c.MaxRetryAttempts = cmp.Or(c.MaxRetryAttempts, inner.MaxRetryAttempts)
	c.TimeoutInSeconds = cmp.Or(c.TimeoutInSeconds, inner.TimeoutInSeconds)
	return c, errors.Join(errs...)
}

// find returns the text of a section and its name.
func find(text []byte, section string) ([]byte, string, error) {
	if section == "" {
		section = "DynamoDb"
	}
	for name := range strings.SplitSeq(section, ":") {
		var level map[string]json.RawMessage
		if err := json.Unmarshal(text, &level); err != nil {
			return nil, section, invalid(fmt.Errorf("JSON: section %s: what holds it is not an object", section))
		}
		text = nil
		for key, value := range level {
			if strings.EqualFold(key, name) {
				text = value
			}
		}
		if text == nil {
			return nil, section, invalid(fmt.Errorf("JSON: there is no section %s", section))
		}
	}
	return text, section, nil
}
