import { randomFillSync } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { startMakerThread } from './node-helper-thread.js';
import { readFileBytes } from './node-memory.js';
import { FileError, type FileProblem, LONGEST_WAIT_MS, type Platform, splitMilliseconds } from './platform.js';

/** The errno names that mean something to a reader; everything else is 'unreadable'. */
const PROBLEMS: Record<string, FileProblem> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  EISDIR: 'directory',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
};

/** Turns what `node:fs` threw into a `FileError`. */
export function describeFileError(path: string, error: unknown): FileError {
  const code = (error as { code?: string }).code ?? 'unknown';
  return new FileError(path, PROBLEMS[code] ?? 'unreadable', code);
}

/** The world as Node shows it. */
export function createNodePlatform(): Platform {
  const start = process.hrtime.bigint();
  return {
    // Counted from our own start, so that a double stays exact (2^53 ns are 104 days).
    monotonicNs: () => Number(process.hrtime.bigint() - start),
    wallClock() {
      const ms = performance.timeOrigin + performance.now();
      const now = Date.now();
      // `performance` is finer, but does not follow when somebody sets the clock; trust it only while it agrees.
      return splitMilliseconds(Math.abs(ms - now) < 10 ? ms : now);
    },
    cpuTimeNs() {
      const { user, system } = process.cpuUsage();
      return (user + system) * 1000;
    },
    randomBytes: (length) => randomFillSync(new Uint8Array(length)),
    async readFile(path) {
      try {
        // Some systems let one read a directory as an empty file: ask first what it is.
        if ((await stat(path)).isDirectory()) throw new FileError(path, 'directory', 'EISDIR');
        return await readFileBytes(path);
      } catch (error) {
        throw error instanceof FileError ? error : describeFileError(path, error);
      }
    },
    async readBuilt(name) {
      try {
        return new Uint8Array(await readFile(new URL(`../../built/${name}`, import.meta.url)));
      } catch {
        return undefined;
      }
    },
    yieldToEventLoop: () => new Promise((resolve) => setImmediate(resolve)),
    callLater(milliseconds, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(0, Math.ceil(milliseconds)), LONGEST_WAIT_MS));
      return () => clearTimeout(timer);
    },
    startMakerThread,
  };
}
