/**
 * Records `test/vectors/sequences.bin.gz` on the processor of this machine:
 *
 *   node dist/tools/sequence-oracle/record.js [programs] [first seed]
 */

import { writeFileSync } from 'node:fs';
import { checkSum, isComparable } from './difference.js';
import { SequenceOracle } from './harness.js';
import { makeQuestion } from './questions.js';
import { encode, vectorFile } from './vectors.js';

const count = Number(process.argv[2] ?? 600);
const first = Number(process.argv[3] ?? 1);
const questions = Array.from({ length: count }, (_, i) => makeQuestion(first + i));
const oracle = new SequenceOracle();
const answers = oracle.ask(questions);
oracle.dispose();
const programs = questions.flatMap((question, i) =>
  isComparable(answers[i]!) ? [{ question, checkSum: checkSum(question, answers[i]!) }] : [],
);
const file = encode(programs);
writeFileSync(vectorFile, file);
console.log(`${programs.length} programs, ${file.length} bytes`);
