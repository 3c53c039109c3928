import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { describeDifference } from '../../tools/native-oracle/difference.js';
import { Replay } from '../../tools/native-oracle/replay.js';
import { unpackVectors } from '../../tools/native-oracle/vectors.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/**
 * The recorded answers of a real processor (test/vectors/integer.md), with every instruction translated before it runs.
 * Compiling takes its time, so only some of the instructions have their turn; LGUEST_ALL_VECTORS=1 takes all.
 */
const vectors = unpackVectors(readFileSync(join(process.cwd(), 'test/vectors/integer.bin.gz')));
const EVERY = process.env['LGUEST_ALL_VECTORS'] ? 1 : 40;
const SHOWN = 10;

test('translated instructions do what a processor does', () => {
  const replay = new Replay();
  const translator = attachTranslator(replay.cpu, AT_ONCE);
  const different: string[] = [];
  let code = '';
  let number = 0;
  for (const { question, answer, undefinedFlags } of vectors) {
    // All operands of an instruction, or none.
    const next = `${question.codeAddress} ${question.code.join()}`;
    if (next !== code) number++;
    code = next;
    if (number % EVERY !== 0) continue;
    const text = describeDifference(question, answer, replay.answer(question), undefinedFlags);
    if (text !== '') different.push(text);
  }
  if (process.env['LGUEST_ALL_VECTORS']) console.log(translator.statistics());
  assert.ok(translator.statistics().translated > 50);
  assert.equal(different.length, 0, `${different.length} differ\n${different.slice(0, SHOWN).join('\n')}`);
});
