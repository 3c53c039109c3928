/**
 * Records `test/vectors/x87-unit.bin.gz` on the processor of this machine:
 *
 *   node dist/tools/x87-unit/record.js [cases per form] [seed]
 */

import { writeFileSync } from 'node:fs';
import { askProcessor } from './harness.js';
import { makeQuestions } from './questions.js';
import { encode, vectorFile } from './vectors.js';

const casesPerForm = Number(process.argv[2] ?? 24);
const seed = Number(process.argv[3] ?? 20261124);
const questions = makeQuestions(casesPerForm, seed);
const file = encode(casesPerForm, seed, questions, askProcessor(questions));
writeFileSync(vectorFile, file);
console.log(`${questions.length} cases, ${file.length} bytes`);
