/** Builds and runs the oracle of sequences: any x86-64 Linux with a C compiler will do. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANSWER_BYTES, type Answer, packQuestions, type Question, readAnswer } from './layout.js';

export class SequenceOracle {
  private readonly folder = mkdtempSync(join(tmpdir(), 'sequence-oracle-'));

  constructor() {
    const source = join(process.cwd(), 'tools/sequence-oracle/oracle.c');
    const flags = ['-O1', '-Wall', '-Wextra', '-fPIE', '-pie', '-o', this.program, source];
    execFileSync(process.env['CC'] ?? 'cc', flags, { stdio: 'inherit' });
  }

  ask(questions: readonly Question[]): Answer[] {
    const maxBuffer = questions.length * ANSWER_BYTES + 1;
    const bytes = execFileSync(this.program, { input: packQuestions(questions), maxBuffer });
    return questions.map((_, n) => readAnswer(bytes.subarray(n * ANSWER_BYTES, (n + 1) * ANSWER_BYTES)));
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }

  private get program(): string {
    return join(this.folder, 'oracle');
  }
}
