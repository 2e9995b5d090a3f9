/** The value of an attribute that was handed on by XFORWARD, or undefined when the client said that it has none. */
export function availableAttribute(xforward: ReadonlyMap<string, string>, name: string): string | undefined {
  const value = xforward.get(name);
  return value === '' || value?.toUpperCase() === '[UNAVAILABLE]' ? undefined : value;
}
