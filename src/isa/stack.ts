import type { Builder, Row, Size, Value } from './builder.js';
import { truncate } from './flags.js';

/** PUSH, POP and stack frames. `push` and `pop` serve calls and returns too. */

const ESP = 4;
const EBP = 5;
export const SS = 2;

function wrap(b: Builder, pointer: Value): Value {
  return b.form.stackSize === 16 ? b.and(pointer, b.const(0xffff)) : pointer;
}

/** Pushes `values` in order, each `size` bits; ESP moves once, after everything that can fault. */
export function push(b: Builder, size: Size, ...values: Value[]): void {
  const bytes = size / 8;
  let pointer = b.register(ESP, b.form.stackSize);
  if (values.length === 1) {
    pointer = wrap(b, b.sub(pointer, b.const(bytes)));
    b.store(SS, pointer, size, values[0]!);
  } else {
    const cells = values.map(() => {
      pointer = wrap(b, b.sub(pointer, b.const(bytes)));
      return b.cell(SS, pointer, size);
    });
    for (const [i, cell] of cells.entries()) cell.write(values[i]!);
  }
  b.setRegister(ESP, b.form.stackSize, pointer);
}

/** Reads the top of the stack without moving ESP. */
export function peek(b: Builder, size: Size, index = 0): Value {
  const pointer = b.register(ESP, b.form.stackSize);
  return b.load(SS, index === 0 ? pointer : wrap(b, b.add(pointer, b.const((index * size) / 8))), size);
}

/** Moves ESP up by `bytes`. */
export function drop(b: Builder, bytes: Value): void {
  b.setRegister(ESP, b.form.stackSize, wrap(b, b.add(b.register(ESP, b.form.stackSize), bytes)));
}

export const STACK: readonly Row[] = [
  {
    name: 'push',
    encodings: ['50+r Zv', 'FF /6 Ev', '68 Iv', '6A sIb'],
    access: 'r',
    stack: true,
    hot: true,
    semantics: (b) => push(b, b.form.size, b.read(0)),
  },
  {
    name: 'pop',
    encodings: ['58+r Zv'],
    access: 'w',
    stack: true,
    hot: true,
    semantics(b) {
      const size = b.form.size;
      const value = peek(b, size);
      // ESP moves first: `pop esp` ends with the popped value.
      drop(b, b.const(size / 8));
      b.write(0, value);
    },
  },
  {
    name: 'pop',
    encodings: ['8F /0 Ev'],
    access: 'w',
    stack: true,
    semantics(b) {
      const { size, stackSize } = b.form;
      const value = peek(b, size);
      if (!b.form.isMemory(0)) {
        drop(b, b.const(size / 8));
        b.write(0, value);
        return;
      }
      // The address of the operand is computed with ESP already moved (SDM vol. 2, POP).
      const before = b.register(ESP, stackSize);
      drop(b, b.const(size / 8));
      const address = b.offset(0);
      b.setRegister(ESP, stackSize, before);
      b.store('default', address, size, value);
      drop(b, b.const(size / 8));
    },
  },
  {
    name: 'pusha',
    encodings: ['60'],
    sized: true,
    stack: true,
    semantics(b) {
      const size = b.form.size;
      push(b, size, ...[0, 1, 2, 3, 4, 5, 6, 7].map((i) => b.register(i, size)));
    },
  },
  {
    name: 'popa',
    encodings: ['61'],
    sized: true,
    stack: true,
    semantics(b) {
      const size = b.form.size;
      // EDI ESI EBP (ESP skipped) EBX EDX ECX EAX from the top down.
      const order = [7, 6, 5, 3, 2, 1, 0];
      const values = order.map((register, i) => peek(b, size, register === 7 || register > 4 ? i : i + 1));
      drop(b, b.const(size));
      for (const [i, register] of order.entries()) b.setRegister(register, size, values[i]!);
    },
  },
  {
    name: 'leave',
    encodings: ['C9'],
    sized: true,
    stack: true,
    hot: true,
    semantics(b) {
      const { size, stackSize } = b.form;
      const frame = b.register(EBP, stackSize);
      const value = b.load(SS, frame, size);
      b.setRegister(ESP, stackSize, wrap(b, b.add(frame, b.const(size / 8))));
      b.setRegister(EBP, size, value);
    },
  },
  {
    name: 'enter',
    encodings: ['C8 Iw,Ib'],
    access: 'r,r',
    sized: true,
    stack: true,
    semantics: enter,
  },
];

/** ENTER (SDM vol. 2): nesting level 0…31 copies that many frame pointers. */
function enter(b: Builder): void {
  const { size, stackSize } = b.form;
  const bytes = b.const(size / 8);
  const allocate = b.read(0);
  const level = b.and(b.read(1), b.const(31));
  const pointer = b.variable(wrap(b, b.sub(b.register(ESP, stackSize), bytes)));
  b.store(SS, pointer, size, b.register(EBP, size));
  // The new EBP is all of ESP, even where the stack pointer has 16 bits.
  const upper = b.and(b.register(ESP, 32), b.const(0xffff_0000 | 0));
  const frame = b.variable(stackSize === 16 ? b.or(pointer, upper) : pointer);
  b.when(b.ne(level, b.const(0)), () => {
    const left = b.variable(b.sub(level, b.const(1)));
    const source = b.variable(b.register(EBP, stackSize));
    b.loop((again) => {
      b.when(b.ne(left, b.const(0)), () => {
        b.assign(left, b.sub(left, b.const(1)));
        b.assign(source, wrap(b, b.sub(source, bytes)));
        b.assign(pointer, wrap(b, b.sub(pointer, bytes)));
        b.store(SS, pointer, size, b.load(SS, source, size));
        again();
      });
    });
    b.assign(pointer, wrap(b, b.sub(pointer, bytes)));
    b.store(SS, pointer, size, truncate(b, size, frame));
  });
  b.assign(pointer, wrap(b, b.sub(pointer, allocate)));
  // The last word of the new frame must be writable (the processor checks it).
  b.cell(SS, pointer, size);
  b.setRegister(EBP, size, frame);
  b.setRegister(ESP, stackSize, pointer);
}
