/** Continues with an answer: at once when it is already known, as most are, or else when it comes. */
export function after<T>(
  answer: boolean | Promise<boolean>,
  next: (answer: boolean) => T | Promise<T>,
): T | Promise<T> {
  return typeof answer === 'boolean' ? next(answer) : answer.then(next);
}
