import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hubs, MOST_JUMPS } from '../../src/jit/hubs.js';

const AT = 0x1001;

test('a hub is made anew ever later, with all that is known, and not for ever', () => {
  const hubs = new Hubs();
  assert.equal(hubs.miss(AT, [1, 2], MOST_JUMPS - 1), false);
  assert.equal(hubs.miss(AT, [3], 1), true);
  assert.deepEqual([...hubs.targets(AT)], [1, 2, 3]);
  const looks = (): number => {
    for (let n = 1; n <= 10_000; n++) if (hubs.miss(AT, [4], MOST_JUMPS)) return n;
    return 0;
  };
  assert.deepEqual([looks(), looks(), looks(), looks(), looks()], [4, 16, 64, 256, 1024]);
  assert.equal(looks(), 0);
});

test('no more is remembered than a guest should cost', () => {
  const hubs = new Hubs();
  for (let n = 0; n < 100_000; n++) hubs.miss(AT, [n], 0);
  assert.ok([...hubs.targets(AT)].length <= 1024);
  for (let n = 0; n < 100_000; n++) hubs.miss(n * 0x4_0000, [], 1);
  assert.ok([...hubs.addresses()].length <= 1024);
});
