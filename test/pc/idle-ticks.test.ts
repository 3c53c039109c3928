import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdleTicks } from '../../src/pc/idle-ticks.js';

/** A guest that ticks every 4 ms with `instructions` of work each time; its timer is set for `now`. */
function idle(ticks: number, instructions: number): { idleTicks: IdleTicks; now: number; retired: number } {
  const idleTicks = new IdleTicks();
  let now = 0;
  let retired = 0;
  for (let n = 0; n < ticks; n++) {
    now += 4_000_000 + (n % 3) * 1000 - 1000;
    retired += instructions;
    idleTicks.sleep(retired, now, false);
  }
  return { idleTicks, now, retired };
}

test('after many pure ticks one may be late', () => {
  const early = idle(12, 4000);
  assert.equal(early.idleTicks.wakeAtNs(early.now), early.now);
  const late = idle(150, 4000);
  assert.equal(late.idleTicks.wakeAtNs(late.now), late.now + 36_000_000);
  late.idleTicks.sleep(late.retired + 4000, late.now + 40_000_000, false);
  assert.equal(late.idleTicks.wakeAtNs(late.now + 40_000_000), late.now + 76_000_000, 'ticks that were missed');
});

test('a timer that is no tick is not late, and ends it', () => {
  const { idleTicks, now, retired } = idle(150, 4000);
  idleTicks.sleep(retired + 4000, now + 1_500_000, false);
  assert.equal(idleTicks.wakeAtNs(now + 1_500_000), now + 1_500_000);
});

test('work, or an interrupt of a device, ends it', () => {
  const busy = idle(150, 50_000);
  assert.equal(busy.idleTicks.wakeAtNs(busy.now), busy.now);
  const { idleTicks, now, retired } = idle(150, 4000);
  idleTicks.sleep(retired + 10, now + 4_000_000, true);
  assert.equal(idleTicks.wakeAtNs(now + 4_000_000), now + 4_000_000);
});
