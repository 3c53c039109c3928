import { FileError, type Platform } from '../../src/platform/platform.js';

/** A world under the test's control: time moves when it is told to, or when somebody waits. */
export interface FakePlatform extends Platform {
  ns: number;
  files: Map<string, Uint8Array>;
  /** Milliseconds of each wait, as they were asked for. */
  waits: number[];
  yields: number;
}

export function fakePlatform(): FakePlatform {
  return {
    ns: 1_000_000,
    files: new Map(),
    waits: [],
    yields: 0,
    monotonicNs() {
      return this.ns;
    },
    wallClock: () => [1_700_000_000, 5],
    cpuTimeNs() {
      return this.ns;
    },
    randomBytes: (length) => new Uint8Array(length),
    async readFile(path) {
      const file = this.files.get(path);
      if (file === undefined) throw new FileError(path, 'missing', 'ENOENT');
      return file;
    },
    async yieldToEventLoop() {
      this.yields++;
      // Waits end as immediates; let them have their turn as the real event loop would.
      await new Promise((resolve) => setImmediate(resolve));
    },
    callLater(milliseconds, callback) {
      this.waits.push(milliseconds);
      const immediate = setImmediate(() => {
        this.ns += milliseconds * 1e6;
        callback();
      });
      return () => clearImmediate(immediate);
    },
  };
}
