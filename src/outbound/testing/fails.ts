import assert from 'node:assert/strict';
import { Failure, type FailureName } from '../../smtp/failures.ts';

/** For `assert.rejects`: a Failure of this kind, and for this reason. */
export const fails =
  (kind: FailureName, reason = /./) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, reason);
    return true;
  };
