import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Clock, type TimeSource } from '../../src/host/clock.js';
import { GuestData, LAYOUTS } from '../../src/host/guest-data.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CODE, DATA, initialisedGuest, LOOP, STACK, TestGuest } from './test-guest.js';

function makeClock(tscKhz = 1_000_000) {
  const now = { ns: 1e9, wall: [1000, 500] as [number, number] };
  const source: TimeSource = { nowNs: () => now.ns, wallClock: () => now.wall };
  const memory = new GuestMemory(0x1_0000);
  const data = new GuestData(memory);
  const clock = new Clock(source, data, tscKhz);
  return { now, memory, data, clock };
}

test('the time-stamp counter ticks at the promised rate, beyond 32 bits', () => {
  const { now, clock } = makeClock();
  assert.deepEqual(clock.timestamp(), [0, 0]);
  now.ns += 10e9;
  assert.deepEqual(clock.timestamp(), [10e9 % 2 ** 32, 2]);
  const slow = makeClock(1000);
  slow.now.ns += 1e9;
  assert.deepEqual(slow.clock.timestamp(), [1_000_000, 0]);
  const untrusted = makeClock(0);
  untrusted.now.ns += 5;
  assert.deepEqual(untrusted.clock.timestamp(), [5, 0]);
});

test('the wall clock never goes back', () => {
  const { now, memory, data, clock } = makeClock();
  data.attach(0x1000, LAYOUTS.L2);
  const shown = () => [memory.read32(0x1000 + 12), memory.read32(0x1000 + 16)];
  clock.refresh();
  assert.deepEqual(shown(), [1000, 500]);
  now.wall = [1000, 400];
  clock.refresh();
  assert.deepEqual(shown(), [1000, 500]);
  now.wall = [1001, 1];
  clock.refresh();
  assert.deepEqual(shown(), [1001, 1]);
  now.wall = [999, 999];
  clock.refresh();
  assert.deepEqual(shown(), [1001, 1]);
});

test('nothing is written before LGUEST_INIT', () => {
  const { memory, clock } = makeClock();
  clock.refresh();
  assert.ok(memory.bytes(0, 64).every((byte) => byte === 0));
});

test('the alarm goes off once, is replaced, is cancelled', () => {
  const { now, clock } = makeClock();
  assert.equal(clock.wakeAtNs(), Number.POSITIVE_INFINITY);
  assert.equal(clock.takeAlarm(), false);
  clock.setAlarm(100);
  assert.equal(clock.wakeAtNs(), 1e9 + 100);
  clock.setAlarm(50);
  now.ns += 49;
  assert.equal(clock.takeAlarm(), false);
  now.ns += 1;
  assert.equal(clock.takeAlarm(), true);
  assert.equal(clock.takeAlarm(), false);
  clock.setAlarm(10);
  clock.setAlarm(0);
  now.ns += 1000;
  assert.equal(clock.takeAlarm(), false);
});

test('guest time goes on where it was saved', () => {
  const { now, clock } = makeClock();
  now.ns += 777;
  clock.setAlarm(100);
  const state = JSON.parse(JSON.stringify(clock.save()));
  const other = makeClock();
  other.now.ns += 123_456;
  other.clock.load(state);
  assert.deepEqual(other.clock.timestamp(), [777, 0]);
  assert.equal(other.clock.wakeAtNs(), other.now.ns + 100);
});

test('rdtsc and the clock words in a guest', () => {
  const guest = initialisedGuest('C2');
  guest.time.ns += 1234;
  guest.execute([0x0f, 0x31], 1);
  assert.deepEqual([guest.registers[0], guest.registers[2]], [1234, 0]);
  guest.time.seconds += 5;
  guest.call(0);
  assert.equal(guest.memory.read32(DATA + 12), guest.time.seconds);
});

test('a snapshot of the Host continues elsewhere', () => {
  const guest = initialisedGuest('C2').gate(0x20, 0x11_0000).write(0x11_0000, LOOP).call(9, [1000]);
  guest.call(7, [0x69, STACK, 1]).postToRing(0, [8, 8, 0, 0, 0]);
  guest.memory.write32(DATA + 4, 0);
  guest.memory.write32(DATA, 0x200);
  guest.registers[4] = STACK;
  guest.write(CODE, LOOP);
  guest.state.eip = CODE;
  guest.host.run(10);
  const state = JSON.parse(JSON.stringify(guest.host.save()));
  const cpu = guest.host.cpu.save();

  const copy = new TestGuest();
  copy.time.ns = 99;
  copy.memory.writeBytes(0, guest.memory.bytes(0, guest.memory.size));
  copy.host.cpu.load(cpu);
  copy.host.load(state);
  assert.deepEqual(JSON.parse(JSON.stringify(copy.host.save())), state);
  assert.equal(copy.host.generation?.generation.tag, 'C2');
  copy.time.ns += 1000;
  copy.host.run(10);
  assert.equal(copy.state.eip, 0x11_0000);
  copy.call(0);
  assert.equal(copy.calls.at(-2), '8:8:ring');
});
