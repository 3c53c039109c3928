/**
 * Compares our processor with that of this machine:
 *
 *   node dist/tools/native-oracle/compare.js [--cases=N] [--seed=N] [--undefined] [instruction …]
 *
 * N cases for every shape of every instruction (or of those named). `--undefined` looks at undefined flags too.
 */

import { parseArgs } from 'node:util';
import { Dice } from '../x87-oracle/questions.js';
import { describeDifference } from './difference.js';
import { makeTest, type Test } from './generator.js';
import { Oracle } from './harness.js';
import { Replay } from './replay.js';
import { allShapes, describeShape } from './shapes.js';

const BATCH = 50_000;
const SHOWN_PER_SHAPE = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cases: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    undefined: { type: 'boolean', default: false },
  },
});
const cases = Number(values.cases);
const shapes = allShapes().filter((shape) => positionals.length === 0 || positionals.includes(shape.encoding.row.name));
const oracle = new Oracle();
const replay = new Replay();
const wrongByShape = new Map<string, number>();
let total = 0;
let wrong = 0;

function compareBatch(batch: Test[]): void {
  const answers = oracle.ask(batch);
  batch.forEach((test, i) => {
    const text = describeDifference(test, answers[i]!, replay.answer(test), values.undefined ? 0 : test.undefinedFlags);
    total++;
    if (text === '') return;
    wrong++;
    const name = describeShape(test.shape);
    const seen = wrongByShape.get(name) ?? 0;
    wrongByShape.set(name, seen + 1);
    if (seen < SHOWN_PER_SHAPE) console.log(`${name}\n${text}`);
  });
}

const dice = new Dice(Number(values.seed) * 2654435761);
let batch: Test[] = [];
for (const shape of shapes) {
  for (let i = 0; i < cases; i++) {
    batch.push(makeTest(dice, shape));
    if (batch.length === BATCH) {
      compareBatch(batch);
      batch = [];
    }
  }
}
if (batch.length > 0) compareBatch(batch);
oracle.dispose();
for (const [name, count] of wrongByShape) console.log(`${name}: ${count} of ${cases} different`);
console.log(`${shapes.length} shapes, ${total} cases, ${wrong} different`);
process.exitCode = wrong > 0 ? 1 : 0;
