/** Why a message cannot be put back together. Each is told apart by the command's exit status. */
export type RestoreProblem = 'foreign' | 'changed' | 'fileGone' | 'storage';

export class RestoreError extends Error {
  override readonly name = 'RestoreError';
  readonly problem: RestoreProblem;

  constructor(problem: RestoreProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}
