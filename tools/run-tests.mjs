// npm test: build, lint, format check, then every test/**/*.test.ts (compiled) under node --test.
//
//   npm test                 everything
//   npm test -- host virtio  only files whose path contains one of the names; no lint, type errors are warnings
//   npm test -- --NODE-FLAG  options go to node --test (e.g. --test-name-pattern=T46)

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BuildError, ensureBuilt, ensureInstalled, root } from './ensure-built.mjs';

/** No test file takes this long; one that does hangs. */
const HANG_MS = 15 * 60_000;

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('-'));

/** Compiled paths of the test sources: asking the sources keeps tests that were removed from running on in dist/. */
function testFiles() {
  return readdirSync(join(root, 'test'), { recursive: true })
    .map((name) => join('test', name))
    .filter((name) => name.endsWith('.test.ts') && (names.length === 0 || names.some((part) => name.includes(part))))
    .map((name) => join('dist', name.replace(/\.ts$/, '.js')))
    .sort();
}

function step(command, args) {
  const { status, signal } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (signal) console.error(`lguest: ${args[0]} was ended by ${signal}`);
  return status === 0;
}

/** Lint and format check. Biome has no binary for some platforms; there the check is left to CI. */
function checkStyle() {
  const biome = join(root, 'node_modules', '@biomejs');
  if (!readdirSync(biome).some((name) => name.startsWith('cli-'))) {
    console.error('lguest: lint and format check left out, Biome has no binary for this platform');
    return true;
  }
  return step(process.execPath, [join(biome, 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.']);
}

function main() {
  try {
    ensureInstalled();
    ensureBuilt();
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`lguest: ${error.message}`);
    if (names.length === 0) return false;
  }
  const styled = names.length > 0 || checkStyle();
  const files = testFiles().filter((file) => existsSync(join(root, file)));
  if (files.length === 0) {
    console.error(`lguest: no test file matches ${names.join(' ')}`);
    return false;
  }
  const options = ['--test', '--test-concurrency=2', '--test-reporter=spec', `--test-timeout=${HANG_MS}`];
  options.push('--enable-source-maps', ...flags);
  const passed = step(process.execPath, [...options, ...files]);
  if (!styled)
    console.error('lguest: lint or format check failed, see the beginning (npm run format mends the format)');
  return passed && styled;
}

process.exitCode = main() ? 0 : 1;
