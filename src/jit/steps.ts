import type { Shortcut } from '../cpu/interpreter/shortcuts.js';
import type { StringRun } from '../cpu/interpreter/string-runs.js';
import type { Size, StateField } from '../isa/builder.js';
import type { X87RoutineName } from '../isa/x87-stack.js';
import { STATE } from '../memory/layout.js';
import type { FlagSource } from './flag-conditions.js';
import type { LinearForm } from './linear-form.js';
import type { Node } from './node.js';

/** What a block does in order: everything but pure computation. */
export type Step =
  | CallStep
  | TrustStep
  | DistrustStep
  | ConvertStep
  | HelperStep
  | BehindStep
  | LoadBudgetStep
  | KeepStep
  | LoadStateStep
  | StoreStateStep
  | StackStep
  | AccessStep
  | LoadStep
  | StoreStep
  | StoredStep
  | LeaveStep
  | BranchStep
  | ShortcutStep
  | StringRunStep;

/** Bits of an access. */
export type AccessSize = Size | 64 | 128;

/** The variables of a region: EAX … EDI, the two flag words, and what the x87 has besides its registers. */
export const FLAGS_RESULT = 8;
export const FLAGS_AUX = 9;
export const FPU_TOP = 10;
export const FPU_TAG = 11;
export const FPU_STATUS = 12;
export const FPU_IP = 13;
export const FPU_CS = 14;
export const FPU_DP = 15;
export const FPU_DS = 16;
/** Vectors: XMM0 … XMM7. */
export const FIRST_VECTOR = 17;
const VECTORS = 8;
export const VARIABLES = FIRST_VECTOR + VECTORS;
/** Further locals, which are not in the state: operands of the instruction that set the flags (`deferred-flags.ts`). */
export const FLAGS_X = VARIABLES;
export const FLAGS_Y = VARIABLES + 1;
export const EXTENDED = VARIABLES + 2;

const STATE_OFFSETS: readonly number[] = [
  ...Array.from({ length: FLAGS_RESULT }, (_, register) => STATE.registers + 4 * register),
  STATE.flagsResult,
  STATE.flagsAux,
  STATE.fpuTop,
  STATE.fpuTag,
  STATE.fpuStatus,
  STATE.fpuIp,
  STATE.fpuCs,
  STATE.fpuDp,
  STATE.fpuDs,
];

/** Fields of the state that are variables. */
export const VARIABLE_OF: ReadonlyMap<StateField, number> = new Map([
  ['flagsResult', FLAGS_RESULT],
  ['flagsAux', FLAGS_AUX],
  ['fpuTop', FPU_TOP],
  ['fpuTag', FPU_TAG],
  ['fpuStatus', FPU_STATUS],
]);

/** Locals of a region's function. */
export const LOCAL = {
  /** Parameter: how many calls of regions are under way. */
  depth: 0,
  variables: 1,
  budget: 1 + EXTENDED,
  /** Where the region is left, from its entry on; why, and before how many instructions (`RegionEmitter.leave`). */
  leaveOffset: 2 + EXTENDED,
  leave: 3 + EXTENDED,
  nextEip: 4 + EXTENDED,
} as const;
/** Accesses further apart than this get checks of their own: one check for all of them would often cross a page. */
export const LARGEST_SPAN = 128;
/** No check for several accesses. */
export const SMALLEST_SPAN = 4;

/** Where an instruction stands, for steps that may leave before it. */
export interface Place {
  readonly eip: number;
  /** Instructions of the block from this one on. */
  remaining: number;
  /** Variables when the instruction begins. */
  readonly variables: readonly Node[];
  /** Changes of x87 registers so far, which are yet to be stored. */
  readonly stores: readonly StoreStateStep[];
  /** What the flags are those of then, if that is a sum or difference in this block. */
  readonly flags: FlagSource | undefined;
}

/** Where a variable lives in the state. */
export function stateOffset(variable: number): number {
  if (variable >= FIRST_VECTOR) return STATE.xmm + 16 * (variable - FIRST_VECTOR);
  return STATE_OFFSETS[variable]!;
}

/** Why a region leaves before an instruction (`TRANSLATED.exits`); further ones are instructions (`LeaveCounts`). */
export const LEAVE = {
  /** A read that misses the TLB, crosses a page or is memory-mapped. */
  read: 0,
  /** The same for writes; also pages with code. */
  write: 1,
  /** The instructions left are too few for the way to the next check. */
  budget: 2,
  /** A fault, or a segment that needs checks. */
  fault: 3,
  /** Floating-point numbers that are not as has been taken for granted. */
  numbers: 4,
} as const;

/** Computes a value for later. */
interface KeepStep {
  readonly kind: 'keep';
  readonly node: Node;
}
interface LoadStateStep {
  readonly kind: 'loadState';
  readonly result: Node;
  /** Added to the offset. */
  readonly base?: Node;
  readonly offset: number;
  readonly size: AccessSize;
}
export interface StoreStateStep {
  readonly kind: 'storeState';
  readonly base?: Node;
  readonly offset: number;
  readonly size: AccessSize;
  readonly value: Node;
}

/** What is required of the x87's registers: bit n for the one at n places above where ST(0) was at first. */
export interface StackRequirement {
  full: number;
  empty: number;
}
/** Leaves unless the registers are as required by this instruction and those behind it. */
interface StackStep {
  readonly kind: 'stack';
  /** Tags with that register's in the lowest bits. */
  readonly tags: Node;
  readonly requirement: StackRequirement;
  readonly reason: number;
  readonly place: Place;
}
/**
 * Finds out whether usual cases of x87 arithmetic may be tried: then the result is negative (`cpu/x87-unit/usual.ts`).
 * Unlike other results it changes later, where a value turns up that is not to be trusted.
 */
