// The rooms of `src/` and what they may import: only rooms to their right, and only their `interface.ts`, so that the
// rest of a room can change. eslint.config.js makes lint rules of this.

/** These put the others together and may import any file of a room. */
const builders = ['main.ts', 'commands', 'doctor', 'service', 'course'];
/** In the order in which a message passes through them; the last ones are used by all others. */
export const rooms = ['inbound', 'loopguard', 'detach', 'links', 'storage', 'outbound', 'observe'];
/** Open to all. */
const vocabulary = ['config', 'message', 'limits', 'runtime', 'smtp'];
export const order = [...builders, ...rooms, ...vocabulary];

/** A path from anywhere in one room to a file of another: `../storage/x.ts`, `../../storage/x.ts`. */
const into = (names, file = '') => `^(\\.\\./)+(${names.join('|')})/${file}`;

/** What the files of one room may not import, as patterns with the reason. */
function closedTo(room) {
  const before = order.slice(0, order.indexOf(room)).filter((name) => name !== 'main.ts');
  const closed = builders.includes(room) ? [] : rooms.filter((name) => name !== room);
  const patterns = [
    { names: before, file: '', message: 'A room knows only rooms to its right: see scripts/rooms.mjs.' },
    { names: closed, file: '(?!interface\\.ts$)', message: 'What another room needs stands in its interface.ts.' },
  ].filter(({ names }) => names.length > 0);
  return patterns.map(({ names, file, message }) => ({ regex: into(names, file), message }));
}

/** The rules for the files of one room: for `import` and `export … from`, and for `import()` of a module or of a type. */
export const doorRules = (room) => ({
  'no-restricted-imports': ['error', { patterns: closedTo(room) }],
  'no-restricted-syntax': [
    'error',
    ...closedTo(room).map(({ regex, message }) => ({
      selector: `:matches(ImportExpression, TSImportType) Literal[value=/${regex.replaceAll('/', '\\/')}/]`,
      message,
    })),
  ],
});
