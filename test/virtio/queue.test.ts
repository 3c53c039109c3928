import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import type { DescriptorChain } from '../../src/virtio/descriptor-chain.js';
import { legacyRingBytes, Virtqueue } from '../../src/virtio/queue.js';
import { ascii, fatal, INDIRECT, Killed, NEXT, RingDriver, text, WRITE } from './ring-driver.js';

const LIMIT = 0x20_0000;

function setup(size = 8): { memory: GuestMemory; queue: Virtqueue; driver: RingDriver; interrupts: () => number } {
  const memory = new GuestMemory(0x30_0000);
  let count = 0;
  const queue = new Virtqueue({ memory, limit: () => LIMIT, interrupt: () => count++, fatal });
  queue.setLegacyPlace(size, 0x10_0000);
  return { memory, queue, driver: new RingDriver(memory, size, 0x10_0000), interrupts: () => count };
}

function take(queue: Virtqueue): DescriptorChain[] {
  return [...queue.pending()];
}

function kills(act: () => unknown, message: string): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof Killed, String(error));
    assert.equal(error.message, message);
    return true;
  });
}

describe('virtqueue', () => {
  it('has the size of the original ring: 2 pages for 128 entries, 3 for 256', () => {
    assert.equal(legacyRingBytes(128), 5124);
    assert.equal(legacyRingBytes(256), 10244);
  });

  it('yields chains in order and splits them into what is read and what is written', () => {
    const { queue, driver } = setup();
    driver.offer(
      { gpa: 0x1000, bytes: 16 },
      { gpa: 0x2000, bytes: 512, flags: WRITE },
      { gpa: 0x3000, bytes: 1, flags: WRITE },
    );
    driver.offer({ gpa: 0x4000, bytes: 3 });
    const chains = take(queue);
    assert.deepEqual(
      chains.map(({ head, readable, writable, readableBytes, writableBytes }) => ({
        head,
        readable,
        writable,
        readableBytes,
        writableBytes,
      })),
      [
        {
          head: 0,
          readable: [{ gpa: 0x1000, bytes: 16 }],
          writable: [
            { gpa: 0x2000, bytes: 512 },
            { gpa: 0x3000, bytes: 1 },
          ],
          readableBytes: 16,
          writableBytes: 513,
        },
        { head: 3, readable: [{ gpa: 0x4000, bytes: 3 }], writable: [], readableBytes: 3, writableBytes: 0 },
      ],
    );
    assert.deepEqual(take(queue), []);
  });

  it('writes the used ring, then interrupts unless asked not to', () => {
    const { queue, driver, interrupts } = setup();
    driver.offer({ gpa: 0x1000, bytes: 16 });
    driver.offer({ gpa: 0x1000, bytes: 16, flags: WRITE });
    const [first, second] = take(queue);
    queue.complete(second!, 7);
    assert.deepEqual(driver.usedElement(0), { id: 1, bytes: 7 });
    queue.complete(first!, 0);
    assert.deepEqual(driver.usedElement(1), { id: 0, bytes: 0 });
    assert.equal(driver.usedIndex, 2);
    assert.equal(interrupts(), 0);
    queue.notifyGuest();
    assert.equal(interrupts(), 1);
    driver.suppressInterrupts();
    queue.notifyGuest();
    assert.equal(interrupts(), 1);
  });

  it('goes round the ring and past index 65535', () => {
    const { queue, driver } = setup(4);
    for (let round = 0; round < 70_000; round++) {
      const head = driver.offer({ gpa: 0x1000, bytes: 1 });
      let served = 0;
      for (const chain of queue.pending()) {
        assert.equal(chain.head, head);
        queue.complete(chain, 0);
        served++;
      }
      assert.equal(served, 1);
    }
    assert.equal(driver.usedIndex, 70_000 & 0xffff);
  });

  it('leaves the rest in the ring when the device stops early', () => {
    const { queue, driver } = setup();
    for (let i = 0; i < 3; i++) driver.offer({ gpa: 0x1000 * i, bytes: 1 });
    for (const chain of queue.pending()) {
      assert.equal(chain.head, 0);
      break;
    }
    assert.deepEqual(
      take(queue).map((chain) => chain.head),
      [1, 2],
    );
  });

  it('follows an indirect table, alone or at the end of a chain', () => {
    const { queue, driver } = setup();
    driver.descriptor(0, 0x1000, 4, NEXT, 2, 0x5000);
    driver.descriptor(2, 0x2000, 8, WRITE, 0, 0x5000);
    driver.offer({ gpa: 0x5000, bytes: 48, flags: INDIRECT });
    driver.offer({ gpa: 0x6000, bytes: 2 }, { gpa: 0x5000, bytes: 48, flags: INDIRECT });
    const [alone, atEnd] = take(queue);
    assert.deepEqual(alone!.readable, [{ gpa: 0x1000, bytes: 4 }]);
    assert.deepEqual(alone!.writable, [{ gpa: 0x2000, bytes: 8 }]);
    assert.deepEqual(atEnd!.readable, [
      { gpa: 0x6000, bytes: 2 },
      { gpa: 0x1000, bytes: 4 },
    ]);
  });

  it('takes an indirect table longer than the ring', () => {
    const { queue, driver } = setup();
    for (let i = 0; i < 100; i++) driver.descriptor(i, 0x1000, 4, i < 99 ? NEXT : 0, i + 1, 0x5000);
    driver.offer({ gpa: 0x5000, bytes: 1600, flags: INDIRECT });
    assert.equal(take(queue)[0]!.readable.length, 100);
  });

  it('can be placed freely, as virtio 1.0 does', () => {
    const { memory, queue } = setup();
    queue.setPlace({ size: 2, descriptors: 0x100, available: 0x9002, used: 0x300c });
    memory.write32(0x110, 0x7000);
    memory.write32(0x118, 5);
    memory.write16(0x9004, 1);
    memory.write16(0x9006, 1);
    const [chain] = take(queue);
    assert.deepEqual(chain!.readable, [{ gpa: 0x7000, bytes: 5 }]);
    queue.complete(chain!, 9);
    assert.equal(memory.read16(0x300e), 1);
    assert.equal(memory.read32(0x3010), 1);
    assert.equal(memory.read32(0x3014), 9);
    kills(() => queue.setPlace({ size: 2, descriptors: 0x2f_fff0, available: 0, used: 0 }), 'Invalid address 0x2ffff0');
  });

  it('does nothing while it is not set up', () => {
    const queue = new Virtqueue({
      memory: new GuestMemory(0x1000),
      limit: () => 0x1000,
      interrupt: assert.fail,
      fatal,
    });
    assert.equal(queue.hasPending(), false);
    assert.deepEqual(take(queue), []);
    queue.notifyGuest();
  });

  it('forgets chains from before a reset', () => {
    const { queue, driver } = setup();
    driver.offer({ gpa: 0x1000, bytes: 16 });
    const [chain] = take(queue);
    queue.reset();
    queue.complete(chain!, 5);
    assert.equal(driver.usedIndex, 0);
    // The driver's ring is as it was, so the request is there again from index 0.
    assert.equal(take(queue).length, 1);
  });

  it('goes on from a saved state, with requests in flight', () => {
    const { memory, queue, driver } = setup();
    driver.offer({ gpa: 0x1000, bytes: 16 });
    driver.offer({ gpa: 0x2000, bytes: 16 });
    driver.offer({ gpa: 0x3000, bytes: 16 });
    const inFlight: number[] = [];
    for (const chain of queue.pending()) {
      if (chain.head === 0) queue.complete(chain, 0);
      else inFlight.push(chain.head);
      if (chain.head === 1) break;
    }
    const state = structuredClone(queue.save());
    const restored = new Virtqueue({ memory, limit: () => LIMIT, interrupt: () => {}, fatal });
    restored.load(state);
    for (const head of inFlight) restored.complete(restored.readChain(head), 3);
    assert.deepEqual(driver.usedElement(1), { id: 1, bytes: 3 });
    assert.deepEqual(
      take(restored).map((chain) => chain.head),
      [2],
    );
  });
});

