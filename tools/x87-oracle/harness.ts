/** Builds and runs the native oracle. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { answerBytes, questionBytes } from './replay.js';

/** Compiles `oracle.c` and returns the path of the program. */
export function buildOracle(): string {
  const program = join(mkdtempSync(join(tmpdir(), 'x87-oracle-')), 'oracle');
  const source = join(process.cwd(), 'tools/x87-oracle/oracle.c');
  execFileSync(process.env['CC'] ?? 'cc', ['-O1', '-Wall', '-o', program, source], { stdio: 'inherit' });
  return program;
}

export function ask(program: string, questions: Uint8Array): Uint8Array {
  const cases = questions.length / questionBytes;
  return execFileSync(program, { input: questions, maxBuffer: cases * answerBytes + 1 });
}
