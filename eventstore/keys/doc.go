// SPDX-License-Identifier: Apache-2.0

// Package keys keeps the keys with which package eventstore encrypts the data of subjects, in a table of DynamoDB or in memory. To forget a
// subject is to delete its key:
//
//	subjects, err := keys.New(client, "keys")
//	if err != nil {
//		return err
//	}
//	store, err := eventstore.New(client, "events", eventstore.Encrypt(subjects, subjectOf))
//	...
//	err = subjects.Forget(ctx, "customer-42")
//
// A key is worth what all data of its subject are: whoever reads the table of keys and that of the events reads the data. Keep them apart by IAM, and
// give [Wrap] a key management service, so that the table alone opens nothing. A backup of the table of keys brings deleted keys
// back: leave point-in-time recovery of it off, or delete its backups as well, where a subject must be forgotten for good. Without any backup, a
// table that is lost takes the data with it; deletion protection keeps it from being deleted by mistake.
package keys
