import type { GuestMemory } from '../memory/guest-memory.js';
import {
  CS,
  DS,
  ES,
  LEAVE_REGION,
  RUN,
  SEGMENT,
  SS,
  STATE,
  STATE_BYTES,
  STATUS,
  TRANSLATED,
} from '../memory/layout.js';
import { Tlb } from '../memory/tlb.js';
import type { Board } from './board.js';
import { CodeLookup } from './code-lookup.js';
import type { CpuContext } from './context.js';
import { LGUEST_MODEL, type ProcessorModel } from './cpuid.js';
import { MODE } from './decoder.js';
import { type Engine, sharedEngine } from './engine.js';
import { EXIT, type Exit } from './exit.js';
import { DB, GuestFault, PF } from './faults.js';
import { resetFpu } from './fpu-state.js';
import type { InterpreterImports } from './interpreter/interpreter-module.js';
import { RECORD } from './interpreter/record.js';
import { SlowAccess } from './linear-access.js';
import { checkSegmentAccess } from './segmentation.js';
import { CR0, CR4, CpuState, FLAG } from './state.js';
import { createExactly } from './x87-unit/exact.js';
import { KEY_OF_NOTHING, type Translator, type TranslatorHost } from './translator.js';

export { EXIT, type Exit } from './exit.js';

/** Flags that change how code runs. */
const MODE_FLAGS = FLAG.TF | FLAG.AC;

/** What a processor's snapshot holds besides guest memory. */
export interface ProcessorState {
  readonly version: 1;
  /** The state page. */
  readonly state: Uint8Array;
}

/** Ways to make life hard, for tests (design.md, decision 12). */
export interface Torture {
  /** Empty the TLB after every so many `run` slices of that many instructions; 0: never. */
  flushTlbEvery: number;
  oneInstructionBlocks: boolean;
}

/**
 * An x86-32 processor: architectural state in linear memory, an interpreter in WebAssembly over it, and
 * TypeScript for what is rare. It knows no board: everything the guest does that concerns the outside
 * ends in an exit from `run` or a call to `Board`.
 */
export class Processor implements CpuContext {
  readonly memory: GuestMemory;
  readonly board: Board;
  readonly state: CpuState;
  readonly access: SlowAccess;
  readonly model: ProcessorModel;
  readonly exit: Exit = {
    reason: 0,
    vector: 0,
    errorCode: 0,
    kind: 'fault',
    cr2: 0,
    instructionEip: 0,
    instructionLength: 0,
  };
  readonly torture: Torture = { flushTlbEvery: 0, oneInstructionBlocks: false };
  instructionEip = 0;
  /**
   * False: `run` may return before its budget is spent, where the next block is longer than what is left. Cheaper by
   * the decoding of two pieces of a block; for boards whose clock does not count instructions.
   */
  exactBudgets = true;

  private readonly tlb: Tlb;
  private readonly code: CodeLookup;
  private readonly engine: Engine;
  /** Instantiated with the translator, or by the first `run` without one. */
  private interpreter: WebAssembly.Exports | undefined;
  private x87Instance: WebAssembly.Exports | undefined;
  private readonly i32: Int32Array;
  private readonly view: DataView;
  /** The mode has bit `single` because fewer instructions are left than the next block has, or for TF. */
  private single = false;
  private trapFlag = false;
  /** `MODE_FLAGS` of EFLAGS that `codeKey` was made for. */
  private modeFlags = 0;
  private stopRequested = false;
  /** The board has delivered a trap during the last call of the interpreter, or behind it. */
  private trapDelivered = false;
  /** Instructions retired right behind the last STI or load of SS. */
  private shadowAt = -1;
  /** The same for loads of SS alone, which hold back single steps too (SDM vol. 3, 6.8.3). */
  private stackShadowAt = -1;

  constructor(memory: GuestMemory, board: Board, model: ProcessorModel = LGUEST_MODEL) {
    this.memory = memory;
    this.board = board;
    this.model = model;
    this.state = new CpuState(memory);
    resetFpu(this.state);
    this.i32 = memory.i32;
    this.view = memory.view;
    this.tlb = new Tlb(memory);
    this.access = new SlowAccess(memory, this.tlb, board);
    this.engine = sharedEngine();
    const { forms } = this.engine;
    this.code = new CodeLookup(memory, this.state, this.tlb, this.access, forms, () => this.updateMode());
    this.fpuStateChanged();
    this.updateMode();
  }

