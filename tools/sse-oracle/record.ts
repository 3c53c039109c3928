/**
 * Records `test/vectors/sse.bin.gz` on the processor of this machine:
 *
 *   node dist/tools/sse-oracle/record.js [cases per form] [seed]
 */

import { writeFileSync } from 'node:fs';
import { SseOracle } from './harness.js';
import { makeQuestions } from './questions.js';
import { encode, vectorFile } from './vectors.js';

const casesPerForm = Number(process.argv[2] ?? 48);
const seed = Number(process.argv[3] ?? 20261127);
const questions = makeQuestions(casesPerForm, seed);
const oracle = new SseOracle();
const file = encode(casesPerForm, seed, questions, oracle.askRaw(questions));
oracle.dispose();
writeFileSync(vectorFile, file);
console.log(`${questions.length} cases, ${file.length} bytes`);
