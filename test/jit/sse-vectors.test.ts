import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { difference } from '../../tools/sse-oracle/difference.js';
import { ANSWER_BYTES, readAnswer } from '../../tools/sse-oracle/layout.js';
import { SseReplay } from '../../tools/sse-oracle/replay.js';
import { decode, vectorFile } from '../../tools/sse-oracle/vectors.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/**
 * The recorded answers of a real processor (test/vectors/sse.md), with every instruction translated before it runs.
 * Compiling takes its time, so only some have their turn; LGUEST_ALL_VECTORS=1 takes all. What needs a helper is left to
 * the interpreter.
 */
const EVERY = process.env['LGUEST_ALL_VECTORS'] ? 1 : 37;
const SHOWN = 5;

test('translated SSE and MMX instructions do what a processor does', () => {
  const { questions, answers } = decode(readFileSync(vectorFile));
  const different: string[] = [];
  for (const anyNumbers of [false, true]) {
    const replay = new SseReplay();
    const translator = attachTranslator(replay.processor, { ...AT_ONCE, anyNumbers });
    for (let n = 0; n < questions.length; n += EVERY) {
      const expected = readAnswer(answers.subarray(n * ANSWER_BYTES, (n + 1) * ANSWER_BYTES));
      const text = difference(questions[n]!, expected, replay.answer(questions[n]!));
      if (text !== '') different.push(text);
    }
    assert.ok(translator.statistics().translated > 300);
  }
  assert.equal(different.length, 0, `${different.length} differ\n${different.slice(0, SHOWN).join('\n')}`);
});