  private get x87Routines(): WebAssembly.ModuleImports {
    return (this.x87Instance ??= new WebAssembly.Instance(this.engine.x87Module(), {
      env: { memory: this.memory.memory, exactly: createExactly(this.memory) },
    }).exports);
  }

  private instantiate(): WebAssembly.Exports {
    const { translator } = this.code;
    const env: WebAssembly.ModuleImports = { memory: this.memory.memory, ...this.imports() };
    if (translator) env['regions'] = translator.table;
    return new WebAssembly.Instance(this.engine.module(translator !== undefined), { env, x87: this.x87Routines })
      .exports;
  }

  /** From now on code that runs often is translated. */
  attachTranslator(create: (host: TranslatorHost) => Translator): void {
    const { memory, engine, code } = this;
    code.translator = create({
      ...code.serve(),
      memory,
      forms: engine.forms,
      helperNumbers: engine.helperNumbers,
      callHelper: (...args) => this.callHelperOfRegion(...args),
      interpreterFunction: (name) => this.interpreter![name]!,
      x87Routines: this.x87Routines,
    });
    this.interpreter = this.instantiate();
    code.endEpochs();
  }

  /** Budget of the interpreter call under way. */
  private get chunk(): number {
    return this.i32[RUN.chunk >> 2]!;
  }
  private set chunk(instructions: number) {
    this.i32[RUN.chunk >> 2] = instructions;
  }

  // --- running --------------------------------------------------------------------------------

  /**
   * Runs at most `budget` instructions (a positive integer below 2^31) and returns an `EXIT`.
   * Only the board ends it otherwise, by throwing out of one of its methods.
   */
  run(budget: number): number {
    const { i32, exit } = this;
    this.interpreter ??= this.instantiate();
    const runInterpreter = this.interpreter['run'] as () => void;
    exit.reason = EXIT.budget;
    this.stopRequested = false;
    this.updateMode();
    let left = budget;
    /** What the last call left over because the next block was longer. */
    let rest = 0;
    while (left > 0) {
      const trapFlag = this.trapFlag;
      this.trapDelivered = false;
      const every = this.torture.flushTlbEvery;
      if (trapFlag) this.updateMode();
      this.chunk = trapFlag ? 1 : rest > 0 ? rest : every > 0 ? Math.min(every, left) : left;
      const shortened = rest > 0 && !trapFlag && !this.single && this.code.shorten(rest);
      // Where a block cannot be cut short, its instructions are run one by one.
      const single = rest > 0 && !shortened;
      if (single !== this.single) this.setSingle(single);
      i32[STATE.budget >> 2] = this.chunk;
      i32[STATE.status >> 2] = STATUS.none;
      let used = 0;
      try {
        runInterpreter();
      } finally {
        this.noteShadow();
        rest = i32[STATE.budget >> 2]!;
        used = this.chunk - rest;
        this.state.retired += used;
        left -= used;
        this.chunk = 0;
        i32[STATE.budget >> 2] = 0;
        if (shortened) this.code.unshorten();
      }
      if (every > 0) this.flushTlb();
      if (i32[STATE.status >> 2] !== STATUS.none) {
        if (i32[STATE.status >> 2] !== STATUS.trap || !this.deliverTrap()) break;
        left -= this.chargeTrap();
        rest = 0;
      } else if (trapFlag && !this.trapDelivered && used > 0 && this.stackShadowAt !== this.state.retired) {
        this.reportSingleStep();
        break;
      }
      if (this.stopRequested) {
        exit.reason = EXIT.stop;
        break;
      }
      if (used > 0 && rest > 0 && !this.exactBudgets && this.shadowAt !== this.state.retired) break;
      if (left === 0 && this.shadowAt === this.state.retired) left = 1;
    }
    if (this.single) this.setSingle(false);
    return exit.reason;
  }

  /**
   * Makes `run` return `EXIT.stop` at the end of the running block. Unlike `leave` it is safe in the middle of an
   * instruction, from port and memory-mapped registers: it takes away the rest of the budget.
   */
  requestStop(): void {
    this.noteShadow();
    this.stopRequested = true;
    this.chunk -= this.i32[STATE.budget >> 2]!;
    this.i32[STATE.budget >> 2] = 0;
  }

