/**
 * Compares with the processor of this machine and prints differences:
 *
 *   node dist/tools/x87-unit/compare.js [cases per form] [seed]
 */

import { difference } from './difference.js';
import { askProcessor } from './harness.js';
import { readAnswer } from './layout.js';
import { makeQuestions } from './questions.js';
import { Replay } from './replay.js';

const SHOWN_PER_FORM = 2;

const questions = makeQuestions(Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 1));
const answers = askProcessor(questions);
const replay = new Replay();
const counts = new Map<string, number>();
questions.forEach((question, n) => {
  const text = difference(question, answers[n]!, readAnswer(question, replay.answer(question)));
  if (text === '') return;
  const count = (counts.get(question.name) ?? 0) + 1;
  counts.set(question.name, count);
  if (count <= SHOWN_PER_FORM) console.log(text);
});
let total = 0;
for (const count of counts.values()) total += count;
console.log(`${questions.length} cases, ${total} differ`);
process.exitCode = total === 0 ? 0 : 1;
