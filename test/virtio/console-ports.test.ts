import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConsolePortsDevice } from '../../src/virtio/console-ports.js';
import { ascii, buildMachine, Killed, RAM, RingDriver, type TestMachine, text, WRITE } from './ring-driver.js';

/** Where the driver has its messages and buffers. */
const MESSAGE = 0x1000;
const CONTROL_BUFFERS = 0x8000;
const CONTROL_BUFFER_BYTES = 64;

const DEVICE_READY = 0;
const PORT_ADD = 1;
const PORT_READY = 3;
const CONSOLE_PORT = 4;
const RESIZE = 5;
const PORT_OPEN = 6;
const PORT_NAME = 7;

interface Message {
  id: number;
  event: number;
  value: number;
  data: string;
}

interface PortsMachine extends TestMachine {
  device: ConsolePortsDevice;
  rings: RingDriver[];
  written: Record<string, string>;
  wanted: string[];
  kick(queue: number): void;
  /** Sends a control message. */
  tell(id: number, event: number, value: number): void;
  /** Control messages that have come since the last call. */
  heard(): Message[];
}

/** A driver that has accepted `features` and posted buffers for control messages. */
function setup({ features = 3, backlogBytes = 0x1_0000, buffers = 64 } = {}): PortsMachine {
  const written: Record<string, string> = { console: '', in: '', out: '' };
  const wanted: string[] = [];
  const port = (name: string) => ({
    output: (bytes: Uint8Array) => {
      written[name] += text(bytes);
    },
    inputWanted: () => wanted.push(name),
  });
  const device = new ConsolePortsDevice(
    [port('console'), { name: 'in', ...port('in') }, { name: 'out', ...port('out') }],
    { columns: 80, rows: 24 },
    backlogBytes,
  );
  const machine = buildMachine([device]);
  const rings = Array.from(
    { length: device.queueCount },
    (_, index) => new RingDriver(machine.memory, 256, RAM + 0x1000 + index * 0x3000),
  );
  const accepted = RAM + 5 + 8 * device.queueCount + 1;
  machine.memory.write8(accepted, features);
  const control = rings[2]!;
  for (let index = 0; index < buffers; index++) {
    const gpa = CONTROL_BUFFERS + index * CONTROL_BUFFER_BYTES;
    control.offer({ gpa, bytes: CONTROL_BUFFER_BYTES, flags: WRITE });
  }
  let seen = 0;
  const kick = (queue: number): void => machine.transport.notify(rings[queue]!.gpa);
  return {
    ...machine,
    device,
    rings,
    written,
    wanted,
    kick,
    tell(id, event, value) {
      const view = new DataView(new ArrayBuffer(8));
      view.setUint32(0, id, true);
      view.setUint16(4, event, true);
      view.setUint16(6, value, true);
      machine.memory.writeBytes(MESSAGE, new Uint8Array(view.buffer));
      rings[3]!.offer({ gpa: MESSAGE, bytes: 8 });
      kick(3);
    },
    heard() {
      const messages: Message[] = [];
      for (; seen < control.usedIndex; seen++) {
        const { id: head, bytes } = control.usedElement(seen);
        const raw = machine.memory.bytes(CONTROL_BUFFERS + head * CONTROL_BUFFER_BYTES, bytes);
        const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
        messages.push({
          id: view.getUint32(0, true),
          event: view.getUint16(4, true),
          value: view.getUint16(6, true),
          data: text(raw.subarray(8)),
        });
      }
      return messages;
    },
  };
}

/** As `setup`, with the talk over: all ports known, open at both ends. */
function setupOpen(options?: Parameters<typeof setup>[0]): PortsMachine {
  const machine = setup(options);
  machine.tell(0, DEVICE_READY, 1);
  for (const id of [0, 1, 2]) {
    machine.tell(id, PORT_READY, 1);
    machine.tell(id, PORT_OPEN, 1);
  }
  machine.heard();
  return machine;
}

