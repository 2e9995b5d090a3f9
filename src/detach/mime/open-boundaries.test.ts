import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../../../test/harness/property.ts';
import { OpenBoundaries, type Beginning } from './open-boundaries.ts';
import type { Container } from './structure.ts';

const container: Container = {
  kind: 'multipart',
  type: 'multipart/mixed',
  parent: undefined,
  depth: 1,
  section: '',
  parts: 0,
};

const words = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 6 });

function plainBeginning(boundaries: readonly string[], line: string): Beginning {
  if (boundaries.some((boundary) => line.startsWith(boundary))) return 'boundary';
  return boundaries.some((boundary) => boundary.startsWith(line)) ? 'cut' : 'none';
}

test('all boundaries are compared at once as they would be one by one', () => {
  fc.assert(
    fc.property(fc.uniqueArray(words, { maxLength: 8 }), fc.oneof(words, fc.constant('')), (boundaries, line) => {
      const open = new OpenBoundaries();
      for (const boundary of boundaries) open.open(boundary, container);
      assert.equal(open.beginning(Buffer.from(`--${line}`), 2), plainBeginning(boundaries, line));
      if (line !== '')
        assert.equal(
          open.beginsWith(line.charCodeAt(0)),
          boundaries.some((boundary) => boundary.startsWith(line[0]!)),
        );
      open.close(1);
      assert.equal(open.beginning(Buffer.from(line), 0), plainBeginning(boundaries.slice(0, 1), line));
    }),
    { numRuns: 3000 },
  );
});
