// Writes src/api/schema.ts from the API's contract. `--check` only compares, and fails when they differ.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const contract = new URL('../../../apps/tp-capital/api/openapi.yaml', import.meta.url);
const target = new URL('../src/api/schema.ts', import.meta.url);

const header = '// Generated from apps/tp-capital/api/openapi.yaml by `npm run generate`. Do not edit.\n\n';
const fresh = header + astToString(await openapiTS(contract));

if (process.argv.includes('--check')) {
    const committed = await readFile(target, 'utf8');
    if (committed !== fresh) {
        console.error(
            'src/api/schema.ts does not match openapi.yaml: run `npm run generate` and commit the result.',
        );
        process.exit(1);
    }
} else {
    await writeFile(target, fresh);
}
