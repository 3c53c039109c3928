import {
  CODE_PAGES,
  CODE_PIECE_SHIFT,
  CODE_PIECES,
  CODE_WRITES,
  CS,
  DIRECT_TRAPS,
  HOST_TRAPS,
  MOST_CODE_WRITES,
  RAM_BASE,
  RUN,
  SS,
  STATE,
  STATUS,
  TLB_INVALID,
  TLB_READ_SUPERVISOR,
  TLB_READ_USER,
  TR,
  TRAP_COUNTS,
} from '../../memory/layout.js';
import { ACCESS_USER } from '../../memory/page-walk.js';
import { Code, I32, I64 } from '../../wasm/code.js';
import type { ModuleBuilder } from '../../wasm/module.js';
import { type Local, type Operand, RoutineBuilder } from '../../wasm/routine.js';
import { FLAT, INTERRUPT_GATE, TRAP_GATE } from '../descriptors.js';
import { PF } from '../faults.js';
import { GUEST_LEVEL, HYPERCALL_VECTOR } from '../lguest-interface.js';
import { ESP, FLAG } from '../state.js';
import {
  ACCESS,
  BASE,
  demandFlat,
  demandState,
  demandUsual,
  flatAccess,
  hostBy,
  hostForWrite,
  hostOf,
  LIMIT,
  register,
  SELECTOR,
  segment,
  setFlat,
  setLevel,
} from './flat-state.js';
import { RECORD } from './record.js';
import { FILL } from './tlb-fill.js';

/** Why a handler is entered: what is pushed, and who may, depends on it. */
export const ENTRY = { external: 0, fault: 1, software: 2 } as const;
/** Instead of an error code: the vector has none. */
export const NO_ERROR_CODE = -1;

/** Of a gate's high word: present, 32 bits, and which of the two it is. Trap gates leave interrupts as they are. */
const GATE_KIND = 0x9f00;
const PRESENT_INTERRUPT_GATE = 0x8000 | (INTERRUPT_GATE << 8);
const TRAP_GATE_BIT = (INTERRUPT_GATE ^ TRAP_GATE) << 8;

/** TSS of 32 bits, busy or not (types 9 and 11), present. */
const TASK_KIND = 0x9d00;
const TASK = 0x8900;

/**
 * Adds the function (vector, error code, return address, one of `ENTRY`) → done: the usual way into a kernel's handler,
 * from ring 3 or 0 to ring 0 through a 32-bit gate of the guest's own IDT. If all is as it usually is the processor is
 * at the handler then; else nothing has changed, and interrupt-delivery.ts, which knows the whole of the architecture,
 * is to do it. The usual ways back are among the shortcuts.
 */
export function addEnterHandler(module: ModuleBuilder): number {
  const parameters = [I32, I32, I32, I32];
  const enterByHost = addEnterByHost(module);
  const code = new Code();
  const r = new RoutineBuilder(code, parameters);
  const [vector, errorCode, eip, kind] = r.parameters as [Local, Local, Local, Local];
  r.when(r.load(I32, STATE.gdtInHost), () => r.return(r.call(enterByHost, I32, vector, errorCode, eip, kind)));
  demandUsual(r);
  demandFlat(r);
  const level = r.load(I32, STATE.cpl);
  const inward = r.ne(level, 0);
  r.returnIf(r.and(inward, r.ne(level, 3)), 0);
  const offset = r.shl(vector, 3);
  r.returnIf(r.ltU(r.load(I32, STATE.idtLimit), r.add(offset, 7)), 0);
  const gate = hostOf(r, r.add(r.load(I32, STATE.idtBase), offset), 8);
  const low = r.loadAt(gate, 0);
  const high = r.loadAt(gate, 4);
  r.returnIf(r.ne(r.and(high, GATE_KIND & ~TRAP_GATE_BIT), PRESENT_INTERRUPT_GATE), 0);
  const forbidden = r.ltU(r.and(r.shrU(high, 13), 3), level);
  r.returnIf(r.and(r.eq(kind, ENTRY.software), forbidden), 0);
  const selector = r.shrU(low, 16);
  const codeAccess = flatAccess(r, selector, FLAT.codeHigh, 0);

  const pointer = r.variable(I32);
  const stackSelector = r.variable(I32);
  const stackAccess = r.variable(I32);
  r.when(
    inward,
    () => {
      demandState(r, segment(TR) + ACCESS, TASK_KIND, TASK);
      r.returnIf(r.ltU(r.load(I32, segment(TR) + LIMIT), 9), 0);
      const task = hostOf(r, r.add(r.load(I32, segment(TR) + BASE), 4), 6);
      r.assign(pointer, r.loadAt(task, 0));
      r.assign(stackSelector, r.loadHalfAt(task, 4));
      r.returnIf(r.and(stackSelector, 3), 0);
      r.assign(stackAccess, flatAccess(r, stackSelector, FLAT.dataHigh, 0));
    },
    () => r.assign(pointer, r.load(I32, register(ESP))),
  );
  const flags = r.or(flagsOf(r), r.select(r.eq(kind, ENTRY.fault), FLAG.RF, 0));
  pushFrame(r, pointer, inward, { errorCode, eip, flags });
  r.when(inward, () => setFlat(r, SS, stackSelector, stackAccess));
  const cleared = r.select(r.and(high, TRAP_GATE_BIT), ~FLAG.RF, ~(FLAG.RF | FLAG.IF));
  r.store(STATE.eflags, r.and(r.load(I32, STATE.eflags), cleared));
  setFlat(r, CS, r.and(selector, ~3), codeAccess);
  r.store(STATE.eip, r.or(r.and(high, 0xffff_0000 | 0), r.and(low, 0xffff)));
  r.when(inward, () => setLevel(r, 0));
  r.push(1);
  return module.addFunction(parameters, [I32], r.localRuns(), code.bytes());
}

