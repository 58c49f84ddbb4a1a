// Package payload keeps data that are too large for a DynamoDB item in an object store: S3 (package
// payload/s3), any store that speaks its protocol, a folder, or memory.
//
// Data are stored before the item that refers to them. So an item never refers to data that
// are not there; a crash in between leaves an object that nothing refers to, which [Payloads.Sweep] removes later.
//
// An object is named by the content's SHA-256, below the space that it belongs to and
// the UTC day of the write:
//
//	<prefix>/<hash of the space>/<day>/<sha256>[.<compression>]
//
// Storing the same twice on a day stores it once, and what was stored is never overwritten with anything else.
// The day makes sweeping safe: nobody writes to the name of a past day any more, so an
// old object that nothing refers to cannot be referred to a moment later. A read verifies the
// size and the hash before it returns anything.
//
// The methods Store and Fetch are what packages eventstore and snapshot ask of an offload. For
// fields of any table there are [Data] and [Pack].
package payload
