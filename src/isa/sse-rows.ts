import type { Builder, Row, Value } from './builder.js';

/** What rows of SSE have in common. */

/** Every SSE row: unit and forms. Memory operands of 128 bits are aligned unless a row says otherwise. */
export const SSE = { unit: 'sse', compact: true } as const;

/** `pattern` in every lane of a vector. */
export function constantLanes(b: Builder, width: 8 | 16 | 32 | 64, pattern: bigint): Value {
  let half = 0n;
  for (let at = 0n; at < 64n; at += BigInt(width)) half |= pattern << at;
  return b.vectorConst(half, half);
}

export function zeroVector(b: Builder): Value {
  return b.vectorConst(0n, 0n);
}

/** First operand and result a register, second operand a register or 16 aligned bytes. */
export function binary128(name: string, encoding: string, apply: (b: Builder, x: Value, y: Value) => Value): Row {
  return {
    ...SSE,
    name,
    encodings: [`${encoding} /r Vx,Wx`],
    access: 'rw,r',
    semantics(b) {
      const y = b.read128(1, true);
      b.write128(0, apply(b, b.read128(0, true), y), true);
    },
  };
}

/** Result a register, one operand. */
export function unary128(name: string, encoding: string, apply: (b: Builder, y: Value) => Value): Row {
  return {
    ...SSE,
    name,
    encodings: [`${encoding} /r Vx,Wx`],
    access: 'w,r',
    semantics: (b) => b.write128(0, apply(b, b.read128(1, true)), true),
  };
}

/** Byte numbers for `Builder.shuffle` that pick lanes of `width` bits of two vectors, by number. */
export function lanes(width: 8 | 16 | 32 | 64, numbers: readonly number[]): number[] {
  const bytes = width / 8;
  return numbers.flatMap((number) => Array.from({ length: bytes }, (_, i) => number * bytes + i));
}
