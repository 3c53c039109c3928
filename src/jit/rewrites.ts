import { MOST_CODE_WRITES } from '../memory/layout.js';

/** Times that code may be overwritten before it has to prove itself. */
const FORGIVEN = 2;
/** The longest wait is 2 to the power of this. */
const LARGEST_EXPONENT = 10;
/**
 * How often blocks have to become hot in vain on a page with code that is written to all the time, `MOST_CODE_WRITES`
 * times or more: it is taken for one that code is made on, and most of what is made while a guest runs does not run long.
 */
const WAIT_AMONG_WRITES = 3;
/** Entries that are remembered: the guest can overwrite any number of them. */
const MOST_KNOWN = 1 << 16;

interface Rewritten {
  times: number;
  /** How often it has still to become hot in vain. */
  wait: number;
}

/**
 * Code that is overwritten again and again, as programs do that patch themselves: to translate it each time would cost
 * more than it gives. Each time a region is lost to a write, its entry has to become hot twice as often as before.
 */
export class Rewrites {
  /** By guest-physical address of the entry. */
  private readonly known = new Map<number, Rewritten>();

  /** `writes`: by guest page, `CODE_WRITES`. */
  constructor(private readonly writes: Uint8Array) {}

  /** A region with its entry at `gpa` has been overwritten. */
  note(gpa: number): void {
    const times = (this.known.get(gpa)?.times ?? 0) + 1;
    const wait = times <= FORGIVEN ? 0 : 2 ** Math.min(times - FORGIVEN, LARGEST_EXPONENT) - 1;
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(gpa, { times, wait });
  }

  /** Whether the code at `gpa`, which has just become hot, is to become so again before it is translated. */
  mustWait(gpa: number): boolean {
    let rewritten = this.known.get(gpa);
    if (!rewritten && this.writes[gpa >>> 12] === MOST_CODE_WRITES) {
      rewritten = { times: 0, wait: WAIT_AMONG_WRITES };
      if (this.known.size >= MOST_KNOWN) this.known.clear();
      this.known.set(gpa, rewritten);
    }
    if (!rewritten || rewritten.wait === 0) return false;
    rewritten.wait--;
    return true;
  }

  clear(): void {
    this.known.clear();
    this.writes.fill(0);
  }
}
