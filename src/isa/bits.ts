import type { Builder, Row, Value } from './builder.js';
import * as flags from './flags.js';

/** BT and friends, BSF, BSR, BSWAP, SETcc. */

type Change = (b: Builder, x: Value, mask: Value) => Value;

/** Register or immediate bit index; a memory operand with a register index is a bit string of 2^32 bits. */
function bitTest(change: Change | undefined): (b: Builder) => void {
  return (b) => {
    const { form } = b;
    const size = form.size;
    const index = b.read(1);
    const low = b.and(index, b.const(size - 1));
    const mask = b.shl(b.const(1), low);
    const finish = (x: Value, write: (value: Value) => void): void => {
      if (change) write(change(b, x, mask));
      flags.setCarry(b, b.and(b.shrU(x, low), b.const(1)));
    };
    if (!form.isMemory(0)) {
      finish(b.read(0), (value) => b.write(0, flags.truncate(b, size, value)));
      return;
    }
    const signed = flags.signExtend(b, size, index);
    const words = b.shrS(signed, b.const(size === 32 ? 5 : 4));
    const displacement = b.shl(words, b.const(size === 32 ? 2 : 1));
    if (change) {
      const cell = b.cellAt(0, displacement, size);
      finish(cell.read(), (value) => cell.write(value));
    } else {
      finish(b.readAt(0, displacement, size), () => {});
    }
  };
}

/** Immediate bit index: always within the operand. */
function bitTestImmediate(change: Change | undefined): (b: Builder) => void {
  return (b) => {
    const size = b.form.size;
    const x = b.read(0);
    const low = b.and(b.read(1), b.const(size - 1));
    if (change) b.write(0, flags.truncate(b, size, change(b, x, b.shl(b.const(1), low))));
    flags.setCarry(b, b.and(b.shrU(x, low), b.const(1)));
  };
}

const BIT_FLAGS = { writes: 'C', undefined: 'OSAP' };

function bitRows(name: string, opcode: string, digit: number, change: Change | undefined): Row[] {
  const common = { name, access: change ? 'rw,r' : 'r,r', flags: BIT_FLAGS, lock: change !== undefined };
  return [
    { ...common, encodings: [`0F ${opcode} /r Ev,Gv`], semantics: bitTest(change) },
    { ...common, encodings: [`0F BA /${digit} Ev,Ib`], semantics: bitTestImmediate(change) },
  ];
}

/** A zero source leaves the destination alone (SDM: undefined; every processor since the 486 does so). */
function bitScan(reverse: boolean): (b: Builder) => void {
  return (b) => {
    const x = b.read(1);
    b.when(b.ne(x, b.const(0)), () => b.write(0, reverse ? b.sub(b.const(31), b.clz(x)) : b.ctz(x)));
    flags.setZero(b, b.isZero(x));
  };
}

export const BITS: readonly Row[] = [
  ...bitRows('bt', 'A3', 4, undefined),
  ...bitRows('bts', 'AB', 5, (b, x, mask) => b.or(x, mask)),
  ...bitRows('btr', 'B3', 6, (b, x, mask) => b.and(x, b.not(mask))),
  ...bitRows('btc', 'BB', 7, (b, x, mask) => b.xor(x, mask)),
  {
    name: 'bsf',
    encodings: ['0F BC /r Gv,Ev'],
    access: 'rw,r',
    flags: { writes: 'Z', undefined: 'OSAPC' },
    semantics: bitScan(false),
  },
  {
    name: 'bsr',
    encodings: ['0F BD /r Gv,Ev'],
    access: 'rw,r',
    flags: { writes: 'Z', undefined: 'OSAPC' },
    semantics: bitScan(true),
  },
  {
    name: 'bswap',
    encodings: ['0F C8+r Zd'],
    semantics(b) {
      const x = b.read(0);
      const outer = b.and(b.rotl(x, b.const(8)), b.const(0x00ff_00ff));
      const inner = b.and(b.rotl(x, b.const(24)), b.const(0xff00_ff00 | 0));
      b.write(0, b.or(outer, inner));
    },
  },
  {
    name: 'setcc',
    encodings: ['0F 90+cc /r Eb'],
    access: 'w',
    flags: { reads: 'OSZPC' },
    hot: true,
    semantics(b) {
      b.write(0, flags.condition(b, b.form.number));
    },
  },
];
