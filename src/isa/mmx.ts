import type { Builder, Row, Value } from './builder.js';
import { LANEWISE, NARROWING, type Shift, multiplyHigh, shiftBy } from './sse-integer.js';
import { lanes, zeroVector } from './sse-rows.js';

/**
 * MMX (SDM vol. 1, chapter 9). The registers are the significands of the x87 registers by physical number;
 * every instruction but EMMS makes TOP 0 and all tags valid, and `write64` sets sign and exponent to ones.
 *
 * They are worked on as the lower halves of vectors.
 */
export const MMX_ROW = { unit: 'mmx', compact: true } as const;

/** TOP 0, no register empty. After everything that can fault. */
export function useMmxRegisters(b: Builder): void {
  b.setState('fpuTop', b.const(0));
  b.setState('fpuTag', b.const(0));
}

/** A vector with zero in its upper half. */
export function inVector(b: Builder, value: Value): Value {
  return b.withLane(zeroVector(b), 64, 0, value);
}

/** `op mm, mm/m64` on vectors. */
export function binary64(name: string, opcode: string, apply: (b: Builder, x: Value, y: Value) => Value): Row {
  return {
    ...MMX_ROW,
    name,
    encodings: [`0F ${opcode} /r Pq,Qq`],
    semantics(b) {
      const y = inVector(b, b.read64(1));
      useMmxRegisters(b);
      b.write64(0, b.lane(apply(b, inVector(b, b.read64(0)), y), 64, 0));
    },
  };
}

/** PUNPCKxx: elements of the lower or upper halves of both operands in turn. */
function unpacking(name: string, opcode: string, width: 8 | 16 | 32, upper: boolean): Row {
  const count = 32 / width;
  const first = upper ? count : 0;
  const second = first + 128 / width;
  const numbers = Array.from({ length: count }, (_, i) => [first + i, second + i]).flat();
  // The upper half of the result is not wanted.
  const bytes = lanes(width, [...numbers, ...numbers]);
  return {
    ...MMX_ROW,
    name,
    // The lower half needs only 32 bits of memory.
    encodings: [`0F ${opcode} /r Pq,${upper ? 'Qq' : 'Qd'}`],
    semantics(b) {
      const source = inVector(b, upper ? b.read64(1) : b.toWideU(b.read(1)));
      useMmxRegisters(b);
      b.write64(0, b.lane(b.shuffle(inVector(b, b.read64(0)), source, bytes), 64, 0));
    },
  };
}

/** Shift by a register or memory, and (the second row) by an immediate. */
function shifting(name: string, opcode: string, immediate: string, width: 16 | 32 | 64, shift: Shift): Row[] {
  return [
    binary64(name, opcode, (b, x, y) => shiftBy(b, x, b.lane(y, 64, 0), width, shift)),
    {
      ...MMX_ROW,
      name,
      encodings: [`0F ${immediate} Nq,Ib`],
      semantics(b) {
        useMmxRegisters(b);
        const shifted = shiftBy(b, inVector(b, b.read64(0)), b.toWideU(b.read(1)), width, shift);
        b.write64(0, b.lane(shifted, 64, 0));
      },
    },
  ];
}

export const MMX: readonly Row[] = [
  {
    name: 'movd',
    encodings: ['0F 6E /r Pq,Ed'],
    access: 'w,r',
    unit: 'mmx',
    semantics(b) {
      const value = b.read(1);
      useMmxRegisters(b);
      b.write64(0, b.toWideU(value));
    },
  },
  {
    name: 'movd',
    encodings: ['0F 7E /r Ed,Pq'],
    access: 'w,r',
    unit: 'mmx',
    semantics(b) {
      b.write(0, b.toNarrow(b.read64(1)));
      useMmxRegisters(b);
    },
  },
  {
    name: 'movq',
    encodings: ['0F 6F /r Pq,Qq', '0F 7F /r Qq,Pq'],
    access: 'w,r',
    unit: 'mmx',
    semantics(b) {
      b.write64(0, b.read64(1));
      useMmxRegisters(b);
    },
  },
  {
    name: 'emms',
    encodings: ['0F 77'],
    unit: 'mmx',
    semantics(b) {
      b.setState('fpuTop', b.const(0));
      b.setState('fpuTag', b.const(0xffff));
    },
  },
  ...LANEWISE.map(([name, opcode, operation]) => binary64(name, opcode, (b, x, y) => b.vector(operation, x, y))),
  ...NARROWING.map(([name, opcode, operation]) =>
    binary64(name, opcode, (b, x, y) => b.vector(operation, b.withLane(x, 64, 1, b.lane(y, 64, 0)), zeroVector(b))),
  ),
  binary64('pmulhw', 'E5', (b, x, y) => multiplyHigh(b, x, y, true)),
  binary64('pandn', 'DF', (b, x, y) => b.vector('v128_andnot', y, x)),
  unpacking('punpcklbw', '60', 8, false),
  unpacking('punpcklwd', '61', 16, false),
  unpacking('punpckldq', '62', 32, false),
  unpacking('punpckhbw', '68', 8, true),
  unpacking('punpckhwd', '69', 16, true),
  unpacking('punpckhdq', '6A', 32, true),
  ...shifting('psllw', 'F1', '71 /6', 16, 'left'),
  ...shifting('pslld', 'F2', '72 /6', 32, 'left'),
  ...shifting('psllq', 'F3', '73 /6', 64, 'left'),
  ...shifting('psrlw', 'D1', '71 /2', 16, 'right'),
  ...shifting('psrld', 'D2', '72 /2', 32, 'right'),
  ...shifting('psrlq', 'D3', '73 /2', 64, 'right'),
  ...shifting('psraw', 'E1', '71 /4', 16, 'arithmetic'),
  ...shifting('psrad', 'E2', '72 /4', 32, 'arithmetic'),
];
