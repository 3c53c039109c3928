import { parentPort, Worker } from 'node:worker_threads';
import { HALF_OF_YOUNG, collectWhenGrown } from './node-memory.js';
import type { HelperThread, HelperThreadEvents } from './helper-thread.js';

/**
 * Megabytes for what is short-lived: with Node's default of 48 a thread that makes much garbage takes them all, and
 * hardly gains by it. V8 takes three times half of the space.
 */
const YOUNG_GENERATION = 3 * HALF_OF_YOUNG;

/** Starts the thread that makes WebAssembly. It does not keep the process alive. */
export function startMakerThread({ message, failed }: HelperThreadEvents): HelperThread {
  const script = new URL('../vm/maker-thread.js', import.meta.url);
  const worker = new Worker(script, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION } });
  let over = false;
  const fail = (): void => {
    if (over) return;
    over = true;
    void worker.terminate();
    failed();
  };
  worker.on('message', (value) => {
    if (!over) message(value);
  });
  worker.on('messageerror', fail);
  worker.on('error', fail);
  worker.on('exit', fail);
  worker.unref();
  return {
    post: (value, transfer = []) => worker.postMessage(value, transfer),
    end() {
      over = true;
      void worker.terminate();
    },
  };
}

/** In such a thread: answers each message, unless the answer is undefined. */
export function answerNodeThread(answer: (message: unknown) => unknown): void {
  // V8 would collect this thread's garbage much later than that of others.
  collectWhenGrown();
  parentPort?.on('message', (message: unknown) => {
    const reply = answer(message);
    if (reply !== undefined) parentPort!.postMessage(reply);
  });
}
