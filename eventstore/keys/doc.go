// SPDX-License-Identifier: Apache-2.0

// Package keys stores the keys with which package eventstore encrypts the data of subjects, in a DynamoDB table or in memory. To forget a
// subject, delete its key:
//
//	subjects, err := keys.New(client, "keys")
//	if err != nil {
//		return err
//	}
//	store, err := eventstore.New(client, "events", eventstore.Encrypt(subjects, subjectOf))
//	...
//	err = subjects.Forget(ctx, "customer-42")
//
// A key is as valuable as all data of its subject: anyone who can read both the table of keys and the table of events can read the data. Separate them by IAM, and
// use [Wrap] with a key management service, so that nothing can be decrypted with only the table. A backup of the table of keys restores deleted keys:
// if a subject must be forgotten permanently, turn point-in-time recovery off or delete the backups as well. Without any backup, losing
// the table means losing the data; deletion protection prevents that it is deleted by mistake.
package keys
