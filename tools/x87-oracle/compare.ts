/**
 * Compares `src/fpu` with the processor of this machine:
 *
 *   node dist/tools/x87-oracle/compare.js [cases per operation] [seed] [operation …]
 *
 * Builds `oracle.c` with the C compiler found as `cc` (or $CC).
 */

import { difference } from './answers.js';
import { ask, buildOracle } from './harness.js';
import { Dice, makeQuestion } from './questions.js';
import { answerBytes, operations, questionBytes, replay } from './replay.js';

const cases = Number(process.argv[2] ?? 10000);
const seed = Number(process.argv[3] ?? 1);
const chosen = process.argv.slice(4);
const shown = 6;

const oracle = buildOracle();
let total = 0;
let wrong = 0;
for (let operation = 0; operation < operations.length; operation++) {
  const { name } = operations[operation]!;
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const dice = new Dice(seed * 1000003 + operation * 7919);
  const questions = new Uint8Array(cases * questionBytes);
  for (let i = 0; i < cases; i++) questions.set(makeQuestion(dice, operation), i * questionBytes);
  const answers = ask(oracle, questions);
  let different = 0;
  let lastPlace = 0;
  for (let i = 0; i < cases; i++) {
    const question = questions.subarray(i * questionBytes, (i + 1) * questionBytes);
    const expected = answers.subarray(i * answerBytes, (i + 1) * answerBytes);
    const found = difference(question, expected, replay(question));
    if (found.lastPlace) lastPlace++;
    if (found.text === '') continue;
    if (different++ < shown) console.log(found.text);
  }
  total += cases;
  wrong += different;
  console.log(
    `${name}: ${cases} cases, ${different} different${lastPlace > 0 ? `, ${lastPlace} differ in the last place` : ''}`,
  );
}
console.log(`${total} cases, ${wrong} different`);
process.exitCode = wrong > 0 ? 1 : 0;
