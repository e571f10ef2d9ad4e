import { defineConfig } from 'eslint/config';
import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default defineConfig(
    { ignores: ['build', 'public', 'src/api/schema.ts'] },
    ...tseslint.configs.strictTypeChecked,
    {
        languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
        rules: {
            'max-lines': ['error', 800],
            'max-lines-per-function': ['error', { max: 120, skipComments: true, skipBlankLines: true }],
            '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
            '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
        },
    },
    { files: ['src/**/*.{ts,tsx}'], ...hooks.configs.flat.recommended },
    {
        // node:test awaits the promises of its own calls; programs on the command line are long and flat.
        files: ['e2e/**', 'scripts/**', '**/*.test.ts'],
        rules: { '@typescript-eslint/no-floating-promises': 'off', 'max-lines-per-function': 'off' },
    },
);
