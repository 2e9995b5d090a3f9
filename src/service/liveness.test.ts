import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { silentLog } from '../detach/testing/lab.ts';
import { Liveness, type Watched } from './liveness.ts';

class FakeProcess implements Watched {
  readonly name = 'mail-1';
  readonly pid = 4711;
  serving = true;
  heard = 0;
  killed = 0;

  kill(): void {
    this.killed += 1;
  }
}

function watch(t: TestContext): { readonly process: FakeProcess; readonly look: (times: number) => void } {
  const process = new FakeProcess();
  const liveness = new Liveness(() => [process], silentLog);
  t.after(() => liveness.end());
  return {
    process,
    look: (times) => {
      for (let i = 0; i < times; i++) liveness.look();
    },
  };
}

test('a process that says nothing for six looks is killed', (t) => {
  const { process, look } = watch(t);
  look(6);
  assert.equal(process.killed, 0);
  look(1);
  assert.equal(process.killed, 1);
});

test('a word now and then keeps a process', (t) => {
  const { process, look } = watch(t);
  for (let i = 0; i < 20; i++) {
    process.heard += 1;
    look(6);
  }
  assert.equal(process.killed, 0);
});

test('a process that starts or stops is left to the deadlines that it has then', (t) => {
  const { process, look } = watch(t);
  process.serving = false;
  look(20);
  assert.equal(process.killed, 0);
});
