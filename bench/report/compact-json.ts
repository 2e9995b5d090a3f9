/** JSON with a line for each entry of a list and for each other value at the top: short, and readable in a diff. */
export function compactJson(value: object): string {
  const entries = Object.entries(value).map(([key, entry]: [string, unknown]) => {
    if (!Array.isArray(entry) || entry.length === 0) return `  ${JSON.stringify(key)}: ${JSON.stringify(entry)}`;
    const lines = entry.map((item) => `    ${JSON.stringify(item)}`);
    return `  ${JSON.stringify(key)}: [\n${lines.join(',\n')}\n  ]`;
  });
  return `{\n${entries.join(',\n')}\n}\n`;
}
