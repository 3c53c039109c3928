import type { HelperThread, HelperThreadEvents } from './helper-thread.js';

interface BrowserWorker {
  onmessage: ((event: { data: unknown }) => void) | null;
  onmessageerror: (() => void) | null;
  onerror: ((event: { preventDefault?(): void }) => void) | null;
  postMessage(message: unknown, transfer: readonly ArrayBuffer[]): void;
  terminate(): void;
}
declare const Worker: new (url: URL, options: { type: 'module' }) => BrowserWorker;

/** Starts the thread that makes WebAssembly. Its address is spelled out for bundlers, which look for just this. */
export function startMakerThread({ message, failed }: HelperThreadEvents): HelperThread {
  const worker = new Worker(new URL('../vm/maker-thread.js', import.meta.url), { type: 'module' });
  const end = (): void => {
    worker.onmessage = worker.onmessageerror = worker.onerror = null;
    worker.terminate();
  };
  const fail = (event?: { preventDefault?(): void }): void => {
    // It is nothing that a page should report.
    event?.preventDefault?.();
    end();
    failed();
  };
  worker.onmessage = ({ data }) => message(data);
  worker.onmessageerror = () => fail();
  worker.onerror = fail;
  return { post: (value, transfer = []) => worker.postMessage(value, transfer), end };
}

/** What the inside of a worker sees of itself. */
interface WorkerScope {
  onmessage: (event: { data: unknown }) => void;
  postMessage(message: unknown): void;
}

/** In such a thread: answers each message, unless the answer is undefined. */
export function answerBrowserThread(answer: (message: unknown) => unknown): void {
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = ({ data }) => {
    const reply = answer(data);
    if (reply !== undefined) scope.postMessage(reply);
  };
}