/** Linux's system call. */
export const SYSCALL_VECTOR = 0x80;

/**
 * The same on the lguest board, as `Traps.enter` of the Host does it: from ring 3 or 1 to ring 1, through the gates that
 * the Host keeps, with the guest's own interrupt flag in the frame. Of software interrupts it does the system call.
 */
function addEnterByHost(module: ModuleBuilder): number {
  const parameters = [I32, I32, I32, I32];
  const code = new Code();
  const r = new RoutineBuilder(code, parameters);
  const [vector, errorCode, eip, kind] = r.parameters as [Local, Local, Local, Local];
  demandUsual(r);
  demandFlat(r);
  const level = r.load(I32, STATE.cpl);
  const inward = r.eq(level, 3);
  r.returnIf(r.and(r.isZero(inward), r.ne(level, GUEST_LEVEL)), 0);
  const gate = r.loadByteAt(vector, HOST_TRAPS.attributes);
  r.returnIf(r.isZero(gate), 0);
  const forbidden = r.or(r.ne(vector, SYSCALL_VECTOR), r.ltU(r.and(r.shrU(gate, 5), 3), level));
  r.returnIf(r.and(r.eq(kind, ENTRY.software), forbidden), 0);
  const flag = r.load(I32, HOST_TRAPS.interruptFlag);
  r.returnIf(r.isZero(flag), 0);
  for (const word of [flag, r.load(I32, HOST_TRAPS.faultAddress)])
    r.returnIf(r.loadByteAt(r.shrU(r.sub(word, RAM_BASE), 12), CODE_PAGES), 0);
  const selector = r.load(I32, HOST_TRAPS.code);
  const codeAccess = flatAccess(r, selector, FLAT.codeHigh, 1);
  const pointer = r.variable(I32);
  const stackAccess = r.variable(I32);
  const stackSelector = r.load(I32, HOST_TRAPS.stack);
  r.when(
    inward,
    () => {
      r.assign(stackAccess, flatAccess(r, stackSelector, FLAT.dataHigh, 1));
      r.assign(pointer, r.load(I32, HOST_TRAPS.stackPointer));
    },
    () => r.assign(pointer, r.load(I32, register(ESP))),
  );
  const believed = r.or(r.and(r.loadAt(flag, 0), FLAG.IF), ~FLAG.IF);
  pushFrame(r, pointer, inward, { errorCode, eip, flags: r.and(flagsOf(r), believed) });
  r.when(inward, () => setFlat(r, SS, stackSelector, stackAccess));
  r.store(STATE.eflags, r.and(r.load(I32, STATE.eflags), ~FLAG.RF));
  setFlat(r, CS, selector, codeAccess);
  r.store(STATE.eip, r.loadAt(r.shl(vector, 2), HOST_TRAPS.handlers));
  r.when(inward, () => setLevel(r, GUEST_LEVEL));
  r.when(r.eq(r.and(gate, 15), INTERRUPT_GATE), () => r.storeAt(flag, 0, 0));
  r.push(1);
  return module.addFunction(parameters, [I32], r.localRuns(), code.bytes());
}

