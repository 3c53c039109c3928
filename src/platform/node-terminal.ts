/** The part of a terminal stream that is needed; `process.stdin` is one, a test may hand in another. */
export interface RawCapable {
  isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

/** Where exits and signals are announced; `process` is one. */
export interface ExitAnnouncer {
  on(event: string, listener: (...args: any[]) => void): unknown;
  removeListener(event: string, listener: (...args: any[]) => void): unknown;
}

/** Signals that end us, with the status a shell gives for them (128 + number; POSIX.1, 2.8.2). */
export const ENDING_SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGQUIT: 131, SIGTERM: 143 } as const;

/**
 * Puts the terminal into raw mode (every key reaches the guest, none is echoed) and returns what undoes it.
 *
 * The mode is restored by whichever comes first: the returned function, or the process' exit, which `process.exit`
 * and an uncaught exception both announce. After a stop from outside (SIGSTOP, SIGTSTP; the shell then uses its own
 * mode) SIGCONT makes the terminal raw again. Signals that end the process are the caller's: `watchEndingSignals`
 * turns them into an ordinary exit.
 */
export function makeTerminalRaw(terminal: RawCapable, announcer: ExitAnnouncer = process): () => void {
  if (terminal.isTTY !== true || terminal.setRawMode === undefined) return () => {};
  const enter = (): void => {
    try {
      terminal.setRawMode?.(true);
    } catch {
      // The terminal has gone away (EIO): there is nothing left to configure.
    }
  };
  const leave = (): void => {
    try {
      terminal.setRawMode?.(false);
    } catch {
      // As above.
    }
  };
  // A terminal that comes back to the foreground has the shell's settings.
  announcer.on('SIGCONT', enter);
  announcer.on('exit', leave);
  enter();
  let restored = false;
  return () => {
    if (restored) return;
    restored = true;
    announcer.removeListener('SIGCONT', enter);
    announcer.removeListener('exit', leave);
    leave();
  };
}

/** Calls `onSignal` with the exit status to use when a signal asks the process to end; the result stops watching. */
export function watchEndingSignals(
  onSignal: (status: number, name: string) => void,
  announcer: ExitAnnouncer = process,
): () => void {
  const listeners = Object.entries(ENDING_SIGNALS).map(([name, status]) => {
    const listener = (): void => onSignal(status, name);
    announcer.on(name, listener);
    return [name, listener] as const;
  });
  return () => {
    for (const [name, listener] of listeners) announcer.removeListener(name, listener);
  };
}

/** What has a size that can change; a `ByteSink` is one. */
export interface Resizable {
  size(): { columns: number; rows: number } | undefined;
}

/** Calls `onResize` when the terminal behind `sink` has got another size; the result stops watching. */
export function watchResizes(
  sink: Resizable,
  onResize: (size: { columns: number; rows: number }) => void,
  announcer: ExitAnnouncer = process,
): () => void {
  const listener = (): void => {
    // Node has asked the terminal by the time listeners that were added later are called.
    const size = sink.size();
    if (size !== undefined) onResize(size);
  };
  announcer.on('SIGWINCH', listener);
  return () => void announcer.removeListener('SIGWINCH', listener);
}
