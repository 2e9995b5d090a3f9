import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The folder of the program: `dist/`, or `src/` where the tests run the sources. The build puts many modules into one
 * file, so what the program starts or reads is found from here, not from the module that asks for it.
 */
export const programFolder = folderOf(import.meta.dirname);

/** Of its modules: `.js` once they are built, `.ts` before. */
export const programExtension = existsSync(join(programFolder, 'main.js')) ? '.js' : '.ts';

/** As in package.json, which lies beside the program's folder. */
export function programVersion(): string {
  const text = readFileSync(join(programFolder, '../package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

function folderOf(inside: string): string {
  if (existsSync(join(inside, 'main.js')) || existsSync(join(inside, 'main.ts'))) return inside;
  const above = dirname(inside);
  if (above === inside) throw new Error('the program is not whole: main.js is missing. Build or install it again');
  return folderOf(above);
}
