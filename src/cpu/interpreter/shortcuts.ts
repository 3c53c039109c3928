import { CS, DS, ES, FS, GS, SS, STATE, TLB_PAGE, TLB_PAGES } from '../../memory/layout.js';
import { Code, I32 } from '../../wasm/code.js';
import type { ModuleBuilder } from '../../wasm/module.js';
import { type Local, type Operand, RoutineBuilder } from '../../wasm/routine.js';
import { MODE } from '../decoder.js';
import { DESCRIPTOR, FLAT } from '../descriptors.js';
import { ARITHMETIC_FLAGS, CR0, ECX, EDX, ESP, FLAG } from '../state.js';
import {
  ACCESS,
  ALL_BYTES,
  BASE,
  demandFlat,
  demandState,
  demandUsual,
  descriptorOf,
  flatAccess,
  hostOf,
  LIMIT,
  register,
  SELECTOR,
  segment,
  setFlat,
  setLevel,
} from './flat-state.js';
import { softwareInterrupt } from './gates.js';
import { addHypercall } from './hypercalls.js';
import { forgetPage } from './tlb-forget.js';

/**
 * The usual ways into a kernel and back, and loads of segment registers on them: functions (a, b) → done, of the same
 * name and arguments as a helper and called before it, by both tiers. They do what the helper would do if all is as it
 * is in a system of flat segments: protected mode of 32 bits, no TF, AC, NT or VM, what is read in the TLB. Otherwise
 * they return 0 and have changed nothing.
 *
 * They keep the decoding mode as it is, and what TypeScript knows of EFLAGS (`Processor.updateMode`).
 */
export const SHORTCUTS = [
  'loadSegment',
  'sysenter',
  'sysexit',
  'interruptReturn',
  'softwareInterrupt',
  'invlpg',
  'hypercall',
] as const;
export type Shortcut = (typeof SHORTCUTS)[number];

/** The shortcut of a helper, if it has one. */
export function shortcutOf(helper: string): Shortcut | undefined {
  return SHORTCUTS.find((name) => name === helper);
}

/** Those that change nothing but segment registers. */
export function loadsSegment(shortcut: Shortcut): boolean {
  return shortcut === 'loadSegment';
}

/** Adds the functions to the interpreter's module, and exports them. Returns their indices. */
export function addShortcuts(
  module: ModuleBuilder,
  { enterHandler, fill }: { enterHandler: number; fill: number },
): Record<Shortcut, number> {
  const serve = addHypercall(module, fill);
  const emitters: Record<Shortcut, (r: RoutineBuilder) => void> = {
    ...{ loadSegment, sysenter, sysexit, interruptReturn, invlpg },
    softwareInterrupt: (r) => softwareInterrupt(r, enterHandler, serve),
    hypercall: (r) => r.returnIf(r.isZero(r.call(serve, I32, r.parameters[0]!)), 0),
  };
  const indices = {} as Record<Shortcut, number>;
  for (const name of SHORTCUTS) {
    const code = new Code();
    const r = new RoutineBuilder(code, [I32, I32]);
    emitters[name](r);
    r.push(1);
    indices[name] = module.addFunction([I32, I32], [I32], r.localRuns(), code.bytes());
    module.exportFunction(name, indices[name]);
  }
  return indices;
}

/** Of a descriptor's high word: present, ordinary, accessed data that does not expand down. */
const DATA_MASK = 0x9d00;
const DATA = 0x9100;

const IRET_FLAGS = 0x3f_7fd5 & ~(FLAG.VM | FLAG.RF);
/** Those that IRET changes at rings above 0, with IOPL 0. */
const OUTER_IRET_FLAGS = IRET_FLAGS & ~(FLAG.IF | FLAG.IOPL | FLAG.VIF | FLAG.VIP);

