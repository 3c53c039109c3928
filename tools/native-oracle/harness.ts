/** Builds and runs the native oracle. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, QUESTION_BYTES, type Question, readAnswer, writeQuestion } from './layout.js';

const FLAGS = [
  '-m32',
  '-O2',
  '-msse2',
  '-Wall',
  '-Wextra',
  '-ffreestanding',
  '-fno-stack-protector',
  '-fno-pic',
  '-no-pie',
  '-static',
];

/** The processor of this machine (32-bit x86 Linux programs must run on it). */
export class Oracle {
  private readonly folder = mkdtempSync(join(tmpdir(), 'native-oracle-'));

  constructor() {
    const source = join(process.cwd(), 'tools/native-oracle/oracle.c');
    execFileSync(process.env['CC'] ?? 'cc', [...FLAGS, '-nostdlib', '-o', this.path('oracle'), source], {
      stdio: 'inherit',
    });
  }

  ask(questions: readonly Question[]): Answer[] {
    const bytes = new Uint8Array(questions.length * QUESTION_BYTES);
    questions.forEach((question, i) => {
      writeQuestion(bytes, i * QUESTION_BYTES, question);
    });
    writeFileSync(this.path('cases'), bytes);
    try {
      execFileSync(this.path('oracle'), [this.path('cases'), this.path('answers')], { stdio: 'inherit' });
    } catch (cause) {
      throw new Error('the oracle failed; are 32-bit programs and LDTs possible on this machine?', { cause });
    }
    const answers = readFileSync(this.path('answers'));
    let at = 0;
    return questions.map((question) => {
      const { answer, next } = readAnswer(answers, at, question.unit !== undefined);
      at = next;
      return answer;
    });
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }

  private path(name: string): string {
    return join(this.folder, name);
  }
}
