import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Profile } from '../../src/debug/profile.js';
import type { Machine } from '../../src/vm/machine.js';
import type { TurnResult } from '../../src/vm/run-loop.js';
import { Sampler } from '../../src/vm/sampler.js';

/** A machine that does as the test says, and a clock. */
class Actor {
  nowNs = 0;
  retired = 0;
  readonly cpu = { state: { eip: 0xc010_0000, cpl: 1 } };
  readonly translation = { budgetLeaves: 0, guestMilliseconds: 0 };
  readonly budgets: number[] = [];
  readonly profile = new Profile((address) => (address >= 0xc010_0000 ? 'schedule' : undefined));
  readonly sampler: Sampler;

  constructor(exact: boolean, profiled = true) {
    this.sampler = new Sampler(() => this.nowNs, exact, profiled ? this.profile : undefined);
  }

  /** Runs the whole budget, or a part of it, for `milliseconds`. */
  turn(most: number, milliseconds: number, result: TurnResult = 'running', part = 1): void {
    this.sampler.run(this as unknown as Machine, most, (budget) => {
      this.budgets.push(budget);
      this.retired += budget * part;
      this.nowNs += milliseconds * 1e6;
      return result;
    });
  }
}

test('time goes to the tier that the turn ended in, and translating counts for itself', () => {
  const actor = new Actor(true, false);
  actor.turn(50_000, 2);
  actor.translation.budgetLeaves++;
  assert.deepEqual(actor.sampler.tierSeconds, { translated: 0, interpreted: 0.002, translating: 0 });
  const { sampler } = actor;
  sampler.run(actor as unknown as Machine, 50_000, () => {
    actor.translation.budgetLeaves++;
    actor.translation.guestMilliseconds += 3;
    actor.nowNs += 10e6;
    return 'running';
  });
  assert.deepEqual(sampler.tierSeconds, { translated: 0.007, interpreted: 0.002, translating: 0.003 });
});

test('a turn that ends in sleep gives no sample; its time goes to the next one', () => {
  const actor = new Actor(true);
  actor.turn(50_000, 1, 'idle', 0.1);
  assert.deepEqual(actor.profile.rows(), []);
  assert.equal(actor.sampler.tierSeconds.interpreted, 0.001);
  actor.turn(50_000, 2);
  const [row, ...others] = actor.profile.rows();
  assert.deepEqual(others, []);
  assert.deepEqual(row, {
    name: 'schedule',
    ring: 'kernel',
    samples: 1,
    translatedSeconds: 0,
    interpretedSeconds: 0.003,
  });
});

test('a profile shortens turns, unless they have to end where they would', () => {
  const exact = new Actor(true);
  exact.turn(20_000_000, 1);
  assert.deepEqual(exact.budgets, [20_000_000]);
  const real = new Actor(false);
  for (let i = 0; i < 20; i++) real.turn(20_000_000, 1);
  for (const budget of real.budgets) assert.ok(budget >= 40_000 && budget <= 120_000, String(budget));
  assert.ok(new Set(real.budgets).size > 15, 'lengths vary');
  assert.equal(real.profile.rows()[0]!.samples, 20);
  // Turns that are shorter for another reason do not make samples come more often.
  const short = new Actor(false);
  for (let i = 0; i < 20; i++) short.turn(10_000, 1);
  assert.ok(short.profile.rows()[0]!.samples <= 5);
});

test('code without a name is summed up by page and ring, the longest comes first', () => {
  const actor = new Actor(true);
  actor.turn(1000, 1);
  Object.assign(actor.cpu.state, { eip: 0x804_8123, cpl: 3 });
  actor.turn(1000, 2);
  actor.cpu.state.eip = 0x804_8fff;
  actor.turn(1000, 2);
  const rows = actor.profile.rows().map(({ name, ring, samples }) => `${ring} ${name} ${samples}`);
  assert.deepEqual(rows, ['user page 0x8048000 2', 'kernel schedule 1']);
});