describe('descriptor chain', () => {
  it('reads and writes across its buffers', () => {
    const { memory, queue, driver } = setup();
    memory.writeBytes(0x1000, ascii('abc'));
    memory.writeBytes(0x2000, ascii('defg'));
    driver.offer(
      { gpa: 0x1000, bytes: 3 },
      { gpa: 0x5000, bytes: 0 },
      { gpa: 0x2000, bytes: 4 },
      { gpa: 0x3000, bytes: 2, flags: WRITE },
      { gpa: 0x3100, bytes: 3, flags: WRITE },
    );
    const [chain] = take(queue);
    for (let offset = 0; offset <= 9; offset++) {
      for (let length = 0; length <= 9; length++) {
        assert.equal(text(chain!.read(offset, length)), 'abcdefg'.slice(offset, offset + length));
      }
    }
    assert.equal(text(chain!.read()), 'abcdefg');
    assert.equal(chain!.write(ascii('VWXYZ!!')), 5);
    assert.equal(text(memory.bytes(0x3000, 2)) + text(memory.bytes(0x3100, 3)), 'VWXYZ');
    assert.equal(chain!.write(ascii('12'), 1), 2);
    assert.equal(chain!.write(ascii('34'), 4), 1);
    assert.equal(chain!.write(ascii('5'), 5), 0);
    assert.equal(text(memory.bytes(0x3000, 3)) + text(memory.bytes(0x3100, 4)), 'V1\x002Y3\0');
  });
});

