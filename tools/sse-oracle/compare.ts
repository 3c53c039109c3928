/**
 * Compares our SSE with that of this machine and prints differences:
 *
 *   node dist/tools/sse-oracle/compare.js [--cases=N] [--seed=N] [instruction …]
 *
 * N cases for every form of every instruction (or of those named).
 */

import { parseArgs } from 'node:util';
import { Dice } from '../x87-oracle/questions.js';
import { difference } from './difference.js';
import { SseOracle } from './harness.js';
import type { Question } from './layout.js';
import { allForms, makeQuestion } from './questions.js';
import { SseReplay } from './replay.js';

const BATCH = 100_000;
const SHOWN_PER_FORM = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' } },
});
const forms = allForms().filter(({ encoding }) => positionals.length === 0 || positionals.includes(encoding.row.name));
const oracle = new SseOracle();
const replay = new SseReplay();
const counts = new Map<string, number>();
let total = 0;

function compareBatch(batch: readonly Question[]): void {
  const answers = oracle.ask(batch);
  batch.forEach((question, n) => {
    total++;
    const text = difference(question, answers[n]!, replay.answer(question));
    if (text === '') return;
    const count = (counts.get(question.name) ?? 0) + 1;
    counts.set(question.name, count);
    if (count <= SHOWN_PER_FORM) console.log(text);
  });
}

const dice = new Dice(Number(values.seed) * 2654435761);
let batch: Question[] = [];
for (const form of forms) {
  for (let i = 0; i < Number(values.cases); i++) batch.push(makeQuestion(dice, form));
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
