/**
 * Compares our SSE with that of this machine and prints differences:
 *
 *   node dist/tools/sse-oracle/compare.js [--integers] [--cases=N] [--seed=N] [instruction …]
 *
 * N cases for every form of every instruction (or of those named); `--integers` takes integer instructions instead.
 */

import { parseArgs } from 'node:util';
import { Dice } from '../x87-oracle/questions.js';
import { difference } from './difference.js';
import type { Encoding } from '../../src/isa/encoding.js';
import { SseOracle } from './harness.js';
import { integerForms, makeIntegerQuestion } from './integers.js';
import type { Question } from './layout.js';
import { allForms, makeQuestion } from './questions.js';
import { SseReplay } from './replay.js';

const BATCH = 100_000;
const SHOWN_PER_FORM = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cases: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    integers: { type: 'boolean', default: false },
  },
});
const isWanted = ({ encoding }: { encoding: Encoding }): boolean =>
  positionals.length === 0 || positionals.includes(encoding.row.name);
type Asked = Question & { readonly undefinedFlags?: number };
/** What makes the questions of each form. */
const forms: readonly ((dice: Dice) => Asked)[] = values.integers
  ? integerForms()
      .filter(isWanted)
      .map((form) => (dice) => makeIntegerQuestion(dice, form))
  : allForms()
      .filter(isWanted)
      .map((form) => (dice) => makeQuestion(dice, form));
const oracle = new SseOracle();
const replay = new SseReplay();
const counts = new Map<string, number>();
let total = 0;

function compareBatch(batch: readonly Asked[]): void {
  const answers = oracle.ask(batch);
  batch.forEach((question, n) => {
    total++;
    const text = difference(question, answers[n]!, replay.answer(question), question.undefinedFlags);
    if (text === '') return;
    const count = (counts.get(question.name) ?? 0) + 1;
    counts.set(question.name, count);
    if (count <= SHOWN_PER_FORM) console.log(text);
  });
}

const dice = new Dice(Number(values.seed) * 2654435761);
let batch: Asked[] = [];
for (const form of forms) {
  for (let i = 0; i < Number(values.cases); i++) batch.push(form(dice));
  if (batch.length < BATCH) continue;
  compareBatch(batch);
  batch = [];
}
compareBatch(batch);
oracle.dispose();
let different = 0;
for (const [name, count] of counts) {
  different += count;
  console.log(`${name}: ${count} of ${values.cases} different`);
}
console.log(`${forms.length} forms, ${total} cases, ${different} different`);
process.exitCode = different > 0 ? 1 : 0;
