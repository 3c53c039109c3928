import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { DECODE, Decoder, MODE } from '../../src/cpu/decoder.js';
import { Forms } from '../../src/cpu/interpreter/forms.js';
import type { Row } from '../../src/isa/builder.js';
import type { Answer, Question } from '../../tools/native-oracle/layout.js';
import { MODE_CODE16 } from '../../tools/native-oracle/layout.js';
import { Replay } from '../../tools/native-oracle/replay.js';
import { unpackVectors } from '../../tools/native-oracle/vectors.js';

/**
 * A translator drops flags that nobody reads, on the word of `Row.flags`: what a row says of the flags it
 * reads and writes is checked against what it does on the recorded cases.
 */

const ARITHMETIC = 0x8d5;
const BITS: Readonly<Record<string, number>> = { O: 0x800, S: 0x80, Z: 0x40, A: 0x10, P: 4, C: 1 };
const COMPLETED = 3;

function bitsOf(letters = ''): number {
  return [...letters].reduce((bits, letter) => bits | BITS[letter]!, 0);
}

const forms = new Forms();
const decoder = new Decoder(forms);
const vectors = unpackVectors(readFileSync(join(process.cwd(), 'test/vectors/integer.bin.gz')));

function rowOf(question: Question): Row | undefined {
  const mode = question.mode === MODE_CODE16 ? 0 : MODE.code32 | MODE.stack32;
  if (decoder.decode(question.code, 0, question.code.length, mode) !== DECODE.ok) return undefined;
  return forms.list[decoder.decoded.form]!.row;
}

function report(wrong: Map<string, string>): void {
  assert.equal(wrong.size, 0, [...wrong.values()].join('\n'));
}

test('a flag that changes is one the row writes or leaves undefined', () => {
  const wrong = new Map<string, string>();
  for (const { question, answer } of vectors) {
    const row = rowOf(question);
    if (!row || row.system || answer.vector !== COMPLETED) continue;
    const declared = bitsOf(row.flags?.writes) | bitsOf(row.flags?.undefined);
    const changed = (question.eflags ^ answer.eflags) & ARITHMETIC & ~declared;
    if (changed !== 0) wrong.set(row.name, `${row.name} changes flags ${changed.toString(16)}`);
  }
  report(wrong);
});

/** Everything but the arithmetic flags, and those of them that the instruction wrote. */
function outcome(answer: Answer): string {
  const { vector, eip, registers, changed, start } = answer;
  return JSON.stringify([vector, eip, [...registers], start, [...changed]]);
}

test('no outcome depends on a flag that the row does not read', () => {
  const replay = new Replay();
  const wrong = new Map<string, string>();
  for (const { question } of vectors) {
    const row = rowOf(question);
    if (!row || row.system || wrong.has(row.name)) continue;
    const unread = ARITHMETIC & ~bitsOf(row.flags?.reads);
    const first = replay.answer(question);
    const second = replay.answer({ ...question, eflags: question.eflags ^ unread });
    if (outcome(first) !== outcome(second)) {
      wrong.set(row.name, `${row.name} depends on a flag it does not say it reads`);
      continue;
    }
    // Each unread flag is either kept both times or given the same value both times.
    const same = ~(first.eflags ^ second.eflags);
    const kept = ~(first.eflags ^ question.eflags) & (first.eflags ^ second.eflags);
    const odd = unread & ~(same | kept);
    if (odd !== 0) wrong.set(row.name, `${row.name} makes flags ${odd.toString(16)} of what they were`);
    const moved = ~unread & (first.eflags ^ second.eflags) & ARITHMETIC;
    if (moved !== 0) wrong.set(row.name, `${row.name}: flags ${moved.toString(16)} depend on ones it does not read`);
  }
  report(wrong);
});
