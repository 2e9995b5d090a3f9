// `npm run build`: makes `dist/` of `src/`, with the libraries in it. To find, read and compile 900 modules took a
// process two to five times as long as to load these few files (see CHANGELOG). Types are checked by `npm run typecheck`.
// With a folder, `node packaging/build.mjs FOLDER` builds there.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as bundle } from 'esbuild';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');
const made = join(root, 'dist');

/** What the program starts by name; `runtime/hashing/thread.mjs` as well, which needs no building. */
const entries = ['main', 'service/mail-process', 'service/link-process'];

async function build(target) {
  const { metafile, outputFiles } = await bundle({
    absWorkingDir: root,
    entryPoints: entries.map((name) => join(source, `${name}.ts`)),
    outbase: source,
    // Wherever the files are written: the source maps name the sources from here.
    outdir: made,
    write: false,
    bundle: true,
    splitting: true,
    chunkNames: 'shared/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'linked',
    sourcesContent: false,
    // Libraries that are no ES modules ask for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  rmSync(target, { recursive: true, force: true });
  for (const { path, contents } of outputFiles) {
    const file = join(target, relative(made, path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, contents);
  }
  cpSync(join(source, 'runtime/hashing/thread.mjs'), join(target, 'runtime/hashing/thread.mjs'));
  writeFileSync(join(target, 'licenses.txt'), licensesOf(Object.keys(metafile.inputs)));
}

/** The libraries whose files these are, each with its version and licence. */
function licensesOf(inputs) {
  const folders = inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input) ?? []);
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
