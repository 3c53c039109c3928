import {
  BLOCK_COUNT_MASK,
  CS,
  ELSEWHERE,
  HEAT_SHIFT,
  LEAVE_REGION,
  JUMP_CACHE,
  JUMP_HASH,
  MOST_HEAT,
  RECORD_BYTES,
  REGION_FLAG,
  REGION_SHIFT,
  SEGMENT,
  STATE,
  STATUS,
  TRANSLATED,
} from '../../memory/layout.js';
import { Code, I32, OP, VOID_BLOCK } from '../../wasm/code.js';
import { type LocalRun, ModuleBuilder } from '../../wasm/module.js';
import type { X87RoutineName } from '../../isa/x87-stack.js';
import { X87_ROUTINES } from '../x87-unit/routines.js';
import type { Forms, Step } from './forms.js';
import type { Callees } from './callees.js';
import { CARRIED } from './carried.js';
import { type Endings, HandlerBuilder } from './handler-builder.js';
import { FIRST_NARROW, RECORD_LOCAL } from './handler-values.js';
import { addEnterHandler, addResolve } from './gates.js';
import { addMemoryFunctions } from './memory-functions.js';
import { addMissFunctions } from './miss-functions.js';
import { addRecall } from './recall.js';
import { RECORD } from './record.js';
import { addShortcuts } from './shortcuts.js';
import { addStringRuns } from './string-runs.js';
import { addTlbFill } from './tlb-fill.js';
import type { Size } from '../../isa/builder.js';

/** What the interpreter calls back. Addresses are linear; `record` is where the instruction was decoded to. */
export interface InterpreterImports {
  slowRead8(linear: number, record: number): number;
  slowRead16(linear: number, record: number): number;
  slowRead32(linear: number, record: number): number;
  slowWrite8(linear: number, value: number, record: number): void;
  slowWrite16(linear: number, value: number, record: number): void;
  slowWrite32(linear: number, value: number, record: number): void;
  slowReadForWrite8(linear: number, record: number): number;
  slowReadForWrite16(linear: number, record: number): number;
  slowReadForWrite32(linear: number, record: number): number;
  probeWrite(linear: number, bytes: number, record: number): void;
  helper(number: number, record: number, a: number, b: number, c: number): number;
  raise(vector: number, record: number): void;
  checkSegment(segment: number, offset: number, bytesAndWrite: number, record: number): void;
  /** Puts the block at `state.eip` into the jump cache; 0 when it cannot (status is set). */
  findBlock(): number;
  /** The block at `state.eip` has run often (only with a translator). */
  hot(): void;
}

/** Results of a handler outside the main loop. */
const RESULT = { nextRecord: 0, nextBlock: 1, leave: 2 } as const;

/** Endings of handlers in the main loop. */
interface MainLoopEndings extends Endings {
  /** On to the record that `RECORD_LOCAL` is at. */
  dispatch(code: Code, depth: number): void;
}

/** Levels of the labels around every handler in the main loop. */
const LEVEL = { exit: 1, nextBlock: 2, dispatch: 3, cold: 4 } as const;

/**
 * Emits the interpreter: one function that runs decoded records, with the hot handlers in a `br_table` and
 * every other handler a function in a table (jit-evidence.md, section F).
 *
 *     loop: find the block at state.eip, pay for it
 *       loop: br_table on the record's handler
 *         each handler: work; next record | next block | leave
 *
 * With `translated` it counts how often blocks run, and enters regions of translated code, which it imports as a
 * table of functions (depth of calls) → eip, where the jump cache says so. Module `x87` has the routines of the x87.
 */
