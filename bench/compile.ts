/** The programs of bench/c, compiled for a guest or for this computer, and kept. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPILED, type CompiledName } from './suite.js';

/** Of Debian; the i386 one is what guests run. */
export type Architecture = 'i386' | 'amd64';

const SOURCES = 'bench/c';
const MACHINE: Record<Architecture, readonly string[]> = { i386: ['-m32', '-march=i686'], amd64: ['-m64'] };
/**
 * No vectors but those a program asks for, which the two architectures would use differently; loops that are written
 * as loops stay loops.
 */
const FLAGS = [
  ...['-O2', '-static', '-fno-pic', '-no-pie', '-mno-red-zone', '-fno-tree-vectorize', '-fno-stack-protector'],
  ...['-fno-tree-loop-distribute-patterns', '-fcf-protection=none', '-mtune=generic'],
];

export class CompileError extends Error {}

/** Program → its bytes. `folder`: where they are kept. Throws `CompileError`. */
export function compilePrograms(folder: string, architecture: Architecture): Map<CompiledName, Uint8Array> {
  const key = createHash('sha256').update(JSON.stringify([FLAGS, MACHINE[architecture], COMPILED]));
  for (const name of readdirSync(SOURCES).sort()) key.update(readFileSync(join(SOURCES, name)));
  const kept = join(folder, `${architecture}-${key.digest('hex').slice(0, 16)}`);
  if (!existsSync(kept)) {
    mkdirSync(folder, { recursive: true });
    const temporary = mkdtempSync(join(folder, 'temporary-'));
    try {
      for (const program of COMPILED) compile(program, architecture, join(temporary, program.name));
      // Somebody else may have done the same meanwhile.
      if (!existsSync(kept)) renameSync(temporary, kept);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }
  return new Map(COMPILED.map(({ name }) => [name, new Uint8Array(readFileSync(join(kept, name)))]));
}

function compile(program: (typeof COMPILED)[number], architecture: Architecture, output: string): void {
  const words = [
    ...MACHINE[architecture],
    ...FLAGS,
    ...program.flags,
    join(SOURCES, program.file),
    '-o',
    output,
    '-lm',
  ];
  const { status, error, stderr } = spawnSync('gcc', words, { encoding: 'utf8' });
  if (error !== undefined) throw new CompileError('gcc is not here');
  if (status !== 0)
    throw new CompileError(`gcc cannot make ${architecture} programs (gcc-multilib?): ${stderr.trim()}`);
}

/** What this computer can run of it: 32-bit programs themselves, else their 64-bit twins, else none. */
export function findNativeArchitecture(i386: ReadonlyMap<CompiledName, Uint8Array>): Architecture | undefined {
  if (process.platform !== 'linux') return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'lguest-bench-'));
  try {
    const file = join(folder, 'probe');
    writeFileSync(file, i386.get('system')!, { mode: 0o755 });
    if (spawnSync(file, ['nothing']).status === 0) return 'i386';
  } finally {
    rmSync(folder, { recursive: true });
  }
  return process.arch === 'x64' ? 'amd64' : undefined;
}
