import type { Builder, Row, Value } from './builder.js';
import { unpackFlags } from './flags.js';
import { arithmeticFast, compareFast, compareMaskFast, extremeFast } from './sse-fast.js';
import { SSE } from './sse-rows.js';

/** Arithmetic and comparisons of floating-point numbers in XMM registers (SDM vol. 1, 10.4.1 and 11.4.1). */

/** Packed and scalar, single and double; helpers know them by number. */
export const SSE_KINDS = ['ps', 'pd', 'ss', 'sd'] as const;
export type SseKind = (typeof SSE_KINDS)[number];

/** The prefix that chooses a kind, and the second operand in memory. */
export const PREFIX_OF: Readonly<Record<SseKind, string>> = { ps: 'NP', pd: '66', ss: 'F3', sd: 'F2' };
const OPERAND_OF: Readonly<Record<SseKind, string>> = { ps: 'Wx', pd: 'Wx', ss: 'Wd', sd: 'Wq' };

/** [name, opcode behind 0F]; helpers know them by number. */
export const SSE_OPERATIONS = [
  ['add', '58'],
  ['mul', '59'],
  ['sub', '5C'],
  ['min', '5D'],
  ['div', '5E'],
  ['max', '5F'],
  ['sqrt', '51'],
] as const;

type SseOperation = (typeof SSE_OPERATIONS)[number][0];

/** Operand n, an XMM register or as much memory as `bits` says, as a vector. */
export function readSource(b: Builder, n: number, bits: 32 | 64 | 128): Value {
  if (bits === 128 || !b.form.isMemory(n)) return b.read128(n, true);
  return b.readLowest(n, bits);
}

const ZERO_FLAG_BIT = 6;

function sourceBits(kind: SseKind): 32 | 64 | 128 {
  return kind === 'ss' ? 32 : kind === 'sd' ? 64 : 128;
}

function arithmetic(name: SseOperation, opcode: string, operation: number, kind: SseKind): Row {
  return {
    ...SSE,
    name: `${name}${kind}`,
    encodings: [`${PREFIX_OF[kind]} 0F ${opcode} /r Vx,${OPERAND_OF[kind]}`],
    access: 'rw,r',
    semantics(b) {
      const y = readSource(b, 1, sourceBits(kind));
      const slowly = (): void => {
        b.passVector(y);
        b.helper('sseArithmetic', b.const(operation * 4 + SSE_KINDS.indexOf(kind)), b.number(0));
      };
      if (name === 'min' || name === 'max') extremeFast(b, kind, name === 'min', y, slowly);
      else arithmeticFast(b, kind, name, b.read128(0, true), y, slowly);
    },
  };
}

function comparison(kind: SseKind): Row {
  return {
    ...SSE,
    name: `cmp${kind}`,
    encodings: [`${PREFIX_OF[kind]} 0F C2 /r Vx,${OPERAND_OF[kind]},Ib`],
    access: 'rw,r,r',
    semantics(b) {
      const y = readSource(b, 1, sourceBits(kind));
      // Bits of the immediate beyond the predicate's three are ignored.
      const predicate = b.and(b.read(2), b.const(7));
      compareMaskFast(b, kind, predicate, y, () => {
        b.passVector(y);
        const code = b.or(b.shl(predicate, b.const(2)), b.const(SSE_KINDS.indexOf(kind)));
        b.helper('sseCompare', code, b.number(0));
      });
    },
  };
}

function comparisonToFlags(name: string, kind: 'ss' | 'sd', opcode: string, signaling: boolean): Row {
  const size = kind === 'ss' ? 'd' : 'q';
  return {
    ...SSE,
    name: `${name}${kind}`,
    encodings: [`${kind === 'ss' ? 'NP' : '66'} 0F ${opcode} /r Vx,W${size}`],
    access: 'r,r',
    flags: { writes: 'OSZAPC' },
    semantics(b) {
      const y = readSource(b, 1, sourceBits(kind));
      const setFlags = (less: Value, equal: Value): void => {
        unpackFlags(b, b.or(less, b.shl(equal, b.const(ZERO_FLAG_BIT))));
        b.flagsFromLowest?.(less, equal);
      };
      compareFast(b, kind, y, setFlags, () => {
        b.passVector(y);
        b.helper('sseCompareFlags', b.const((signaling ? 4 : 0) + SSE_KINDS.indexOf(kind)), b.number(0));
      });
    },
  };
}

/** RCP and RSQRT: no exceptions, hence no rounding mode either. */
function approximation(name: string, opcode: string, number: number, kind: 'ps' | 'ss'): Row {
  return {
    ...SSE,
    name: `${name}${kind}`,
    encodings: [`${PREFIX_OF[kind]} 0F ${opcode} /r Vx,${OPERAND_OF[kind]}`],
    access: 'rw,r',
    semantics(b) {
      b.passVector(readSource(b, 1, sourceBits(kind)));
      b.helper('sseApproximate', b.const(number * 4 + SSE_KINDS.indexOf(kind)), b.number(0));
    },
  };
}

export const SSE_ARITHMETIC: readonly Row[] = [
  ...SSE_OPERATIONS.flatMap(([name, opcode], n) => SSE_KINDS.map((kind) => arithmetic(name, opcode, n, kind))),
  ...SSE_KINDS.map((kind) => comparison(kind)),
  comparisonToFlags('ucomi', 'ss', '2E', false),
  comparisonToFlags('ucomi', 'sd', '2E', false),
  comparisonToFlags('comi', 'ss', '2F', true),
  comparisonToFlags('comi', 'sd', '2F', true),
  approximation('rcp', '53', 0, 'ps'),
  approximation('rcp', '53', 0, 'ss'),
  approximation('rsqrt', '52', 1, 'ps'),
  approximation('rsqrt', '52', 1, 'ss'),
];
