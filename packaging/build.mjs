// `npm run build`: makes `dist/` of `src/`, with the libraries in it. To find, read and compile 900 modules took a
// process two to five times as long as to load these few files (see CHANGELOG). Types are checked by `npm run typecheck`.
// With a folder, `node packaging/build.mjs FOLDER` builds there.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');
const made = join(root, 'dist');

/** What the program starts by name; `runtime/hashing/thread.mjs` as well, which needs no building. */
const entries = ['main', 'service/mail-process', 'service/link-process'];

async function build(target) {
  const bundle = await rolldown({
    cwd: root,
    input: Object.fromEntries(entries.map((name) => [name, join(source, `${name}.ts`)])),
    platform: 'node',
    transform: { target: 'node20.19' },
    onLog: (level, log) => console.error(`${level}: ${log.message}`),
  });
  const { output } = await bundle.generate({
    // Wherever the files are written: the source maps name the sources from here.
    dir: made,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'shared/[name]-[hash].js',
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: false,
    // V8 takes the value of a `const` into a loop, not that of a `var`: a file of 25 MiB costs the event loop 6 % less CPU.
    topLevelVar: false,
  });
  await bundle.close();
  rmSync(target, { recursive: true, force: true });
  for (const part of output) {
    const file = join(target, part.fileName);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, part.type === 'chunk' ? part.code : part.source);
  }
  cpSync(join(source, 'runtime/hashing/thread.mjs'), join(target, 'runtime/hashing/thread.mjs'));
  writeFileSync(
    join(target, 'licenses.txt'),
    licensesOf(output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))),
  );
}

/** The libraries whose files these are, each with its version and licence. */
function licensesOf(modules) {
  const folders = modules.flatMap((id) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id) ?? []);
  return [...new Set(folders)]
    .map((folder) => licenseOf(resolve(root, folder)))
    .sort()
    .join('\n');
}

function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((each) => /^(licen[cs]e|copying)/i.test(each));
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await build(resolve(process.argv[2] ?? made));
