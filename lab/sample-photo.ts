import { deflateSync } from 'node:zlib';
import { randomBytes } from '../test/harness/random.ts';

/**
 * A valid PNG that looks like a hazy evening sky over hills, with the grain of a photo, which is what makes it large:
 * about 2 bytes a pixel. The same size gives the same picture.
 */
export function samplePhoto({ width, height }: { readonly width: number; readonly height: number }): Buffer {
  const grain = randomBytes(width * height * 3, 'photo');
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const pixel = (y * width + x) * 3;
      const colour = colourAt(x / width, y / height);
      // The first byte of each row names its filter: 0, none.
      for (let c = 0; c < 3; c++) rows[y + 1 + pixel + c] = colour[c]! + (grain[pixel + c]! & 0x1f);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits, RGB.
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

/** Coordinates from 0 to 1; colours leave room for the grain. */
function colourAt(x: number, y: number): readonly [number, number, number] {
  const ridge = 0.7 + 0.08 * Math.sin(x * 9) + 0.03 * Math.sin(x * 31 + 1);
  if (y > ridge) return [20 + 40 * (1 - y), 45 + 60 * (1 - y), 30];
  return [90 + 130 * y, 70 + 90 * y, 150 - 70 * y];
}

/** PNG specification section 5.3: length, type, data, CRC over type and data. */
function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(data.length, 0);
  frame.set(body, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
