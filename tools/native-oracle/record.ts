/**
 * Records answers of the processor of this machine for tests to replay:
 *
 *   node dist/tools/native-oracle/record.js [--cases=N] [--seed=N] FILE
 *
 * N cases for every shape of every instruction. Answers of ours that differ are an error: compare first.
 */

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Dice } from '../x87-oracle/questions.js';
import { makeTest, type Test } from './generator.js';
import { Oracle } from './harness.js';
import { allShapes } from './shapes.js';
import { packVectors } from './vectors.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: 'string', default: '10' }, seed: { type: 'string', default: '2026' } },
});
const file = positionals[0];
if (file === undefined) throw new Error('which file?');
const dice = new Dice(Number(values.seed));
const tests: Test[] = [];
for (const shape of allShapes()) {
  for (let i = 0; i < Number(values.cases); i++) tests.push(makeTest(dice, shape, tests.at(-1)));
}
const oracle = new Oracle();
const answers = oracle.ask(tests);
oracle.dispose();
const packed = packVectors(
  tests.map((test, i) => ({ question: test, answer: answers[i]!, undefinedFlags: test.undefinedFlags })),
);
writeFileSync(file, packed);
console.log(`${tests.length} cases, ${packed.length} bytes`);
