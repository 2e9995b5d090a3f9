import { randomBytes } from '../test/harness/random.ts';

/**
 * A valid PDF of one page with a picture of `width` × `height` points on it, not compressed: 3 bytes a pixel and some
 * hundred around. The same arguments give the same bytes.
 */
export function samplePdf(
  title: string,
  { width, height }: { readonly width: number; readonly height: number },
): Buffer {
  const page = `q ${width / 2} 0 0 ${height / 2} 50 200 cm /Im0 Do Q\nBT /F1 24 Tf 50 760 Td (${title}) Tj ET\n`;
  const objects: Buffer[] = [
    text('<< /Type /Catalog /Pages 2 0 R >>'),
    text('<< /Type /Pages /Kids [3 0 R] /Count 1 >>'),
    text(
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R ' +
        '/Resources << /Font << /F1 5 0 R >> /XObject << /Im0 6 0 R >> >> >>',
    ),
    stream('<<', Buffer.from(page)),
    text('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>'),
    stream(
      `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB /BitsPerComponent 8`,
      randomBytes(width * height * 3, title),
    ),
  ];
  return assemble(objects);
}

/** Header, numbered objects, cross-reference table and trailer (ISO 32000-1 section 7.5). */
function assemble(objects: readonly Buffer[]): Buffer {
  const chunks = [text('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n')];
  let offset = chunks[0]!.length;
  const table: string[] = ['0000000000 65535 f \n'];
  objects.forEach((object, index) => {
    const chunk = Buffer.concat([text(`${index + 1} 0 obj\n`), object, text('\nendobj\n')]);
    table.push(`${String(offset).padStart(10, '0')} 00000 n \n`);
    chunks.push(chunk);
    offset += chunk.length;
  });
  const trailer = `trailer\n<< /Size ${table.length} /Root 1 0 R >>\nstartxref\n${offset}\n%%EOF\n`;
  return Buffer.concat([...chunks, text(`xref\n0 ${table.length}\n${table.join('')}${trailer}`)]);
}

function stream(dictionary: string, content: Buffer): Buffer {
  return Buffer.concat([text(`${dictionary} /Length ${content.length} >>\nstream\n`), content, text('\nendstream')]);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}
