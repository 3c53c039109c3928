import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputQueue } from '../../src/vm/input-queue.js';

/** A console that takes `room` bytes in all. */
function fakeConsole(room: number) {
  const taken: number[] = [];
  let drains = 0;
  const queue = new InputQueue(
    (bytes) => {
      const count = Math.min(room - taken.length, bytes.length);
      taken.push(...bytes.subarray(0, count));
      return count;
    },
    () => drains++,
  );
  return {
    queue,
    taken,
    drains: () => drains,
    makeRoom: (more: number) => {
      room += more;
      queue.drain();
    },
  };
}

test('input goes through in order, piece by piece', () => {
  const { queue, taken, makeRoom } = fakeConsole(3);
  assert.equal(queue.push(Uint8Array.of(1, 2)), true);
  assert.equal(queue.push(Uint8Array.of(3, 4, 5)), true);
  assert.deepEqual(taken, [1, 2, 3]);
  assert.equal(queue.isEmpty, false);
  makeRoom(10);
  assert.deepEqual(taken, [1, 2, 3, 4, 5]);
  assert.equal(queue.isEmpty, true);
});

test('a sender is stopped when much waits, and told when it may go on', () => {
  const { queue, taken, drains, makeRoom } = fakeConsole(0);
  assert.equal(queue.push(new Uint8Array(70_000)), false);
  assert.equal(queue.push(Uint8Array.of(7)), false);
  makeRoom(10_000);
  assert.equal(drains(), 0);
  makeRoom(60_001);
  assert.equal(drains(), 1);
  assert.equal(taken.length, 70_001);
  assert.equal(taken[70_000], 7);
  assert.equal(queue.push(Uint8Array.of(8)), true);
});

test('what waits is part of a snapshot', () => {
  const first = fakeConsole(1);
  first.queue.push(Uint8Array.of(1, 2, 3));
  const second = fakeConsole(9);
  second.queue.load(first.queue.save());
  second.queue.drain();
  assert.deepEqual(second.taken, [2, 3]);
});
