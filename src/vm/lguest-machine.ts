/*L:150
 * Putting an lguest machine together
 *
 * It is few things: memory, a page of device descriptors behind it with a console in it, and the Host that
 * runs the guest. All of it is thrown away and built anew when the guest restarts, because that is what a restart is:
 * fresh memory, fresh devices, files read again.
 */
import type { BootFile } from '../boot/image.js';
import { type LoadedKernel, loadLguestKernel } from '../boot/linux-boot.js';
import type { Processor, ProcessorState } from '../cpu/processor.js';
import type { TimeSource } from '../host/clock.js';
import type { GenerationOverride } from '../host/generation.js';
import { FIRST_IRQ_VECTOR } from '../host/idt.js';
import { killGuest, type Stopped, stoppedBy } from '../host/kill.js';
import {
  type DetectedGeneration,
  type HostObserver,
  type HostState,
  type HostStatistics,
  LguestHost,
} from '../host/host.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { RngDevice } from '../virtio/rng.js';
import { LguestTransport, type LguestTransportState } from '../virtio/lguest-transport.js';
import type { MachineConsole } from './machine-console.js';
import { allocateMemory, checkMemorySize, type LastHypercall, type Machine, peekMemory } from './machine.js';
import type { TortureOptions } from './options.js';
import type { TurnResult } from './run-loop.js';
import { Translation, type TranslationOptions } from './translation.js';

/** Room for device pages behind RAM, as in the original (lguest-abi.md, §2.1). */
export const DEVICE_BYTES = 0x10_0000;

/** Interrupt storm: instructions between two looks at interrupts. */
const STORM_SLICE = 7;

export interface LguestMachineOptions {
  /** Guest RAM, bytes, a multiple of 4096. */
  ramBytes: number;
  kernel: BootFile;
  initrd: BootFile | undefined;
  kernelArguments: readonly string[];
  time: TimeSource;
  override: GenerationOverride;
  observer: HostObserver;
  torture: TortureOptions;
  /** Undefined: interpret only. */
  translation: Omit<TranslationOptions, 'torture'> | undefined;
  /** Source of the entropy device; undefined: there is none. */
  randomBytes: ((length: number) => Uint8Array) | undefined;
  /** The console, which nobody has attached yet. */
  console: MachineConsole;
  /** What the guest prints before it has a console; the bytes are the receiver's. */
  output(bytes: Uint8Array): void;
  /** Something odd that does not end the guest. */
  warn(text: string): void;
}

/** A machine as a value; clock and console input that is still on its way belong to the `VirtualMachine`. */
export interface LguestMachineState {
  version: 1;
  memory: Uint8Array;
  processor: ProcessorState;
  host: HostState;
  transport: LguestTransportState;
}

/** One life of a guest, from boot to its end or restart. */
export class LguestMachine implements Machine {
  readonly board = 'lguest';
  private readonly console: MachineConsole;
  readonly memory: GuestMemory;
  readonly transport: LguestTransport;
  readonly host: LguestHost;
  readonly translation: Translation | undefined;
  /** What was loaded where. */
  readonly loaded: LoadedKernel;

  /** Builds and boots; throws `BootError` or `LaunchError`. */
  constructor(options: LguestMachineOptions) {
    const { ramBytes } = options;
    this.console = options.console;
    this.memory = allocateMemory(ramBytes + DEVICE_BYTES);
    this.loaded = loadLguestKernel({
      memory: this.memory,
      ramBytes,
      kernel: options.kernel,
      initrd: options.initrd,
      kernelArguments: options.kernelArguments,
    });
    this.transport = new LguestTransport({
      memory: this.memory,
      ramBytes,
      deviceBytes: DEVICE_BYTES,
      raiseInterrupt: (irq) => this.host.raiseInterrupt(irq),
      earlyPrint: options.output,
      warn: options.warn,
      fatal: (text) => killGuest(text),
    });
    // Devices get their interrupts in the order of their options; the console is always the last (§9.3).
    if (options.randomBytes !== undefined) {
      this.transport.addDevice(new RngDevice({ randomBytes: options.randomBytes }));
    }
    this.transport.addDevice(options.console.device);
    this.host = new LguestHost({
      memory: this.memory,
      ramBytes,
      initrdBytes: this.loaded.initrd?.bytes ?? 0,
      notifySink: this.transport,
      time: options.time,
      generation: options.override,
      observer: options.observer,
    });
    const { translation, torture } = options;
    this.translation = translation && new Translation(this.host.cpu, { ...translation, torture });
    this.applyTorture(torture);
    this.host.start(this.loaded.entry);
  }

