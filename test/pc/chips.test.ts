import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InterruptController } from '../../src/pc/pic.js';
import { IntervalTimer, PIT_HZ } from '../../src/pc/pit.js';
import { PortSpace } from '../../src/pc/ports.js';
import { civilDate, daysOfCivil, RealTimeClock } from '../../src/pc/rtc.js';
import { SerialPort } from '../../src/pc/serial.js';

/** The chips of a board around a clock that stands still until it is moved. */
function makeBoard() {
  const ports = new PortSpace();
  const board = { ports, now: 0, wall: 1_700_000_000, printed: '', lines: new Map<number, boolean>() };
  const pic = new InterruptController(ports, () => {});
  const setLine = (irq: number) => (high: boolean) => {
    board.lines.set(irq, high);
    pic.setLine(irq, high);
  };
  const pit = new IntervalTimer(ports, () => board.now);
  const rtc = new RealTimeClock(ports, {
    nowNs: () => board.now,
    wallClock: () => [board.wall + Math.floor(board.now / 1e9), board.now % 1e9],
    setLine: setLine(8),
  });
  const serial = new SerialPort(ports, {
    output: (bytes) => {
      board.printed += new TextDecoder().decode(bytes);
    },
    inputWanted: () => {},
    setLine: setLine(4),
  });
  return Object.assign(board, { pic, pit, rtc, serial });
}

function initialisePic(ports: PortSpace): void {
  for (const [base, vector, cascade] of [
    [0x20, 0x30, 4],
    [0xa0, 0x38, 2],
  ] as const) {
    ports.write(base, 1, 0x11);
    ports.write(base + 1, 1, vector);
    ports.write(base + 1, 1, cascade);
    ports.write(base + 1, 1, 1);
    ports.write(base + 1, 1, 0);
  }
}

test('ports: nothing there reads all ones, words are made of bytes', () => {
  const { ports } = makeBoard();
  assert.equal(ports.read(0x1234, 4), 0xffff_ffff);
  initialisePic(ports);
  ports.write(0x21, 1, 0xa5);
  assert.equal(ports.read(0x21, 2), 0xffa5);
});

test('interrupt controller: the most urgent first, and one at a time', () => {
  const { ports, pic } = makeBoard();
  initialisePic(ports);
  pic.pulse(5);
  pic.pulse(1);
  assert.equal(pic.acknowledge(), 0x31);
  assert.equal(pic.output, false, 'the one in service holds back the other');
  ports.write(0x20, 1, 0x20);
  assert.equal(pic.output, true);
  assert.equal(pic.acknowledge(), 0x35);
});

test('interrupt controller: the slave, specific ends, spurious ones', () => {
  const { ports, pic } = makeBoard();
  initialisePic(ports);
  pic.setLine(11, true);
  assert.equal(pic.acknowledge(), 0x3b);
  assert.equal(pic.acknowledged, 11);
  ports.write(0xa0, 1, 0x63);
  ports.write(0x20, 1, 0x62);
  assert.equal(pic.output, false, 'an edge counts once');
  assert.equal(pic.acknowledge(), 0x37, 'nothing there: spurious');
});

test('interrupt controller: a level interrupts until it falls', () => {
  const { ports, pic } = makeBoard();
  initialisePic(ports);
  pic.setLevelTriggered(11);
  pic.setLine(11, true);
  assert.equal(pic.acknowledge(), 0x3b);
  ports.write(0xa0, 1, 0x20);
  ports.write(0x20, 1, 0x20);
  assert.equal(pic.output, true);
  pic.setLine(11, false);
  assert.equal(pic.output, false);
  assert.equal(ports.read(0x4d1, 1), 0x08);
});

test('interrupt controller: masks', () => {
  const { ports, pic } = makeBoard();
  initialisePic(ports);
  ports.write(0x21, 1, 0x01);
  pic.pulse(0);
  assert.equal(pic.output, false);
  assert.ok(pic.isMasked(0));
  ports.write(0x21, 1, 0x00);
  assert.equal(pic.output, true);
});

test('timer: periodic, exact, and late events are one', () => {
  const { ports, pit } = makeBoard();
  ports.write(0x43, 1, 0x34);
  ports.write(0x40, 1, 1193 & 0xff);
  ports.write(0x40, 1, 1193 >> 8);
  const period = Math.ceil((1193 * 1e9) / PIT_HZ);
  assert.equal(pit.nextInterruptNs(), period);
  assert.equal(pit.takeInterrupt(period - 1), false);
  assert.equal(pit.takeInterrupt(period), true);
  assert.equal(pit.takeInterrupt(period), false);
  assert.equal(pit.takeInterrupt(period * 10), true);
  assert.equal(pit.takeInterrupt(period * 10), false);
  assert.ok(pit.nextInterruptNs() > period * 10);
  assert.ok(pit.nextInterruptNs() <= period * 11);
});

