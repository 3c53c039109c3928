import type { Builder, Row, Value } from './builder.js';
import { PREFIX_OF, readSource, SSE_KINDS } from './sse-arithmetic.js';
import { arithmeticFast, lanesOf } from './sse-fast.js';
import { lanes, SSE, unary128 } from './sse-rows.js';

/** SSE3 (SDM vol. 1, chapter 12.3), but for FISTTP, which is with the x87, and MONITOR and MWAIT. */

type Packed = 'ps' | 'pd';

/** The sign of every other lane, from the lowest on. */
const SIGNS = { ps: 0x8000_0000n, pd: 1n << 63n } as const;

/** Neighbours of both operands: the first ones, and the second ones. */
function neighbours(b: Builder, kind: Packed, x: Value, y: Value): readonly [Value, Value] {
  const [width, count] = kind === 'ps' ? [32 as const, 4] : [64 as const, 2];
  const evens = Array.from({ length: count }, (_, i) => 2 * i);
  const odds = evens.map((lane) => lane + 1);
  return [b.shuffle(x, y, lanes(width, evens)), b.shuffle(x, y, lanes(width, odds))];
}

/** Which sum or difference an instruction is. */
type Operands = (b: Builder, kind: Packed, x: Value, y: Value) => readonly ['add' | 'sub', readonly [Value, Value]];

const addSub: Operands = (b, kind, x, y) => {
  // Even lanes are subtracted.
  const signs = b.vectorConst(SIGNS[kind], kind === 'ps' ? SIGNS.ps : 0n);
  // A NaN comes out of a difference with the sign that it has.
  const changed = b.anyNumbers ? b.vector('v128_and', signs, b.vector(lanesOf(kind).equal, y, y)) : signs;
  return ['add', [x, b.vector('v128_xor', y, changed)]];
};
const horizontalSum: Operands = (b, kind, x, y) => ['add', neighbours(b, kind, x, y)];
const horizontalDifference: Operands = (b, kind, x, y) => ['sub', neighbours(b, kind, x, y)];

/** ADDSUB, HADD and HSUB; F2 chooses singles here, 66 doubles. Helpers know them by number. */
function horizontal(name: string, opcode: string, number: number, kind: Packed, operands: Operands): Row {
  return {
    ...SSE,
    name: `${name}${kind}`,
    encodings: [`${kind === 'ps' ? 'F2' : PREFIX_OF.pd} 0F ${opcode} /r Vx,Wx`],
    access: 'rw,r',
    semantics(b) {
      const source = readSource(b, 1, 128);
      const [operation, [x, y]] = operands(b, kind, b.read128(0, true), source);
      arithmeticFast(b, kind, operation, x, y, () => {
        b.passVector(source);
        b.helper('sseHorizontal', b.const(number * 4 + SSE_KINDS.indexOf(kind)), b.number(0));
      });
    },
  };
}

export const SSE3: readonly Row[] = [
  horizontal('addsub', 'D0', 0, 'ps', addSub),
  horizontal('addsub', 'D0', 0, 'pd', addSub),
  horizontal('hadd', '7C', 1, 'ps', horizontalSum),
  horizontal('hadd', '7C', 1, 'pd', horizontalSum),
  horizontal('hsub', '7D', 2, 'ps', horizontalDifference),
  horizontal('hsub', '7D', 2, 'pd', horizontalDifference),
  unary128('movsldup', 'F3 0F 12', (b, y) => b.shuffle(y, y, lanes(32, [0, 0, 2, 2]))),
  unary128('movshdup', 'F3 0F 16', (b, y) => b.shuffle(y, y, lanes(32, [1, 1, 3, 3]))),
  {
    ...SSE,
    name: 'movddup',
    encodings: ['F2 0F 12 /r Vx,Wq'],
    access: 'w,r',
    semantics: (b) => b.write128(0, b.vector('i64x2_splat', b.read64(1)), true),
  },
  {
    ...SSE,
    name: 'lddqu',
    encodings: ['F2 0F F0 /r Vx,Mx'],
    access: 'w,r',
    semantics: (b) => b.write128(0, b.read128(1, false), false),
  },
];
