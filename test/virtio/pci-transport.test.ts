import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { VirtioPciTransport } from '../../src/virtio/pci-transport.js';
import { RngDevice } from '../../src/virtio/rng.js';

const WINDOW = 0xe000_4000;
const RING = { descriptors: 0x1000, available: 0x2000, used: 0x3000 };

function makeDevice() {
  const memory = new GuestMemory(0x10_0000);
  const lines: boolean[] = [];
  const warnings: string[] = [];
  const transport = new VirtioPciTransport({
    memory,
    device: new RngDevice({ randomBytes: (length) => new Uint8Array(length).fill(0x5a) }),
    windowGpa: WINDOW,
    irq: 11,
    setLine: (high) => lines.push(high),
    warn: (text) => warnings.push(text),
  });
  const read = (offset: number, size = 4): number => transport.readMemory(WINDOW + offset, size)!;
  const write = (offset: number, value: number, size = 4): void => {
    transport.writeMemory(WINDOW + offset, size, value);
  };
  return { memory, transport, lines, warnings, read, write };
}

/** What a driver does: features, queue, ready. */
function start({ write }: ReturnType<typeof makeDevice>): void {
  write(0x14, 0, 1);
  write(0x14, 3, 1);
  write(0x08, 1);
  write(0x0c, 1);
  write(0x14, 11, 1);
  write(0x16, 0, 2);
  write(0x18, 8, 2);
  write(0x20, RING.descriptors);
  write(0x28, RING.available);
  write(0x30, RING.used);
  write(0x1c, 1, 2);
  write(0x14, 15, 1);
}

test('configuration space: ids, window size, capabilities', () => {
  const { transport } = makeDevice();
  assert.equal(transport.readConfig(0, 4), 0x1044_1af4);
  assert.equal(transport.readConfig(0x3c, 2), 0x010b);
  transport.writeConfig(0x10, 4, 0xffff_ffff);
  assert.equal(transport.readConfig(0x10, 4), 0xffff_c000);
  transport.writeConfig(0x10, 4, WINDOW);
  const types: number[] = [];
  for (let at = transport.readConfig(0x34, 1); at !== 0; at = transport.readConfig(at + 1, 1)) {
    assert.equal(transport.readConfig(at, 1), 9);
    types.push(transport.readConfig(at + 3, 1));
  }
  assert.deepEqual(types, [1, 2, 3, 5]);
});

test('features: version 1 must be accepted', () => {
  const { read, write } = makeDevice();
  write(0x00, 1);
  assert.equal(read(0x04), 1);
  write(0x14, 11, 1);
  assert.equal(read(0x14, 1), 3, 'not without version 1');
  write(0x08, 1);
  write(0x0c, 1);
  write(0x14, 11, 1);
  assert.equal(read(0x14, 1), 11);
});

test('a request is served, interrupts, and reading the reason lowers the line', () => {
  const device = makeDevice();
  const { memory, lines, read, write } = device;
  start(device);
  memory.write32(RING.descriptors, 0x5000);
  memory.write32(RING.descriptors + 8, 16);
  memory.write16(RING.descriptors + 12, 2);
  memory.write16(RING.available + 2, 1);
  write(0x3000, 0, 2);
  assert.equal(memory.read16(RING.used + 2), 1);
  assert.deepEqual(memory.bytes(0x5000, 17), Uint8Array.from([...new Array(16).fill(0x5a), 0]));
  assert.equal(lines.at(-1), true);
  assert.equal(read(0x1000, 1), 1);
  assert.equal(lines.at(-1), false);
});

test('a ring that makes no sense breaks the device until it is reset, and nothing else', () => {
  const device = makeDevice();
  const { memory, warnings, read, write } = device;
  start(device);
  memory.write32(RING.descriptors, 0xffff_0000);
  memory.write32(RING.descriptors + 8, 16);
  memory.write16(RING.available + 2, 1);
  write(0x3000, 0, 2);
  assert.equal(read(0x14, 1) & 0x40, 0x40);
  assert.match(warnings[0]!, /rng: Invalid address 0xffff0000/);
  write(0x14, 0, 1);
  start(device);
  assert.equal(read(0x14, 1), 15);
});

test('queues outside memory are refused', () => {
  const device = makeDevice();
  const { read, write } = device;
  write(0x20, 0xffff_f000);
  write(0x1c, 1, 2);
  assert.equal(read(0x1c, 2), 0);
  assert.equal(read(0x14, 1) & 0x40, 0x40);
});

test('registers through configuration space', () => {
  const { transport } = makeDevice();
  const at = 0x74;
  assert.equal(transport.readConfig(at + 3, 1), 5);
  transport.writeConfig(at + 8, 4, 0x12);
  transport.writeConfig(at + 12, 4, 2);
  assert.equal(transport.readConfig(at + 16, 2), 1, 'one queue');
});

test('save and load', () => {
  const device = makeDevice();
  start(device);
  const state = structuredClone(device.transport.save());
  const other = makeDevice();
  other.transport.load(state);
  assert.deepEqual(other.transport.save(), state);
});
