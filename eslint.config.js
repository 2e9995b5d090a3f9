import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { doorRules, order } from './scripts/rooms.mjs';

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
