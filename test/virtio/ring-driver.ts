import type { VirtioDevice } from '../../src/virtio/device.js';
import { LguestTransport } from '../../src/virtio/lguest-transport.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';

export const RAM = 0x10_0000;
export const DEVICE_BYTES = 0x10_0000;
export const NEXT = 1;
export const WRITE = 2;
export const INDIRECT = 4;

/** What `fatal` throws in these tests, as the Host's kill does. */
export class Killed extends Error {}

export function fatal(text: string): never {
  throw new Killed(text);
}

export interface TestBuffer {
  gpa: number;
  bytes: number;
  flags?: number;
}

/** The driver's side of a legacy ring of `size` entries at `gpa`, as simple as can be. */
export class RingDriver {
  readonly memory: GuestMemory;
  readonly size: number;
  readonly gpa: number;
  readonly available: number;
  readonly used: number;
  nextDescriptor = 0;

  constructor(memory: GuestMemory, size: number, gpa: number) {
    this.memory = memory;
    this.size = size;
    this.gpa = gpa;
    this.available = gpa + 16 * size;
    this.used = gpa + Math.ceil((18 * size + 4) / 4096) * 4096;
  }

  descriptor(index: number, gpa: number, bytes: number, flags: number, next = 0, table = this.gpa): void {
    this.memory.write32(table + 16 * index, gpa);
    this.memory.write32(table + 16 * index + 4, 0);
    this.memory.write32(table + 16 * index + 8, bytes);
    this.memory.write16(table + 16 * index + 12, flags);
    this.memory.write16(table + 16 * index + 14, next);
  }

  /** Writes a chain into the next free descriptors and makes it available; returns its head. */
  offer(...buffers: TestBuffer[]): number {
    const head = this.nextDescriptor;
    buffers.forEach(({ gpa, bytes, flags = 0 }, position) => {
      const index = (head + position) % this.size;
      const last = position === buffers.length - 1;
      this.descriptor(index, gpa, bytes, flags | (last ? 0 : NEXT), last ? 0 : (index + 1) % this.size);
    });
    this.nextDescriptor = (head + buffers.length) % this.size;
    this.publish(head);
    return head;
  }

  publish(head: number): void {
    const index = this.memory.read16(this.available + 2);
    this.memory.write16(this.available + 4 + 2 * (index % this.size), head);
    this.memory.write16(this.available + 2, (index + 1) & 0xffff);
  }

  suppressInterrupts(): void {
    this.memory.write16(this.available, 1);
  }

  get usedIndex(): number {
    return this.memory.read16(this.used + 2);
  }

  usedElement(slot: number): { id: number; bytes: number } {
    const at = this.used + 4 + 8 * (slot % this.size);
    return { id: this.memory.read32(at), bytes: this.memory.read32(at + 4) };
  }
}

export interface TestMachine {
  memory: GuestMemory;
  transport: LguestTransport;
  /** Raised interrupts, in order; cleared by the test. */
  irqs: number[];
  early: string[];
  warnings: string[];
}

export function buildMachine(devices: readonly VirtioDevice[], queueSize: 128 | 256 = 256): TestMachine {
  const memory = new GuestMemory(RAM + DEVICE_BYTES);
  const irqs: number[] = [];
  const early: string[] = [];
  const warnings: string[] = [];
  const transport = new LguestTransport({
    memory,
    ramBytes: RAM,
    deviceBytes: DEVICE_BYTES,
    queueSize,
    raiseInterrupt: (irq) => irqs.push(irq),
    earlyPrint: (bytes) => early.push(text(bytes)),
    warn: (warning) => warnings.push(warning),
    fatal,
  });
  for (const device of devices) transport.addDevice(device);
  return { memory, transport, irqs, early, warnings };
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

export function ascii(characters: string): Uint8Array {
  return Uint8Array.from(characters, (character) => character.charCodeAt(0));
}

/** Repeatable random numbers: `random(bound)` is an integer in `[0, bound)`. */
export function createRandom(seed: number): (bound: number) => number {
  let state = seed >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * bound);
  };
}
