import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { RandomNumbers } from './random-numbers.js';
import { checkSum } from '../../tools/sequence-oracle/difference.js';
import { SequenceReplay } from '../../tools/sequence-oracle/replay.js';
import { decode, vectorFile } from '../../tools/sequence-oracle/vectors.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** Random programs that a real processor has run (test/vectors/sequences.md). */

const programs = decode(readFileSync(vectorFile));
/** Compiling takes its time, so only some are translated; LGUEST_ALL_VECTORS=1 takes all. */
const EVERY = process.env['LGUEST_ALL_VECTORS'] ? 1 : 4;

test('interpreted, random programs do what they do on a processor', () => {
  const replay = new SequenceReplay();
  const different = programs.filter(
    ({ question, checkSum: sum }) => checkSum(question, replay.answer(question)) !== sum,
  );
  assert.deepEqual(
    different.map(({ question }) => question.seed),
    [],
  );
});

test('and translated, with turns that end anywhere', () => {
  const replay = new SequenceReplay();
  const translator = attachTranslator(replay.processor, AT_ONCE);
  const different: number[] = [];
  for (const [i, { question, checkSum: sum }] of programs.entries()) {
    if (i % EVERY !== 0) continue;
    const random = new RandomNumbers(question.seed);
    const answer = replay.answer(question, () => (random.chance(50) ? 1 << 16 : 1 + random.below(60)));
    if (checkSum(question, answer) !== sum) different.push(question.seed);
  }
  assert.deepEqual(different, []);
  assert.ok(translator.statistics().translated > programs.length / EVERY);
});

test('a wrong answer would be noticed', () => {
  const { question, checkSum: sum } = programs[0]!;
  const answer = new SequenceReplay().answer(question);
  assert.equal(checkSum(question, answer), sum);
  assert.notEqual(checkSum(question, { ...answer, eflags: answer.eflags ^ 0x8d5 }), sum);
  assert.notEqual(checkSum(question, { ...answer, xmm: answer.xmm.with(127, answer.xmm[127]! ^ 1) }), sum);
  assert.notEqual(checkSum(question, { ...answer, data: answer.data.with(0, answer.data[0]! ^ 1) }), sum);
});
