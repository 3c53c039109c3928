/**
 * Records `test/vectors/x87.bin.gz` on the processor of this machine:
 *
 *   node dist/tools/x87-oracle/record.js [cases per operation] [seed]
 */

import { writeFileSync } from 'node:fs';
import { ask, buildOracle } from './harness.js';
import { Dice, makeQuestion } from './questions.js';
import { answerBytes, operations } from './replay.js';
import { encodeCases, type RecordedCase, vectorFile } from './vectors.js';

const casesPerOperation = Number(process.argv[2] ?? 700);
const dice = new Dice(Number(process.argv[3] ?? 20240229));

const oracle = buildOracle();
const cases: RecordedCase[] = [];
operations.forEach(({ operand, usesTop }, operation) => {
  // A constant depends on the control word alone.
  const count = usesTop || operand !== 'none' ? casesPerOperation : 40;
  const questions = Array.from({ length: count }, () => makeQuestion(dice, operation));
  const answers = ask(oracle, Buffer.concat(questions));
  questions.forEach((question, i) => {
    cases.push({ question, answer: answers.slice(i * answerBytes, (i + 1) * answerBytes) });
  });
});
const file = encodeCases(cases);
writeFileSync(vectorFile, file);
console.log(`${cases.length} cases, ${file.length} bytes`);
