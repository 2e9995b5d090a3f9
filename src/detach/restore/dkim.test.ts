import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { authenticate } from 'mailauth';
import nodemailer from 'nodemailer';
import { Lab } from '../testing/lab.ts';

const lab = new Lab({ rules: { minSize: 100_000 } });
after(() => lab.close());

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

async function signatureOf(message: Buffer): Promise<string> {
  const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
  const resolver = (name: string, type: string): Promise<string[][]> => {
    if (name === 'test._domainkey.a.example' && type === 'TXT') return Promise.resolve([[record]]);
    return Promise.reject(Object.assign(new Error(name), { code: 'ENOTFOUND' }));
  };
  const { dkim } = await authenticate(message, { trustReceived: false, mta: 'mx.b.example', resolver });
  assert.equal(dkim.results.length, 1);
  return dkim.results[0]!.status.result;
}

test('the signature of the sender verifies again after restoring', async () => {
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const { message } = await transport.sendMail({
    from: 'a@a.example',
    to: 'b@b.example',
    subject: 'Fotos',
    text: 'Grüße',
    html: '<p>Grüße</p>',
    attachments: [{ filename: 'foto.jpg', content: randomBytes(300_000) }],
    dkim: {
      domainName: 'a.example',
      keySelector: 'test',
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    },
  });
  assert.ok(Buffer.isBuffer(message));
  assert.equal(await signatureOf(message), 'pass');
  const { message: delivered, files } = await lab.detach(message);
  assert.equal(files.length, 1);
  assert.notEqual(await signatureOf(delivered), 'pass');
  const hop = Buffer.concat([Buffer.from('Received: by b.example; now\r\n'), delivered]);
  const restored = await lab.restore(hop);
  assert.equal(await signatureOf(restored), 'pass');
  assert.deepEqual(restored, message);
});
