import type { Builder, Row, Value } from './builder.js';

/** Far jumps, calls and returns, IRET: all checks are in the helpers that both tiers share. */

function sizeOf(b: Builder): Value {
  return b.const(b.form.size);
}

function direct(helper: string): (b: Builder) => void {
  return (b) => {
    b.helper(helper, b.number(0), b.read(0), sizeOf(b));
  };
}

function indirect(helper: string): (b: Builder) => void {
  return (b) => {
    const offset = b.readAt(0, b.const(0), b.form.size);
    const selector = b.readAt(0, b.const(b.form.size / 8), 16);
    b.helper(helper, selector, offset, sizeOf(b));
  };
}

const COMMON = { ends: true, system: true, sized: true } as const;

export const FAR_TRANSFERS: readonly Row[] = [
  { ...COMMON, name: 'jmp far', encodings: ['EA Av'], access: 'r', semantics: direct('farJump') },
  { ...COMMON, name: 'call far', encodings: ['9A Av'], access: 'r', semantics: direct('farCall') },
  { ...COMMON, name: 'jmp far', encodings: ['FF /5 M'], access: 'r', semantics: indirect('farJump') },
  { ...COMMON, name: 'call far', encodings: ['FF /3 M'], access: 'r', semantics: indirect('farCall') },
  {
    ...COMMON,
    name: 'retf',
    encodings: ['CB'],
    semantics(b) {
      b.helper('farReturn', b.const(0), sizeOf(b));
    },
  },
  {
    ...COMMON,
    name: 'retf',
    encodings: ['CA Iw'],
    access: 'r',
    semantics(b) {
      b.helper('farReturn', b.read(0), sizeOf(b));
    },
  },
  {
    ...COMMON,
    name: 'iret',
    encodings: ['CF'],
    semantics(b) {
      b.helper('interruptReturn', sizeOf(b));
    },
  },
];