export function buildInterpreterModule(
  forms: Forms,
  memoryPages: number,
  helperNumber: (name: string) => number,
  translated: boolean,
): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', memoryPages);
  if (translated) module.importTable('env', 'regions');
  const byValue = (name: string, parameters: number, result: boolean): number =>
    module.importFunction('env', name, new Array<number>(parameters).fill(I32), result ? [I32] : []);
  const perSize = (name: string, parameters: number, result: boolean): Record<Size, number> => ({
    8: byValue(`${name}8`, parameters, result),
    16: byValue(`${name}16`, parameters, result),
    32: byValue(`${name}32`, parameters, result),
  });
  const slowRead = perSize('slowRead', 2, true);
  const slowWrite = perSize('slowWrite', 3, false);
  const slowReadForWrite = perSize('slowReadForWrite', 2, true);
  const helper = byValue('helper', 5, true);
  const raise = byValue('raise', 2, false);
  const checkSegment = byValue('checkSegment', 4, false);
  const findBlock = byValue('findBlock', 0, true);
  const tier: Tier | undefined = translated
    ? { hot: byValue('hot', 0, false), regionType: module.type([I32], [I32]) }
    : undefined;
  const x87 = {} as Record<X87RoutineName, number>;
  for (const { name, parameters, results } of X87_ROUTINES)
    x87[name] = module.importFunction('x87', name, parameters, results);
  const probeWrite = byValue('probeWrite', 3, false);
  const fill = addTlbFill(module);
  module.exportFunction('fillTlb', fill);
  const enterHandler = addEnterHandler(module);
  module.exportFunction('enterHandler', enterHandler);
  const resolve = addResolve(module, { fill, enterHandler });
  const miss = addMissFunctions(module, { slowRead, slowWrite, slowReadForWrite }, resolve);
  const callees: Callees = {
    ...miss,
    ...addMemoryFunctions(module, miss, probeWrite, resolve),
    helper,
    raise,
    checkSegment,
    x87,
    stringRuns: addStringRuns(module),
    shortcuts: addShortcuts(module, { enterHandler, fill }),
  };
  const recall = addRecall(module, fill);
  const cold: number[] = [];
  const code = new Code();
  for (const form of forms.list) {
    if (form.handler < forms.hotCount) continue;
    code.clear();
    const narrow = new HandlerBuilder(
      { form, carried: CARRIED.none },
      code,
      callees,
      COLD_ENDINGS,
      helperNumber,
      false,
    ).emit();
    cold[form.handler - forms.hotCount] = module.addFunction(
      [I32],
      [I32],
      HandlerBuilder.localRuns(narrow, form),
      code.bytes(),
    );
  }
  module.setTable(cold);
  const coldType = module.type([I32], [I32]);
  module.exportFunction(
    'run',
    addMainLoop(module, forms, callees, helperNumber, { recall, findBlock }, coldType, tier),
  );
  return module.build();
}

/** What the main loop needs for translated code. */
interface Tier {
  readonly hot: number;
  readonly regionType: number;
}

/** Function indices of what is asked when the jump cache does not have a block. */
interface LookUps {
  readonly recall: number;
  readonly findBlock: number;
}

const COLD_ENDINGS: Endings = {
  nextRecord: (code) => returnResult(code, RESULT.nextRecord),
  nextBlock: (code) => returnResult(code, RESULT.nextBlock),
  leave: (code) => returnResult(code, RESULT.leave),
};

function returnResult(code: Code, result: number): void {
  code.constant(result);
  code.byte(OP.return);
}

function advanceRecord(code: Code): void {
  code.localGet(RECORD_LOCAL);
  code.constant(RECORD_BYTES);
  code.byte(OP.i32_add);
  code.localSet(RECORD_LOCAL);
}

function addMainLoop(
  module: ModuleBuilder,
  forms: Forms,
  callees: Callees,
  helperNumber: (name: string) => number,
  look: LookUps,
  coldType: number,
  tier: Tier | undefined,
): number {
  const hot = forms.hotCount;
  const handlers = new Code();
  let narrow = 4;
  const endingsAt = (enclosing: number): MainLoopEndings => ({
    nextRecord(code, depth) {
      advanceRecord(code);
      this.dispatch(code, depth);
    },
    dispatch: (code, depth) => code.branch(OP.br, enclosing - LEVEL.dispatch + depth),
    nextBlock: (code, depth) => code.branch(OP.br, enclosing - LEVEL.nextBlock + depth),
    leave: (code, depth) => code.branch(OP.br, enclosing - LEVEL.exit + depth),
  });
  const emit = (step: Step, endings: Endings): HandlerBuilder => {
    const builder = new HandlerBuilder(step, handlers, callees, endings, helperNumber, true);
    narrow = Math.max(narrow, builder.emit());
    return builder;
  };
  for (const [handler, [first, second]] of forms.hot.entries()) {
    handlers.byte(OP.end);
    const endings = endingsAt(LEVEL.cold + hot - 1 - handler);
    if (!first) emitResume(handlers, endings, look.findBlock);
    else if (!second) emit(first, endings);
    else {
      const { writesMemory } = emit(first, { ...endings, nextRecord: advanceRecord });
      if (writesMemory) emitDispatchIfWritten(handlers, endings);
      emit(second, endings);
    }
  }
  // The main loop has no parameters: the record is its first local, the scratch ones its last.
  const locals: LocalRun[] = [{ type: I32, count: 1 }, ...HandlerBuilder.localRuns(narrow + SCRATCH_LOCALS)];
  const scratch = FIRST_NARROW + narrow;

  const code = new Code();
  code.byte(OP.loop);
  code.byte(VOID_BLOCK);
  code.byte(OP.block);
  code.byte(VOID_BLOCK);
  code.byte(OP.loop);
  code.byte(VOID_BLOCK);
  emitFindBlock(code, scratch, look, tier);
  code.byte(OP.loop);
  code.byte(VOID_BLOCK);
  for (let i = 0; i <= hot; i++) {
    code.byte(OP.block);
    code.byte(VOID_BLOCK);
  }
  code.localGet(RECORD_LOCAL);
  code.memory(OP.i32_load16_u, RECORD.handler);
  code.byte(OP.br_table);
  code.u32(hot);
  for (let i = 0; i <= hot; i++) code.u32(i);
  code.append(handlers.bytes());
  code.byte(OP.end);
  emitColdCall(code, endingsAt(LEVEL.dispatch), hot, coldType, tier ? 1 : 0, scratch);
  code.byte(OP.end);
  code.byte(OP.end);
  code.byte(OP.end);
  emitGoOnIfDelivered(code);
  code.byte(OP.end);
  return module.addFunction([], [], locals, code.bytes());
}