interface Frame {
  readonly errorCode: Local;
  readonly eip: Local;
  readonly flags: Local;
}

/** Below `pointer`, where the stack is then; with the old one, if the way is `inward`. Returns 0 if it cannot be written. */
function pushFrame(r: RoutineBuilder, pointer: Local, inward: Local, { errorCode, eip, flags }: Frame): void {
  const withCode = r.ne(errorCode, NO_ERROR_CODE);
  const bytes = r.add(r.select(inward, 20, 12), r.shl(withCode, 2));
  const bottom = r.sub(pointer, bytes);
  const at = r.variable(I32);
  r.assign(at, hostForWrite(r, bottom, bytes));
  r.when(withCode, () => {
    r.storeAt(at, errorCode, 0);
    r.assign(at, r.add(at, 4));
  });
  r.storeAt(at, eip, 0);
  r.storeAt(at, r.load(I32, segment(CS) + SELECTOR), 4);
  r.storeAt(at, flags, 8);
  r.when(inward, () => {
    r.storeAt(at, r.load(I32, register(ESP)), 12);
    r.storeAt(at, r.load(I32, segment(SS) + SELECTOR), 16);
  });
  r.store(register(ESP), bottom);
}

/** As `CpuState.eflags`. */
function flagsOf(r: RoutineBuilder): Local {
  const result = r.load(I32, STATE.flagsResult);
  const aux = r.load(I32, STATE.flagsAux);
  const byte = r.and(r.xor(result, r.shrU(aux, 8)), 0xff);
  const half = r.and(r.xor(byte, r.shrU(byte, 4)), 15);
  const parity = r.shl(r.and(r.shrU(0x9669, half), 1), 2);
  const zero = r.select(result, 0, FLAG.ZF);
  const sign = r.shl(r.xor(r.shrU(result, 31), r.and(aux, 1)), 7);
  const overflow = r.shl(r.shrU(r.xor(aux, r.shl(aux, 1)), 31), 11);
  const carries = r.or(r.or(r.shrU(aux, 31), r.shl(r.and(aux, 8), 1)), overflow);
  return r.or(r.load(I32, STATE.eflags), r.or(r.or(parity, zero), r.or(sign, carries)));
}

/** INT n as a shortcut (vector, return address). `hypercall`: see hypercalls.ts. */
export function softwareInterrupt(r: RoutineBuilder, enterHandler: number, hypercall: number): void {
  const [vector, next] = r.parameters as [Local, Local];
  r.when(r.eq(vector, HYPERCALL_VECTOR), () => r.return(r.call(hypercall, I32, next)));
  r.returnIf(r.isZero(r.load(I32, DIRECT_TRAPS)), 0);
  r.returnIf(r.isZero(r.call(enterHandler, I32, vector, NO_ERROR_CODE, next, ENTRY.software)), 0);
  noteDelivery(r, vector);
}

/** The board would count it; and the instruction behind an STI is not the next any more. */
function noteDelivery(r: RoutineBuilder, vector: Operand): void {
  const counter = r.shl(vector, 2);
  for (const counts of [TRAP_COUNTS, HOST_TRAPS.reflected])
    r.storeAt(counter, r.add(r.loadAt(counter, counts), 1), counts);
  r.store(STATE.shadowBudget, 0);
}

/** What `resolve` answers when it is not an address in linear memory. */
export const RESOLVED = {
  /** TypeScript is to be asked. */
  unknown: 0,
  /** A page fault was delivered: the processor is at the handler, `STATE.status` is `STATUS.delivered`. */
  fault: 1,
} as const;

/** What `resolve` calls. */
interface Callees {
  readonly fill: number;
  readonly enterHandler: number;
}

/**
 * Adds the function (linear, `ACCESS_READ` or `ACCESS_WRITE`, bytes, record) → where that is in linear memory, or
 * `RESOLVED`. It fills the TLB if need be. Page faults are delivered, by the same rules and at the same cost as in
 * `Processor.run`, if that may be and all is as it usually is.
 */
