// Drives the event store adapter of schemeless, as it is published. It reads a request as JSON from the standard input,
//
//   {"prefix": "a-", "calls": [[event, ...], ...], "expected": [number or null, ...]}
//
// stores the events of each call by one call of storeEvents, and prints what the adapter then has to say:
//
//   {"errors": [text or null, ...], "events": [all events by getAllEvents], "sequences": {"domain::identifier": number}}
//
// Version 5.0.0 does not run as published, for three reasons. Its dependency @schemeless/event-store-types ^3.2.2 was never published;
// package.json takes 2.3.0, of which it needs types only. The other two are patched below.
'use strict';
const Module = require('node:module');

const load = Module._load;
Module._load = function (request, ...rest) {
  const loaded = load.call(this, request, ...rest);
  switch (request) {
    case 'object-sizeof': // a function, imported as if it had a default export
      return { default: loaded.default ?? loaded };
    case '@schemeless/event-store-types': // without the error that is thrown when a sequence was not as expected
      return { ...loaded, ConcurrencyError: class ConcurrencyError extends Error {} };
  }
  return loaded;
};

const { EventStoreRepo } = require('@schemeless/event-store-adapter-dynamodb');
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
const { S3Client } = require('@aws-sdk/client-s3');

async function run(request) {
  const settings = { region: 'eu-central-1', credentials: { accessKeyId: 'id', secretAccessKey: 'secret' } };
  const repo = new EventStoreRepo(
    new DynamoDBClient({ ...settings, endpoint: process.env.DYNAMODB_ENDPOINT }),
    new S3Client({ ...settings, endpoint: process.env.S3_ENDPOINT, forcePathStyle: true }),
    { tableNamePrefix: request.prefix, s3BucketName: 'events' },
  );
  await repo.init();
  const errors = [];
  for (const [i, call] of request.calls.entries()) {
    const expected = request.expected?.[i];
    try {
      await repo.storeEvents(
        call.map((event) => ({ ...event, created: new Date(event.created) })),
        expected === null || expected === undefined ? undefined : { expectedSequence: expected },
      );
      errors.push(null);
    } catch (error) {
      errors.push(`${error.constructor.name}: ${error.message}`);
    }
  }
  const events = [];
  const sequences = {};
  for await (const page of await repo.getAllEvents(50)) {
    for (const event of page) {
      events.push(event);
      sequences[`${event.domain}::${event.identifier ?? ''}`] ??= await repo.getStreamSequence(event.domain, event.identifier);
    }
  }
  return { errors, events, sequences };
}

let text = '';
process.stdin.on('data', (chunk) => (text += chunk));
process.stdin.on('end', async () => {
  const answer = await run(JSON.parse(text));
  process.stdout.write(JSON.stringify(answer));
});
