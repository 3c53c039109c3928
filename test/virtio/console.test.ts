import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConsoleDevice } from '../../src/virtio/console.js';
import { ascii, buildMachine, Killed, RAM, RingDriver, type TestMachine, text, WRITE } from './ring-driver.js';

interface ConsoleMachine extends TestMachine {
  device: ConsoleDevice;
  input: RingDriver;
  output: RingDriver;
  printed: string[];
  wanted: () => number;
  kickInput(): void;
  kickOutput(): void;
}

function setup(backlogBytes?: number): ConsoleMachine {
  const printed: string[] = [];
  let wanted = 0;
  const device = new ConsoleDevice({
    output: (bytes) => printed.push(text(bytes)),
    inputWanted: () => wanted++,
    ...(backlogBytes === undefined ? {} : { backlogBytes }),
  });
  const machine = buildMachine([device]);
  const input = new RingDriver(machine.memory, 256, RAM + 0x1000);
  const output = new RingDriver(machine.memory, 256, RAM + 0x4000);
  return {
    ...machine,
    device,
    input,
    output,
    printed,
    wanted: () => wanted,
    kickInput: () => machine.transport.notify(input.gpa),
    kickOutput: () => machine.transport.notify(output.gpa),
  };
}

describe('console output', () => {
  it('T94: prints a chain in order before the kick returns, and gives it back', () => {
    const { memory, output, printed, irqs, kickOutput } = setup();
    memory.writeBytes(0x1000, ascii('Hello, '));
    memory.writeBytes(0x5000, ascii('world\r\n'));
    output.offer({ gpa: 0x1000, bytes: 7 }, { gpa: 0x5000, bytes: 7 });
    kickOutput();
    assert.equal(printed.join(''), 'Hello, world\r\n');
    assert.equal(output.usedIndex, 1);
    assert.deepEqual(output.usedElement(0), { id: 0, bytes: 0 });
    assert.deepEqual(irqs, [2]);
    output.suppressInterrupts();
    output.offer({ gpa: 0x1000, bytes: 5 });
    kickOutput();
    assert.equal(printed.join(''), 'Hello, world\r\nHello');
    assert.equal(output.usedIndex, 2);
    assert.deepEqual(irqs, [2]);
  });

  it('interrupts once for several chains, and not at all for a kick without any', () => {
    const { output, irqs, kickOutput } = setup();
    kickOutput();
    assert.deepEqual(irqs, []);
    for (let i = 0; i < 5; i++) output.offer({ gpa: 0x1000, bytes: 1 });
    kickOutput();
    assert.deepEqual(irqs, [2]);
    assert.equal(output.usedIndex, 5);
  });

  it('passes bytes on that the guest may overwrite at once', () => {
    const seen: Uint8Array[] = [];
    const { memory, transport } = buildMachine([new ConsoleDevice({ output: (bytes) => seen.push(bytes) })]);
    const output = new RingDriver(memory, 256, RAM + 0x4000);
    memory.writeBytes(0x1000, ascii('one'));
    output.offer({ gpa: 0x1000, bytes: 3 });
    transport.notify(output.gpa);
    memory.writeBytes(0x1000, ascii('two'));
    assert.equal(text(seen[0]!), 'one');
  });

  it('kills a guest that offers buffers of the wrong kind', () => {
    const first = setup();
    first.output.offer({ gpa: 0x1000, bytes: 1 }, { gpa: 0x1000, bytes: 1, flags: WRITE });
    assert.throws(() => first.kickOutput(), new Killed('Input buffers in console output queue?'));
    const second = setup();
    second.input.offer({ gpa: 0x1000, bytes: 1 });
    second.kickInput();
    assert.throws(() => second.device.sendInput(ascii('x')), new Killed('Output buffers in console in queue?'));
  });

  it('kills a guest that prints more than 16 MB with one kick', () => {
    const { output, printed, kickOutput } = setup();
    for (let i = 0; i < 17; i++) output.offer({ gpa: 0, bytes: RAM });
    assert.throws(kickOutput, new Killed('Console output is larger than 16 MB at once'));
    assert.equal(printed.length, 16);
  });
});

describe('console input', () => {
  it('T95: fills a posted buffer and interrupts', () => {
    const { memory, input, irqs, device } = setup();
    input.offer({ gpa: 0x3000, bytes: 4096, flags: WRITE });
    assert.equal(device.sendInput(ascii('xyz')), 3);
    assert.equal(text(memory.bytes(0x3000, 4)), 'xyz\0');
    assert.deepEqual(input.usedElement(0), { id: 0, bytes: 3 });
    assert.deepEqual(irqs, [1]);
  });

  it('waits for buffers and spreads what it has over them', () => {
    const { memory, input, irqs, device, kickInput } = setup();
    device.sendInput(ascii('abc'));
    device.sendInput(ascii('defg'));
    assert.deepEqual(irqs, []);
    input.offer({ gpa: 0x3000, bytes: 4, flags: WRITE });
    input.offer({ gpa: 0x3100, bytes: 2, flags: WRITE });
    kickInput();
    assert.equal(text(memory.bytes(0x3000, 4)) + text(memory.bytes(0x3100, 2)), 'abcdef');
    assert.deepEqual(irqs, [1]);
    input.offer({ gpa: 0x3200, bytes: 4, flags: WRITE });
    input.offer({ gpa: 0x3300, bytes: 4, flags: WRITE });
    kickInput();
    assert.deepEqual(input.usedElement(2), { id: 2, bytes: 1 });
    assert.equal(input.usedIndex, 3);
    device.sendInput(ascii('h'));
    assert.equal(text(memory.bytes(0x3300, 1)), 'h');
  });

  it('says how much it takes, and when it wants more', () => {
    const { input, device, wanted, kickInput } = setup(8);
    assert.equal(device.sendInput(ascii('0123456789')), 8);
    assert.equal(device.inputRoom, 0);
    assert.equal(device.sendInput(ascii('89')), 0);
    input.offer({ gpa: 0x3000, bytes: 3, flags: WRITE });
    kickInput();
    assert.equal(wanted(), 0);
    input.offer({ gpa: 0x3000, bytes: 3, flags: WRITE });
    kickInput();
    assert.equal(wanted(), 1);
    assert.equal(device.inputRoom, 6);
    input.offer({ gpa: 0x3000, bytes: 3, flags: WRITE });
    kickInput();
    assert.equal(wanted(), 1);
  });

  it('keeps what was typed over a reset and in a snapshot', () => {
    const { memory, transport, device, input, kickInput } = setup();
    device.sendInput(ascii('ls\n'));
    transport.notify(RAM);
    const other = setup();
    other.transport.load(structuredClone(transport.save()));
    for (const machine of [{ memory, input, kickInput }, other]) {
      machine.input.offer({ gpa: 0x3000, bytes: 16, flags: WRITE });
      machine.kickInput();
      assert.equal(text(machine.memory.bytes(0x3000, 4)), 'ls\n\0');
    }
  });
});