  private applyTorture(torture: TortureOptions): void {
    const { cpu, torture: storm } = this.host;
    cpu.torture.flushTlbEvery = torture.flushTlbEvery ?? 0;
    cpu.torture.oneInstructionBlocks = torture.oneInstructionBlocks ?? false;
    if (torture.interruptStorm !== undefined) {
      storm.sliceInstructions = STORM_SLICE;
      storm.timerEvery = torture.interruptStorm;
    }
  }

  run(maxInstructions: number): TurnResult {
    this.translation?.beforeTurn(this.retired);
    const result = this.host.run(maxInstructions);
    this.translation?.afterTurn();
    return result;
  }

  wakeAtNs(): number {
    return this.host.wakeAtNs();
  }

  /** Instructions of this life. */
  get retired(): number {
    return this.host.cpu.retired;
  }

  get stopped(): Stopped | undefined {
    return this.host.stopped;
  }

  offerInput(bytes: Uint8Array): number {
    return this.deliver(() => this.console.input(bytes));
  }

  /** A guest whose queue is broken dies of it. */
  deliver(action: () => number): number {
    if (this.stopped !== undefined) return 0;
    try {
      return action();
    } catch (error) {
      const stopped = stoppedBy(error);
      if (stopped === undefined) throw error;
      this.kill(stopped.text);
      return 0;
    }
  }

  /** Ends the guest, from outside its run. */
  private kill(text: string): void {
    try {
      this.host.kill(text);
    } catch (error) {
      if (stoppedBy(error) === undefined) throw error;
    }
  }

  save(): LguestMachineState {
    return {
      version: 1,
      memory: this.memory.bytes(0, this.memory.size).slice(),
      processor: this.host.cpu.save(),
      host: this.host.save(),
      transport: this.transport.save(),
    };
  }

  /**
   * Continues from `state`, which must come from a machine with the same memory and devices. `loadClock` is called
   * when the processor knows how many instructions it has run, and before the Host looks at the time.
   */
  load(saved: unknown, loadClock: () => void): void {
    const state = saved as LguestMachineState;
    checkMemorySize(state.memory.length, this.memory.size, DEVICE_BYTES);
    this.memory.writeBytes(0, state.memory);
    this.host.cpu.load(state.processor);
    loadClock();
    this.transport.load(state.transport);
    this.host.load(state.host);
  }

  /** At most `length` bytes of guest memory from `gpa` on, for people who look. */
  peek(gpa: number, length: number): Uint8Array {
    return peekMemory(this.memory, gpa, length);
  }

  get cpu(): Processor {
    return this.host.cpu;
  }
  get loadReport(): readonly string[] {
    return this.loaded.report;
  }
  get guest(): DetectedGeneration | undefined {
    return this.host.generation;
  }
  get release(): string | undefined {
    return this.guest?.release;
  }
  get lastHypercall(): LastHypercall | undefined {
    const last = this.host.lastHypercall;
    return last && { name: last.name || `hypercall ${last.call}`, viaRing: last.viaRing, eip: last.eip };
  }
  get statistics(): HostStatistics {
    return this.host.statistics;
  }
  interruptHandler(irq: number): number {
    return this.host.idt.handler(FIRST_IRQ_VECTOR + irq);
  }
}
