import assert from 'node:assert/strict';
import test from 'node:test';
import { Comparison } from './compare.js';

test('random programs do the same translated and interpreted', () => {
  const comparison = new Comparison();
  const withAnyNumbers = new Comparison({ anyNumbers: true });
  const PROGRAMS = 150;
  for (let seed = 1; seed <= PROGRAMS; seed++) assert.equal(comparison.run(seed), undefined);
  for (let seed = 1; seed <= PROGRAMS / 3; seed++) assert.equal(withAnyNumbers.run(seed), undefined);
  assert.ok(comparison.translator.statistics().translated > PROGRAMS);
  assert.ok(comparison.faults < PROGRAMS / 2, `${comparison.faults} programs fault`);
});
