import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ContainerClient } from '@azure/storage-blob';
import { connectionStringProblem } from './connection-string.ts';

const parts = {
  protocol: ['', 'DefaultEndpointsProtocol=https', 'DefaultEndpointsProtocol=htps', 'DefaultEndpointsProtocol='],
  name: ['', 'AccountName=files', 'AccountName='],
  key: ['', 'AccountKey=a2V5a2V5', 'AccountKey=', 'AccountKey=====', ' AccountKey=a2V5'],
  endpoint: ['', 'BlobEndpoint=http://127.0.0.1:10000/files/', 'BlobEndpoint=not an address', 'BlobEndpoint='],
  suffix: ['', 'EndpointSuffix=core.windows.net', 'EndpointSuffix=a b'],
  sas: ['', 'SharedAccessSignature=?sv=1', 'SharedAccessSignature='],
};

const everything = Object.values(parts).reduce<readonly string[]>(
  (texts, choices) => texts.flatMap((text) => choices.map((choice) => (choice === '' ? text : `${text}${choice};`))),
  [''],
);

test('says of every combination of parts what the SDK says', () => {
  for (const text of [...everything, 'UseDevelopmentStorage=true', 'AccountName=x;AcountKey=y']) {
    let theirs: string | undefined;
    try {
      new ContainerClient(text, 'any');
    } catch (error) {
      theirs = error instanceof Error ? error.message : String(error);
    }
    const ours = connectionStringProblem(text);
    assert.equal(
      ours !== undefined,
      theirs !== undefined,
      `${text}: ${ours ?? 'taken'}, the SDK: ${theirs ?? 'taken'}`,
    );
    // What has no valid address is no URL to the SDK before it looks at the rest.
    if (theirs?.startsWith('Invalid ') && theirs !== 'Invalid URL') assert.equal(ours, theirs, text);
  }
});
