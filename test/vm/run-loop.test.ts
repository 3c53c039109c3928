import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RealClock, VirtualClock } from '../../src/vm/clock.js';
import { RunLoop, type Runnable, type TurnResult } from '../../src/vm/run-loop.js';
import { type FakePlatform, fakePlatform } from './fake-platform.js';

/** A machine of 100 million instructions a second that does what `turn` says and runs otherwise. */
class FakeMachine implements Runnable {
  count = 0;
  budgets: number[] = [];
  wakeAt = Number.POSITIVE_INFINITY;
  private readonly platform: FakePlatform;
  private readonly turn: (machine: FakeMachine) => TurnResult;

  constructor(platform: FakePlatform, turn: (machine: FakeMachine) => TurnResult = () => 'running') {
    this.platform = platform;
    this.turn = turn;
  }
  run(maxInstructions: number): TurnResult {
    this.budgets.push(maxInstructions);
    const result = this.turn(this);
    if (result === 'running') {
      this.count += maxInstructions;
      this.platform.ns += maxInstructions * 10;
    }
    return result;
  }
  wakeAtNs(): number {
    return this.wakeAt;
  }
  retired(): number {
    return this.count;
  }
}

test('the limit of instructions is met exactly', async () => {
  const platform = fakePlatform();
  const machine = new FakeMachine(platform);
  const loop = new RunLoop(platform, new RealClock(platform), { maxInstructions: 1_234_567 });
  assert.equal(await loop.run(machine), 'instruction-limit');
  assert.equal(machine.count, 1_234_567);
});

test('turns take about two milliseconds, and the event loop gets its turn after each', async () => {
  const platform = fakePlatform();
  const machine = new FakeMachine(platform);
  const loop = new RunLoop(platform, new RealClock(platform), { maxInstructions: 10_000_000 });
  await loop.run(machine);
  const settled = machine.budgets.slice(4, -1);
  assert.ok(settled.length > 10);
  for (const budget of settled) assert.ok(budget >= 100_000 && budget <= 400_000, String(budget));
  assert.ok(platform.yields >= settled.length);
  assert.equal(loop.runNs, 100_000_000);
});

test('a timer in real time is met without running far past it', async () => {
  const platform = fakePlatform();
  const clock = new RealClock(platform);
  const machine = new FakeMachine(platform, (self) => {
    if (clock.nowNs() < self.wakeAt) return 'running';
    return 'stopped';
  });
  machine.wakeAt = 50_000_000;
  await new RunLoop(platform, clock).run(machine);
  assert.ok(clock.nowNs() - machine.wakeAt < 100_000, String(clock.nowNs()));
});

test('the limit of time ends a guest that runs and one that sleeps', async () => {
  const running = fakePlatform();
  const machine = new FakeMachine(running);
  assert.equal(await new RunLoop(running, new RealClock(running), { maxSeconds: 0.05 }).run(machine), 'time-limit');
  assert.ok(machine.count >= 5_000_000 && machine.count < 6_000_000, String(machine.count));
  const sleeping = fakePlatform();
  const idle = new FakeMachine(sleeping, () => 'idle');
  assert.equal(await new RunLoop(sleeping, new RealClock(sleeping), { maxSeconds: 3 }).run(idle), 'time-limit');
  assert.deepEqual(sleeping.waits, [3000]);
});

test('a sleeping guest is not run until its timer fires: one wait, one turn', async () => {
  const platform = fakePlatform();
  const clock = new RealClock(platform);
  const machine = new FakeMachine(platform, (self) => (clock.nowNs() >= self.wakeAt ? 'stopped' : 'idle'));
  machine.wakeAt = 4e9;
  assert.equal(await new RunLoop(platform, clock).run(machine), 'stopped');
  assert.deepEqual(platform.waits, [4000]);
  assert.equal(machine.budgets.length, 2);
});

test('input wakes a sleeping guest', async () => {
  const platform = fakePlatform();
  let input = false;
  const machine = new FakeMachine(platform, () => (input ? 'stopped' : 'idle'));
  const loop = new RunLoop(platform, new RealClock(platform));
  const ended = loop.run(machine);
  input = true;
  loop.wake();
  assert.equal(await ended, 'stopped');
  assert.equal(machine.budgets.length, 2);
});

test('input that arrives during a turn is not slept over', async () => {
  const platform = fakePlatform();
  let turns = 0;
  const loop = new RunLoop(platform, new RealClock(platform));
  const machine = new FakeMachine(platform, () => {
    if (++turns === 1) loop.wake();
    return turns === 1 ? 'idle' : 'stopped';
  });
  await loop.run(machine);
  assert.deepEqual(platform.waits, []);
});

test('with a virtual clock sleep takes no time, and turns end at the same instructions in every run', async () => {
  const budgets = async (nsPerInstruction: number) => {
    const platform = fakePlatform();
    const machine = new FakeMachine(platform, (self) => {
      platform.ns += nsPerInstruction * 1000;
      if (self.count >= 400_000) return 'stopped';
      if (clock.nowNs() >= self.wakeAt) self.wakeAt = clock.nowNs() + 70_001;
      return self.budgets.length % 3 === 0 ? 'idle' : 'running';
    });
    machine.wakeAt = 70_001;
    const clock = new VirtualClock(() => machine.count);
    await new RunLoop(platform, clock).run(machine);
    assert.deepEqual(platform.waits, []);
    return machine.budgets;
  };
  assert.deepEqual(await budgets(1), await budgets(5_000));
});

test('asleep for ever: an ending if there is a limit, and patience if there is none', async () => {
  const platform = fakePlatform();
  const machine = new FakeMachine(platform, () => 'idle');
  const limited = new RunLoop(platform, new RealClock(platform), { maxInstructions: 1000 });
  limited.canBeWoken = () => false;
  assert.equal(await limited.run(machine), 'asleep');
  const unlimited = new RunLoop(platform, new RealClock(platform));
  unlimited.canBeWoken = () => false;
  const ended = unlimited.run(machine);
  unlimited.stop();
  assert.equal(await ended, 'asked');
});

test('a reader that cannot keep up stops the guest, but neither limits nor the owner', async () => {
  const platform = fakePlatform();
  const machine = new FakeMachine(platform);
  let unblock = (): void => {};
  let blocked: Promise<void> | undefined = new Promise((resolve) => {
    unblock = () => {
      blocked = undefined;
      resolve();
    };
  });
  const loop = new RunLoop(platform, new RealClock(platform), { maxInstructions: 1000, maxSeconds: 5 });
  loop.blocked = () => blocked;
  const ended = loop.run(machine);
  assert.equal(machine.count, 0);
  unblock();
  assert.equal(await ended, 'instruction-limit');

  blocked = new Promise(() => {});
  const second = new FakeMachine(platform);
  const stuck = new RunLoop(platform, new RealClock(platform), { maxSeconds: 5 });
  stuck.blocked = () => blocked;
  assert.equal(await stuck.run(second), 'time-limit');
  assert.equal(second.count, 0);
});

test('pause, resume, stop', async () => {
  const platform = fakePlatform();
  const loop = new RunLoop(platform, new RealClock(platform));
  const machine = new FakeMachine(platform, (self) => (self.budgets.length > 3 ? 'stopped' : 'running'));
  loop.pause();
  const ended = loop.run(machine);
  assert.equal(machine.budgets.length, 0);
  loop.resume();
  assert.equal(await ended, 'stopped');
  loop.stop();
  assert.equal(await loop.run(machine), 'asked');
  loop.takeBackStop();
  assert.equal(await loop.run(machine), 'stopped');
});
