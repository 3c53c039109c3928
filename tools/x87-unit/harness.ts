/** Builds and runs the native oracle: any x86-64 Linux with a C compiler will do. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANSWER_BYTES, type Answer, packQuestions, type Question, readAnswer } from './layout.js';

export function askProcessor(questions: readonly Question[]): Answer[] {
  const folder = mkdtempSync(join(tmpdir(), 'x87-unit-'));
  const program = join(folder, 'oracle');
  try {
    const source = join(process.cwd(), 'tools/x87-unit/oracle.c');
    execFileSync(
      process.env['CC'] ?? 'cc',
      ['-O1', '-Wall', '-mno-red-zone', '-no-pie', '-fno-pic', '-o', program, source],
      {
        stdio: 'inherit',
      },
    );
    const maxBuffer = questions.length * ANSWER_BYTES + 1;
    const bytes = execFileSync(program, { input: packQuestions(questions), maxBuffer });
    return questions.map((question, n) =>
      readAnswer(question, bytes.subarray(n * ANSWER_BYTES, (n + 1) * ANSWER_BYTES)),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