describe('console ports: the talk', () => {
  it('announces every port, says what it is, and the size of the terminal', () => {
    const { tell, heard, device } = setup();
    assert.deepEqual([...device.config], [80, 0, 24, 0, 3, 0, 0, 0, 0, 0, 0, 0]);
    assert.equal(device.queueCount, 8);
    tell(0, DEVICE_READY, 1);
    assert.deepEqual(
      heard(),
      [0, 1, 2].map((id) => ({ id, event: PORT_ADD, value: 1, data: '' })),
    );
    tell(0, PORT_READY, 1);
    assert.deepEqual(heard(), [
      { id: 0, event: CONSOLE_PORT, value: 1, data: '' },
      { id: 0, event: RESIZE, value: 1, data: '\x50\0\x18\0' },
    ]);
    tell(2, PORT_READY, 1);
    assert.deepEqual(heard(), [
      { id: 2, event: PORT_OPEN, value: 1, data: '' },
      { id: 2, event: PORT_NAME, value: 1, data: 'out' },
    ]);
  });

  it('keeps messages until there are buffers, and of sizes only the last', () => {
    const { tell, heard, device, rings, kick } = setup({ buffers: 3 });
    tell(0, DEVICE_READY, 1);
    tell(0, PORT_READY, 1);
    assert.equal(heard().length, 3);
    device.resize({ columns: 100, rows: 30 });
    device.resize({ columns: 300, rows: 50 });
    for (let index = 3; index < 6; index++) {
      const gpa = CONTROL_BUFFERS + index * CONTROL_BUFFER_BYTES;
      rings[2]!.offer({ gpa, bytes: CONTROL_BUFFER_BYTES, flags: WRITE });
    }
    kick(2);
    assert.deepEqual(
      heard().map(({ event, data }) => [event, data]),
      [
        [CONSOLE_PORT, ''],
        [RESIZE, '\x2c\x01\x32\0'],
      ],
    );
  });

  it('sends sizes the other way round to a guest that has understood them so', () => {
    const { tell, heard, device } = setup();
    tell(0, DEVICE_READY, 1);
    tell(0, PORT_READY, 1);
    heard();
    device.checkSizeOrder(24, 80);
    device.checkSizeOrder(0, 0);
    assert.deepEqual(heard(), []);
    device.checkSizeOrder(80, 24);
    assert.deepEqual(heard(), [{ id: 0, event: RESIZE, value: 1, data: '\x18\0\x50\0' }]);
    device.resize({ columns: 100, rows: 30 });
    assert.deepEqual(heard(), [{ id: 0, event: RESIZE, value: 1, data: '\x1e\0\x64\0' }]);
  });

  it('passes over ports and events it does not know, and says so for ports', () => {
    const { tell, heard, warnings } = setup();
    tell(7, PORT_READY, 1);
    tell(0, 99, 1);
    tell(0, DEVICE_READY, 0);
    assert.deepEqual(heard(), []);
    assert.equal(warnings.length, 1);
  });

  it('kills a guest whose control queue is broken', () => {
    const { rings, kick } = setup();
    rings[3]!.offer({ gpa: MESSAGE, bytes: 4 });
    assert.throws(() => kick(3), Killed);
    const second = setup();
    second.rings[3]!.offer({ gpa: MESSAGE, bytes: 8, flags: WRITE });
    assert.throws(() => second.kick(3), Killed);
    const third = setup({ buffers: 0 });
    third.rings[2]!.offer({ gpa: CONTROL_BUFFERS, bytes: 4, flags: WRITE });
    assert.throws(() => third.tell(0, DEVICE_READY, 1), Killed);
    const fourth = setup({ buffers: 0 });
    assert.throws(() => {
      for (let count = 0; count < 1000; count++) fourth.tell(0, DEVICE_READY, 1);
    }, Killed);
  });
});

