import { fstatSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

/** Bytes coming in: a terminal, a pipe or a file. */
export interface ByteSource {
  readonly isTerminal: boolean;
  /** A regular file (or nothing at all): everything it will ever give is there already. */
  readonly isFile: boolean;
  /** Starts reading. `onBytes` gets each chunk as it comes, `onEnd` is called once, also after a read error. */
  start(onBytes: (bytes: Uint8Array) => void, onEnd: () => void): void;
  /** Stops and restarts the flow, so that a fast sender cannot fill memory. */
  pause(): void;
  resume(): void;
  /** Lets go of the stream: it no longer keeps the process alive. */
  stop(): void;
}

/** Bytes going out. Never throws; after the reader has gone, bytes are dropped and `onClosed` has been called. */
export interface ByteSink {
  readonly isTerminal: boolean;
  /** Terminal size, characters; undefined when it is none. */
  size(): { columns: number; rows: number } | undefined;
  write(bytes: Uint8Array | string): void;
  /** Bytes handed in that the system has not taken yet. */
  readonly pendingBytes: number;
  /** Resolves when everything written so far has reached the system (or nobody wants it any more). */
  flush(): Promise<void>;
}

/** What a descriptor is; a closed one counts as an empty file. */
function isRegularFile(fd: number): boolean {
  try {
    const status = fstatSync(fd);
    // /dev/null is a character device, but as final as an empty file.
    return status.isFile() || (status.isCharacterDevice() && status.rdev === NULL_DEVICE);
  } catch {
    return true;
  }
}

/** Device number of /dev/null on Linux: major 1, minor 3. */
const NULL_DEVICE = (1 << 8) | 3;

/** `stream` (standard input) as a `ByteSource`. Touches the stream only once reading starts. */
export function openByteSource(stream: () => Readable & { fd?: number; isTTY?: boolean }, fd = 0): ByteSource {
  const isFile = isRegularFile(fd);
  let open: (Readable & { isTTY?: boolean; unref?: () => void }) | undefined;
  return {
    isFile,
    isTerminal: !isFile && stream().isTTY === true,
    start(onBytes, onEnd) {
      let ended = false;
      const end = (): void => {
        if (!ended) onEnd();
        ended = true;
      };
      open = stream();
      open.on('data', (chunk: Uint8Array) => onBytes(chunk));
      open.on('end', end);
      open.on('error', end);
      open.on('close', end);
    },
    pause: () => void open?.pause(),
    resume: () => void open?.resume(),
    stop() {
      open?.pause();
      open?.removeAllListeners('data');
      open?.unref?.();
    },
  };
}

/** `stream` (standard output or error) as a `ByteSink`. */
export function openByteSink(
  stream: Writable & { isTTY?: boolean; columns?: number; rows?: number },
  onClosed: () => void = () => {},
): ByteSink {
  let closed = false;
  let pending = 0;
  let waiting: (() => void)[] = [];
  const settle = (): void => {
    if (pending > 0 && !closed) return;
    const all = waiting;
    waiting = [];
    for (const resolve of all) resolve();
  };
  stream.on('error', () => {
    // EPIPE and its like: the reader has gone. Whatever the cause, these bytes can go nowhere.
    if (closed) return;
    closed = true;
    settle();
    onClosed();
  });
  return {
    isTerminal: stream.isTTY === true,
    size: () =>
      stream.isTTY === true && stream.columns !== undefined && stream.rows !== undefined
        ? { columns: stream.columns, rows: stream.rows }
        : undefined,
    get pendingBytes() {
      return closed ? 0 : pending;
    },
    write(bytes) {
      if (closed || bytes.length === 0) return;
      // The guest may overwrite its buffer as soon as we return, while a slow pipe still has to take ours.
      const copy = typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes);
      pending += copy.length;
      stream.write(copy, () => {
        pending -= copy.length;
        settle();
      });
    },
    flush() {
      if (pending === 0 || closed) return Promise.resolve();
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}
