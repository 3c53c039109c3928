import assert from 'node:assert/strict';
import test from 'node:test';
import { locateBytes } from '../../src/jit/region.js';

test('runs of code are found in guest memory, in as few ranges as possible', () => {
  const mapped = new Map([
    [1, 0x7000],
    [2, 0x3000],
    [3, 0x9000],
  ]);
  const runs = [
    { eip: 0x1100, length: 0x10 },
    { eip: 0x1ff8, length: 0x10 },
    { eip: 0x1110, length: 4 },
    { eip: 0x1104, length: 2 },
    { eip: 0x1120, length: 1 },
  ];
  const { pages, ranges } = locateBytes(runs, mapped);
  assert.deepEqual(
    [...pages],
    [
      [1, 0x7000],
      [2, 0x3000],
    ],
  );
  assert.deepEqual(ranges, [
    { start: 0x3000, end: 0x3008 },
    { start: 0x7100, end: 0x7114 },
    { start: 0x7120, end: 0x7121 },
    { start: 0x7ff8, end: 0x8000 },
  ]);
});
