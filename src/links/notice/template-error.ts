/** A template that cannot be used. The message says where and why; who reads the file puts the key before it. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