/** (segment register, selector): DS, ES, FS, GS with data, or FS and GS with nothing. */
function loadSegment(r: RoutineBuilder): void {
  const [index, whole] = r.parameters as [Local, Local];
  const selector = r.and(whole, 0xffff);
  r.returnIf(r.eq(index, SS), 0);
  demandState(r, STATE.cr0, CR0.PE, CR0.PE);
  demandState(r, STATE.eflags, FLAG.VM, 0);
  const at = r.shl(index, 4);
  const flatAt = r.shl(index, 2);
  const others = r.ltU(index, FS);
  r.when(r.isZero(r.and(selector, 0xfffc)), () => {
    r.returnIf(others, 0);
    for (const part of [BASE, LIMIT, ACCESS]) r.storeAt(at, 0, STATE.segments + part);
    r.storeAt(at, selector, STATE.segments + SELECTOR);
    r.storeAt(flatAt, 0, STATE.segmentFlat);
    r.return(1);
  });
  const descriptor = descriptorOf(r, selector);
  const low = r.loadAt(descriptor, 0);
  const high = r.loadAt(descriptor, 4);
  r.returnIf(r.ne(r.and(high, DATA_MASK), DATA), 0);
  const level = r.and(r.shrU(high, 13), 3);
  r.returnIf(r.ltU(level, r.load(I32, STATE.cpl)), 0);
  r.returnIf(r.ltU(level, r.and(selector, 3)), 0);
  const base = r.or(r.or(r.and(high, 0xff00_0000), r.shl(r.and(high, 0xff), 16)), r.shrU(low, 16));
  const short = r.or(r.and(high, 0xf_0000), r.and(low, 0xffff));
  const limit = r.select(r.and(high, DESCRIPTOR.granular), r.or(r.shl(short, 12), 0xfff), short);
  const flat = r.and(r.eq(limit, ALL_BYTES), r.ne(r.and(high, DESCRIPTOR.readableOrWritable), 0));
  // Of DS and ES the decoding mode depends.
  r.when(others, () => {
    demandState(r, STATE.codeKey, MODE.flat, MODE.flat);
    r.returnIf(r.or(r.isZero(flat), base), 0);
  });
  r.storeAt(at, base, STATE.segments + BASE);
  r.storeAt(at, limit, STATE.segments + LIMIT);
  r.storeAt(at, r.and(high, DESCRIPTOR.accessMask), STATE.segments + ACCESS);
  r.storeAt(at, selector, STATE.segments + SELECTOR);
  r.storeAt(flatAt, flat, STATE.segmentFlat);
}

function goFlat(r: RoutineBuilder, selector: Local, level: 0 | 3, pointer: Operand, eip: Operand): void {
  const bits = level << 13;
  setFlat(r, SS, r.add(selector, 8), FLAT.dataAccess | bits);
  setFlat(r, CS, selector, FLAT.codeAccess | bits);
  r.store(register(ESP), pointer);
  r.store(STATE.eip, eip);
  setLevel(r, level);
}

/** SYSENTER_CS. */
function sysenterCode(r: RoutineBuilder): Local {
  const selector = r.and(r.load(I32, STATE.sysenterCs), 0xfffc);
  r.returnIf(r.isZero(selector), 0);
  return selector;
}

function sysenter(r: RoutineBuilder): void {
  demandUsual(r);
  demandFlat(r);
  const selector = sysenterCode(r);
  r.store(STATE.eflags, r.and(r.load(I32, STATE.eflags), ~(FLAG.IF | FLAG.RF)));
  goFlat(r, selector, 0, r.load(I32, STATE.sysenterEsp), r.load(I32, STATE.sysenterEip));
}

function sysexit(r: RoutineBuilder): void {
  demandUsual(r);
  demandFlat(r);
  demandState(r, STATE.cpl, ALL_BYTES, 0);
  const selector = r.add(r.or(sysenterCode(r), 3), 16);
  goFlat(r, selector, 3, r.load(I32, register(ECX)), r.load(I32, register(EDX)));
}

