/** Python's `email` as a reader of messages, independent of ours. One process reads any number of them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A part that is no multipart and no message. */
export interface ReadPart {
  readonly type: string;
  readonly charset: string | null;
  readonly encoding: string | null;
  readonly name: string | null;
  /** Where the message is that it stands in: '' for the outermost one. */
  readonly message: string;
  /** With LF line ends. */
  readonly text: string;
  /** Of the decoded bytes, in hex. */
  readonly sha256: string;
}

export interface ReadByPython {
  readonly leaves: readonly ReadPart[];
  readonly defects: readonly string[];
}

const script = `
import sys, json, base64, hashlib, email
def walk(part, message, out, defects):
    defects.extend(type(d).__name__ for d in part.defects)
    if part.is_multipart():
        for i, p in enumerate(part.get_payload()):
            walk(p, message + '/' + str(i) if part.get_content_maintype() == 'message' else
              message + '.' + str(i) if p.get_content_maintype() == 'message' else message, out, defects)
        return
    raw = part.get_payload(decode=True) or b''
    charset = part.get_content_charset()
    try:
        text = raw.decode(charset or 'utf-8')
    except (LookupError, UnicodeDecodeError):
        text = raw.decode('latin1')
    out.append({'type': part.get_content_type(), 'charset': charset, 'encoding': part['content-transfer-encoding'],
      'name': part.get_filename(), 'message': message, 'text': text.replace('\\r\\n', '\\n'),
      'sha256': hashlib.sha256(raw).hexdigest()})
for line in sys.stdin:
    out, defects = [], []
    walk(email.message_from_bytes(base64.b64decode(line)), '', out, defects)
    print(json.dumps({'leaves': out, 'defects': sorted(defects)}), flush=True)`;

export class PythonEmail {
  readonly #process = spawn('python3', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  readonly #lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();

  /** One after the other. */
  async read(message: Buffer): Promise<ReadByPython> {
    this.#process.stdin.write(`${message.toString('base64')}\n`);
    const line = await this.#lines.next();
    assert.ok(line.done !== true, 'Python has ended');
    return JSON.parse(line.value) as ReadByPython;
  }

  close(): void {
    this.#process.stdin.end();
  }
}
