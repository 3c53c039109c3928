import {
  CALLED,
  CODE_PAGES,
  CS,
  DS,
  ES,
  FS,
  GS,
  HOST_CALLS,
  HOST_TRAPS,
  RAM_BASE,
  SS,
  STATE,
  TLB_INVALID,
  TLB_WRITE_SUPERVISOR,
  WALKER,
} from '../../memory/layout.js';
import { ACCESS_WRITE, PAGING, PTE } from '../../memory/page-walk.js';
import { Code, I32, I64 } from '../../wasm/code.js';
import type { ModuleBuilder } from '../../wasm/module.js';
import { type Local, RoutineBuilder } from '../../wasm/routine.js';
import { CALL, GUEST_LEVEL, RING_FREE, RING_SLOTS, TLS_ENTRIES, TLS_ENTRY } from '../lguest-interface.js';
import { CR0, CR4, EAX, EBX, ECX, EDX } from '../state.js';
import { demandState, ALL_BYTES, register, SELECTOR, segment } from './flat-state.js';
import { FILL, FILL_MARKED } from './tlb-fill.js';
import { demandEpochs, endEpochs, forgetLocal, forgetPage } from './tlb-forget.js';

/**
 * Adds the function (address behind the instruction) → done: a hypercall of an lguest guest as `LguestHost` would serve
 * it, what waits in the ring first. It does what is about page tables, the kernel's stack, thread-local storage and the
 * task-switched flag, as these calls usually are; what is not done is the Host's. That may be after some calls from the
 * ring, which are out of it then.
 */
export function addHypercall(module: ModuleBuilder, fill: number): number {
  const serve = addServe(module, fill);
  const code = new Code();
  const r = new RoutineBuilder(code, [I32]);
  const [next] = r.parameters as [Local];
  r.returnIf(r.isZero(r.load(I32, HOST_CALLS.direct)), 0);
  demandState(r, HOST_CALLS.pendingInterrupts, ALL_BYTES, 0);
  demandState(r, STATE.cpl, ALL_BYTES, GUEST_LEVEL);
  demandEpochs(r);
  const done = (kind: number, call: Local): void => {
    const counts = kind === CALLED.throughRing ? HOST_CALLS.ringCounts : HOST_CALLS.counts;
    const counter = r.shl(call, 2);
    r.storeAt(counter, r.add(r.loadAt(counter, counts), 1), counts);
    r.store(HOST_CALLS.lastNumber, call);
    r.store(HOST_CALLS.lastWay, kind);
    r.store(HOST_CALLS.lastEip, next);
  };
  const status = r.load(I32, HOST_CALLS.ringStatus);
  const slot = r.load(I32, HOST_CALLS.ringNext);
  r.when(r.ne(r.loadByteAt(r.add(status, slot), 0), RING_FREE), () => {
    const [entries, bytes] = [r.load(I32, HOST_CALLS.ringEntries), r.load(I32, HOST_CALLS.ringEntryBytes)];
    const rounds = r.variable(I32);
    r.assign(rounds, RING_SLOTS);
    r.loop(() => {
      const at = r.add(status, slot);
      const entry = r.add(entries, r.mul(slot, bytes));
      r.returnIf(r.loadByteAt(r.shrU(r.sub(at, RAM_BASE), 12), CODE_PAGES), 0);
      const [call, ...args] = [0, 4, 8, 12].map((offset) => r.loadAt(entry, offset)) as [Local, Local, Local, Local];
      r.returnIf(r.isZero(r.call(serve, I32, call, ...args)), 0);
      done(CALLED.throughRing, call);
      r.assign(slot, r.and(r.add(slot, 1), RING_SLOTS - 1));
      r.store(HOST_CALLS.ringNext, slot);
      r.storeByteAt(at, RING_FREE, 0);
      r.assign(rounds, r.sub(rounds, 1));
      return r.and(r.ne(rounds, 0), r.ne(r.loadByteAt(r.add(status, slot), 0), RING_FREE));
    });
  });
  const [call, ...args] = [EAX, EBX, ECX, EDX].map((n) => r.load(I32, register(n))) as [Local, Local, Local, Local];
  r.returnIf(r.isZero(r.call(serve, I32, call, ...args)), 0);
  done(CALLED.byInstruction, call);
  r.store(STATE.eip, next);
  r.push(1);
  return module.addFunction([I32], [I32], r.localRuns(), code.bytes());
}

