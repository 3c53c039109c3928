import { type Encoding, parseEncodings } from '../../src/isa/encoding.js';
import { MMX } from '../../src/isa/mmx.js';
import { SSE_FAMILIES } from '../../src/isa/sse-families.js';
import { X87_ROWS } from '../../src/isa/x87.js';

/** An instruction of the x87, of MMX or SSE, with a register or with memory as operand. */
export interface UnitEncoding {
  readonly encoding: Encoding;
  readonly memory: boolean;
  /** Memory at any other place than a multiple of 16 may fault. */
  readonly aligned: boolean;
}

/** Not for random programs: environment images, exceptions that are unmasked, what clears a whole register file. */
const LEFT_OUT = [
  ...['fldcw', 'fldenv', 'fnstenv', 'fnsave', 'frstor', 'fxsave', 'fxrstor', 'fninit', 'ldmxcsr', 'emms', 'clflush'],
  // Their last bits are the processor's own affair.
  ...[
    'f2xm1',
    'fyl2x',
    'fptan',
    'fpatan',
    'fyl2xp1',
    'fsincos',
    'fsin',
    'fcos',
    'rcpps',
    'rcpss',
    'rsqrtps',
    'rsqrtss',
  ],
  // Which of their bytes can fault depends on the model.
  ...['maskmovq', 'maskmovdqu'],
];

/** x87, MMX and the SSE families; each of the three as often as the others. */
export const UNIT_ENCODINGS: readonly (readonly UnitEncoding[])[] = [X87_ROWS, MMX, SSE_FAMILIES].map((rows) =>
  parseEncodings(rows)
    .filter(({ row }) => !LEFT_OUT.includes(row.name))
    .flatMap((encoding) => {
      const rm = encoding.operands[encoding.rmOperand];
      const shapes = rm ? [...(rm.register ? [false] : []), ...(rm.memory ? [true] : [])] : [false];
      return shapes.map((memory) => ({ encoding, memory, aligned: memory && rm?.size === 128 }));
    }),
);
