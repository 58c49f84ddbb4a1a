// Package ddb turns DynamoDB tables into typed Go values.
package ddb
