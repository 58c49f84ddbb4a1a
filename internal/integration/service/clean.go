// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tables lists the tables with the prefix.
func (p *proxy) tables(ctx context.Context) ([]string, error) {
	var found []string
	pages := dynamodb.NewListTablesPaginator(p.service(), &dynamodb.ListTablesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return found, err
		}
		for _, name := range page.TableNames {
			if strings.HasPrefix(name, p.settings.prefix) {
				found = append(found, name)
			}
		}
	}
	return found, nil
}

// clean deletes the tables with the prefix until there is none, or until ctx ends. It returns how many it deleted, and which are left.
func (p *proxy) clean(ctx context.Context) (deleted int, left []string, err error) {
	client := p.service()
	asked := make(map[string]bool)
	for {
		left, err = p.tables(ctx)
		if err != nil || len(left) == 0 {
			return len(asked), left, err
		}
		for _, name := range left {
			if asked[name] {
				continue
			}
			_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(name)})
			_, absent := errors.AsType[*types.ResourceNotFoundException](err)
			if _, busy := errors.AsType[*types.ResourceInUseException](err); busy {
				continue // it is being created or deleted: again in the next round
			}
			if _, many := errors.AsType[*types.LimitExceededException](err); many {
				break // so many tables change at once that others have to wait
			}
			if err != nil && !absent {
				return len(asked), left, err
			}
			asked[name] = true
		}
		select {
		case <-time.After(2 * time.Second):
		case <-ctx.Done():
			return len(asked), left, ctx.Err()
		}
	}
}