describe('a guest with a malformed ring', () => {
  const { memory, queue, driver } = setup();

  function fresh(): void {
    memory.fill(0x10_0000, 0x3000, 0);
    queue.reset();
    driver.nextDescriptor = 0;
  }

  it('is too far ahead', () => {
    fresh();
    memory.write16(driver.available + 2, 9);
    kills(() => take(queue), 'Guest moved used index from 0 to 9');
    memory.write16(driver.available + 2, 0xffff);
    kills(() => queue.hasPending(), 'Guest moved used index from 0 to 65535');
  });

  it('names heads and successors that do not exist', () => {
    fresh();
    driver.publish(8);
    kills(() => take(queue), 'Guest says index 8 is available');
    fresh();
    driver.descriptor(0, 0x1000, 1, NEXT, 8);
    driver.publish(0);
    kills(() => take(queue), 'Desc next is 8');
    fresh();
    driver.descriptor(0, 0x1000, 1, NEXT, 3, 0x5000);
    driver.offer({ gpa: 0x5000, bytes: 48, flags: INDIRECT });
    kills(() => take(queue), 'Desc next is 3');
  });

  it('makes chains without an end', () => {
    fresh();
    driver.descriptor(0, 0x1000, 1, NEXT, 0);
    driver.publish(0);
    kills(() => take(queue), 'Looped descriptor');
    fresh();
    driver.descriptor(0, 0x1000, 0, NEXT, 1, 0x5000);
    driver.descriptor(1, 0x1000, 0, NEXT, 0, 0x5000);
    driver.offer({ gpa: 0x5000, bytes: 0x10_0000, flags: INDIRECT });
    kills(() => take(queue), 'Looped descriptor');
    fresh();
    driver.offer({ gpa: 0, bytes: LIMIT }, { gpa: 0, bytes: 1 });
    kills(() => take(queue), 'Looped descriptor');
  });

  it('puts readable buffers behind writable ones', () => {
    fresh();
    driver.offer({ gpa: 0x1000, bytes: 1, flags: WRITE }, { gpa: 0x1000, bytes: 1 });
    kills(() => take(queue), 'Descriptor has out after in');
  });

  it('names memory it does not have', () => {
    fresh();
    driver.offer({ gpa: LIMIT - 1, bytes: 2 });
    kills(() => take(queue), 'Invalid address 0x1fffff');
    fresh();
    driver.offer({ gpa: 0x1000, bytes: 0xffff_ffff });
    kills(() => take(queue), 'Invalid address 0x1000');
    fresh();
    driver.offer({ gpa: 0x1000, bytes: 1 });
    memory.write32(driver.gpa + 4, 0x12);
    kills(() => take(queue), 'Invalid address 0x1200001000');
    fresh();
    driver.offer({ gpa: LIMIT - 1, bytes: 1 });
    assert.equal(take(queue).length, 1);
  });

  it('misuses indirect tables', () => {
    for (const bytes of [0, 1, 15, 17]) {
      fresh();
      driver.offer({ gpa: 0x5000, bytes, flags: INDIRECT });
      kills(() => take(queue), 'Invalid size for indirect buffer table');
    }
    fresh();
    driver.descriptor(0, 0x5000, 16, INDIRECT, 0, 0x5000);
    driver.offer({ gpa: 0x5000, bytes: 16, flags: INDIRECT });
    kills(() => take(queue), 'Indirect descriptor inside an indirect table');
  });

  it('offers the same memory again and again at once', () => {
    const large = new GuestMemory(0x600_0000);
    const limit = 0x500_0000;
    const many = new Virtqueue({ memory: large, limit: () => limit, interrupt: () => {}, fatal });
    many.setLegacyPlace(8, limit);
    const greedy = new RingDriver(large, 8, limit);
    for (let i = 0; i < 8; i++) greedy.offer({ gpa: 0, bytes: limit });
    kills(() => take(many), 'Buffers available at once are larger than any memory');
  });

  it('cannot keep a device busy by letting it write the ring itself', () => {
    fresh();
    // Each request makes the device write an index that is one further.
    for (let i = 0; i < 8; i++) driver.descriptor(i, driver.available + 2, 2, WRITE);
    for (let i = 0; i < 8; i++) memory.write16(driver.available + 4 + 2 * i, i);
    memory.write16(driver.available + 2, 8);
    let served = 0;
    for (const chain of queue.pending()) {
      served++;
      chain.write(Uint8Array.of(served + 8, 0));
      queue.complete(chain, 2);
    }
    assert.equal(served, 8);
  });
});