  reportTrap(): void {
    if (!this.deliverTrap()) this.i32[STATE.status >> 2] = STATUS.trap;
  }

  /** False: `run` is to return the trap. */
  private deliverTrap(): boolean {
    if (!this.board.trap?.()) return false;
    this.exit.reason = EXIT.budget;
    this.trapDelivered = true;
    return true;
  }

  /** A guest that can only fault must get on in time: the second trap at one place counts as an instruction. */
  private chargeTrap(): number {
    const { state } = this;
    const again = state.retired === state.trappedAt ? 1 : 0;
    state.retired += again;
    state.trappedAt = state.retired;
    return again;
  }

  enterHandler(vector: number, errorCode: number, eip: number, entry: number): boolean {
    const enter = this.interpreter?.['enterHandler'] as ((...args: number[]) => number) | undefined;
    return enter !== undefined && enter(vector, errorCode, eip, entry) !== 0;
  }

  leave(reason: number): void {
    this.exit.reason = reason;
    this.i32[STATE.status >> 2] = STATUS.leave;
  }

  get interruptRequested(): boolean {
    return this.i32[STATE.interruptRequested >> 2] !== 0;
  }
  set interruptRequested(on: boolean) {
    this.i32[STATE.interruptRequested >> 2] = on ? 1 : 0;
  }

  /** Takes over what an STI has left in `STATE.shadowBudget`, which means nothing without `chunk`. */
  private noteShadow(): void {
    const { i32 } = this;
    const budget = i32[STATE.shadowBudget >> 2]! - 1;
    if (budget < 0) return;
    i32[STATE.shadowBudget >> 2] = 0;
    this.shadowAt = this.state.retired + this.chunk - budget;
  }

  get interruptShadow(): boolean {
    this.noteShadow();
    return this.shadowAt === this.retired;
  }
  set interruptShadow(on: boolean) {
    this.i32[STATE.shadowBudget >> 2] = 0;
    this.shadowAt = on ? this.retired : -1;
  }

  stackSegmentLoaded(): void {
    this.interruptShadow = true;
    this.stackShadowAt = this.shadowAt;
  }

  /** Instructions retired since reset, those of a `run` under way included. */
  get retired(): number {
    return this.state.retired + this.chunk - this.i32[STATE.budget >> 2]!;
  }

  private reportSingleStep(): void {
    const { exit, state } = this;
    exit.reason = EXIT.trap;
    exit.vector = DB;
    exit.errorCode = 0;
    exit.kind = 'trap';
    exit.instructionEip = state.eip;
    state.set(STATE.debug + 6 * 4, state.get(STATE.debug + 6 * 4) | 0x4000);
  }

  // --- modes and caches -----------------------------------------------------------------------

  segmentsChanged(): void {
    this.updateMode();
  }
  pagingChanged(): void {
    this.flushTlb();
  }
  addressSpaceChanged(): void {
    this.code.pagesForgotten(this.tlb.flushLocal());
  }
  flushTlb(): void {
    this.tlb.flush();
    this.code.endEpochs();
  }
  flushTlbPage(linear: number): void {
    this.code.pagesForgotten(this.tlb.flushPage(linear));
  }

  /** CR0.TS, CR0.EM, CR4.OSFXSR or a pending x87 exception has changed: who uses the units goes through `checkUnit`. */
  fpuStateChanged(): void {
    const pending = (this.i32[STATE.fpuStatus >> 2]! & 0x80) !== 0;
    const off = (this.i32[STATE.cr0 >> 2]! & (CR0.TS | CR0.EM)) !== 0;
    const sse = (this.i32[STATE.cr4 >> 2]! & CR4.OSFXSR) !== 0;
    this.i32[STATE.fpuUnavailable >> 2] = pending || off ? 1 : 0;
    this.i32[STATE.sseUnavailable >> 2] = off || !sse ? 1 : 0;
  }

  reset(): void {
    this.memory.u8.fill(0, 0, STATE_BYTES);
    resetFpu(this.state);
    this.afterStateReplaced();
    this.state.eflags = 2;
    this.state.cpl = 0;
    this.updateMode();
  }

