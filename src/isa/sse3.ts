import type { Row } from './builder.js';
import { PREFIX_OF, readSource, SSE_KINDS } from './sse-arithmetic.js';
import { lanes, SSE, unary128 } from './sse-rows.js';

/** SSE3 (SDM vol. 1, chapter 12.3), but for FISTTP, which is with the x87, and MONITOR and MWAIT. */

/** ADDSUB, HADD and HSUB; F2 chooses singles here, 66 doubles. Helpers know them by number. */
function horizontal(name: string, opcode: string, number: number, kind: 'ps' | 'pd'): Row {
  return {
    ...SSE,
    name: `${name}${kind}`,
    encodings: [`${kind === 'ps' ? 'F2' : PREFIX_OF.pd} 0F ${opcode} /r Vx,Wx`],
    access: 'rw,r',
    semantics(b) {
      b.passVector(readSource(b, 1, 128));
      b.helper('sseHorizontal', b.const(number * 4 + SSE_KINDS.indexOf(kind)), b.number(0));
    },
  };
}

export const SSE3: readonly Row[] = [
  horizontal('addsub', 'D0', 0, 'ps'),
  horizontal('addsub', 'D0', 0, 'pd'),
  horizontal('hadd', '7C', 1, 'ps'),
  horizontal('hadd', '7C', 1, 'pd'),
  horizontal('hsub', '7D', 2, 'ps'),
  horizontal('hsub', '7D', 2, 'pd'),
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
