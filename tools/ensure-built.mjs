// Installs and builds what is missing, and nothing else: bin/lguest, npm test, npm run bench:* and npm run
// book all begin here. In a published package (no tsconfig.json) there is nothing to do.
//
//   node tools/ensure-built.mjs [--force | --install-only]

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const stamp = join(root, 'dist', '.built');
const sourceFolders = ['src', 'web', 'guest', 'test', 'bench', 'tools'];

/** A step of the build failed; the message is what the user reads. */
export class BuildError extends Error {}

/** Milliseconds; 0 for a file that does not exist. */
function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Whether a TypeScript source below `folder` (or the folder itself, after a removal) is younger than `time`. */
function changedSince(folder, time) {
  if (modified(folder) > time) return true;
  for (const entry of existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() ? changedSince(path, time) : entry.name.endsWith('.ts') && modified(path) > time)
      return true;
  }
  return false;
}

function run(what, command, args) {
  if (process.stderr.isTTY) process.stderr.write(`lguest  ${what}\n`);
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' });
  if (result.status === 0) return;
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim();
  const reason = result.error ? `${command} could not be started (${result.error.code})` : 'it said';
  throw new BuildError(`${what} failed: ${reason}${output && `:\n${output}`}`);
}

/** Runs `npm ci` when node_modules is missing or older than the lock file. */
export function ensureInstalled() {
  if (!existsSync(join(root, 'tsconfig.json'))) return;
  const modules = join(root, 'node_modules');
  const current = modified(join(modules, '.package-lock.json')) >= modified(join(root, 'package-lock.json'));
  if (current && existsSync(join(modules, 'typescript'))) return;
  run('installing the build tools (once)', 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund']);
}

/** Compiles to dist/ when a source is younger than the last complete build. Throws BuildError. */
export function ensureBuilt({ force = false } = {}) {
  if (!existsSync(join(root, 'tsconfig.json'))) return;
  const built = modified(stamp);
  const settings = Math.max(modified(join(root, 'tsconfig.json')), modified(join(root, 'package-lock.json')));
  const stale = built < settings || sourceFolders.some((folder) => changedSince(join(root, folder), built));
  if (!force && !stale) return;
  ensureInstalled();
  const started = new Date();
  for (const folder of ['bundle', 'built']) rmSync(join(root, 'dist', folder), { recursive: true, force: true });
  run('building', process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
  run('finishing the build', process.execPath, [join('dist', 'tools', 'finish-build.js')]);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, '');
  utimesSync(stamp, started, started);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    if (process.argv.includes('--install-only')) ensureInstalled();
    else ensureBuilt({ force: process.argv.includes('--force') });
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(`lguest: ${error.message}`);
    process.exitCode = 1;
  }
}
