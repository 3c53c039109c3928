/** `src/fpu` against answers of a real processor (tools/x87-oracle). */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { difference } from '../../tools/x87-oracle/answers.js';
import { operations, replay } from '../../tools/x87-oracle/replay.js';
import { decodeCases, vectorFile } from '../../tools/x87-oracle/vectors.js';

/** In percent: how many transcendental results may be off in the last place, or in C1. */
const LAST_PLACE_PERCENT = 20;

describe('x87 instructions answer as the processor did', () => {
  const cases = decodeCases(readFileSync(vectorFile));
  operations.forEach(({ name, transcendental }, operation) => {
    test(name, () => {
      const chosen = cases.filter(({ question }) => question[0] === operation);
      assert.ok(chosen.length > 0, 'no recorded cases');
      let lastPlace = 0;
      for (const { question, answer } of chosen) {
        const found = difference(question, answer, replay(question));
        assert.equal(found.text, '');
        if (found.lastPlace) lastPlace++;
      }
      const allowed = transcendental ? (chosen.length * LAST_PLACE_PERCENT) / 100 : 0;
      assert.ok(lastPlace <= allowed, `${lastPlace} of ${chosen.length} differ in the last place`);
    });
  });
});
