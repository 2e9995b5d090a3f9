import { join } from 'node:path';
import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '../..');

/**
 * One JavaScript file of what is loaded into Azurite. Loaded as TypeScript, by a loader in a thread of its own, it waits
 * for that thread while the thread waits for it: Azurite never starts.
 *
 * @returns a path from which the packages of this project are found
 */
export async function bundleForAzurite(): Promise<string> {
  const file = join(root, 'node_modules/.cache/detach-mta/azurite-filled.mjs');
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'azurite-filled.ts'),
    platform: 'node',
    external: /^[^./]/,
  });
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  return file;
}
