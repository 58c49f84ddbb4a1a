// SPDX-License-Identifier: Apache-2.0

// Package grantclient opens a store of grants with a new client. It imports the SDK's credential packages, which package grant does not:
//
//	store, err := grantclient.Open(ctx, grant.Config{Table: "grants", Region: "eu-central-1"})
//	if err != nil {
//		return err // every problem of the configuration, or a missing setting of the SDK
//	}
//	decision, err := store.Check(ctx, grant.Key{User: user, Tenant: tenant, Activity: activity})
package grantclient

import (
	"context"

	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/grant"
)

// Open makes a store from a configuration, with a new client by [ddbclient.New]. Options
// are applied after the configuration. It sends nothing to DynamoDB; the context limits only the
// loading of the SDK's settings. After an error the store is nil; every method of a nil store returns an error.
func Open(ctx context.Context, c grant.Config, opts ...grant.Option) (*grant.Store, error) {
	var clientOpts []ddbclient.Option
	if c.Region != "" {
		clientOpts = append(clientOpts, ddbclient.WithRegion(c.Region))
	}
	if c.Endpoint != "" {
		clientOpts = append(clientOpts, ddbclient.WithEndpoint(c.Endpoint))
	}
	c.Region, c.Endpoint = "", ""
	configured, err := c.Options()
	if err != nil {
		return nil, err
	}
	client, err := ddbclient.New(ctx, clientOpts...)
	if err != nil {
		return nil, err
	}
	return grant.New(client, append(configured, opts...)...)
}
