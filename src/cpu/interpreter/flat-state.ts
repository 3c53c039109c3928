import {
  KEYS,
  SEGMENT,
  STATE,
  TLB_BYTE,
  TLB_INVALID,
  TLB_READ_SUPERVISOR,
  TLB_READ_USER,
  TLB_WRITE_SUPERVISOR,
  TLB_WRITE_USER,
} from '../../memory/layout.js';
import { I32 } from '../../wasm/code.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';
import { DESCRIPTOR, FLAT, HOST_GDT_BYTES, NOT_AVAILABLE_BIT } from '../descriptors.js';
import { CR0, FLAG } from '../state.js';
import { KEY_USER, TRANSLATED_MODE } from '../translator.js';

/**
 * What ways into a kernel and back are made of, in functions that return 0 when something is not as it usually is
 * (shortcuts.ts, gates.ts): flat segments, protected mode of 32 bits, what is read in the TLB.
 */

export const { base: BASE, limit: LIMIT, access: ACCESS, selector: SELECTOR } = SEGMENT;

export const ALL_BYTES = -1;

export const segment = (index: number): number => STATE.segments + SEGMENT.stride * index;
export const register = (index: number): number => STATE.registers + 4 * index;
export function demandState(r: RoutineBuilder, offset: number, mask: number, value: number): void {
  r.returnIf(r.ne(r.and(r.load(I32, offset), mask), value), 0);
}

/** Protected mode without what would have to be looked at. */
export function demandUsual(r: RoutineBuilder): void {
  demandState(r, STATE.cr0, CR0.PE, CR0.PE);
  demandState(r, STATE.eflags, FLAG.VM | FLAG.TF | FLAG.AC | FLAG.NT, 0);
}
export function demandFlat(r: RoutineBuilder): void {
  demandState(r, STATE.codeKey, TRANSLATED_MODE, TRANSLATED_MODE);
}

/** Where `bytes` at `linear` are if a supervisor may read them and they are on one page. */
export function hostOf(r: RoutineBuilder, linear: Operand, bytes: number): Local {
  return hostIn(r, TLB_READ_SUPERVISOR, linear, bytes);
}
/** The same for writing. */
export function hostForWrite(r: RoutineBuilder, linear: Operand, bytes: Operand): Local {
  return hostIn(r, TLB_WRITE_SUPERVISOR, linear, bytes);
}
function hostIn(r: RoutineBuilder, table: number, linear: Operand, bytes: Operand): Local {
  const entry = r.loadAt(r.and(r.shrU(linear, 10), ~3), table);
  const highest = typeof bytes === 'number' ? 0x1000 - bytes : r.sub(0x1000, bytes);
  r.returnIf(r.or(r.eq(entry, TLB_INVALID), r.ltU(highest, r.and(linear, 0xfff))), 0);
  return hostBy(r, entry, linear);
}
/** Where `linear` is, by the valid TLB entry of its page. */
export function hostBy(r: RoutineBuilder, entry: Operand, linear: Operand): Local {
  return r.add(r.add(entry, linear), TLB_BYTE);
}

/** Where the descriptor of a selector is, which is neither null nor in the LDT. */
export function descriptorOf(r: RoutineBuilder, selector: Operand): Local {
  r.returnIf(r.isZero(r.and(selector, 0xfffc)), 0);
  r.returnIf(r.and(selector, 4), 0);
  const offset = r.and(selector, 0xfff8);
  const at = r.variable(I32);
  r.when(
    r.load(I32, STATE.gdtInHost),
    () => {
      r.returnIf(r.ltU(HOST_GDT_BYTES - 8, offset), 0);
      r.assign(at, r.add(offset, STATE.hostGdt));
    },
    () => {
      r.returnIf(r.ltU(r.load(I32, STATE.gdtLimit), r.add(offset, 7)), 0);
      r.assign(at, hostOf(r, r.add(r.load(I32, STATE.gdtBase), offset), 8));
    },
  );
  return at;
}

/** `Segment.access` of the flat segment that the selector names, whose descriptor has to be `kind` at `level`. */
export function flatAccess(r: RoutineBuilder, selector: Operand, kind: number, level: Operand): Local {
  const at = descriptorOf(r, selector);
  const high = r.loadAt(at, 4);
  r.returnIf(r.ne(r.loadAt(at, 0), FLAT.low), 0);
  r.returnIf(r.ne(r.and(high, NOT_AVAILABLE_BIT), r.or(r.shl(level, 13), kind)), 0);
  return r.and(high, DESCRIPTOR.accessMask);
}

export function setFlat(r: RoutineBuilder, index: number, selector: Operand, access: Operand): void {
  r.store(segment(index) + BASE, 0);
  r.store(segment(index) + LIMIT, ALL_BYTES);
  r.store(segment(index) + ACCESS, access);
  r.store(segment(index) + SELECTOR, selector);
  r.store(STATE.segmentFlat + 4 * index, 1);
}

/** As `CpuState.cpl`, with the key of code at that level; the mode is what it was. */
export function setLevel(r: RoutineBuilder, level: 0 | 1 | 3): void {
  const user = level === 3;
  r.store(STATE.cpl, level);
  r.store(STATE.tlbRead, user ? TLB_READ_USER : TLB_READ_SUPERVISOR);
  r.store(STATE.tlbWrite, user ? TLB_WRITE_USER : TLB_WRITE_SUPERVISOR);
  const mode = r.and(r.load(I32, STATE.codeKey), KEY_USER - 1);
  r.store(STATE.codeKey, r.or(r.load(I32, user ? KEYS.user : KEYS.supervisor), mode));
}
