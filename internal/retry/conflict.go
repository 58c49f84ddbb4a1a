// SPDX-License-Identifier: Apache-2.0

package retry

// ConflictCodes are refusals of a write that was not applied and may succeed later;
// the SDK's own lists lack them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
var ConflictCodes = map[string]struct{}{
	"TransactionConflictException":     {},
	"ReplicatedWriteConflictException": {},
}
