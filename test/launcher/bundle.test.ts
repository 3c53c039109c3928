import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Engine } from '../../src/cpu/engine.js';
import { BUILT } from '../../src/platform/platform.js';
import { writeBundles } from '../../tools/bundle.js';

/** Writes `files`, and returns the folder that `use` may use with them. */
async function withFiles(files: Record<string, string>, use: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lguest-bundle-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    mkdirSync(join(folder, 'out'));
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a bundle does what its modules do', async () => {
  const files = {
    'package.json': '{ "type": "module" }',
    'main.js': [
      "import { sep } from 'node:path';",
      "import * as shapes from './a/shapes.js';",
      "import { area as surface, Square } from './a/shapes.js';",
      'export async function main() {',
      "  const { late } = await import('./a/late.js');",
      '  return [sep, shapes.UNIT, surface(new Square(3)), shapes.half, shapes.SIDE, late, here()];',
      '}',
      'function here() {',
      "  return [import.meta.url, new URL('./a/script.js', import.meta.url).href];",
      '}',
    ].join('\n'),
    'a/shapes.js': [
      "export * from '../units.js';",
      "export { two as half } from '../units.js';",
      'export class Square { constructor(side) { this.side = side; } }',
      'export const area = ({ side }) => side * side;',
      'export const { side: SIDE } = new Square(7);',
      '//# sourceMappingURL=shapes.js.map',
    ].join('\n'),
    'units.js': 'const UNIT = 1;\nconst two = 0.5;\nexport { UNIT, two };\n',
    'a/late.js': "export const late = 'late';\n",
    'a/script.js': "import { UNIT } from '../units.js';\nglobalThis.started = UNIT;\n",
  };
  await withFiles(files, async (folder) => {
    await writeBundles(join(folder, 'main.js'), join(folder, 'out'));
    // What it was made of is not needed any more.
    rmSync(join(folder, 'a'), { recursive: true });
    rmSync(join(folder, 'units.js'));
    const { main } = (await import(pathToFileURL(join(folder, 'out', 'main.js')).href)) as {
      main(): Promise<unknown[]>;
    };
    const [separator, ...values] = await main();
    assert.match(String(separator), /^[/\\]$/);
    assert.deepEqual(values.slice(0, 5), [1, 9, 0.5, 7, 'late']);
    const [itself, script] = values[5] as [string, string];
    assert.equal(itself, pathToFileURL(join(folder, 'main.js')).href);
    assert.equal(script, pathToFileURL(join(folder, 'out', 'script.js')).href);
    assert.doesNotMatch(readFileSync(join(folder, 'out', 'script.js'), 'utf8'), /^import \{/m);
  });
});

test('what imports a file that is missing is refused', async () => {
  await withFiles({ 'main.js': "import './nowhere.js';\n" }, async (folder) => {
    await assert.rejects(writeBundles(join(folder, 'main.js'), join(folder, 'out')), /nowhere\.js/);
  });
});

test('the modules that the build has emitted are those of the sources', () => {
  const { interpreter, x87 } = new Engine(undefined).emit();
  const built = (name: string): Buffer => readFileSync(join('dist', 'built', name));
  assert.ok(built(BUILT.interpreter).equals(interpreter));
  assert.ok(built(BUILT.x87).equals(x87));
});