/** In a pair, before the second instruction: what the first one has written may have been that. */
function emitDispatchIfWritten(code: Code, endings: MainLoopEndings): void {
  code.localGet(RECORD_LOCAL);
  code.memory(OP.i32_load16_u, RECORD.handler);
  code.byte(OP.i32_eqz);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  endings.dispatch(code, 1);
  code.byte(OP.end);
}

/** Behind the exit of the main loop, in a loop around it. */
function emitGoOnIfDelivered(code: Code): void {
  code.constant(0);
  code.memory(OP.i32_load, STATE.status);
  code.constant(STATUS.delivered);
  code.byte(OP.i32_eq);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.constant(0);
  code.constant(STATUS.none);
  code.memory(OP.i32_store, STATE.status);
  code.branch(OP.br, 1);
  code.byte(OP.end);
}

/**
 * Handler 0: gives back what the rest of the block would have cost and goes on at this record's address. If there is a
 * rest the block is dead, but the jump cache may still lead to it: another one is to take its place there.
 */
function emitResume(code: Code, endings: Endings, findBlock: number): void {
  code.constant(0);
  code.constant(0);
  code.memory(OP.i32_load, STATE.budget);
  code.localGet(RECORD_LOCAL);
  code.memory(OP.i32_load16_u, RECORD.remaining);
  code.byte(OP.i32_add);
  code.memory(OP.i32_store, STATE.budget);
  code.constant(0);
  code.constant(0);
  code.memory(OP.i32_load, STATE.blockEip);
  code.localGet(RECORD_LOCAL);
  code.memory(OP.i32_load16_u, RECORD.start);
  code.byte(OP.i32_add);
  code.memory(OP.i32_store, STATE.eip);
  code.localGet(RECORD_LOCAL);
  code.memory(OP.i32_load16_u, RECORD.remaining);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.call(findBlock);
  code.byte(OP.i32_eqz);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  endings.leave(code, 2);
  code.byte(OP.end);
  code.byte(OP.end);
  endings.nextBlock(code, 0);
}

/** Locals of the look-up: eip, linear, entry, its last word, budget. */
const SCRATCH_LOCALS = 5;

/** Looks `state.eip` up in the jump cache and charges the block to the budget. Labels open: exit, nextBlock. */
function emitFindBlock(code: Code, scratch: number, look: LookUps, tier: Tier | undefined): void {
  const [eip, linear, entry, last, budget] = [scratch, scratch + 1, scratch + 2, scratch + 3, scratch + 4];
  code.constant(0);
  code.memory(OP.i32_load, STATE.eip);
  code.localTee(eip);
  code.constant(0);
  code.memory(OP.i32_load, STATE.segments + CS * SEGMENT.stride + SEGMENT.base);
  code.byte(OP.i32_add);
  code.localTee(linear);
  code.constant(JUMP_HASH.factor);
  code.byte(OP.i32_mul);
  code.constant(JUMP_HASH.shift);
  code.byte(OP.i32_shr_u);
  code.constant(JUMP_HASH.mask);
  code.byte(OP.i32_and);
  code.localTee(entry);
  code.memory(OP.i32_load, JUMP_CACHE);
  code.localGet(linear);
  code.byte(OP.i32_ne);
  code.localGet(entry);
  code.memory(OP.i32_load, JUMP_CACHE + 4);
  code.constant(0);
  code.memory(OP.i32_load, STATE.codeKey);
  code.byte(OP.i32_ne);
  code.byte(OP.i32_or);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(linear);
  code.call(look.recall);
  code.byte(OP.i32_eqz);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.call(look.findBlock);
  code.branch(OP.br_if, 2);
  code.branch(OP.br, 3);
  code.byte(OP.end);
  code.byte(OP.end);
  code.localGet(entry);
  code.memory(OP.i32_load, JUMP_CACHE + 12);
  code.localSet(last);
  if (tier) emitTierChange(code, eip, entry, last, tier);
  code.constant(0);
  code.memory(OP.i32_load, STATE.budget);
  code.localGet(last);
  code.constant(BLOCK_COUNT_MASK);
  code.byte(OP.i32_and);
  code.byte(OP.i32_sub);
  code.localTee(budget);
  code.constant(0);
  code.byte(OP.i32_lt_s);
  code.branch(OP.br_if, 1);
  code.constant(0);
  code.localGet(budget);
  code.memory(OP.i32_store, STATE.budget);
  code.constant(0);
  code.localGet(eip);
  code.memory(OP.i32_store, STATE.blockEip);
  code.localGet(entry);
  code.memory(OP.i32_load, JUMP_CACHE + 8);
  code.localSet(RECORD_LOCAL);
}

