/** The file of a link is missing in storage. */
export class FileMissingError extends Error {
  override readonly name = 'FileMissingError';
  readonly sha256: string;

  constructor(sha256: string) {
    super(`the bytes of ${sha256} are gone`);
    this.sha256 = sha256;
  }
}
