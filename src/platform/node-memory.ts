import { open } from 'node:fs/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes from which on a file is large. */
const LARGE = 1 << 20;
/** A WebAssembly memory cannot be larger, bytes. */
const LARGEST = 2 ** 32;
const WASM_PAGE = 0x1_0000;

/**
 * Reads a file. The bytes of a large one are where WebAssembly memories are, not in the heap of the C library: when a
 * large block is freed there, that heap (glibc's) takes it for a sign that more such blocks will be wanted, and from
 * then on gives hardly anything back to the system. Compiling would cost a hundred megabytes for good.
 */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size < LARGE || size > LARGEST) {
      const { buffer, byteOffset, byteLength } = await file.readFile();
      return new Uint8Array(buffer, byteOffset, byteLength);
    }
    const bytes = new Uint8Array(new WebAssembly.Memory({ initial: Math.ceil(size / WASM_PAGE) }).buffer, 0, size);
    let at = 0;
    while (at < size) {
      const { bytesRead } = await file.read(bytes, at, size - at, at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

/** How much garbage there may be among what is long-lived before V8 looks for it, percent; by default up to 300. */
const GARBAGE_PERCENT = 25;
const LOOK_MS = 20;
/**
 * Megabytes of half the space for what is short-lived in other threads. They begin with it: with the 1 MB that is usual,
 * and no growth, the one that makes WebAssembly spends half of its time on what it has not done with yet.
 */
export const HALF_OF_YOUNG = 4;

/**
 * Keeps V8 from taking several times what it needs, in all threads of this process; most of our memory is not V8's.
 * `youngMegabytes` is for what is short-lived: by default it takes 64 when there is much garbage, and is no faster for
 * it. There is no way to say so once Node has started, so this looks from time to time, and stops the growth.
 * It does not keep the process alive.
 */
export function limitHeap(youngMegabytes: number): void {
  setFlagsFromString(`--heap-growing-percent=${GARBAGE_PERCENT}`);
  // A function being optimised takes megabytes, which the C library keeps for each thread that has done one: one at a
  // time take less, and the processors have other work.
  setFlagsFromString('--wasm-num-compilation-tasks=1');
  setFlagsFromString(`--min-semi-space-size=${HALF_OF_YOUNG}`);
  const timer = setInterval(() => {
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    // It doubles, perhaps before the next look.
    if (space && space.space_size < (youngMegabytes / 2) * 2 ** 20) return;
    clearInterval(timer);
    // By how much the space grows at a time.
    if (space) setFlagsFromString('--semi-space-growth-factor=1');
  }, LOOK_MS);
  timer.unref();
}

/** Bytes by which the process grows before it looks for what it does not need. */
const GROWTH = 64 << 20;
const GROWTH_LOOK_MS = 5_000;

/**
 * Keeps this process small while it runs. V8 holds on to what it took at the start for what is short-lived, and to
 * code that it has compiled fast and since then well, until somebody says that memory is short. So whenever the process
 * has grown this says so: some 80 ms, a few times in the life of a guest. It looks every `lookMs` milliseconds, and does
 * not keep the process alive.
 */
export function collectWhenGrown(lookMs = GROWTH_LOOK_MS): void {
  let last = process.memoryUsage.rss();
  setInterval(() => {
    if (process.memoryUsage.rss() < last + GROWTH) return;
    // Contexts have it from now on. (By way of an inspector's session the event loop no longer woke up afterwards.)
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options: object) => void;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    last = process.memoryUsage.rss();
  }, lookMs).unref();
}
