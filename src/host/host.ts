/*H:100
 * The Host.
 *
 * Somewhere below, a processor executes the guest's instructions and knows nothing but instructions. Above, a
 * Launcher has put a kernel into memory and connected a console. In between is the Host, whose job can be told in one
 * sentence: run the guest until it needs something, find out what, give it to it, and run it again.
 *
 * The guest is a kernel that was built to know that it is a guest. It does not touch hardware, it asks. That makes
 * this the smallest of all hypervisors: there is no disk controller here, no interrupt controller, no BIOS. What
 * there is, is told in this order: how a guest dies, how we recognise it, its hypercalls, its traps, its
 * interrupts, its page tables, its segments and its clock.
 */

import type { Board, Walk } from '../cpu/board.js';
import { EXIT } from '../cpu/exit.js';
import { Processor } from '../cpu/processor.js';
import { FLAG } from '../cpu/state.js';
import { GUEST_LEVEL, HYPERCALL_VECTOR } from '../cpu/lguest-interface.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { CALLED, DIRECT_TRAPS, HOST_CALLS } from '../memory/layout.js';
import { AsyncRing } from './async-ring.js';
import { Clock, DEFAULT_TSC_KHZ, type TimeSource } from './clock.js';
import { setTaskSwitched, startFpu } from './fpu.js';
import {
  type DetectedGeneration,
  GENERATIONS,
  type GenerationOverride,
  type HypercallInstruction,
} from './generation.js';
import { GuestData, LAYOUTS } from './guest-data.js';
import type { GuestProcessor } from './guest-processor.js';
import {
  concernsTime,
  type HypercallContext,
  type HypercallRow,
  hypercallsOf,
  LGUEST_INIT,
  runHypercall,
} from './hypercalls.js';
import { InterruptTable } from './idt.js';
import { initialiseGuest } from './initialise.js';
import { Interrupts } from './interrupts.js';
import { GuestKilled, killGuest, type Stopped, stoppedBy } from './kill.js';
import { DEFAULT_PAGE_OFFSET, PageTables } from './page-tables.js';
import { Segments } from './segments.js';
import type { HostState } from './snapshot.js';
import { type HostStatistics, HypercallCounts } from './statistics.js';
import { GENERAL_PROTECTION, Traps } from './traps.js';

export type { TimeSource } from './clock.js';
export type { DetectedGeneration, GenerationOverride } from './generation.js';
export { GuestKilled, type Stopped } from './kill.js';
export type { HostState } from './snapshot.js';
export type { HostStatistics } from './statistics.js';

/** Whoever wants to watch. All methods are called before the event takes effect; arrays are reused. */
export interface HostObserver {
  /** False: nobody wants to hear of `trap` for the time being. */
  readonly watchesTraps?: boolean;
  /** The same for `hypercall`. */
  readonly watchesHypercalls?: boolean;
  /** `args` are four unsigned numbers. */
  hypercall?(call: number, args: readonly number[], viaRing: boolean): void;
  trap?(vector: number, errorCode: number, eip: number, cpl: number, address: number, reflected: boolean): void;
  interrupt?(irq: number, eip: number): void;
  initialised?(generation: DetectedGeneration): void;
}

/** The devices, as far as the Host sees them. */
export interface NotifySink {
  /** NOTIFY (lguest-abi.md §9.4): completes before it returns. May end the guest through `LguestHost.kill`. */
  notify(gpa: number): void;
  /** First guest-physical address that the guest may not touch: RAM and the device pages handed out. */
  readonly limit: number;
}

export interface HostOptions {
  readonly memory: GuestMemory;
  /** Bytes of RAM, without device pages; a multiple of 4096. */
  readonly ramBytes: number;
  /** Bytes at the end of RAM that hold the initrd; a multiple of 4096. */
  readonly initrdBytes: number;
  readonly notifySink: NotifySink;
  readonly time: TimeSource;
  /** What the guest is told about its time-stamp counter; 0: not to trust it. */
  readonly tscKhz?: number | undefined;
  readonly generation?: GenerationOverride | undefined;
  readonly observer?: HostObserver | undefined;
  /** Puts another processor on the board; for tests. */
  readonly makeProcessor?: ((memory: GuestMemory, board: Board) => Processor) | undefined;
}

