// The documents of the package, with links that lead to where things lie on an installed machine.
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Folders and files of the checkout, below `examples` where the package has them. */
const examples = ['postfix-a', 'postfix-b', 'dovecot', 'deploy', 'lab/settings'];
const monitoring = ['alerts.yaml', 'dashboard.json', 'README.md'];
const besides = ['CHANGELOG.md', 'SECURITY.md', 'CONTRIBUTING.md'];

const home = 'usr/share/doc/detach-mta';

/** Writes all of them. @param root the checkout @param tree of the package */
export function installDocuments(root, tree) {
  const put = (from, to, change = (text) => text) => {
    const file = join(tree, home, to);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, change(readFileSync(join(root, from), 'utf8')));
  };
  for (const name of examples) cpSync(join(root, name), join(tree, home, 'examples', name), { recursive: true });
  for (const name of monitoring)
    put(`monitoring/${name}`, `examples/monitoring/${name}`, (text) => text.replaceAll('](../docs/', '](../../'));
  for (const name of readdirSync(join(root, 'docs')).filter((each) => each.endsWith('.md')))
    put(`docs/${name}`, name, withLinks);
  for (const name of besides) put(name, name, (text) => text.replaceAll('](docs/', ']('));
  cpSync(join(root, 'docs/pictures'), join(tree, home, 'pictures'), { recursive: true });
}

/** Links from docs/ to other folders. Where the package lacks what one leads to, its words stay. */
function withLinks(text) {
  return text.replace(/\[([^\]]*)\]\(\.\.\/([^)#]*)(#[^)]*)?\)/g, (_, words, path, anchor = '') => {
    if (besides.includes(path)) return `[${words}](${path}${anchor})`;
    const isThere = [...examples, 'monitoring'].some((folder) => path === folder || path.startsWith(`${folder}/`));
    return isThere ? `[${words}](examples/${path}${anchor})` : words;
  });
}
