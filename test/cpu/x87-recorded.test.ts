/** x87 instructions with their register stack against answers of a real processor (tools/x87-unit). */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { difference } from '../../tools/x87-unit/difference.js';
import { readAnswer } from '../../tools/x87-unit/layout.js';
import { Replay } from '../../tools/x87-unit/replay.js';
import { decode, vectorFile } from '../../tools/x87-unit/vectors.js';

test('every x87 encoding leaves the unit as a real one does', () => {
  const replay = new Replay();
  const differences = decode(readFileSync(vectorFile))
    .map(({ question, answer }) => difference(question, answer, readAnswer(question, replay.answer(question))))
    .filter((text) => text !== '');
  assert.deepEqual(differences.slice(0, 5), []);
});
