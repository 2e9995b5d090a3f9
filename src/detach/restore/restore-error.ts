/** Why a message cannot be put back together. Each has an exit status of the command. */
export type RestoreProblem = 'foreign' | 'changed' | 'fileGone' | 'storage';

export class RestoreError extends Error {
  override readonly name = 'RestoreError';
  readonly problem: RestoreProblem;

  constructor(problem: RestoreProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}
