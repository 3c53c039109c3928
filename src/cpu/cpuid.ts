import type { CpuContext, Helper } from './context.js';
import { EAX, EBX, ECX, EDX } from './state.js';

/** CPUID as data: one table per processor model (SDM vol. 2 CPUID). */

/** EAX, EBX, ECX, EDX, unsigned or signed 32 bits. */
export type CpuidResult = readonly [number, number, number, number];

export interface ProcessorModel {
  readonly name: string;
  /** By leaf; subleaf 0 of those that have some. Leaf 0 and 0x80000000 name the highest leaves. */
  readonly leaves: ReadonlyMap<number, CpuidResult>;
}

/** Leaf 1 EDX: only what is implemented. */
const FEATURE = {
  fpu: 1 << 0,
  pse: 1 << 3,
  tsc: 1 << 4,
  msr: 1 << 5,
  pae: 1 << 6,
  cx8: 1 << 8,
  sep: 1 << 11,
  pge: 1 << 13,
  cmov: 1 << 15,
  clflush: 1 << 19,
  mmx: 1 << 23,
  fxsr: 1 << 24,
  sse: 1 << 25,
  sse2: 1 << 26,
} as const;
/** Leaf 1 ECX. */
const FEATURE_ECX = { sse3: 1 << 0, ssse3: 1 << 9 } as const;
/** First extended leaf. */
const EXTENDED = 0x8000_0000;
/** Leaf EXTENDED + 1, EDX. */
const NX = 1 << 20;

/** Who has made the processor, 12 characters, and its family, model and stepping as leaf 1 has them. */
interface Maker {
  readonly vendor: string;
  readonly signature: number;
}
/**
 * Unknown to every kernel, on purpose: known vendors of family 6 and above make kernels with an early microcode
 * loader touch MSRs before they have an IDT (lguest-abi §11.4). Family 6, model 5, stepping 2: i686 user space and
 * 686-pae kernels want family 6.
 */
const UNKNOWN: Maker = { vendor: 'LguestScript', signature: 0x652 };
/**
 * Family 6, model 26: where there are such MSRs. The GNU C library does not look for SSE in the processors of makers
 * that it does not know; for this one it chooses string functions that suit us, too.
 */
const NEHALEM: Maker = { vendor: 'GenuineIntel', signature: 0x106a5 };
/** At most 47 characters and a zero. */
const BRAND = 'Virtual i686 in TypeScript (lguest)';

/** Bytes that CLFLUSH takes, in units of eight. */
const CLFLUSH_LINE = 8;
/** 36 physical bits, 32 linear ones. */
const ADDRESS_BITS = 0x2024;

/** Four little-endian characters of `text` at `at`. */
function packCharacters(text: string, at: number): number {
  let word = 0;
  for (let n = 0; n < 4; n++) word |= (text.charCodeAt(at + n) || 0) << (8 * n);
  return word;
}
/** The result with 16 characters of `text`. */
function packResult(text: string, at: number): CpuidResult {
  return [0, 4, 8, 12].map((n) => packCharacters(text, at + n)) as unknown as CpuidResult;
}

function describeProcessor(name: string, { vendor, signature }: Maker, features: number): ProcessorModel {
  return {
    name,
    leaves: new Map<number, CpuidResult>([
      // Order of the vendor string: EBX, EDX, ECX.
      [0, [4, packCharacters(vendor, 0), packCharacters(vendor, 8), packCharacters(vendor, 4)]],
      [1, [signature, CLFLUSH_LINE << 8, FEATURE_ECX.sse3 | FEATURE_ECX.ssse3, features]],
      // "This leaf, once" and no descriptor of a cache; nor does leaf 4 enumerate one.
      [2, [1, 0, 0, 0]],
      [3, [0, 0, 0, 0]],
      [4, [0, 0, 0, 0]],
      [EXTENDED, [EXTENDED + 8, 0, 0, 0]],
      [EXTENDED + 1, [0, 0, 0, NX]],
      [EXTENDED + 2, packResult(BRAND, 0)],
      [EXTENDED + 3, packResult(BRAND, 16)],
      [EXTENDED + 4, packResult(BRAND, 32)],
      [EXTENDED + 8, [ADDRESS_BITS, 0, 0, 0]],
    ]),
  };
}

const COMMON =
  FEATURE.fpu |
  FEATURE.pse |
  FEATURE.tsc |
  FEATURE.pae |
  FEATURE.cx8 |
  FEATURE.pge |
  FEATURE.cmov |
  FEATURE.clflush |
  FEATURE.mmx |
  FEATURE.fxsr |
  FEATURE.sse |
  FEATURE.sse2;

/** For the lguest board: no SEP and no MSR, which do not work there although user space sees the raw bits. */
export const LGUEST_MODEL: ProcessorModel = describeProcessor('lguest', UNKNOWN, COMMON);
/** For the pc board, where the guest has ring 0. */
export const PC_MODEL: ProcessorModel = describeProcessor('pc', NEHALEM, COMMON | FEATURE.msr | FEATURE.sep);

/** Result of a leaf: beyond the last basic leaf that of the last one, other unknown leaves zero. */
export function readCpuid(model: ProcessorModel, leaf: number): CpuidResult {
  leaf >>>= 0;
  const { leaves } = model;
  const known = leaves.get(leaf);
  if (known !== undefined) return known;
  if (leaf >= EXTENDED && leaf <= leaves.get(EXTENDED)![0]) return [0, 0, 0, 0];
  return leaves.get(leaves.get(0)![0])!;
}

function cpuid(cpu: CpuContext): void {
  const { registers } = cpu.state;
  const [eax, ebx, ecx, edx] = readCpuid(cpu.model, registers[EAX]!);
  registers[EAX] = eax;
  registers[EBX] = ebx;
  registers[ECX] = ecx;
  registers[EDX] = edx;
}

export const cpuidHelpers = { cpuid } as const satisfies Record<string, Helper>;
