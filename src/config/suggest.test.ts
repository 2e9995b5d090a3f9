import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envName } from './key.ts';
import { suggest } from './suggest.ts';

test('a slip is recognised, a different word is not', () => {
  const known = ['detach.minSize', 'detach.maxSize', 'inbound.trustedNetworks', 'links.baseUrl'];
  assert.equal(suggest('detach.minSzie', known), 'detach.minSize');
  assert.equal(suggest('detach.min_size', known), 'detach.minSize');
  assert.equal(suggest('DETACH.MAXSIZE', known), 'detach.maxSize');
  assert.equal(suggest('inbound.trustedNetwork', known), 'inbound.trustedNetworks');
  assert.equal(suggest('links.baseURL', known), 'links.baseUrl');
  assert.equal(suggest('spool.directory', known), undefined);
  assert.equal(suggest('x', known), undefined);
  assert.equal(suggest('x', []), undefined);
});

test('variables are named after their keys', () => {
  assert.equal(envName('hostname'), 'DETACH_HOSTNAME');
  assert.equal(envName('inbound.trustedNetworks'), 'DETACH_INBOUND_TRUSTED_NETWORKS');
  assert.equal(envName('inbound.tls.cert'), 'DETACH_INBOUND_TLS_CERT');
  assert.equal(envName('detach.onStorageFailure'), 'DETACH_DETACH_ON_STORAGE_FAILURE');
  assert.equal(envName('links.baseUrl'), 'DETACH_LINKS_BASE_URL');
});
