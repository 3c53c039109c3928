import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findViolations, importsOf, ROOMS } from './rules.js';

function sourcesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));
}

test('every file keeps the rules of docs/architecture.md', () => {
  const files = ['src', 'web', 'guest'].flatMap(sourcesBelow);
  assert.ok(files.length > 0, 'no sources found; tests run from the root of the repository');
  assert.deepEqual(
    files.flatMap((path) => findViolations(path, readFileSync(path, 'utf8'))),
    [],
  );
});

test('no room imports a room that imports it, directly or by way of others', () => {
  const reach = (from: string, seen = new Set<string>()): Set<string> => {
    for (const room of ROOMS[from]!) if (!seen.has(room)) reach(room, seen.add(room));
    return seen;
  };
  for (const room of Object.keys(ROOMS)) assert.ok(!reach(room).has(room), `${room} reaches itself`);
});

test('imports are found in every form', () => {
  const source = `
    /* import z from 'package'; */ // import z from 'package';
    import a from './a.js';
    import type { B } from "./b.js";
    import {
      c,
    } from './c.js';
    import './d.js';
    export * from './e.js';
    const f = await import('./f.js');
    const text = x.from('./g.js');
  `;
  assert.deepEqual(importsOf(source), ['./a.js', './b.js', './c.js', './d.js', './e.js', './f.js']);
});

test('violations are found', () => {
  const violations = (path: string, source: string) => findViolations(path, source).length;
  assert.equal(violations('src/cpu/a.ts', "import { x } from '../isa/x.js';"), 0);
  assert.equal(violations('src/cpu/a.ts', "import { x } from '../wasm/x.js';"), 0, 'the interpreter is a wasm module');
  assert.equal(violations('src/cpu/a.ts', "import type { X } from '../host/x.js';"), 1, 'up');
  assert.equal(violations('src/host/a.ts', "export * from '../pc/x.js';"), 1, 'sideways');
  assert.equal(violations('src/boot/a.ts', "await import('../cpu/x.js');"), 1, 'dynamic');
  assert.equal(violations('src/isa/a.ts', "import 'node:fs';"), 1);
  assert.equal(violations('src/launcher/main.ts', "import 'node:fs'; process.exit(1);"), 0);
  assert.equal(violations('src/launcher/main.ts', "import 'left-pad';"), 1);
  assert.equal(violations('src/host/clock.ts', 'const now = Date.now();'), 1);
  assert.equal(violations('src/host/clock.ts', "// Date.now()\nfail('console.log()'); this.process.run();"), 0);
  assert.equal(violations('src/host/emulate.ts', 'function fetch(at: number) {} fetch(1);'), 0, 'our own fetch');
  assert.equal(violations('src/net/a.ts', "await fetch('x');"), 1);
  assert.equal(violations('src/jit/a.ts', "new Function('return 1')"), 1);
  assert.equal(violations('src/cpu/a.ts', "import { x } from './b';"), 1, 'no .js');
  assert.equal(violations('src/stray.ts', ''), 1, 'a file in no room');
  assert.equal(violations('src/cpu/a.ts', '\n'.repeat(2000)), 1, 'too long');
});
