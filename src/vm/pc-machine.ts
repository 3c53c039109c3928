/*L:155
 * Putting a PC together
 *
 * The other board, for kernels without lguest support: memory, a handful of chips, a serial port and, on a PCI bus,
 * the same devices that an lguest guest has.
 */
import type { BootFile, KernelImage } from '../boot/image.js';
import { BOOT_CS, BOOT_DS, BOOT_GDT_LIMIT, loadPcKernel } from '../boot/pc-boot.js';
import { PC_BOOT } from '../boot/pc-boot-params.js';
import type { Processor, ProcessorState } from '../cpu/processor.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { PcBoard, type PcBoardState, type PcObserver, type TimeSource } from '../pc/board.js';
import type { VirtioPciTransport } from '../virtio/pci-transport.js';
import { RngDevice } from '../virtio/rng.js';
import {
  allocateMemory,
  type BoardStatistics,
  checkMemorySize,
  type Machine,
  type MachineStopped,
  peekMemory,
} from './machine.js';
import type { MachineConsole } from './machine-console.js';
import type { TortureOptions } from './options.js';
import type { TurnResult } from './run-loop.js';
import { Translation, type TranslationOptions } from './translation.js';

/** What the kernel's generator of random numbers starts from. */
const SEED_BYTES = 32;
/** Queue of a console that the guest prints through (virtio 1.0, 5.3.2). */
const CONSOLE_OUTPUT_QUEUE = 1;
/** Interrupt storm: instructions between two looks at interrupts. */
const STORM_SLICE = 7;

export interface PcMachineOptions {
  /** Guest RAM, bytes, a multiple of 4096. */
  ramBytes: number;
  kernel: KernelImage;
  /** The ELF file in a bzImage, if it could be unpacked. */
  unpacked: Uint8Array | undefined;
  initrd: BootFile | undefined;
  kernelArguments: readonly string[];
  time: TimeSource;
  observer: PcObserver;
  torture: TortureOptions;
  /** Undefined: interpret only. */
  translation: Omit<TranslationOptions, 'torture'> | undefined;
  randomBytes: (length: number) => Uint8Array;
  /** There is an entropy device. */
  rng: boolean;
  debugExitPort: number | undefined;
  /** The clock is the world's. */
  realTime: boolean;
  /** The virtio console, which nobody has attached yet. */
  console: MachineConsole;
  /** Input goes to the serial port until the guest prints on its virtio console; false: never. */
  serialInput: boolean;
  /** Output of the serial port; the bytes are the receiver's. */
  output(bytes: Uint8Array): void;
  /** The serial port has room for input again. */
  inputWanted(): void;
  /** Something odd that does not end the guest. */
  warn(text: string): void;
}

export interface PcMachineState {
  version: 1;
  memory: Uint8Array;
  processor: ProcessorState;
  board: PcBoardState;
}

/** One life of a guest on the pc board, from boot to its end or restart. */
export class PcMachine implements Machine {
  readonly board = 'pc';
  readonly pc: PcBoard;
  readonly translation: Translation | undefined;
  readonly loadReport: readonly string[];
  readonly guest = undefined;
  readonly lastHypercall = undefined;
  readonly release: string | undefined;
  private readonly console: MachineConsole;
  private readonly serialInput: boolean;
  private readonly memory: GuestMemory;
  private readonly consoleTransport: VirtioPciTransport;

  /** Builds and boots; throws `BootError` or `LaunchError`. */
  constructor(options: PcMachineOptions) {
    const { translation, torture } = options;
    this.console = options.console;
    this.serialInput = options.serialInput;
    this.memory = allocateMemory(options.ramBytes);
    this.release = options.kernel.identity.release?.text;
    const { registers, report } = loadPcKernel({
      memory: this.memory,
      kernel: options.kernel,
      unpacked: options.unpacked,
      initrd: options.initrd,
      kernelArguments: options.kernelArguments,
      randomSeed: options.randomBytes(SEED_BYTES),
    });
    this.loadReport = report;
    this.pc = new PcBoard({
      memory: this.memory,
      time: options.time,
      observer: options.observer,
      output: options.output,
      inputWanted: options.inputWanted,
      warn: options.warn,
      debugExitPort: options.debugExitPort,
      realTime: options.realTime,
    });
    if (options.rng) this.pc.addDevice(new RngDevice({ randomBytes: options.randomBytes }));
    this.consoleTransport = this.pc.addDevice(options.console.device);
    this.translation = translation && new Translation(this.cpu, { ...translation, torture });
    this.cpu.torture.flushTlbEvery = torture.flushTlbEvery ?? 0;
    this.cpu.torture.oneInstructionBlocks = torture.oneInstructionBlocks ?? false;
    if (torture.interruptStorm !== undefined) this.pc.sliceInstructions = STORM_SLICE;
    const gdt = { base: PC_BOOT.gdt, limit: BOOT_GDT_LIMIT, code: BOOT_CS, data: BOOT_DS };
    this.pc.start({ gdt, esp: PC_BOOT.stackTop, ...registers });
  }

  get cpu(): Processor {
    return this.pc.cpu;
  }
  get retired(): number {
    return this.cpu.state.retired;
  }
  get stopped(): MachineStopped | undefined {
    return this.pc.stopped;
  }
  get statistics(): BoardStatistics {
    const { traps, interrupts } = this.pc.statistics;
    return {
      hypercalls: {},
      traps: traps.map(({ vector, count }) => ({ vector, count, reflected: count })),
      interrupts,
    };
  }

  run(maxInstructions: number): TurnResult {
    this.translation?.beforeTurn(this.retired);
    const result = this.pc.run(maxInstructions);
    this.translation?.afterTurn();
    return result;
  }
  wakeAtNs(): number {
    return this.pc.wakeAtNs();
  }

  offerInput(bytes: Uint8Array): number {
    if (this.stopped !== undefined) return 0;
    const serial = this.serialInput && !this.consoleTransport.hasKicked(CONSOLE_OUTPUT_QUEUE);
    return serial ? this.pc.serial.sendInput(bytes) : this.deliver(() => this.console.input(bytes));
  }

  /** A device whose queue is broken does nothing more until its driver resets it. */
  deliver(action: () => number): number {
    let result = 0;
    if (this.stopped === undefined) {
      this.consoleTransport.guard(() => {
        result = action();
      });
    }
    return result;
  }

  peek(gpa: number, length: number): Uint8Array {
    return peekMemory(this.memory, gpa, length);
  }
  interruptHandler(): undefined {
    return undefined;
  }

  save(): PcMachineState {
    return {
      version: 1,
      memory: this.memory.bytes(0, this.memory.size).slice(),
      processor: this.cpu.save(),
      board: this.pc.save(),
    };
  }

  load(saved: unknown, loadClock: () => void): void {
    const state = saved as PcMachineState;
    checkMemorySize(state.memory.length, this.memory.size);
    this.memory.writeBytes(0, state.memory);
    this.cpu.load(state.processor);
    loadClock();
    this.pc.load(state.board);
  }
}
