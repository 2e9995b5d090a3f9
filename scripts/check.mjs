// `npm run check`: types, lint rules, format and dead code, at the same time. Each says what it found when it ends.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

const checks = ['lint', 'typecheck', 'format:check', 'dead-code'];

const failed = (await Promise.all(checks.map(run))).filter((name) => name !== undefined);
if (failed.length > 0) console.error(`check: ${failed.join(', ')} failed`);
process.exit(failed.length > 0 ? 1 : 0);

/** @returns the name of a check that failed */
async function run(name) {
  const child = spawn('npm', ['run', '--silent', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const [out, errors, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  process.stdout.write(out);
  process.stderr.write(errors);
  return status === 0 ? undefined : name;
}
