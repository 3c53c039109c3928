import type { Builder, Row, Size, Value } from './builder.js';
import * as flags from './flags.js';

/** ADD, SUB, logic, comparisons, INC, DEC, NEG, NOT, XADD, CMPXCHG: everything with two integer operands. */

/** The six encodings that the eight classic operations share, from their first opcode and digit. */
function classic(first: number, digit: number): string[] {
  const hex = (n: number): string => n.toString(16).toUpperCase().padStart(2, '0');
  return [
    `${hex(first)} /r Eb,Gb`,
    `${hex(first + 1)} /r Ev,Gv`,
    `${hex(first + 2)} /r Gb,Eb`,
    `${hex(first + 3)} /r Gv,Ev`,
    `${hex(first + 4)} AL,Ib`,
    `${hex(first + 5)} eAX,Iv`,
    `80 /${digit} Eb,Ib`,
    `81 /${digit} Ev,Iv`,
    `82 /${digit} Eb,Ib`,
    `83 /${digit} Ev,sIb`,
  ];
}

const ALL = { writes: 'OSZAPC' };
const LOGIC = { writes: 'OSZPC', undefined: 'A' };

function operands(b: Builder): { size: Size; x: Value; y: Value } {
  return { size: b.form.size, x: b.read(0), y: b.read(1) };
}

function add(b: Builder, size: Size, x: Value, y: Value, carry?: Value): Value {
  const sum = carry ? b.add(b.add(x, y), carry) : b.add(x, y);
  return flags.truncate(b, size, sum);
}

function subtract(b: Builder, size: Size, x: Value, y: Value, borrow?: Value): Value {
  const difference = borrow ? b.sub(b.sub(x, y), borrow) : b.sub(x, y);
  return flags.truncate(b, size, difference);
}

function logic(name: string, first: number, digit: number, apply: (b: Builder, x: Value, y: Value) => Value): Row {
  return {
    name,
    encodings: classic(first, digit),
    flags: LOGIC,
    lock: true,
    hot: true,
    semantics(b) {
      const { size, x, y } = operands(b);
      const result = apply(b, x, y);
      b.write(0, result);
      flags.setLogic(b, size, result);
    },
  };
}

