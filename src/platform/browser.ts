import { startMakerThread } from './browser-helper-thread.js';
import { FileError, LONGEST_WAIT_MS, type Platform, splitMilliseconds } from './platform.js';

/** The most bytes one call of `crypto.getRandomValues` gives (Web Cryptography API, 10.1.1). */
const RANDOM_BYTES_PER_CALL = 65_536;

/** The world as a page or a worker shows it. */
export function createBrowserPlatform(): Platform {
  // setTimeout(0) is clamped to 4 ms after five nested calls (HTML, timers); a message to ourselves is not.
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  const deliver = (): void => {
    waiting.shift()?.();
    // Listening only while somebody waits: an idle port must not keep a worker (or a test) alive.
    if (waiting.length === 0) channel.port1.onmessage = null;
  };

  return {
    monotonicNs: () => performance.now() * 1e6,
    wallClock() {
      const ms = performance.timeOrigin + performance.now();
      const now = Date.now();
      // `performance.now` may stop while the computer sleeps; trust it only while it agrees with the clock.
      return splitMilliseconds(Math.abs(ms - now) < 10 ? ms : now);
    },
    cpuTimeNs: () => undefined,
    randomBytes(length) {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += RANDOM_BYTES_PER_CALL) {
        globalThis.crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + RANDOM_BYTES_PER_CALL)));
      }
      return bytes;
    },
    async readFile(path) {
      const response = await fetch(path).catch((error: Error) => {
        throw new FileError(path, 'unreadable', error.message);
      });
      if (response.status === 404) throw new FileError(path, 'missing', '404');
      if (response.status === 401 || response.status === 403) {
        throw new FileError(path, 'forbidden', String(response.status));
      }
      if (!response.ok) throw new FileError(path, 'unreadable', String(response.status));
      return new Uint8Array(await response.arrayBuffer());
    },
    yieldToEventLoop: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        channel.port1.onmessage = deliver;
        channel.port2.postMessage(undefined);
      }),
    callLater(milliseconds, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(0, Math.ceil(milliseconds)), LONGEST_WAIT_MS));
      return () => clearTimeout(timer);
    },
    startMakerThread,
  };
}
