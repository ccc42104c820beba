// Generates src/api/*.gen.ts from the services' OpenAPI files. The output is committed; `make verify` fails on drift.
import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const SPECS = [
  ['../../task-service/api/openapi.yaml', '../src/api/tasks.gen.ts'],
  ['../../stats-service/api/openapi.yaml', '../src/api/stats.gen.ts'],
];

for (const [spec, out] of SPECS) {
  const source = new URL(spec, import.meta.url);
  await readFile(source); // a missing file is said by its name
  const text = astToString(await openapiTS(source, { alphabetize: false }));
  const service = spec.split('/')[2];
  await writeFile(new URL(out, import.meta.url), `// Code generated from ${service}/api/openapi.yaml by npm run generate. DO NOT EDIT.\n\n${text}`);
  console.log(`${service} -> ${out.replace('../', '')}`);
}
