import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { doorRules, order } from './scripts/rooms.mjs';

/** A third argument that is plainly no object of options. */
const third = [
  '[typeAnnotation.typeAnnotation.type=/^TS(String|Number|Boolean|Array|Function|TypeOperator|Literal|Union)/]',
  '[typeAnnotation.typeAnnotation.typeName.name=/^(Buffer|AbortSignal|Date|URL|(Readonly)?(Set|Map))$/]',
].join(', ');

/** @type {import('eslint').Rule.RuleModule} */
const twoArguments = {
  create: (context) => ({
    [`:function > Identifier:nth-child(3):not([optional=true]):matches(${third})`]: (node) =>
      context.report({ node, message: 'At most two required arguments, and then one object of options.' }),
  }),
};

/** Loops over the octets of every message, where an object for each call would cost. */
const octetLoops = [
  'src/detach/encoding/*.ts',
  'src/detach/mime/scanner.ts',
  'src/detach/notice/html-scan.ts',
  'src/inbound/milter/{header-builder,packets}.ts',
  'src/inbound/smtp/dot-reader.ts',
  'src/message/header-block.ts',
];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.lab/', 'bench/results/', 'bench/peers/haraka/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Byte positions that a loop has just bounded read better with `!` than with a dead branch.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'variable', modifiers: ['const', 'global'], format: ['camelCase', 'PascalCase'] },
      ],
      // Two that are required, and one object of options.
      'max-params': ['error', 3],
      'no-control-regex': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/testing/*.ts', ...octetLoops],
    plugins: { own: { rules: { 'two-arguments': twoArguments } } },
    rules: { 'own/two-arguments': 'error' },
  },
  ...order.slice(1).map((room) => ({
    files: [`src/${room}/**/*.ts`],
    ignores: ['**/*.test.ts', '**/testing/*.ts'],
    rules: doorRules(room),
  })),
  {
    files: ['**/*.test.ts', '**/testing/*.ts', 'test/**/*.ts'],
    rules: {
      'max-params': ['error', 5],
      // node:test's own functions return promises that the runner awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite', 'before', 'after'] },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', setTimeout: 'readonly' } },
  },
);
