import tseslint from 'typescript-eslint'

/** Folders whose files are pure: time, randomness and I/O come in as arguments (docs/architecture.md). */
const pure = [
  'sansio/machine.ts',
  'sansio/bytes.ts',
  'sansio/rate.ts',
  'msnp/wire/**',
  'msnp/model/**',
  'msnp/p2p/**',
  'msnp/session/**',
  'bridge/model/**',
  'bridge/plan.ts',
  'bridge/degrade.ts',
  'bridge/lobby.ts',
  'irc/**',
  'adapters/*/inbound.ts',
  'adapters/*/outbound.ts',
  'adapters/irc-gateway/wire/**',
  'adapters/irc-gateway/machine/**',
]
const impure = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'process',
  'performance',
  'console',
  'fetch',
  'Promise',
]

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'coverage/**', 'data/**', '.venv-synapse/**'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: pure,
    rules: {
      'no-restricted-globals': [
        'error',
        ...impure.map((name) => ({ name, message: 'This file is pure: take it as an argument.' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is an argument here.' },
        { object: 'Math', property: 'random', message: 'Randomness is an argument here.' },
      ],
    },
  },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      'no-console': 'off',
    },
  },
)