/** The last hypercall that was begun, for the message when a guest dies. */
export interface LastHypercall {
  call: number;
  name: string;
  viaRing: boolean;
  /** Address of the instruction behind it. */
  eip: number;
}

/** Ways to make life hard, for tests; 0 is off. */
export interface HostTorture {
  /** Never run more instructions than this at once. */
  sliceInstructions: number;
  /** Raise the timer interrupt after every so many instructions. */
  timerEvery: number;
}

/** Longest stretch between two looks at the clock, instructions. */
const CLOCK_SLICE = 50_000;
const INITIAL_FLAGS = FLAG.IF | 2;
const ALL_ONES = 0xffff_ffff;

export class LguestHost implements Board, HypercallContext {
  readonly cpu: Processor;
  readonly memory: GuestMemory;
  readonly idt: InterruptTable;
  readonly segments: Segments;
  readonly pageTables: PageTables;
  readonly traps: Traps;
  readonly interrupts: Interrupts;
  readonly clock: Clock;
  readonly data: GuestData;
  readonly torture: HostTorture = { sliceInstructions: 0, timerEvery: 0 };
  private readonly options: HostOptions;
  private readonly ring: AsyncRing;
  private readonly hypercallCounts: HypercallCounts;
  /** Arguments of the direct call being served. Reused. */
  private readonly args: number[] = [0, 0, 0, 0];
  private detected: DetectedGeneration | undefined;
  private rows: readonly (HypercallRow | undefined)[] = [];
  private ended: Stopped | undefined;
  /** `state.retired` when the clock was last looked at. */
  private clockLookedAt = 0;
  /** `state.retired` when `torture.timerEvery` last raised the timer. */
  private tortureTimerAt = 0;

  constructor(options: HostOptions) {
    const { memory, observer } = options;
    this.options = options;
    this.memory = memory;
    this.cpu = options.makeProcessor?.(memory, this) ?? new Processor(memory, this);
    const cpu: GuestProcessor = this.cpu;
    this.data = new GuestData(memory);
    this.idt = new InterruptTable(memory);
    this.clock = new Clock(options.time, this.data, options.tscKhz ?? DEFAULT_TSC_KHZ);
    this.segments = new Segments(cpu, memory);
    this.pageTables = new PageTables(memory, cpu);
    this.hypercallCounts = new HypercallCounts(memory);
    const parts = { cpu, memory, data: this.data, idt: this.idt, segments: this.segments, pageTables: this.pageTables };
    this.traps = new Traps(parts);
    this.interrupts = new Interrupts({ ...parts, traps: this.traps });
    this.ring = new AsyncRing(this.data, memory);
    if (observer?.trap) this.traps.observer = observer.trap.bind(observer);
    if (observer?.interrupt) this.interrupts.observer = observer.interrupt.bind(observer);
  }

  /** Bytes of guest-physical memory the guest may name. */
  get limit(): number {
    return this.options.notifySink.limit;
  }

  /** The last hypercall that was begun, by whomever it is served; undefined before the first. */
  get lastHypercall(): LastHypercall | undefined {
    const { u32 } = this.memory;
    const way = u32[HOST_CALLS.lastWay >> 2];
    if (way === CALLED.never) return undefined;
    const call = u32[HOST_CALLS.lastNumber >> 2]!;
    const name = call === LGUEST_INIT ? 'LGUEST_INIT' : (this.rows[call]?.name ?? '');
    return { call, name, viaRing: way === CALLED.throughRing, eip: u32[HOST_CALLS.lastEip >> 2]! };
  }
  private noteHypercall(call: number, way: number): void {
    const { u32 } = this.memory;
    u32[HOST_CALLS.lastNumber >> 2] = call;
    u32[HOST_CALLS.lastWay >> 2] = way;
    u32[HOST_CALLS.lastEip >> 2] = this.cpu.state.eip;
    this.hypercallCounts.count(call, way === CALLED.throughRing);
  }

