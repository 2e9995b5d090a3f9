import type { Writable } from 'node:stream';

/** The first progress is shown after this time, and how often it is shown then. */
const firstMs = 1500;
const everyMs = 250;

const isTerminal = (stream: Writable): boolean => 'isTTY' in stream && stream.isTTY === true;

/** In the place of what was shown last. */
const show = (errors: Writable, text: string): boolean => errors.write(`\r\x1b[K${text}\r`);

/**
 * Shows how far a listing is, on a terminal only. The cursor stays at the start of the line, so that results are
 * printed over it.
 */
export function showProgress(errors: Writable): (step: string, count: number) => void {
  if (!isTerminal(errors)) return () => undefined;
  let next = performance.now() + firstMs;
  return (step, count) => {
    const now = performance.now();
    if (now < next) return;
    next = now + everyMs;
    show(errors, `${step}: ${count.toLocaleString('en')}`);
  };
}

/**
 * Shows what is waited for, on a terminal only, until the function that it returns is called: that clears the line.
 * `text` is asked each time.
 */
export function showWaiting(errors: Writable, text: () => string): () => void {
  if (!isTerminal(errors)) return () => undefined;
  let shown = false;
  const start = performance.now();
  const timer = setInterval(() => {
    if (performance.now() - start < firstMs) return;
    shown = true;
    show(errors, text());
  }, everyMs);
  // The command ends when its work is done, not when its progress is shown.
  timer.unref();
  return () => {
    clearInterval(timer);
    if (shown) errors.write('\r\x1b[K');
  };
}