export interface TrustStep {
  readonly kind: 'trust';
  readonly result: Node;
  /** Not negative; zero if there are none. */
  readonly doubts: Node;
  /** What was found out before. */
  readonly before: Node | undefined;
}
/** The value may be anything. */
export interface DistrustStep {
  readonly kind: 'distrust';
  readonly trust: Node;
  readonly significand: Node;
  readonly exponent: Node;
}
/** Makes a register value of a single (i32) or double (i64); leaves at what is neither normal nor zero. */
export interface ConvertStep {
  readonly kind: 'convert';
  readonly format: 'single' | 'double';
  readonly bits: Node;
  readonly significand: Node;
  readonly exponent: Node;
  readonly reason: number;
  readonly place: Place;
}
/** Runs a routine of the x87's arithmetic, which depends on nothing but its arguments and the control word. */
export interface CallStep {
  readonly kind: 'call';
  readonly routine: X87RoutineName;
  readonly args: readonly Node[];
  /** Significand and exponent, or bits, or nothing; then flags as in the status word. */
  readonly results: readonly Node[];
  /** Of a `TrustStep`, where the routine has a usual case. */
  readonly trust: Node | undefined;
}

/**
 * Accesses with the same base that share one check: bytes `[root + least, root + least + span)` are on one page.
 * The check is where the first of them is.
 */
export interface AccessGroup {
  /** Undefined: addresses are constants. */
  readonly root: Node | undefined;
  /** The root as a sum. */
  readonly form: LinearForm;
  least: number;
  span: number;
  write: boolean;
  /** Local with the host address of `root + least` less `hostBias`, once checked. */
  host: number;
  hostBias: number;
  /** Blocks behind this one have groups that share its check: the local is for nothing else. */
  shared: boolean;
  /** Which of the locals for that it is (`shared-hosts.ts`). */
  hostNumber: number;
  /** Checked in a block before: that one's root is this one's and so many bytes (`shared-checks.ts`). */
  sharedWith: AccessGroup | undefined;
  sharedOffset: number;
}
/** Whether the group could be widened to these bytes. */
export function within(group: AccessGroup, offset: number, bytes: number, largestSpan: number): boolean {
  const least = Math.min(group.least, offset);
  const span = Math.max(group.least + group.span, offset + bytes) - least;
  return span <= largestSpan || (largestSpan > SMALLEST_SPAN && isOnOnePage(group, least, span));
}
/** Whether bytes of a group are known to be on one page, since it needs no check to say where they are. */
export function isOnOnePage({ root }: AccessGroup, least: number, span: number): boolean {
  return !root && (least & 0xfff) + span <= 0x1000;
}
/** Checks a group unless that has been done. */
interface AccessStep {
  readonly kind: 'access';
  readonly group: AccessGroup;
  readonly place: Place;
}
export interface LoadStep {
  readonly kind: 'load';
  readonly result: Node;
  readonly group: AccessGroup;
  readonly offset: number;
  readonly size: AccessSize;
}
export interface StoreStep {
  readonly kind: 'store';
  readonly group: AccessGroup;
  readonly offset: number;
  readonly size: AccessSize;
  readonly value: Node;
}
/** The result is 0, but not before what a store of the group has written is in the cache (`store-pacing.ts`). */
export interface StoredStep {
  readonly kind: 'stored';
  readonly result: Node;
  readonly group: AccessGroup;
  readonly offset: number;
  readonly size: AccessSize;
}
/** Instructions left behind the block. */
interface LoadBudgetStep {
  readonly kind: 'loadBudget';
  readonly result: Node;
}
/** Calls a TypeScript helper, with all variables in the state, and leaves if it says so (`LEAVE_REGION`). */
export interface HelperStep {
  readonly kind: 'helper';
  readonly result: Node;
  readonly helper: number;
  /** Is tried before. */
  readonly shortcut: Shortcut | undefined;
  readonly args: readonly Node[];
  readonly place: Place;
  readonly next: number;
  /** Values of the variables then. */
  readonly variables: readonly Node[];
  /** The instruction does nothing more. */
  last: boolean;
  /** It may have changed EIP, or what runs at all, and says nothing of that: the region is left then. */
  resumes: boolean;
}
/** At the end of an instruction with a helper: leaves if that has said so. */
export interface BehindStep {
  readonly kind: 'behind';
  /** Values of the variables then. */
  readonly variables: readonly Node[];
}
/** Calls `STRING_RUNS[operation]`; the registers are in the state. */
interface StringRunStep {
  readonly kind: 'stringRun';
  readonly operation: StringRun;
  readonly parameter: number;
  readonly result: Node;
}
/** Calls a shortcut that touches no variables. */
interface ShortcutStep {
  readonly kind: 'shortcut';
  readonly shortcut: Shortcut;
  readonly args: readonly Node[];
  readonly result: Node;
}
/** Leaves before the instruction, if `condition` is not zero. */
interface LeaveStep {
  readonly kind: 'leave';
  readonly condition: Node;
  readonly reason: number;
  readonly place: Place;
}
interface BranchStep {
  readonly kind: 'branch';
  readonly condition: Node;
  readonly taken: readonly Step[];
  readonly otherwise: readonly Step[];
  /** Variables that differ behind the arms: `result` is what they were in the arm taken. */
  readonly merges: readonly { readonly result: Node; readonly taken: Node; readonly otherwise: Node }[];
}

/** Whether a step leaves to its place in some case. */
export function mayLeave(step: Step): step is Extract<Step, { readonly place: Place; readonly kind: LeavingKind }> {
  return step.kind === 'access' || step.kind === 'leave' || step.kind === 'stack' || step.kind === 'convert';
}
type LeavingKind = 'access' | 'leave' | 'stack' | 'convert';
