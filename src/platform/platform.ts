import type { HelperThread, HelperThreadEvents } from './helper-thread.js';

/**
 * What the machine needs from the world around it, and nothing more (design.md, decision 8): clocks, randomness,
 * files by name, two ways of giving the event loop its turn, and a thread. `node.ts` and `browser.ts` implement it; a test
 * hands in its own.
 */

/** Time of day: seconds since 1970-01-01 UTC, and 0…999 999 999 nanoseconds. */
export type WallClock = readonly [seconds: number, nanoseconds: number];

/** The time of day that `milliseconds` since 1970 stand for. */
export function splitMilliseconds(milliseconds: number): WallClock {
  const seconds = Math.floor(milliseconds / 1000);
  return [seconds, Math.min(999_999_999, Math.floor((milliseconds - seconds * 1000) * 1e6))];
}

/** Why a named file could not be had; the caller makes a sentence of it. */
export type FileProblem = 'missing' | 'directory' | 'forbidden' | 'unreadable';

/** A file that could not be read. `detail` is the system's own word (an errno name), for `--verbose`. */
export class FileError extends Error {
  readonly path: string;
  readonly problem: FileProblem;
  readonly detail: string;

  constructor(path: string, problem: FileProblem, detail = '') {
    super(`${path}: ${problem}${detail === '' ? '' : ` (${detail})`}`);
    this.name = 'FileError';
    this.path = path;
    this.problem = problem;
    this.detail = detail;
  }
}

/** Names of files for `Platform.readBuilt`. */
export const BUILT = { interpreter: 'interpreter.wasm', x87: 'x87.wasm' } as const;

export interface Platform {
  /** Nanoseconds since an arbitrary moment; never goes back; exact to well below a microsecond. */
  monotonicNs(): number;
  wallClock(): WallClock;
  /** Processor time this process has used, nanoseconds; undefined where nobody counts it (browsers). */
  cpuTimeNs(): number | undefined;
  /** Unpredictable bytes, any length ≥ 0. */
  randomBytes(length: number): Uint8Array;
  /** The whole file (or URL); rejects with `FileError`. */
  readFile(path: string): Promise<Uint8Array>;
  /** Resolves after pending input, timers and messages have had their turn. Cheap: called hundreds of times a second. */
  yieldToEventLoop(): Promise<void>;
  /** Calls back once after at least `milliseconds`; the result cancels. Keeps the process alive meanwhile. */
  callLater(milliseconds: number, callback: () => void): () => void;
  /** A file that the build has made beside our code, if it has: `name` is one of `BUILT`. */
  readBuilt?(name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /**
   * Starts the thread of `src/vm/maker-thread.ts`, which makes WebAssembly. Without it, or when it throws, that is done
   * where the guest runs.
   */
  startMakerThread?(events: HelperThreadEvents): HelperThread;
}

/** The longest wait `callLater` of either platform takes (a signed 32-bit number of milliseconds). */
export const LONGEST_WAIT_MS = 0x7fff_ffff;
