import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { difference } from '../../tools/x87-unit/difference.js';
import { readAnswer } from '../../tools/x87-unit/layout.js';
import { Replay } from '../../tools/x87-unit/replay.js';
import { decode, vectorFile } from '../../tools/x87-unit/vectors.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/**
 * The recorded answers of a real processor (test/vectors/x87-unit.md), with every instruction translated before it runs.
 * Compiling takes its time, so only some have their turn; LGUEST_ALL_VECTORS=1 takes all.
 */
const EVERY = process.env['LGUEST_ALL_VECTORS'] ? 1 : 7;

test('translated x87 instructions leave the unit as a real one does', () => {
  const replay = new Replay();
  const translator = attachTranslator(replay.processor, AT_ONCE);
  const differences = decode(readFileSync(vectorFile))
    .filter((_, n) => n % EVERY === 0)
    .map(({ question, answer }) => difference(question, answer, readAnswer(question, replay.answer(question))))
    .filter((text) => text !== '');
  assert.ok(translator.statistics().translated > 300);
  assert.deepEqual(differences.slice(0, 5), []);
});
