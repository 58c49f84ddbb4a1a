// Package eventstore keeps streams of events in a DynamoDB table.
package eventstore
