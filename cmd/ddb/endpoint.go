// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/rawtable"
)

// connection is the location of the tables.
type connection struct {
	endpoint, region string
	opened           *dynamodb.Client // set by client
}

func (c *connection) define(f *flag.FlagSet) {
	f.StringVar(&c.endpoint, "endpoint", "", "the `URL` of the endpoint, such as http://127.0.0.1:8000; by default from the environment, such as AWS_ENDPOINT_URL_DYNAMODB")
	f.StringVar(&c.region, "region", "", "the AWS `Region`; by default from the environment, such as AWS_REGION")
}

// client returns a client that uses the environment and the flags. It sends nothing yet. If the environment names a server
// elsewhere, that is shown.
func (c *connection) client(ctx context.Context, s streams) (*dynamodb.Client, error) {
	opts := []ddbclient.Option{ddbclient.WithLogger(slog.New(slog.DiscardHandler))}
	if c.endpoint != "" {
		opts = append(opts, ddbclient.WithEndpoint(c.endpoint))
	}
	if c.region != "" {
		opts = append(opts, ddbclient.WithRegion(c.region))
	}
	client, err := ddbclient.New(ctx, opts...)
	if err == nil && c.endpoint == "" && client.Options().BaseEndpoint != nil && !isThisMachine(client) {
		fmt.Fprintf(s.err, "the environment names the endpoint at %s\n", serviceOf(client))
	}
	c.opened = client
	return client, err
}

// clients returns the client of a command. It is implemented by a connection, and by one that may change data.
type clients interface {
	client(ctx context.Context, s streams) (*dynamodb.Client, error)
}

// firstTable returns the first table that a command names.
func firstTable(ctx context.Context, s streams, c clients, command string, args []string) (*rawtable.Table, error) {
	if len(args) == 0 || args[0] == "" {
		return nil, usageError("%s: name a table; see ddb help %s", command, command)
	}
	return tableAt(ctx, s, c, args[0])
}

// tableAt returns a table by name.
func tableAt(ctx context.Context, s streams, c clients, name string) (*rawtable.Table, error) {
	client, err := c.client(ctx, s)
	if err != nil {
		return nil, err
	}
	return rawtable.Open(ctx, client, name)
}

// serviceOf returns the name of the service that a client uses: its host or its Region.
func serviceOf(client *dynamodb.Client) string {
	o := client.Options()
	if o.BaseEndpoint == nil {
		return "AWS in " + o.Region
	}
	u, err := url.Parse(*o.BaseEndpoint)
	if err != nil {
		return "an endpoint"
	}
	return u.Host
}

// placeOf returns the name of a table together with its service and account. A position is valid for one table only, and a table
// with the same name elsewhere is another one.
func placeOf(client *dynamodb.Client, t *rawtable.Table) string {
	return serviceOf(client) + " " + aws.ToString(t.Description().TableArn)
}

// isThisMachine reports whether a client uses a server on this machine.
func isThisMachine(client *dynamodb.Client) bool {
	u, err := url.Parse(aws.ToString(client.Options().BaseEndpoint))
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// changing holds the flags of commands that change data.
type changing struct {
	connection
	live, dryRun bool
}

func (c *changing) define(f *flag.FlagSet) {
	c.connection.define(f)
	f.BoolVar(&c.live, "live", false, "change data on an endpoint that is not this machine")
	f.BoolVar(&c.dryRun, "dry-run", false, "print what would be done, and change nothing")
}

// client returns a client that may change data.
func (c *changing) client(ctx context.Context, s streams) (*dynamodb.Client, error) {
	client, err := c.connection.client(ctx, s)
	if err != nil {
		return nil, err
	}
	if !c.live && !c.dryRun && !isThisMachine(client) {
		return nil, usageError("the data is at %s, which is not this machine: add -live to change it, or -dry-run to see what would be done", serviceOf(client))
	}
	return client, nil
}
