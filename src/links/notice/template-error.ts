/** A template that cannot be used. The message says where and why; the caller puts the configuration key before it. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
