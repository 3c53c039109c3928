import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { difference } from '../../tools/sse-oracle/difference.js';
import { ANSWER_BYTES, readAnswer } from '../../tools/sse-oracle/layout.js';
import { SseReplay } from '../../tools/sse-oracle/replay.js';
import { decode, vectorFile } from '../../tools/sse-oracle/vectors.js';

/** SSE and MMX against the recorded answers of a real processor (test/vectors/sse.md). */

const SHOWN = 5;

test('every SSE and MMX encoding does what a processor does', () => {
  const { questions, answers } = decode(readFileSync(vectorFile));
  assert.ok(questions.length > 10_000);
  const replay = new SseReplay();
  const endings = new Set<number>();
  const different: string[] = [];
  questions.forEach((question, n) => {
    const expected = readAnswer(answers.subarray(n * ANSWER_BYTES, (n + 1) * ANSWER_BYTES));
    endings.add(expected.vector);
    const text = difference(question, expected, replay.answer(question));
    if (text !== '') different.push(text);
  });
  assert.equal(different.length, 0, `${different.length} differ\n${different.slice(0, SHOWN).join('\n')}`);
  // It went well, #GP for misaligned operands, #PF, #XM
  for (const vector of [0, 13, 14, 19]) assert.ok(endings.has(vector), `none ends with vector ${vector}`);
});