/** (operand size): of 32 bits, from a kernel's ring, 0 or (on the lguest board) 1, while no interrupt waits. */
function interruptReturn(r: RoutineBuilder): void {
  const [size] = r.parameters as [Local, Local];
  r.returnIf(r.ne(size, 32), 0);
  demandUsual(r);
  demandFlat(r);
  demandState(r, STATE.interruptRequested, ALL_BYTES, 0);
  const from = r.load(I32, STATE.cpl);
  r.when(from, () => {
    r.returnIf(r.ne(from, 1), 0);
    demandState(r, STATE.eflags, FLAG.IOPL, 0);
  });
  const pointer = r.load(I32, register(ESP));
  const at = hostOf(r, pointer, 12);
  const eip = r.loadAt(at, 0);
  const selector = r.and(r.loadAt(at, 4), 0xffff);
  const flags = r.loadAt(at, 8);
  r.returnIf(r.and(flags, FLAG.VM | FLAG.TF | FLAG.AC), 0);
  const level = r.and(selector, 3);
  const code = flatAccess(r, selector, FLAT.codeHigh, level);
  r.when(
    r.ne(level, from),
    () => {
      r.returnIf(r.ne(level, 3), 0);
      const outer = hostOf(r, r.add(pointer, 12), 8);
      const outerPointer = r.loadAt(outer, 0);
      const stack = r.and(r.loadAt(outer, 4), 0xffff);
      r.returnIf(r.ne(r.and(stack, 3), 3), 0);
      const access = flatAccess(r, stack, FLAT.dataHigh, 3);
      // A less privileged level must not keep them: the helper takes them away.
      for (const index of [ES, DS, FS, GS]) {
        const kept = r.load(I32, segment(index) + ACCESS);
        r.returnIf(r.and(r.ne(kept, 0), r.ne(r.and(kept, 3 << 13), 3 << 13)), 0);
      }
      r.store(register(ESP), outerPointer);
      setFlat(r, SS, stack, access);
      setLevel(r, 3);
    },
    () => r.store(register(ESP), r.add(pointer, 12)),
  );
  setFlat(r, CS, selector, code);
  r.store(STATE.eip, eip);
  setFlags(r, flags, r.select(from, OUTER_IRET_FLAGS, IRET_FLAGS));
}

/** (linear address): of pages that no code has come from, behind which the code's epoch would end. */
function invlpg(r: RoutineBuilder): void {
  const [linear] = r.parameters as [Local, Local];
  demandState(r, STATE.cpl, ALL_BYTES, 0);
  const page = r.shrU(linear, 12);
  r.returnIf(r.and(r.loadByteAt(page, TLB_PAGES), TLB_PAGE.supervisorCode | TLB_PAGE.userCode), 0);
  forgetPage(r, page);
}

/** As `CpuState.eflags`, for the flags that IRET loads, of which it changes some. */
function setFlags(r: RoutineBuilder, flags: Local, changed: Local): void {
  const kept = r.and(r.load(I32, STATE.eflags), r.xor(r.or(changed, FLAG.RF), -1));
  r.store(STATE.eflags, r.or(kept, r.or(r.and(r.and(flags, changed), ~ARITHMETIC_FLAGS), 2)));
  r.store(STATE.direction, r.select(r.and(flags, FLAG.DF), -1, 1));
  r.store(STATE.flagsResult, r.select(r.and(flags, FLAG.ZF), 0, 0x100));
  const carry = r.and(flags, 1);
  const overflow = r.and(r.shrU(flags, 11), 1);
  const aux = r.or(r.shl(carry, 31), r.shl(r.xor(carry, overflow), 30));
  const low = r.or(r.shrU(r.and(flags, FLAG.AF), 1), r.and(r.shrU(flags, 7), 1));
  r.store(STATE.flagsAux, r.or(r.or(aux, low), r.select(r.and(flags, FLAG.PF), 0, 0x100)));
}
