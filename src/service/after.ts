/** Goes on with an answer at once where it is known already, as most are, and later where it is not. */
export function after<T>(
  answer: boolean | Promise<boolean>,
  next: (answer: boolean) => T | Promise<T>,
): T | Promise<T> {
  return typeof answer === 'boolean' ? next(answer) : answer.then(next);
}