  save(): ProcessorState {
    return { version: 1, state: this.memory.u8.slice(0, STATE_BYTES) };
  }

  load(saved: ProcessorState): void {
    this.memory.u8.set(saved.state, 0);
    this.afterStateReplaced();
    this.updateMode();
  }

  private afterStateReplaced(): void {
    this.interruptShadow = false;
    this.stackShadowAt = -1;
    this.code.flush();
    this.flushTlb();
    this.fpuStateChanged();
  }

  private setSingle(on: boolean): void {
    this.single = on;
    this.updateMode();
  }

  private mode(): number {
    const { i32 } = this;
    let mode = 0;
    if (i32[(STATE.segments + CS * SEGMENT.stride + SEGMENT.access) >> 2]! & 0x40_0000) mode |= MODE.code32;
    if (i32[(STATE.segments + SS * SEGMENT.stride + SEGMENT.access) >> 2]! & 0x40_0000) mode |= MODE.stack32;
    if (this.isFlat(CS) && this.isFlat(DS) && this.isFlat(ES) && this.isFlat(SS)) mode |= MODE.flat;
    if (this.single || this.trapFlag || this.torture.oneInstructionBlocks) mode |= MODE.single;
    return mode;
  }

  private isFlat(index: number): boolean {
    const { i32 } = this;
    return (
      i32[(STATE.segments + index * SEGMENT.stride + SEGMENT.base) >> 2] === 0 &&
      i32[(STATE.segmentFlat >> 2) + index] === 1
    );
  }

  private updateMode(): void {
    const eflags = this.i32[STATE.eflags >> 2]!;
    this.modeFlags = eflags & MODE_FLAGS;
    this.trapFlag = (eflags & FLAG.TF) !== 0;
    const user = this.state.cpl === 3;
    const alignment = user && (eflags & FLAG.AC) !== 0 && (this.i32[STATE.cr0 >> 2]! & CR0.AM) !== 0;
    if (alignment !== this.access.checkAlignment) {
      this.access.checkAlignment = alignment;
      this.flushTlb();
      return;
    }
    // TF set in the middle of a call: no entry matches, so that `findBlock` is asked and stops.
    const stopping = this.trapFlag && this.chunk > 1;
    this.i32[STATE.codeKey >> 2] = stopping ? KEY_OF_NOTHING : this.code.key(user) + this.mode();
  }

  /** Import of the interpreter: the block at `state.eip` goes into the jump cache. */
  private findBlock(): number {
    // TF was set since this call began: it traps behind the next instruction, alone.
    if (this.trapFlag && this.chunk !== 1) return 0;
    try {
      this.code.find();
      return 1;
    } catch (error) {
      this.instructionEip = this.state.eip;
      this.report(error);
      return 0;
    }
  }

  /** Forgets how often each block has run: what runs seldom is not hot, however long it goes on. */
  forgetHeat(): void {
    this.code.forgetHeat();
  }

  // --- faults and helpers ---------------------------------------------------------------------

  /** Turns what a helper threw into an exit; anything but a guest's fault goes on to the caller of `run`. */
  private report(error: unknown): void {
    if (!(error instanceof GuestFault)) throw error;
    const { exit, state } = this;
    state.eip = this.instructionEip;
    exit.reason = EXIT.trap;
    exit.vector = error.vector;
    exit.errorCode = error.errorCode;
    exit.kind = 'fault';
    exit.instructionEip = this.instructionEip;
    if (error.vector === PF) exit.cr2 = error.address;
    this.i32[STATE.status >> 2] = STATUS.trap;
  }

  /** The instruction at `record` did not retire: it and those behind it in the block are given back. */
  private refund(record: number, instructions: number): void {
    this.i32[STATE.budget >> 2]! += this.view.getUint16(record + RECORD.remaining, true) - instructions;
  }

  private faultAt(record: number, error: unknown): void {
    this.instructionEip = (this.state.get(STATE.blockEip) + this.view.getUint16(record + RECORD.start, true)) >>> 0;
    this.report(error);
    this.refund(record, 0);
  }

