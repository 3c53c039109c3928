import { TRACE_TOPICS, type TraceTopic } from '../debug/trace.js';
import type { Platform } from '../platform/platform.js';
import type { TerminalSize } from '../virtio/console-ports.js';
import type { GuestTask } from './guest-console.js';
import { LaunchError } from './launch-error.js';

/** Where the guest's console output goes. A terminal emulator with a `write` method will do. */
export interface ConsoleOutput {
  /** The bytes are the receiver's to keep. */
  write(bytes: Uint8Array): void;
  /** A promise while no more can be taken: the machine waits for it. Undefined: go on. */
  ready?(): Promise<void> | undefined;
}

/** What a guest is to do, and where the streams of its command lead; see `VirtualMachine.stdin` for its input. */
export interface TaskOptions extends GuestTask {
  stdout?: ConsoleOutput;
  stderr?: ConsoleOutput;
}

export { TRACE_TOPICS, type TraceTopic };

/** A running commentary: what to write about, and where to. */
export interface TraceOptions {
  topics: readonly TraceTopic[];
  /** false: nothing is written until `VirtualMachine.tracing` is set. */
  enabled?: boolean;
  /** Takes some complete lines at a time. */
  write(text: string): void;
}

/** Generations of the guest interface this Host knows (lguest-abi.md, §1.1). */
export const GENERATIONS = ['C1', 'C2', 'D1', 'D2'] as const;
export type GenerationName = (typeof GENERATIONS)[number];

/** Switches that make rare cases common, for tests: the guest must not notice any of them (design.md, decision 12). */
export interface TortureOptions {
  /** Empty the translation cache every so many instructions. */
  flushTlbEvery?: number;
  /** Decode every instruction as a block of its own. */
  oneInstructionBlocks?: boolean;
  /** Run in turns of a few instructions, with a timer interrupt every so many, so that interrupts arrive everywhere. */
  interruptStorm?: number;
  /** Every so many instructions save the machine, and go on in a new one into which that is loaded. */
  saveEvery?: number;
  /** Translate all code the first time it runs (unless `jit` is false). */
  translateAtOnce?: boolean;
  /** Translate code that has run so many times (unless `jit` is false). */
  translateAfter?: number;
  /** Translate single instructions (unless `jit` is false). */
  oneInstructionRegions?: boolean;
  /** Throw away all translated code every so many instructions (unless `jit` is false). */
  dropTranslationsEvery?: number;
}

/** How a machine is to be. Everything but the kernel has a default. */
export interface VirtualMachineOptions {
  /**
   * A number is megabytes, as on the command line; text may carry a unit: '64', '64M', '1G'. Default 64 MB, on the pc
   * board 128 MB.
   */
  memory?: number | string;
  /** A file name (read again at every restart), or the bytes of a vmlinux or bzImage. */
  kernel: string | Uint8Array;
  /** A file name or the bytes of an initial RAM disk. */
  initrd?: string | Uint8Array;
  /** The kernel's command line, whole or in words. */
  append?: string | readonly string[];
  /** What the kernel runs on. 'auto' (the default): lguest's board if the kernel has support for it, else 'pc'. */
  board?: 'auto' | 'lguest' | 'pc';
  /** Overrides what the Host finds out at LGUEST_INIT. */
  generation?: 'auto' | GenerationName;
  /** Overrides whether the guest is taken to use PAE page tables. */
  pae?: 'auto' | boolean;
  /** Ends the machine after exactly so many instructions. */
  maxInstructions?: number;
  /** Ends the machine after so many seconds of real time. */
  maxSeconds?: number;
  /** 'virtual': time is instructions retired, the same in every run. Default 'real'. */
  clock?: 'real' | 'virtual';
  /** Translate code that runs often to WebAssembly. Default true. */
  jit?: boolean;
  /** Make WebAssembly in a thread of its own, where the platform has threads. Default true. */
  jitThread?: boolean;
  /** Memory that translated code may take, megabytes; what is not in use is given up then. */
  jitMemory?: number;
  /** A device that hands out random numbers. */
  rng?: boolean;
  /** pc board: a port whose write ends the machine with that status, as test kernels want it. Default: none. */
  debugExitPort?: number;
  /** Makes the random numbers that devices hand out repeatable. */
  seed?: number;
  /** What the guest reads from its console: 'open' (the default; use `write`), or all of it right away. */
  input?: 'open' | string | Uint8Array;
  /** Where console output goes; without it only the 'output' event tells. */
  output?: ConsoleOutput;
  /** For guests with our init (guest/init): what to do once it is up. Without a task it starts a shell. */
  task?: TaskOptions;
  /** Of the terminal around the console; guests with a task see it and its changes (`resize`). */
  terminalSize?: TerminalSize;
  trace?: TraceOptions;
  /** Find out in which functions of the guest the time goes; see `VirtualMachine.profile`. */
  profile?: boolean;
  /** Names for addresses: a System.map or an ELF file. Default: the symbols of the kernel file. */
  symbols?: string | Uint8Array;
  torture?: TortureOptions;
  /** Clocks, randomness and files from elsewhere. Default: those of Node or the browser. */
  platform?: Platform;
}

export const MEGABYTE = 0x10_0000;
export const DEFAULT_MEMORY_MEGABYTES = { lguest: 64, pc: 128 } as const;
/**
 * The kernel of an lguest guest reaches all its memory through the gigabyte of addresses above 0xC0000000, of which
 * the Host keeps the last 4 MB (lguest-abi.md, §§2.6, 6.5).
 */
export const LARGEST_MEMORY_MEGABYTES = 1020;
/** On the pc board, where RAM must end below the registers of PCI devices, and numbers below 2³¹. */
export const LARGEST_PC_MEMORY_MEGABYTES = 2047;

/** Bytes of a memory size (see `VirtualMachineOptions.memory`) for a board. Throws `LaunchError`. */
export function parseMemory(size: number | string, board: 'lguest' | 'pc' = 'lguest'): number {
  const usual = DEFAULT_MEMORY_MEGABYTES[board];
  const match = /^(\d+)\s*(?:([mMgG])(?:i?[bB])?)?$/.exec(String(size).trim());
  if (match === null) {
    throw new LaunchError(`'${size}' is not a memory size: give whole megabytes, e.g. ${usual}.`);
  }
  const megabytes = Number(match[1]) * (match[2]?.toLowerCase() === 'g' ? 1024 : 1);
  if (megabytes === 0) {
    throw new LaunchError(`a guest cannot live without memory: give it some megabytes, e.g. ${usual}.`);
  }
  if (board === 'pc' && megabytes > LARGEST_PC_MEMORY_MEGABYTES) {
    throw new LaunchError(
      `${match[0]}${match[2] === undefined ? ' MB' : ''} of memory is too much: the pc board takes at most ${LARGEST_PC_MEMORY_MEGABYTES} MB.`,
    );
  }
  if (board === 'lguest' && megabytes > LARGEST_MEMORY_MEGABYTES) {
    throw new LaunchError(
      `${match[0]}${match[2] === undefined ? ' MB' : ''} of memory is too much: the lguest board takes at most ` +
        `${LARGEST_MEMORY_MEGABYTES} MB, because the guest's kernel reaches its memory through the gigabyte of ` +
        'addresses above 0xC0000000 and the Host keeps 4 MB of that.',
    );
  }
  return megabytes * MEGABYTE;
}