  /** Set when the guest has come to its end; it never runs again. */
  get stopped(): Stopped | undefined {
    return this.ended;
  }

  /** What LGUEST_INIT found out; undefined before. */
  get generation(): DetectedGeneration | undefined {
    const { detected } = this;
    // Guests with 3.1 or later show it at their first NEW_PGTABLE.
    if (detected !== undefined) detected.pae = this.pageTables.pae;
    return detected;
  }

  /** Puts the processor at `entryEip` in the state of lguest-abi.md §2.4: ring 1, flat segments, all registers zero. */
  start(entryEip: number): void {
    const { cpu, options } = this;
    cpu.reset();
    startFpu(cpu);
    this.segments.start();
    cpu.state.eflags = INITIAL_FLAGS;
    cpu.state.eip = entryEip;
    const tag = options.generation?.tag;
    const isLinear = tag !== undefined && GENERATIONS[tag].initialTables === 'linear';
    this.pageTables.start(this.limit, isLinear ? -1 : DEFAULT_PAGE_OFFSET);
  }

  /*H:120
   * The main loop.
   *
   * Look whether an interrupt is due, run the guest for a while, look why it stopped, and again. How long "a while"
   * may be is decided by what waits: up to fifty thousand instructions if nothing does, since the alarm clock is only
   * looked at in between, and much less when an interrupt waits for the guest to let it in (chapter "interrupts").
   *
   * Runs at most `maxInstructions`. 'idle': the guest sleeps until `wakeAtNs` or an interrupt from a device.
   * Nothing that the guest does makes this throw.
   */
  run(maxInstructions: number): 'running' | 'idle' | 'stopped' {
    const { cpu, interrupts } = this;
    const { state } = cpu;
    this.tellProcessor();
    try {
      this.lookAtClock();
      const end = state.retired + maxInstructions;
      while (state.retired < end) {
        if (this.ended !== undefined) return 'stopped';
        if (interrupts.deliver()) this.clock.refresh();
        if (interrupts.halted) {
          this.lookAtClock();
          if (!interrupts.deliver()) return 'idle';
        }
        const before = state.retired;
        const reason = cpu.run(this.chooseSlice(end - before));
        if (reason === EXIT.hypercall) {
          if (state.cpl === GUEST_LEVEL) {
            state.eip = state.eip + cpu.exit.instructionLength;
            this.serveHypercall('vmcall');
          } else {
            this.traps.refuseVmcall();
          }
        } else if (reason === EXIT.trap && this.traps.handle()) {
          this.serveHypercall('int 0x1f');
        }
        // A guest that can only fault must get on in time and in its budget, too.
        if (state.retired === before) state.retired = before + 1;
        const lookEvery = Math.min(CLOCK_SLICE, this.torture.timerEvery || CLOCK_SLICE);
        if (state.retired - this.clockLookedAt >= lookEvery) this.lookAtClock();
      }
      return this.ended === undefined ? 'running' : 'stopped';
    } catch (error) {
      if (!this.endBy(error)) throw error;
      return 'stopped';
    }
  }

  /** What the processor may do by itself. */
  private tellProcessor(): void {
    const { observer } = this.options;
    const { u32 } = this.memory;
    u32[DIRECT_TRAPS >> 2] = Number(observer?.trap === undefined || observer.watchesTraps === false);
    const unwatched = observer?.hypercall === undefined || observer.watchesHypercalls === false;
    u32[HOST_CALLS.direct >> 2] = Number(unwatched && this.detected !== undefined);
  }

  /** Instructions until somebody must look again. */
  private chooseSlice(left: number): number {
    const { interrupts, torture } = this;
    let slice = Math.min(left, CLOCK_SLICE, interrupts.sliceLimit());
    if (torture.sliceInstructions > 0) slice = Math.min(slice, torture.sliceInstructions);
    if (torture.timerEvery > 0) slice = Math.min(slice, torture.timerEvery);
    return slice;
  }