export function addResolve(module: ModuleBuilder, callees: Callees): number {
  const parameters = [I32, I32, I32, I32];
  const code = new Code();
  const r = new RoutineBuilder(code, parameters);
  const [linear, access, bytes, record] = r.parameters as [Local, Local, Local, Local];
  r.returnIf(r.ltU(r.sub(0x1000, bytes), r.and(linear, 0xfff)), RESOLVED.unknown);
  const table = r.load(I32, STATE.tlbRead);
  const chosen = r.select(access, r.load(I32, STATE.tlbWrite), table);
  const at = r.add(chosen, r.and(r.shrU(linear, 10), ~3));
  const known = r.loadAt(at, 0);
  r.when(r.ne(known, TLB_INVALID), () => r.return(hostBy(r, known, linear)));
  const who = r.or(access, r.select(r.eq(table, TLB_READ_USER), ACCESS_USER, 0));
  const filled = r.call(callees.fill, I32, linear, who);
  r.when(r.eq(filled, FILL.done), () => {
    const entry = r.loadAt(at, 0);
    r.when(r.ne(entry, TLB_INVALID), () => r.return(hostBy(r, entry, linear)));
    // It may be written, and code is on its page: else it would be in the table.
    r.return(besideCode(r, linear, bytes));
  });
  r.returnIf(r.eq(filled, FILL.unusual), RESOLVED.unknown);
  deliverPageFault(r, linear, filled, record, callees);
  r.push(RESOLVED.fault);
  return module.addFunction(parameters, [I32], r.localRuns(), code.bytes());
}

/**
 * Where `bytes` are that may be written, on a page that the TLB has; or `RESOLVED.unknown` if code may have come from
 * them. As `GuestMemory.touched`.
 */
function besideCode(r: RoutineBuilder, linear: Local, bytes: Local): Local {
  const host = hostBy(r, r.loadAt(r.and(r.shrU(linear, 10), ~3), TLB_READ_SUPERVISOR), linear);
  const first = r.sub(host, RAM_BASE);
  const isCode = (gpa: Local): Local => {
    const piece = r.shrU(gpa, CODE_PIECE_SHIFT);
    return r.and(r.shrU(r.loadByteAt(r.shrU(piece, 3), CODE_PIECES), r.and(piece, 7)), 1);
  };
  // They are fewer than those of a piece.
  r.returnIf(r.or(isCode(first), isCode(r.add(first, r.sub(bytes, 1)))), RESOLVED.unknown);
  const page = r.shrU(first, 12);
  const writes = r.loadByteAt(page, CODE_WRITES);
  r.storeByteAt(page, r.add(writes, r.ne(writes, MOST_CODE_WRITES)), CODE_WRITES);
  return host;
}

function deliverPageFault(r: RoutineBuilder, linear: Local, errorCode: Local, record: Local, callees: Callees): void {
  r.returnIf(r.isZero(r.load(I32, DIRECT_TRAPS)), RESOLVED.unknown);
  // As `Processor.faultAt`: neither the instruction nor those behind it in the block have run.
  const budget = r.add(r.load(I32, STATE.budget), r.loadHalfAt(record, RECORD.remaining));
  // As `Processor.chargeTrap`.
  const used = r.sub(r.load(I32, RUN.chunk), budget);
  const now = r.addReal(r.loadReal(0, STATE.retired), r.realFromU(r.toWide(used)));
  const again = r.eq(r.bitsOfReal(now), r.load(I64, STATE.trappedAt));
  r.returnIf(r.and(again, r.isZero(budget)), RESOLVED.unknown);
  const eip = r.add(r.load(I32, STATE.blockEip), r.loadHalfAt(record, RECORD.start));
  const entered = r.call(callees.enterHandler, I32, PF, errorCode, eip, ENTRY.fault);
  r.returnIf(r.isZero(entered), RESOLVED.unknown);
  r.when(
    r.load(I32, STATE.gdtInHost),
    () => r.storeAt(r.load(I32, HOST_TRAPS.faultAddress), linear, 0),
    () => r.store(STATE.cr2, linear),
  );
  noteDelivery(r, PF);
  r.store(STATE.budget, r.sub(budget, again));
  r.store(STATE.trappedAt, r.bitsOfReal(r.addReal(now, r.realFromU(r.toWide(again)))));
  r.store(STATE.status, STATUS.delivered);
}
