import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RealClock, VIRTUAL_EPOCH_SECONDS, VirtualClock } from '../../src/vm/clock.js';
import { fakePlatform } from './fake-platform.js';

test('virtual time is instructions', () => {
  let retired = 0;
  const clock = new VirtualClock(() => retired);
  assert.equal(clock.nowNs(), 0);
  retired = 1_500_000_000;
  assert.equal(clock.nowNs(), 1_500_000_000);
  assert.deepEqual(clock.wallClock(), [VIRTUAL_EPOCH_SECONDS + 1, 500_000_000]);
  assert.equal(clock.instructionsUntil(1_500_000_100), 100);
  assert.equal(clock.instructionsUntil(0), 1);
});

test('an idle guest skips virtual time, and never back', () => {
  let retired = 10;
  const clock = new VirtualClock(() => retired);
  assert.equal(clock.skipTo(5_000), true);
  assert.equal(clock.nowNs(), 5_000);
  clock.skipTo(1);
  assert.equal(clock.nowNs(), 5_000);
  retired = 11;
  assert.equal(clock.nowNs(), 5_001);
});

test('saved virtual time goes on at any count of instructions', () => {
  const first = new VirtualClock(() => 100);
  first.skipTo(1_000);
  const second = new VirtualClock(() => 7);
  second.load(first.save());
  assert.equal(second.nowNs(), 1_000);
});

test('real time has to be waited for, and goes on where it was saved', () => {
  const platform = fakePlatform();
  const clock = new RealClock(platform);
  platform.ns += 250;
  assert.equal(clock.nowNs(), 250);
  assert.equal(clock.skipTo(), false);
  assert.equal(clock.instructionsUntil(), undefined);
  const saved = clock.save();
  platform.ns += 1e9;
  clock.load(saved);
  assert.equal(clock.nowNs(), 250);
});

test('who asks real time often gets instructions counted, and never sees it go back', () => {
  const platform = fakePlatform();
  let retired = 5000;
  const clock = new RealClock(platform, () => retired);
  platform.ns += 100;
  assert.equal(clock.roughNs(), 100);
  platform.ns += 50;
  assert.equal(clock.roughNs(), 100);
  retired += 1900;
  assert.equal(clock.roughNs(), 2000);
  retired += 100;
  assert.equal(clock.roughNs(), 2000);
  platform.ns += 3000;
  assert.equal(clock.nowNs(), 3150);
  assert.equal(clock.roughNs(), 3150);
  retired += 10;
  platform.ns += 7;
  const saved = clock.save();
  assert.equal(saved.nowNs, 3157);
  retired = 0;
  clock.load(saved);
  assert.equal(clock.roughNs(), 3157);
});