/** Adds the function (number, arguments) → done. If not nothing has changed. */
function addServe(module: ModuleBuilder, fill: number): number {
  const parameters = [I32, I32, I32, I32];
  const code = new Code();
  const r = new RoutineBuilder(code, parameters);
  const [call, first, second, third] = r.parameters as [Local, Local, Local, Local];
  const calls: readonly (readonly [number, () => void])[] = [
    [CALL.setPte, () => setPte(r, first, second, third, fill)],
    [CALL.flushAsync, () => {}],
    [CALL.newPageTable, () => newPageTable(r, first)],
    [CALL.setStack, () => setStack(r, first, second, third, fill)],
    [CALL.loadTls, () => loadTls(r, first)],
    [CALL.flushTlb, () => flushTlb(r, first)],
    [CALL.taskSwitched, () => setTaskSwitched(r, first)],
    [CALL.setDirectoryEntry, () => setDirectoryEntry(r, first, second)],
  ];
  for (const [number, emit] of calls)
    r.when(r.eq(call, number), () => {
      emit();
      r.return(1);
    });
  r.push(0);
  return module.addFunction(parameters, [I32], r.localRuns(), code.bytes());
}

/**
 * `PageTables.setPte`. The guest says what the entry is now: a program's page that the kernel has just given it is
 * entered at once, as the original's Host did. That entry has its bits already; where it lacks them it is left alone.
 */
function setPte(r: RoutineBuilder, root: Local, linear: Local, entry: Local, fill: number): void {
  const kernel = r.ltU(r.load(I32, WALKER.globalBehind), linear);
  r.when(r.or(kernel, r.eq(root, r.load(I32, WALKER.root))), () => {
    endEpochs(r, forgetPage(r, r.shrU(linear, 12)));
    const ready = r.eq(r.and(entry, PTE.present | PTE.accessed | PTE.user), PTE.present | PTE.accessed | PTE.user);
    r.when(r.and(ready, r.isZero(kernel)), () => {
      r.call(fill, I32, linear, FILL_MARKED);
    });
  });
}

/** `PageTables.newPageTable`, between directories of one kind whose kernel parts are the same. */
function newPageTable(r: RoutineBuilder, root: Local): void {
  const mode = demandTables(r);
  const pae = r.eq(mode, PAGING.pae);
  r.returnIf(r.and(root, r.select(pae, 0x1f, 0xfff)), 0);
  const frames = r.load(I32, WALKER.frameLimit);
  const old = r.load(I32, WALKER.root);
  for (const directory of [root, old]) r.returnIf(r.isZero(r.ltU(r.shrU(directory, 12), frames)), 0);
  const kernelAddress = r.add(r.load(I32, WALKER.globalBehind), 1);
  const offset = r.variable(I32);
  r.assign(offset, r.shl(r.select(pae, r.shrU(kernelAddress, 30), r.shrU(kernelAddress, 23)), 3));
  const end = r.select(pae, 32, 4096);
  r.when(r.ne(old, root), () => {
    const [here, there] = [r.add(old, RAM_BASE), r.add(root, RAM_BASE)];
    const kept =
      ~BigInt(PTE.accessed | PTE.dirty) & 0xffff_ffff_ffff_ffffn & ~(BigInt(PTE.accessed | PTE.dirty) << 32n);
    r.loop(() => {
      const [one, other] = [r.loadAt(r.add(here, offset), 0, I64), r.loadAt(r.add(there, offset), 0, I64)];
      r.returnIf(r.ne(r.and(r.xor(one, other), BigInt.asIntN(64, kept)), 0n), 0);
      r.assign(offset, r.add(offset, 8));
      return r.ltU(offset, end);
    });
  });
  r.store(WALKER.root, root);
  forgetLocal(r);
}

