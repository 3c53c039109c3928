import { GuestAddressError } from '../memory/guest-memory.js';

/** How a guest came to its end. */
export interface Stopped {
  readonly kind: 'killed' | 'power-off' | 'restart';
  /** One line without line end. */
  readonly text: string;
  /** What a test kernel has written to the debug-exit port. */
  readonly status?: number;
}

/** Thrown by whatever ends the guest, caught by the board's main loop. */
export class GuestStopped extends Error {
  constructor(readonly stopped: Stopped) {
    super(stopped.text);
  }
}

export function stopGuest(kind: Stopped['kind'], text: string, status?: number): never {
  throw new GuestStopped(status === undefined ? { kind, text } : { kind, text, status });
}

/** What an exception says about the end of the guest; undefined if it is not about the guest. */
export function stoppedBy(error: unknown): Stopped | undefined {
  if (error instanceof GuestStopped) return error.stopped;
  if (error instanceof GuestAddressError) return { kind: 'killed', text: error.message };
  return undefined;
}