describe('console ports: the streams', () => {
  it('keeps what goes out apart', () => {
    const { memory, rings, kick, written } = setupOpen();
    memory.writeBytes(0x2000, ascii('console'));
    rings[1]!.offer({ gpa: 0x2000, bytes: 7 });
    kick(1);
    rings[7]!.offer({ gpa: 0x2000, bytes: 3 });
    kick(7);
    assert.deepEqual(written, { console: 'console', in: '', out: 'con' });
  });

  it('gives a port its input only once the guest has it open, then its end', () => {
    const { device, tell, heard, rings, memory, kick } = setup();
    device.sendInput(1, ascii('hello'));
    device.endInput(1);
    rings[4]!.offer({ gpa: 0x3000, bytes: 3, flags: WRITE });
    kick(4);
    tell(0, DEVICE_READY, 1);
    tell(1, PORT_READY, 1);
    assert.equal(rings[4]!.usedIndex, 0);
    heard();
    tell(1, PORT_OPEN, 1);
    assert.equal(text(memory.bytes(0x3000, 3)), 'hel');
    assert.deepEqual(heard(), [], 'two bytes are left');
    rings[4]!.offer({ gpa: 0x3000, bytes: 3, flags: WRITE });
    kick(4);
    assert.equal(text(memory.bytes(0x3000, 2)), 'lo');
    assert.deepEqual(heard(), [{ id: 1, event: PORT_OPEN, value: 0, data: '' }]);
    kick(4);
    assert.deepEqual(heard(), [], 'said once');
  });

  it('makes a fast sender wait, and tells when there is room again', () => {
    const { device, rings, kick, wanted } = setupOpen({ backlogBytes: 8 });
    assert.equal(device.sendInput(1, ascii('0123456789')), 8);
    rings[4]!.offer({ gpa: 0x3000, bytes: 2, flags: WRITE });
    kick(4);
    assert.deepEqual(wanted, []);
    rings[4]!.offer({ gpa: 0x3000, bytes: 4, flags: WRITE });
    kick(4);
    assert.deepEqual(wanted, ['in']);
  });

  it('is a plain console to a guest that does not know ports', () => {
    const { device, rings, kick, memory, heard } = setup({ features: 0 });
    device.sendInput(0, ascii('x'));
    device.endInput(0);
    device.resize({ columns: 1, rows: 1 });
    rings[0]!.offer({ gpa: 0x3000, bytes: 4, flags: WRITE });
    kick(0);
    assert.equal(memory.read8(0x3000), 0x78);
    assert.deepEqual(heard(), []);
  });

  it('begins the talk anew after a reset, with input and its end kept', () => {
    const { device, transport, memory, tell, rings, kick } = setupOpen();
    device.sendInput(1, ascii('kept'));
    device.endInput(1);
    memory.write8(RAM + 4, 0);
    transport.notify(RAM);
    memory.write8(RAM + 5 + 8 * device.queueCount + 1, 3);
    const input = new RingDriver(memory, 256, rings[4]!.gpa);
    const control = new RingDriver(memory, 256, rings[2]!.gpa);
    for (let index = 0; index < 8; index++) {
      control.offer({ gpa: CONTROL_BUFFERS, bytes: CONTROL_BUFFER_BYTES, flags: WRITE });
    }
    input.offer({ gpa: 0x3000, bytes: 16, flags: WRITE });
    kick(4);
    assert.equal(input.usedIndex, 0);
    rings[3]!.nextDescriptor = 0;
    tell(1, PORT_READY, 1);
    assert.equal(control.usedIndex, 2);
    tell(1, PORT_OPEN, 1);
    assert.equal(text(memory.bytes(0x3000, 4)), 'kept');
    assert.equal(control.usedIndex, 3, 'the end');
  });

  it('saves and loads', () => {
    const first = setupOpen();
    first.device.sendInput(1, ascii('waiting'));
    first.device.endInput(1);
    const second = setup();
    second.device.load(structuredClone(first.device.save()));
    assert.deepEqual(second.device.save(), first.device.save());
    second.rings[4]!.offer({ gpa: 0x3000, bytes: 16, flags: WRITE });
    second.kick(4);
    assert.equal(text(second.memory.bytes(0x3000, 7)), 'waiting');
    assert.deepEqual(second.heard(), [{ id: 1, event: PORT_OPEN, value: 0, data: '' }]);
  });
});