  private callHelper(number: number, record: number, a: number, b: number, c: number): number {
    const { state, i32 } = this;
    const blockEip = state.get(STATE.blockEip);
    this.instructionEip = (blockEip + this.view.getUint16(record + RECORD.start, true)) >>> 0;
    state.eip = blockEip + this.view.getUint16(record + RECORD.next, true);
    let result = 0;
    try {
      result = this.engine.helpers[number]!(this, a, b, c) || 0;
    } catch (error) {
      this.report(error);
      this.refund(record, 0);
      return 0;
    }
    if ((i32[STATE.eflags >> 2]! & MODE_FLAGS) !== this.modeFlags) this.updateMode();
    if (i32[STATE.status >> 2] !== STATUS.none) {
      if (this.exit.reason === EXIT.hypercall) {
        const length =
          this.view.getUint16(record + RECORD.next, true) - this.view.getUint16(record + RECORD.start, true);
        this.returnToHypercall(this.instructionEip, length);
      }
      this.refund(record, 1);
    }
    return result;
  }

  /** A hypercall leaves at its instruction. */
  private returnToHypercall(eip: number, length: number): void {
    this.state.eip = eip;
    this.exit.instructionEip = eip;
    this.exit.instructionLength = length;
  }

  /** See `TranslatorHost.callHelper`. */
  private callHelperOfRegion(
    number: number,
    eip: number,
    next: number,
    remaining: number,
    a: number,
    b: number,
    c: number,
  ): number {
    const { state, i32 } = this;
    const key = i32[STATE.codeKey >> 2];
    const { regionsLost } = this.code;
    this.instructionEip = eip >>> 0;
    state.eip = next;
    // The region has paid for its whole block; the helper sees what is true behind its instruction.
    i32[STATE.budget >> 2]! += remaining - 1;
    let result = 0;
    try {
      result = this.engine.helpers[number]!(this, a, b, c) || 0;
    } catch (error) {
      this.report(error);
      i32[STATE.budget >> 2]! += 1;
    }
    if ((i32[STATE.eflags >> 2]! & MODE_FLAGS) !== this.modeFlags) this.updateMode();
    if (i32[STATE.status >> 2] !== STATUS.none) {
      if (this.exit.reason === EXIT.hypercall) this.returnToHypercall(eip >>> 0, (next - eip) >>> 0);
      i32[TRANSLATED.leave >> 2] = LEAVE_REGION.now;
    } else if (i32[STATE.codeKey >> 2] !== key || this.code.regionsLost !== regionsLost || this.stopRequested) {
      i32[TRANSLATED.leave >> 2] = LEAVE_REGION.behind;
    } else {
      i32[TRANSLATED.leave >> 2] = LEAVE_REGION.no;
      i32[STATE.budget >> 2]! -= remaining - 1;
    }
    return result;
  }

  private imports(): InterpreterImports {
    const { access } = this;
    const read =
      (bytes: number) =>
      (linear: number, record: number): number => {
        try {
          return access.read(linear, bytes);
        } catch (error) {
          this.faultAt(record, error);
          return 0;
        }
      };
    const write =
      (bytes: number) =>
      (linear: number, value: number, record: number): void => {
        try {
          access.write(linear, value, bytes);
        } catch (error) {
          this.faultAt(record, error);
        }
      };
    const readForWrite =
      (bytes: number) =>
      (linear: number, record: number): number => {
        try {
          return access.readForWrite(linear, bytes);
        } catch (error) {
          this.faultAt(record, error);
          return 0;
        }
      };
    return {
      slowRead8: read(1),
      slowRead16: read(2),
      slowRead32: read(4),
      slowWrite8: write(1),
      slowWrite16: write(2),
      slowWrite32: write(4),
      slowReadForWrite8: readForWrite(1),
      slowReadForWrite16: readForWrite(2),
      slowReadForWrite32: readForWrite(4),
      probeWrite: (linear, bytes, record) => {
        try {
          access.probeWrite(linear, bytes);
        } catch (error) {
          this.faultAt(record, error);
        }
      },
      helper: (number, record, a, b, c) => this.callHelper(number, record, a, b, c),
      raise: (vector, record) => this.faultAt(record, new GuestFault(vector)),
      checkSegment: (segment, offset, kind, record) => {
        try {
          checkSegmentAccess(this, segment, offset >>> 0, kind & ~0x100, (kind & 0x100) !== 0);
        } catch (error) {
          this.faultAt(record, error);
        }
      },
      findBlock: () => this.findBlock(),
      hot: () => this.code.hot(),
    };
  }
}
