/** What the documents and package.json say is true of the tree. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { RAM_BASE } from '../../src/memory/layout.js';
import { renderDocuments } from '../../tools/write-docs.js';
import { ROOMS } from './rules.js';

const documents = [...readdirSync('.'), ...readdirSync('docs').map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);
const read = (path: string) => readFileSync(path, 'utf8');

test('relative links lead somewhere', () => {
  const broken = documents.flatMap((path) =>
    [...read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .filter(([, target]) => !existsSync(join(dirname(path), target!)))
      .map(([, target]) => `${path}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('files and folders that the documents name exist, unless the line says that they are to come', () => {
  const missing = documents.flatMap((path) =>
    read(path)
      .split('\n')
      .filter((line) => !line.includes('to come'))
      .flatMap((line) => [...line.matchAll(/`((?:src|guest|test|bench|tools|docs|bin|web)\/[\w./-]*)`/g)])
      .filter(([, name]) => !existsSync(name!))
      .map(([, name]) => `${path}: ${name}`),
  );
  assert.deepEqual(missing, []);
});

test('npm scripts that the documents name exist', () => {
  const { scripts } = JSON.parse(read('package.json'));
  const missing = documents.flatMap((path) =>
    [...read(path).matchAll(/npm (?:run ([\w:-]+)|(start|test)\b)/g)]
      .map(([, run, short]) => run ?? short!)
      .filter((name) => !(name in scripts))
      .map((name) => `${path}: npm run ${name}`),
  );
  assert.deepEqual(missing, []);
});

test('docs/architecture.md shows the arrows that the rules enforce', () => {
  const rows = [...read('docs/architecture.md').matchAll(/^\| `(?:src\/)?(\w+)\/` \|[^|]*\| ([^|]*) \|$/gm)];
  assert.deepEqual(rows.map(([, room]) => room!).sort(), Object.keys(ROOMS).sort());
  for (const [, room, arrows] of rows) {
    if (arrows === 'everything below') continue;
    assert.deepEqual(arrows === '–' ? [] : arrows!.split(', ').sort(), [...ROOMS[room!]!].sort(), room);
  }
});

test('dependencies are pinned, described, and for development only', () => {
  const { dependencies, optionalDependencies, devDependencies } = JSON.parse(read('package.json'));
  assert.deepEqual([dependencies, optionalDependencies], [undefined, undefined]);
  for (const [name, version] of Object.entries<string>(devDependencies)) {
    assert.match(version, /^\d+\.\d+\.\d+$/, name);
    assert.ok(read('docs/dependencies.md').includes(`| \`${name}\` |`), `${name} has no row in docs/dependencies.md`);
  }
});

test('package-lock.json names no registry', () => {
  assert.doesNotMatch(read('package-lock.json'), /"resolved"/);
});

test('SPECIFICATION.md states the memory that comes on top of the guest', () => {
  assert.match(read('SPECIFICATION.md'), new RegExp(`\\| ${RAM_BASE / 2 ** 20} MiB of linear memory`));
});

test('what the documents take from the option table is up to date (else: npm run docs)', () => {
  for (const { path, content } of renderDocuments()) assert.equal(read(path), content, path);
});