export const ARITHMETIC: readonly Row[] = [
  {
    name: 'add',
    encodings: classic(0x00, 0),
    flags: ALL,
    lock: true,
    hot: true,
    semantics(b) {
      const { size, x, y } = operands(b);
      const result = add(b, size, x, y);
      b.write(0, result);
      flags.setAdd(b, size, x, y, result);
    },
  },
  logic('or', 0x08, 1, (b, x, y) => b.or(x, y)),
  {
    name: 'adc',
    encodings: classic(0x10, 2),
    flags: { reads: 'C', writes: 'OSZAPC' },
    lock: true,
    hot: true,
    semantics(b) {
      const { size, x, y } = operands(b);
      const result = add(b, size, x, y, flags.carry(b));
      b.write(0, result);
      flags.setAdd(b, size, x, y, result, true);
    },
  },
  {
    name: 'sbb',
    encodings: classic(0x18, 3),
    flags: { reads: 'C', writes: 'OSZAPC' },
    lock: true,
    hot: true,
    semantics(b) {
      const { size, x, y } = operands(b);
      const result = subtract(b, size, x, y, flags.carry(b));
      b.write(0, result);
      flags.setSub(b, size, x, y, result, true);
    },
  },
  logic('and', 0x20, 4, (b, x, y) => b.and(x, y)),
  {
    name: 'sub',
    encodings: classic(0x28, 5),
    flags: ALL,
    lock: true,
    hot: true,
    semantics(b) {
      const { size, x, y } = operands(b);
      const result = subtract(b, size, x, y);
      b.write(0, result);
      flags.setSub(b, size, x, y, result);
    },
  },
  logic('xor', 0x30, 6, (b, x, y) => b.xor(x, y)),
  {
    name: 'cmp',
    encodings: classic(0x38, 7),
    access: 'r,r',
    flags: ALL,
    hot: true,
    semantics(b) {
      const { size, x, y } = operands(b);
      flags.setSub(b, size, x, y, subtract(b, size, x, y));
    },
  },
  {
    name: 'test',
    encodings: [
      '84 /r Eb,Gb',
      '85 /r Ev,Gv',
      'A8 AL,Ib',
      'A9 eAX,Iv',
      'F6 /0 Eb,Ib',
      'F6 /1 Eb,Ib',
      'F7 /0 Ev,Iv',
      'F7 /1 Ev,Iv',
    ],
    access: 'r,r',
    flags: LOGIC,
    hot: true,
    semantics(b) {
      const { size, x, y } = operands(b);
      flags.setLogic(b, size, b.and(x, y));
    },
  },
  {
    name: 'inc',
    encodings: ['40+r Zv', 'FE /0 Eb', 'FF /0 Ev'],
    flags: { writes: 'OSZAP' },
    lock: true,
    hot: true,
    semantics(b) {
      const x = b.read(0);
      const result = flags.truncate(b, b.form.size, b.add(x, b.const(1)));
      b.write(0, result);
      flags.setIncDec(b, b.form.size, x, result, false);
    },
  },
  {
    name: 'dec',
    encodings: ['48+r Zv', 'FE /1 Eb', 'FF /1 Ev'],
    flags: { writes: 'OSZAP' },
    lock: true,
    hot: true,
    semantics(b) {
      const x = b.read(0);
      const result = flags.truncate(b, b.form.size, b.sub(x, b.const(1)));
      b.write(0, result);
      flags.setIncDec(b, b.form.size, x, result, true);
    },
  },
  {
    name: 'not',
    encodings: ['F6 /2 Eb', 'F7 /2 Ev'],
    lock: true,
    hot: true,
    semantics(b) {
      b.write(0, flags.truncate(b, b.form.size, b.not(b.read(0))));
    },
  },
  {
    name: 'neg',
    encodings: ['F6 /3 Eb', 'F7 /3 Ev'],
    flags: ALL,
    lock: true,
    hot: true,
    semantics(b) {
      const size = b.form.size;
      const x = b.read(0);
      const none = b.const(0);
      const result = subtract(b, size, none, x);
      b.write(0, result);
      flags.setSub(b, size, none, x, result);
    },
  },
  {
    name: 'xadd',
    encodings: ['0F C0 /r Eb,Gb', '0F C1 /r Ev,Gv'],
    access: 'rw,rw',
    flags: ALL,
    lock: true,
    semantics(b) {
      const { size, x, y } = operands(b);
      const sum = add(b, size, x, y);
      // The register is written first: `xadd eax, eax` leaves the sum.
      if (b.form.isMemory(0)) {
        b.write(0, sum);
        b.write(1, x);
      } else {
        b.write(1, x);
        b.write(0, sum);
      }
      flags.setAdd(b, size, x, y, sum);
    },
  },
  {
    name: 'cmpxchg',
    encodings: ['0F B0 /r Eb,Gb', '0F B1 /r Ev,Gv'],
    access: 'rw,r',
    flags: ALL,
    lock: true,
    semantics(b) {
      const size = b.form.size;
      const destination = b.read(0);
      const source = b.read(1);
      const accumulator = b.register(0, size);
      const equal = b.eq(accumulator, destination);
      // The destination is written either way (SDM vol. 2, CMPXCHG).
      b.write(0, b.select(equal, source, destination));
      b.when(b.isZero(equal), () => b.setRegister(0, size, destination));
      flags.setSub(b, size, accumulator, destination, subtract(b, size, accumulator, destination));
    },
  },
  {
    name: 'cmpxchg8b',
    encodings: ['0F C7 /1 Mq'],
    access: 'rw',
    flags: { writes: 'Z' },
    lock: true,
    semantics(b) {
      const low = b.cellAt(0, b.const(0), 32);
      const high = b.cellAt(0, b.const(4), 32);
      const oldLow = low.read();
      const oldHigh = high.read();
      const equal = b.and(b.eq(oldLow, b.register(0, 32)), b.eq(oldHigh, b.register(2, 32)));
      low.write(b.select(equal, b.register(3, 32), oldLow));
      high.write(b.select(equal, b.register(1, 32), oldHigh));
      b.when(b.isZero(equal), () => {
        b.setRegister(0, 32, oldLow);
        b.setRegister(2, 32, oldHigh);
      });
      flags.setZero(b, equal);
    },
  },
];
