const lineDot = Buffer.from('\r\n.');

/** RFC 5321 section 4.5.2: a line that begins with a dot gets another one. The message has CRLF line ends. */
export function stuff(message: Buffer): Buffer {
  return rewrite(message, (chunks, line) => chunks.push(line, dot));
}

/** The reverse: of every line that begins with a dot, the dot goes. */
export function unstuff(data: Buffer): Buffer {
  return rewrite(data, (chunks, line) => chunks.push(line.subarray(0, -1)));
}

const dot = Buffer.from('.');

/** `change` gets everything up to each dot that begins a line, the dot included. */
function rewrite(bytes: Buffer, change: (chunks: Buffer[], line: Buffer) => void): Buffer {
  const chunks: Buffer[] = [];
  let start = 0;
  if (bytes[0] === 0x2e) change(chunks, bytes.subarray(0, (start = 1)));
  // Searches from the CR of the last line end, because two dot lines may follow each other.
  for (let at = bytes.indexOf(lineDot); at !== -1; at = bytes.indexOf(lineDot, start)) {
    change(chunks, bytes.subarray(start, at + 3));
    start = at + 3;
  }
  chunks.push(bytes.subarray(start));
  return chunks.length === 1 ? bytes : Buffer.concat(chunks);
}