/** Enters the region of the entry, unless it has just given up here, or counts the block. Labels open: exit, nextBlock. */
function emitTierChange(code: Code, eip: number, entry: number, last: number, tier: Tier): void {
  code.localGet(last);
  code.constant(REGION_FLAG);
  code.byte(OP.i32_ge_s);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.constant(0);
  code.memory(OP.i32_load, TRANSLATED.slowEip);
  code.localGet(eip);
  code.byte(OP.i32_ne);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.constant(0);
  code.localGet(last);
  code.constant(REGION_SHIFT);
  code.byte(OP.i32_shr_u);
  code.constant((REGION_FLAG >>> REGION_SHIFT) - 1);
  code.byte(OP.i32_and);
  code.byte(OP.call_indirect);
  code.u32(tier.regionType);
  code.u32(0);
  code.localTee(eip);
  code.constant(ELSEWHERE);
  code.byte(OP.i32_ne);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.constant(0);
  code.localGet(eip);
  code.memory(OP.i32_store, STATE.eip);
  code.byte(OP.else);
  // The guest itself may jump to that address: then no helper has asked to leave.
  code.constant(0);
  code.memory(OP.i32_load, TRANSLATED.leave);
  code.byte(OP.i32_eqz);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.constant(0);
  code.localGet(eip);
  code.memory(OP.i32_store, STATE.eip);
  code.byte(OP.end);
  code.constant(0);
  code.constant(LEAVE_REGION.no);
  code.memory(OP.i32_store, TRANSLATED.leave);
  code.byte(OP.end);
  code.constant(0);
  code.memory(OP.i32_load, STATE.status);
  code.branch(OP.br_if, 3);
  code.branch(OP.br, 2);
  code.byte(OP.end);
  code.constant(0);
  code.constant(-1);
  code.memory(OP.i32_store, TRANSLATED.slowEip);
  code.byte(OP.else);
  code.localGet(last);
  code.constant(MOST_HEAT);
  code.byte(OP.i32_ge_s);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(entry);
  code.localGet(last);
  code.constant(1 << HEAT_SHIFT);
  code.byte(OP.i32_sub);
  code.localTee(last);
  code.memory(OP.i32_store, JUMP_CACHE + 12);
  code.localGet(last);
  code.constant(1 << HEAT_SHIFT);
  code.byte(OP.i32_lt_u);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.call(tier.hot);
  // It may have put a region into the entry.
  code.branch(OP.br, 3);
  code.byte(OP.end);
  code.byte(OP.end);
  code.byte(OP.end);
}

/** The default of the `br_table`: calls the handler's function and does as it says. */
function emitColdCall(
  code: Code,
  endings: Endings,
  hot: number,
  coldType: number,
  coldTable: number,
  result: number,
): void {
  code.localGet(RECORD_LOCAL);
  code.localGet(RECORD_LOCAL);
  code.memory(OP.i32_load16_u, RECORD.handler);
  code.constant(hot);
  code.byte(OP.i32_sub);
  code.byte(OP.call_indirect);
  code.u32(coldType);
  code.u32(coldTable);
  code.localTee(result);
  code.byte(OP.i32_eqz);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  endings.nextRecord(code, 1);
  code.byte(OP.end);
  code.localGet(result);
  code.constant(RESULT.nextBlock);
  code.byte(OP.i32_eq);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  endings.nextBlock(code, 1);
  code.byte(OP.end);
  endings.leave(code, 0);
}