/** `PageTables.flush` of the user part. */
function flushTlb(r: RoutineBuilder, everything: Local): void {
  r.returnIf(everything, 0);
  forgetLocal(r);
}

/** `PageTables.setDirectoryEntry` of the user part. */
function setDirectoryEntry(r: RoutineBuilder, root: Local, index: Local): void {
  const shift = r.select(r.eq(demandTables(r), PAGING.pae), 30, 22);
  const kernel = r.shrU(r.add(r.load(I32, WALKER.globalBehind), 1), shift);
  r.returnIf(r.isZero(r.ltU(index, kernel)), 0);
  r.when(r.eq(root, r.load(I32, WALKER.root)), () => forgetLocal(r));
}

/** Returns 0 while addresses are physical. */
function demandTables(r: RoutineBuilder): Local {
  const mode = r.load(I32, WALKER.mode);
  r.returnIf(r.isZero(mode), 0);
  return mode;
}

/** `Traps.setStack`: its pages become accessed and dirty. */
function setStack(r: RoutineBuilder, selector: Local, pointer: Local, pages: Local, fill: number): void {
  r.returnIf(r.ne(r.and(selector, 3), GUEST_LEVEL), 0);
  r.returnIf(r.ltU(2, pages), 0);
  for (let page = 0; page < 2; page++) {
    r.when(r.ltU(page, pages), () => {
      const linear = r.sub(pointer, 1 + page * 4096);
      const entry = r.loadAt(r.and(r.shrU(linear, 10), ~3), TLB_WRITE_SUPERVISOR);
      r.when(r.eq(entry, TLB_INVALID), () => r.returnIf(r.ne(r.call(fill, I32, linear, ACCESS_WRITE), FILL.done), 0));
    });
  }
  r.store(HOST_TRAPS.stack, selector);
  r.store(HOST_TRAPS.stackPointer, pointer);
  r.store(HOST_CALLS.stackPages, pages);
}

/** `setTaskSwitched`, and `Processor.fpuStateChanged`. */
function setTaskSwitched(r: RoutineBuilder, set: Local): void {
  const cr0 = r.or(r.and(r.load(I32, STATE.cr0), ~CR0.TS), r.select(set, CR0.TS, 0));
  r.store(STATE.cr0, cr0);
  const off = r.ne(r.and(cr0, CR0.TS | CR0.EM), 0);
  const pending = r.ne(r.and(r.load(I32, STATE.fpuStatus), 0x80), 0);
  r.store(STATE.fpuUnavailable, r.or(off, pending));
  r.store(STATE.sseUnavailable, r.or(off, r.isZero(r.and(r.load(I32, STATE.cr4), CR4.OSFXSR))));
}

/** `Segments.loadTls` while no segment register refers to one of the entries. */
function loadTls(r: RoutineBuilder, gpa: Local): void {
  const bytes = 8 * TLS_ENTRIES;
  r.returnIf(r.isZero(r.ltU(r.shrU(gpa, 12), r.load(I32, WALKER.frameLimit))), 0);
  r.returnIf(r.ltU(0x1000 - bytes, r.and(gpa, 0xfff)), 0);
  const unused = (index: number): void => {
    const selector = r.load(I32, segment(index) + SELECTOR);
    const offset = r.sub(r.and(selector, 0xfffc), 8 * TLS_ENTRY);
    r.returnIf(r.ltU(offset, bytes), 0);
  };
  for (const index of [ES, CS, SS, DS, FS, GS]) unused(index);
  for (let entry = 0; entry < TLS_ENTRIES; entry++) {
    const at = STATE.hostGdt + 8 * (TLS_ENTRY + entry);
    r.store(at, r.loadAt(gpa, RAM_BASE + 8 * entry));
    const high = r.loadAt(gpa, RAM_BASE + 8 * entry + 4);
    const level = r.select(r.and(high, 0x6000), 0, GUEST_LEVEL << 13);
    r.store(at + 4, r.or(r.or(high, level), 0x100));
  }
}
