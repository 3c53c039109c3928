import type { Builder, Row, Value } from './builder.js';
import * as flags from './flags.js';
import { drop, peek, push } from './stack.js';

/** Near jumps, calls, returns and loops. Far transfers live in far-transfers.ts. */

/** Jumps to a near target: with a 16-bit operand size EIP is cut to 16 bits. */
function jumpNear(b: Builder, target: Value): void {
  b.jump(b.form.size === 16 ? b.and(target, b.const(0xffff)) : target);
}

function relativeTarget(b: Builder): Value {
  return b.add(b.nextEip(), b.read(0));
}

function jumpIf(b: Builder, taken: Value): void {
  b.when(
    taken,
    () => jumpNear(b, relativeTarget(b)),
    () => b.jump(b.nextEip()),
  );
}

/** LOOP family: the counter's width is the address size, and it moves without touching flags. */
function loopRow(name: string, opcode: string, reads: string, condition: (b: Builder) => Value | undefined): Row {
  return {
    name,
    encodings: [`${opcode} Jb`],
    access: 'r',
    flags: { reads },
    sized: true,
    addressSized: true,
    ends: true,
    semantics(b) {
      const width = b.form.addressSize;
      const counter = flags.truncate(b, width, b.sub(b.register(1, width), b.const(1)));
      b.setRegister(1, width, counter);
      const extra = condition(b);
      const more = b.ne(counter, b.const(0));
      jumpIf(b, extra ? b.and(more, extra) : more);
    },
  };
}

export const CONTROL_FLOW: readonly Row[] = [
  {
    name: 'jcc',
    encodings: ['70+cc Jb', '0F 80+cc Jv'],
    access: 'r',
    flags: { reads: 'OSZPC' },
    sized: true,
    ends: true,
    hot: true,
    semantics: (b) => jumpIf(b, flags.condition(b, b.form.number)),
  },
  {
    name: 'jmp',
    encodings: ['EB Jb', 'E9 Jv'],
    access: 'r',
    sized: true,
    ends: true,
    hot: true,
    semantics: (b) => jumpNear(b, relativeTarget(b)),
  },
  { name: 'jmp', encodings: ['FF /4 Ev'], access: 'r', ends: true, hot: true, semantics: (b) => b.jump(b.read(0)) },
  {
    name: 'call',
    encodings: ['E8 Jv'],
    access: 'r',
    stack: true,
    ends: true,
    hot: true,
    semantics(b) {
      push(b, b.form.size, b.nextEip());
      jumpNear(b, relativeTarget(b));
    },
  },
  {
    name: 'call',
    encodings: ['FF /2 Ev'],
    access: 'r',
    stack: true,
    ends: true,
    hot: true,
    semantics(b) {
      const target = b.read(0);
      push(b, b.form.size, b.nextEip());
      b.jump(target);
    },
  },
  {
    name: 'ret',
    encodings: ['C3'],
    sized: true,
    stack: true,
    ends: true,
    hot: true,
    semantics(b) {
      const target = peek(b, b.form.size);
      drop(b, b.const(b.form.size / 8));
      b.jump(target);
    },
  },
  {
    name: 'ret',
    encodings: ['C2 Iw'],
    access: 'r',
    sized: true,
    stack: true,
    ends: true,
    hot: true,
    semantics(b) {
      const target = peek(b, b.form.size);
      drop(b, b.add(b.read(0), b.const(b.form.size / 8)));
      b.jump(target);
    },
  },
  loopRow('loopne', 'E0', 'Z', (b) => b.isZero(flags.zero(b))),
  loopRow('loope', 'E1', 'Z', (b) => flags.zero(b)),
  loopRow('loop', 'E2', '', () => undefined),
  {
    name: 'jecxz',
    encodings: ['E3 Jb'],
    access: 'r',
    sized: true,
    addressSized: true,
    ends: true,
    semantics: (b) => jumpIf(b, b.isZero(b.register(1, b.form.addressSize))),
  },
];
