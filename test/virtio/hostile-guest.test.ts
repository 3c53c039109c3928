import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConsoleDevice } from '../../src/virtio/console.js';
import type { GuestMemory } from '../../src/memory/guest-memory.js';
import { ascii, buildMachine, createRandom, Killed, RAM, RingDriver, type TestMachine } from './ring-driver.js';

const CASES = 30_000;
/** Reads of ring words one kick may cost: 256 chains of up to 1024 descriptors, 5 reads each, and a few. */
const MOST_READS = 256 * 1024 * 5 + 1000;

/** Counts what the devices read of guest memory, word by word. */
function countReads(memory: GuestMemory): { reads: number } {
  const counter = { reads: 0 };
  for (const name of ['read16', 'read32'] as const) {
    const original = memory[name].bind(memory);
    memory[name] = (gpa) => {
      counter.reads++;
      return original(gpa);
    };
  }
  return counter;
}

describe('a hostile guest', () => {
  it(`only ever kills itself: ${CASES} rings, descriptors and notifications`, () => {
    const random = createRandom(2024);
    let printedBytes = 0;
    const device = new ConsoleDevice({
      output: (bytes) => {
        printedBytes += bytes.length;
      },
      backlogBytes: 512,
    });
    const machine: TestMachine = buildMachine([device]);
    const { memory, transport } = machine;
    const counter = countReads(memory);
    const clean = transport.save();
    const page = memory.bytes(RAM, 4096).slice();
    const rings = [new RingDriver(memory, 256, RAM + 0x1000), new RingDriver(memory, 256, RAM + 0x4000)];
    const deaths = new Map<string, number>();
    let survived = 0;

    /** Mostly plausible numbers, so that checks behind the first one are reached too. */
    const address = (): number =>
      [random(RAM), RAM + random(0x8000), random(2 ** 32), 0x5000, RAM - random(16)][random(5)]!;
    const length = (): number => [random(64), 16 * random(20), random(0x2000), random(2 ** 32), 0, RAM][random(6)]!;
    const flags = (side: number): number =>
      random(8) === 0 ? random(0x1_0000) : (random(2) ? 1 : 0) | (side === 0 ? 2 : 0);
    const corrupt = (side: number): void => {
      const ring = rings[side]!;
      const many = 1 + random(6);
      for (let i = 0; i < many; i++) {
        const table = random(4) === 0 ? 0x5000 : ring.gpa;
        const indirect = random(12) === 0 ? 4 : 0;
        const entry = random(many);
        const next = random(8) === 0 ? random(0x1_0000) : random(many);
        ring.descriptor(entry, address(), length(), flags(side) | indirect, next, table);
        if (random(50) === 0) memory.write32(table + 16 * entry + 4, random(2 ** 32));
      }
      const heads = random(20) === 0 ? random(256) : random(5);
      for (let i = 0; i < heads; i++) ring.publish(random(30) === 0 ? random(0x1_0000) : random(many));
      if (random(20) === 0) memory.write16(ring.available + 2, random(0x1_0000));
      if (random(20) === 0) memory.write16(ring.available, random(4));
      if (random(30) === 0) memory.write8(RAM + random(64), random(256));
      if (random(200) === 0) for (let i = 0; i < 0x3000; i += 4) memory.write32(ring.gpa + i, random(2 ** 32));
    };
    const act = (): void => {
      const what = random(8);
      if (what < 3) transport.notify(rings[1]!.gpa);
      else if (what < 5) transport.notify(rings[0]!.gpa);
      else if (what === 5) device.sendInput(ascii('typed text'.repeat(random(20))));
      else if (what === 6) transport.notify(RAM);
      else transport.notify(address());
    };

    for (let round = 0; round < CASES; round++) {
      corrupt(random(2));
      counter.reads = 0;
      printedBytes = 0;
      try {
        act();
        act();
        survived++;
      } catch (error) {
        assert.ok(error instanceof Killed, `round ${round}: ${error instanceof Error ? error.stack : error}`);
        const kind = error.message.replace(/0x[0-9a-f]+|\d+/g, 'N');
        deaths.set(kind, (deaths.get(kind) ?? 0) + 1);
        // The next guest.
        memory.fill(RAM, 0x7000, 0);
        memory.writeBytes(RAM, page);
        transport.load(structuredClone(clean));
      }
      assert.ok(counter.reads <= 2 * MOST_READS, `round ${round}: ${counter.reads} reads`);
      assert.ok(printedBytes <= 2 * 0x100_0000, `round ${round}: ${printedBytes} bytes printed`);
      assert.ok(device.inputRoom >= 0);
    }
    // The cases reach every check they are meant for.
    for (const kind of [
      'Guest moved used index from N to N',
      'Guest says index N is available',
      'Desc next is N',
      'Looped descriptor',
      'Descriptor has out after in',
      'Invalid address N',
      'Invalid size for indirect buffer table',
      'Indirect descriptor inside an indirect table',
      'Bad NOTIFY N',
      'Input buffers in console output queue?',
      'Output buffers in console in queue?',
    ]) {
      assert.ok((deaths.get(kind) ?? 0) > 0, `no case ended with: ${kind}`);
    }
    assert.ok(survived > CASES / 20, `survived: ${survived}`);
  });

  it('pays for the worst ring with bounded work', () => {
    let printedBytes = 0;
    const machine = buildMachine([
      new ConsoleDevice({
        output: (bytes) => {
          printedBytes += bytes.length;
        },
      }),
    ]);
    const { memory, transport } = machine;
    const counter = countReads(memory);
    const output = new RingDriver(memory, 256, RAM + 0x4000);
    // A table of 1024 empty buffers, named by all 256 heads.
    for (let i = 0; i < 1024; i++) output.descriptor(i, 0, 0, i < 1023 ? 1 : 0, i + 1, 0x1_0000);
    for (let i = 0; i < 256; i++) output.offer({ gpa: 0x1_0000, bytes: 16 * 1024, flags: 4 });
    transport.notify(output.gpa);
    assert.equal(output.usedIndex, 256);
    assert.equal(printedBytes, 0);
    assert.ok(counter.reads <= 256 * 1024 * 5 + 256 * 10, String(counter.reads));
  });
});