test('timer: one shot, and what a channel reads', () => {
  const board = makeBoard();
  const { ports, pit } = board;
  ports.write(0x43, 1, 0x38);
  ports.write(0x40, 1, 0x00);
  ports.write(0x40, 1, 0x10);
  board.now = (0x400 * 1e9) / PIT_HZ + 1;
  ports.write(0x43, 1, 0x00);
  assert.equal(ports.read(0x40, 1) | (ports.read(0x40, 1) << 8), 0xc00);
  assert.equal(pit.takeInterrupt(1e9), true);
  assert.equal(pit.nextInterruptNs(), Number.POSITIVE_INFINITY);
});

test('timer: channel 2 by port 0x61', () => {
  const board = makeBoard();
  const { ports } = board;
  ports.write(0x61, 1, 0x01);
  ports.write(0x43, 1, 0xb0);
  ports.write(0x42, 1, 0x00);
  ports.write(0x42, 1, 0x10);
  assert.equal(ports.read(0x61, 1) & 0x20, 0);
  board.now = 10_000_000;
  assert.equal(ports.read(0x61, 1) & 0x20, 0x20);
});

test('clock: the date there and back', () => {
  for (const days of [0, 59, 60, 10_957, 19_789, 47_541, -1, 146_096]) {
    const { year, month, day } = civilDate(days);
    assert.equal(daysOfCivil(year, month, day), days);
    assert.equal(
      new Date(days * 86_400_000).toISOString().slice(0, 10),
      `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`,
    );
  }
});

test('clock: time, setting it, alarm', () => {
  const board = makeBoard();
  const { ports, rtc } = board;
  const read = (index: number): number => {
    ports.write(0x70, 1, index);
    return ports.read(0x71, 1);
  };
  const write = (index: number, value: number): void => {
    ports.write(0x70, 1, index);
    ports.write(0x71, 1, value);
  };
  // 2023-11-14 22:13:20
  assert.deepEqual([0x32, 9, 8, 7, 4, 2, 0, 6].map(read), [0x20, 0x23, 0x11, 0x14, 0x22, 0x13, 0x20, 3]);
  write(9, 0x30);
  assert.equal(read(9), 0x30);
  write(1, 0x25);
  write(3, 0xc0);
  write(5, 0xc0);
  write(11, 0x22);
  for (board.now = 0; board.now < 6e9 && board.lines.get(8) !== true; board.now += 1e9) rtc.update(board.now);
  assert.equal(board.now, 6e9);
  assert.equal(read(12) & 0xa0, 0xa0);
  assert.equal(board.lines.get(8), false);
});

test('serial port: output in pieces, interrupt when empty, input', () => {
  const board = makeBoard();
  const { ports, serial } = board;
  for (const character of 'Hello') ports.write(0x3f8, 1, character.charCodeAt(0));
  assert.equal(board.printed, '');
  serial.flush();
  assert.equal(board.printed, 'Hello');
  ports.write(0x3f9, 1, 3);
  assert.equal(board.lines.get(4), true);
  assert.equal(ports.read(0x3fa, 1) & 15, 2);
  assert.equal(board.lines.get(4), false);
  assert.equal(serial.sendInput(Uint8Array.of(1, 2, 3)), 3);
  assert.equal(ports.read(0x3fa, 1) & 15, 4);
  assert.deepEqual(
    [0, 0, 0].map(() => ports.read(0x3f8, 1)),
    [1, 2, 3],
  );
  assert.equal(ports.read(0x3fd, 1), 0x60);
  assert.equal(serial.sendInput(new Uint8Array(100_000)), 65_536);
});

test('every chip survives save and load', () => {
  const first = makeBoard();
  const second = makeBoard();
  initialisePic(first.ports);
  first.pic.pulse(3);
  first.ports.write(0x43, 1, 0x34);
  first.ports.write(0x40, 2, 0x0102);
  first.serial.sendInput(Uint8Array.of(7));
  for (const chip of ['pic', 'pit', 'rtc', 'serial'] as const) {
    const state = structuredClone(first[chip].save());
    second[chip].load(state as never);
    assert.deepEqual(second[chip].save(), first[chip].save(), chip);
  }
});
