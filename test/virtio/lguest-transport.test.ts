import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConsoleDevice } from '../../src/virtio/console.js';
import type { DevicePort, VirtioDevice } from '../../src/virtio/device.js';
import { LguestTransport } from '../../src/virtio/lguest-transport.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { ascii, buildMachine, fatal, Killed, RAM, RingDriver, WRITE } from './ring-driver.js';

/** A device that does nothing but remember. */
class Recorder implements VirtioDevice {
  readonly name = 'recorder';
  readonly type: number;
  readonly queueCount: number;
  readonly features: bigint;
  readonly config: Uint8Array;
  port: DevicePort | undefined;
  events: string[] = [];

  constructor(type: number, queueCount: number, features = 0n, config = new Uint8Array(0)) {
    this.type = type;
    this.queueCount = queueCount;
    this.features = features;
    this.config = config;
  }
  attach(port: DevicePort): void {
    this.port = port;
  }
  queueNotified(index: number): void {
    this.events.push(`queue ${index}`);
  }
  reset(): void {
    this.events.push('reset');
  }
  save(): unknown {
    return this.events;
  }
  load(state: unknown): void {
    this.events = state as string[];
  }
}

const createConsole = (): ConsoleDevice => new ConsoleDevice({ output: () => {} });

describe('descriptor page', () => {
  it('describes a console alone as 2.6.32 had it: rings at mem + 0x1000 and mem + 0x4000', () => {
    const { memory, transport } = buildMachine([createConsole()]);
    const page = [3, 2, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 2, 0, 4, 1, 0, 0];
    assert.deepEqual([...memory.bytes(RAM, page.length)], page);
    assert.ok(memory.bytes(RAM + page.length, 4096 - page.length).every((byte) => byte === 0));
    assert.equal(transport.limit, RAM + 0x7000);
  });

  it('gives rings of 128 entries two pages', () => {
    const { memory, transport } = buildMachine([createConsole()], 128);
    assert.equal(memory.read16(RAM + 5), 128);
    assert.equal(memory.read32(RAM + 9), RAM / 4096 + 1);
    assert.equal(memory.read32(RAM + 17), RAM / 4096 + 3);
    assert.equal(transport.limit, RAM + 0x5000);
  });

  it('T93: puts devices one behind the other, interrupts and pages in that order', () => {
    const block = new Recorder(2, 1, (1n << 2n) | (1n << 9n), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const { memory } = buildMachine([block, createConsole()]);
    assert.deepEqual(
      [...memory.bytes(RAM, 25)],
      [2, 1, 2, 8, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0x04, 0x02, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
    assert.deepEqual([...memory.bytes(RAM + 25, 5)], [3, 2, 0, 0, 0]);
    assert.equal(memory.read16(RAM + 32), 2);
    assert.equal(memory.read32(RAM + 34), RAM / 4096 + 4);
    assert.equal(memory.read16(RAM + 40), 3);
    assert.equal(memory.read8(RAM + 46), 0);
  });

  it('has a limit before any device: one page', () => {
    const { transport, early } = buildMachine([]);
    assert.equal(transport.limit, RAM + 0x1000);
    assert.throws(() => transport.notify(RAM + 0x1000), new Killed('Bad NOTIFY 0x101000'));
    transport.notify(RAM + 0xfff);
    assert.deepEqual(early, []);
  });

  it('refuses more interrupts, more pages or more descriptors than there are', () => {
    const { transport } = buildMachine([]);
    for (let i = 0; i < 31; i++) transport.addDevice(new Recorder(4, 1));
    assert.throws(() => transport.addDevice(new Recorder(4, 1)), new Killed('Too many devices'));
    const small = new LguestTransport({
      memory: new GuestMemory(RAM + 0x3000),
      ramBytes: RAM,
      deviceBytes: 0x3000,
      raiseInterrupt: () => {},
      earlyPrint: () => {},
      warn: () => {},
      fatal,
    });
    assert.throws(() => small.addDevice(new Recorder(4, 1)), new Killed('Not enough memory for devices'));
    const full = buildMachine([]).transport;
    for (let i = 0; i < 15; i++) full.addDevice(new Recorder(4, 0, 0n, new Uint8Array(255)));
    full.addDevice(new Recorder(4, 0, 0n, new Uint8Array(190)));
    assert.throws(() => full.addDevice(new Recorder(4, 0)), new Killed('Too many devices'));
  });

  it('reads accepted features when asked, and only offered ones', () => {
    const device = new Recorder(1, 2, (1n << 5n) | (1n << 28n));
    const { memory } = buildMachine([device]);
    const offered = RAM + 5 + 16;
    assert.equal(memory.read32(offered), (1 << 5) | (1 << 28));
    assert.equal(device.port!.acceptedFeatures(), 0n);
    memory.write32(offered + 4, 0xffff_ffff);
    assert.equal(device.port!.acceptedFeatures(), device.features);
    memory.write32(offered + 4, 1 << 28);
    assert.equal(device.port!.acceptedFeatures(), 1n << 28n);
  });
});

describe('NOTIFY', () => {
  it('T91: prints a string up to its NUL, wherever it is', () => {
    const { memory, transport, early } = buildMachine([createConsole()]);
    memory.writeBytes(0x10, ascii('hi\0no'));
    memory.writeBytes(RAM - 2, ascii('x\0'));
    transport.notify(0x10);
    transport.notify(RAM - 2);
    transport.notify(0);
    assert.deepEqual(early, ['hi', 'x']);
  });

  it('bounds an early string by the limit and by 64 KB', () => {
    const { memory, transport, early } = buildMachine([createConsole()]);
    memory.fill(0, 0x2_0000, 0x41);
    transport.notify(0);
    assert.equal(early[0]!.length, 0x1_0000);
    const bare = buildMachine([]);
    bare.memory.fill(RAM, 0x2000, 0x42);
    bare.transport.notify(RAM + 0x800);
    assert.equal(bare.early[0]!.length, 0x800);
  });

  it('T92: kills beyond the limit, with signed arguments too', () => {
    const { transport } = buildMachine([createConsole()]);
    assert.throws(() => transport.notify(0xffff_f000), new Killed('Bad NOTIFY 0xfffff000'));
    assert.throws(() => transport.notify(-4096), new Killed('Bad NOTIFY 0xfffff000'));
    assert.throws(() => transport.notify(transport.limit), new Killed('Bad NOTIFY 0x107000'));
  });

  it('takes a queue by the page of its first entry', () => {
    const device = new Recorder(1, 2);
    const { transport, early, memory } = buildMachine([device]);
    memory.write8(RAM + 0x2000, 0x21);
    transport.notify(RAM + 0x1000);
    transport.notify(RAM + 0x4fff);
    transport.notify(RAM + 0x2000);
    assert.deepEqual(device.events, ['queue 0', 'queue 1']);
    assert.deepEqual(early, ['!']);
  });

  it('T102: status 0 resets the device before it returns', () => {
    const device = new Recorder(2, 1, 0xffn);
    const { memory, transport } = buildMachine([device]);
    const ring = new RingDriver(memory, 256, RAM + 0x1000);
    memory.write8(RAM + 4, 7);
    memory.write8(RAM + 14, 0xff);
    transport.notify(RAM);
    assert.deepEqual(device.events, []);
    ring.offer({ gpa: 0x1000, bytes: 1 });
    ring.offer({ gpa: 0x2000, bytes: 1 });
    const queue = device.port!.queues[0]!;
    for (const chain of queue.pending()) queue.complete(chain, 1);
    memory.write8(RAM + 4, 0);
    transport.notify(RAM);
    assert.deepEqual(device.events, ['reset']);
    assert.ok(memory.bytes(RAM + 0x1000, 0x3000).every((byte) => byte === 0));
    assert.equal(memory.read8(RAM + 4), 0);
    assert.equal(device.port!.acceptedFeatures(), 0n);
    assert.deepEqual([...memory.bytes(RAM, 4)], [2, 1, 1, 0]);
    ring.nextDescriptor = 5;
    ring.offer({ gpa: 0x3000, bytes: 1 });
    assert.deepEqual(
      [...queue.pending()].map((chain) => chain.head),
      [5],
    );
  });

  it('resets a 2.6.25 guest whatever its status says', () => {
    const device = new Recorder(2, 1, 1n);
    const { memory, transport } = buildMachine([device]);
    transport.everyStatusNotifyResets = true;
    memory.write8(RAM + 4, 7);
    transport.notify(RAM);
    assert.deepEqual(device.events, ['reset']);
    assert.equal(memory.read8(RAM + 4), 0);
  });

  it('reports FAILED, and resets only a device that was running', () => {
    const device = new Recorder(2, 1);
    const { memory, transport, warnings } = buildMachine([device]);
    memory.write8(RAM + 4, 0x83);
    transport.notify(RAM);
    assert.deepEqual(warnings, ['Device recorder configuration FAILED']);
    assert.deepEqual(device.events, []);
    memory.write8(RAM + 4, 7);
    transport.notify(RAM);
    memory.write8(RAM + 4, 0x87);
    transport.notify(RAM);
    assert.deepEqual(device.events, ['reset']);
    assert.equal(memory.read8(RAM + 4), 0x87);
  });

  it('T103: serves kicks before DRIVER_OK', () => {
    const printed: number[] = [];
    const { memory, transport } = buildMachine([new ConsoleDevice({ output: (bytes) => printed.push(...bytes) })]);
    memory.write8(RAM + 4, 1);
    transport.notify(RAM);
    const output = new RingDriver(memory, 256, RAM + 0x4000);
    memory.write8(0x1000, 0x41);
    output.offer({ gpa: 0x1000, bytes: 1 });
    transport.notify(output.gpa);
    assert.deepEqual(printed, [0x41]);
    assert.equal(output.usedIndex, 1);
  });

  it('does not look at what the guest writes over the descriptors', () => {
    const device = new Recorder(2, 1);
    const { memory, transport } = buildMachine([device]);
    memory.fill(RAM, 4096, 0xff);
    memory.write8(RAM + 4, 7);
    transport.notify(RAM);
    transport.notify(RAM + 0x1000);
    assert.deepEqual(device.events, ['queue 0']);
  });

  it('lets requests reach device pages but nothing behind them', () => {
    const device = new Recorder(2, 1);
    const { memory, transport } = buildMachine([device]);
    const ring = new RingDriver(memory, 256, RAM + 0x1000);
    const queue = device.port!.queues[0]!;
    ring.offer({ gpa: transport.limit - 4, bytes: 4, flags: WRITE });
    assert.equal([...queue.pending()].length, 1);
    ring.offer({ gpa: transport.limit, bytes: 1, flags: WRITE });
    assert.throws(() => [...queue.pending()], new Killed('Invalid address 0x104000'));
  });
});

describe('a saved transport', () => {
  it('goes on where it was', () => {
    const first = buildMachine([new Recorder(2, 1), createConsole()]);
    const ring = new RingDriver(first.memory, 256, RAM + 0x1000);
    ring.offer({ gpa: 0x1000, bytes: 1 });
    first.transport.notify(ring.gpa);
    const device = new Recorder(2, 1);
    const second = buildMachine([device, createConsole()]);
    second.memory.writeBytes(0, first.memory.bytes(0, first.memory.size));
    second.transport.load(structuredClone(first.transport.save()));
    assert.deepEqual(device.events, ['queue 0']);
    assert.deepEqual(second.transport.save(), first.transport.save());
    const queue = device.port!.queues[0]!;
    for (const chain of queue.pending()) queue.complete(chain, 1);
    assert.equal(new RingDriver(second.memory, 256, RAM + 0x1000).usedIndex, 1);
  });

  it('does not load into a machine with other devices', () => {
    const state = buildMachine([new Recorder(2, 1)]).transport.save();
    assert.throws(() => buildMachine([createConsole()]).transport.load(state), /other devices \(recorder\)/);
  });
});