  /*H:125
   * Not stopping.
   *
   * To stop the processor and to start it again costs more than most of what a guest wants. So it asks us in the
   * middle of a run, and only if we decline does it stop for the main loop. We decline what counts as an instruction
   * and is not one of the processor's (those that we may have to pretend), the first hypercall, behind which nothing
   * is as before, and what is not allowed. Behind a hypercall the main loop has a look when there is something to see.
   */
  trap(): boolean {
    const { kind, vector } = this.cpu.exit;
    if (kind === 'software' && vector === HYPERCALL_VECTOR) return this.serveInRun('int 0x1f');
    if (kind !== 'software' && vector === GENERAL_PROTECTION) return false;
    this.traps.handle();
    return true;
  }

  hypercall(): boolean {
    return this.serveInRun('vmcall');
  }

  private serveInRun(instruction: HypercallInstruction): boolean {
    const { cpu, interrupts } = this;
    if (this.detected === undefined || cpu.state.cpl !== GUEST_LEVEL) return false;
    this.serveHypercall(instruction);
    if (interrupts.pending !== 0 || interrupts.halted) cpu.requestStop();
    return true;
  }
  /*:*/

  /** Shows the guest the time, and raises the timer interrupt if its time has come. */
  private lookAtClock(): void {
    const { retired } = this.cpu;
    this.clockLookedAt = retired;
    this.clock.refresh();
    if (this.clock.takeAlarm()) this.interrupts.raise(0);
    const { timerEvery } = this.torture;
    if (timerEvery > 0 && retired - this.tortureTimerAt >= timerEvery) {
      this.tortureTimerAt = retired;
      this.interrupts.raise(0);
    }
  }

  /*H:130
   * Serving a hypercall.
   *
   * Before anything else, the calls that were left in the ring. Then this one. Then the clock words are brought up to
   * date, and the main loop looks at interrupts, so that one may arrive right behind the instruction: also the timer's,
   * if it has run out in the meantime. Calls that may as well be left in the ring are in no such hurry: most of those
   * are about a word or two, and the processor serves them by itself (`cpu/interpreter/hypercalls.ts`).
   */
  private serveHypercall(instruction: HypercallInstruction): void {
    const { registers } = this.cpu.state;
    const call = registers[0]!;
    if (this.detected === undefined) {
      this.serveFirstHypercall(call, instruction);
      return;
    }
    const { generation } = this.detected;
    this.ring.drain(generation.ringWords, this.executeFromRing);
    const { argumentRegisters } = generation;
    for (let i = 0; i < 4; i++) this.args[i] = i < argumentRegisters.length ? registers[argumentRegisters[i]!]! : 0;
    this.execute(call, this.args, false);
    if (concernsTime(this.rows[call])) this.lookAtClock();
  }

  private readonly executeFromRing = (call: number, args: readonly number[]): void => {
    this.execute(call, args, true);
  };

  private execute(call: number, args: readonly number[], viaRing: boolean): void {
    this.noteHypercall(call, viaRing ? CALLED.throughRing : CALLED.byInstruction);
    this.options.observer?.hypercall?.(call, args, viaRing);
    runHypercall(this, this.rows, call, args);
  }

  /** Only LGUEST_INIT may be first. */
  private serveFirstHypercall(call: number, instruction: HypercallInstruction): void {
    const { registers, eip } = this.cpu.state;
    this.noteHypercall(call, CALLED.byInstruction);
    if (call !== LGUEST_INIT) killGuest(`hypercall ${call} before INIT`);
    const { options } = this;
    const parts = {
      ...{ memory: this.memory, ramBytes: options.ramBytes, initrdBytes: options.initrdBytes },
      ...{ data: this.data, clock: this.clock, interrupts: this.interrupts, pageTables: this.pageTables },
      override: options.generation ?? {},
      initialised: (detected: DetectedGeneration) => {
        const first = detected.generation.argumentRegisters[0]!;
        options.observer?.hypercall?.(call, [registers[first]!, 0, 0, 0], false);
        options.observer?.initialised?.(detected);
      },
    };
    const detected = initialiseGuest(parts, { instruction, registers, eip });
    this.rows = hypercallsOf(detected.generation);
    this.detected = detected;
  }
  /*:*/

  /** When idle: when the next timer fires, in the time source's nanoseconds; Infinity without one. */
  wakeAtNs(): number {
    return this.clock.wakeAtNs();
  }

