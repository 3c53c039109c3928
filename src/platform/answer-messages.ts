import { answerBrowserThread } from './browser-helper-thread.js';

/** In a thread that a platform has started: answers each message, unless the answer is undefined. */
export function answerMessages(answer: (message: unknown) => unknown): void {
  const node = (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node;
  // A browser delivers messages as soon as the script has run, so this one must not wait for an import.
  if (node === undefined) answerBrowserThread(answer);
  else void import('./node-helper-thread.js').then(({ answerNodeThread }) => answerNodeThread(answer));
}

/** Milliseconds since some time. */
export function nowMs(): number {
  return performance.now();
}
