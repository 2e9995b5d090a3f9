/** Set-ups of Postfix that a doctor must find something in: each is what is shipped, broken in one way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../finding.ts';
import { examineNeighbours, type SetUp } from './neighbour-lab.ts';

export const a = { from: 'postfix-a' } as const;
export const b = { from: 'postfix-b' } as const;
export const single = { from: 'postfix-a/single-postfix' } as const;
export const singleRelayhost = { from: 'postfix-a/single-postfix-relayhost' } as const;
export const beforeQueue = { from: 'postfix-a/before-queue' } as const;
export const milter = { from: 'postfix-a/milter' } as const;
export const back = { outbound: { nextHop: ['127.0.0.1:10026'] } };
export const asProxy = { ...back, inbound: { xforwardHosts: ['127.0.0.0/8'] } };
export const asMilter = { inbound: { protocol: 'milter' }, outbound: undefined };

export interface Broken extends SetUp {
  readonly name: string;
  readonly check: string;
  readonly result: 'warn' | 'fail';
  readonly message: RegExp;
  readonly fix: RegExp;
}

export const edit = (from: string | RegExp, to: string) => (text: string) => text.replace(from, to);

/** A test for each: the check finds it, and says what to do. */
export function testBroken(broken: readonly Broken[]): void {
  for (const { name, check, result, message, fix, ...setUp } of broken) {
    test(`found: ${name}`, async (t) => {
      const found = await examineNeighbours(t, setUp);
      const it = found.find((each) => each.check === check && each.result === result && message.test(each.message));
      assert.ok(it, describe(found));
      assert.match(it.fix, fix);
      assert.equal(found.filter(({ result: is, fix: todo }) => is !== 'ok' && todo === '').length, 0);
    });
  }
}

export const describe = (found: readonly Finding[]): string =>
  found.map(({ check, result, message }) => `${result} ${check}: ${message}`).join('\n');