  /** A device has something to tell. */
  raiseInterrupt(irq: number): void {
    this.interrupts.raise(irq);
    this.cpu.requestStop();
  }

  /** Ends the guest with `text`, unless it has ended already. For fatal findings of devices. */
  kill(text: string): never {
    this.ended ??= { kind: 'killed', text };
    throw new GuestKilled(this.ended);
  }

  /** Ends the guest if that is what `error` is about; for work that devices do between two runs. False if it is not. */
  endBy(error: unknown): boolean {
    const stopped = stoppedBy(error);
    if (stopped === undefined) return false;
    this.ended ??= stopped;
    return true;
  }

  // What hypercalls need besides the parts above.

  notify(gpa: number): void {
    this.options.notifySink.notify(gpa);
  }
  setTaskSwitched(set: boolean): void {
    setTaskSwitched(this.cpu, set);
  }

  // What the processor asks of its board. Ports, machine registers and physical addresses without memory behind them
  // do not exist here: at ring 1 the instructions fault before anybody asks.

  walk(linear: number, access: number): Walk {
    return this.pageTables.walk(linear, access);
  }
  /** A guest that has seen the time go past its alarm must not run on for long without it. */
  readTimestamp(): readonly [number, number] {
    const now = this.clock.roughNs();
    if (this.clock.takeAlarm(now)) this.raiseInterrupt(0);
    return this.clock.timestamp(now);
  }
  portRead(_port: number, size: number): number {
    return size === 4 ? ALL_ONES : 2 ** (8 * size) - 1;
  }
  portWrite(): void {}
  mmioRead(_gpa: number, size: number): number {
    return this.portRead(0, size);
  }
  mmioWrite(): void {}
  readMsr(): undefined {
    return undefined;
  }
  writeMsr(): boolean {
    return false;
  }
  controlRegisterWritten(): void {}

  /** What has happened so far. */
  get statistics(): HostStatistics {
    const { counts } = this.traps;
    const irqs = Array.from(this.interrupts.counts.entries()).filter(([, count]) => count > 0);
    return {
      hypercalls: this.hypercallCounts.byName(this.rows),
      traps: Array.from(counts.all.entries())
        .filter(([, count]) => count > 0)
        .map(([vector, count]) => ({ vector, count, reflected: counts.reflected[vector]! })),
      interrupts: irqs.map(([irq, count]) => ({ irq, count })),
    };
  }

  /** The Host's part of a snapshot; memory and processor are saved by their owners. */
  save(): HostState {
    const detected = this.generation;
    return {
      version: 1,
      generation: detected && {
        tag: detected.generation.tag,
        instruction: detected.instruction,
        dataGpa: detected.dataGpa,
        pae: detected.pae ?? null,
        release: detected.release ?? null,
      },
      idt: this.idt.save(),
      stack: { ...this.traps.stack },
      interrupts: this.interrupts.save(),
      pageTables: this.pageTables.save(),
      clock: this.clock.save(),
      ring: this.ring.save(),
      stopped: this.ended,
    };
  }

  /** Continues from `state`. Memory and processor must have been loaded before. */
  load(state: HostState): void {
    const { generation } = state;
    this.detected = undefined;
    this.data.detach();
    this.rows = [];
    if (generation !== undefined) {
      const { instruction, dataGpa } = generation;
      const row = GENERATIONS[generation.tag];
      const [pae, release] = [generation.pae ?? undefined, generation.release ?? undefined];
      this.detected = { generation: row, instruction, dataGpa, pae, release };
      this.data.attach(dataGpa, LAYOUTS[row.layout]);
      this.rows = hypercallsOf(row);
    }
    this.idt.load(state.idt);
    Object.assign(this.traps.stack, state.stack);
    this.interrupts.load(state.interrupts);
    this.pageTables.start(this.limit, -1);
    this.pageTables.load(state.pageTables);
    this.clock.load(state.clock);
    this.ring.load(state.ring);
    this.ended = state.stopped;
    this.clockLookedAt = this.cpu.state.retired;
    this.tortureTimerAt = this.cpu.state.retired;
  }
}
