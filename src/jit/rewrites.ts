/** Times that code may be overwritten before it has to prove itself. */
const FORGIVEN = 2;
/** The longest wait is 2 to the power of this. */
const LARGEST_EXPONENT = 10;
/** Writes to a page with code from which on it is taken for one that code is made on. */
const MANY_WRITES = 256;
/** How often blocks on such a page have to become hot in vain: most of what is made while a guest runs does not run long. */
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
  /** Guest page with code → times that the guest has written to it. */
  private readonly writes = new Map<number, number>();

  /** A region with its entry at `gpa` has been overwritten. */
  note(gpa: number): void {
    const times = (this.known.get(gpa)?.times ?? 0) + 1;
    const wait = times <= FORGIVEN ? 0 : 2 ** Math.min(times - FORGIVEN, LARGEST_EXPONENT) - 1;
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(gpa, { times, wait });
  }

  /** The guest has written to a page with code, whatever is there. */
  noteWrite(page: number): void {
    if (this.writes.size >= MOST_KNOWN) this.writes.clear();
    this.writes.set(page, (this.writes.get(page) ?? 0) + 1);
  }

  get none(): boolean {
    return this.known.size === 0 && this.writes.size === 0;
  }

  /** Whether the code at `gpa`, which has just become hot, is to become so again before it is translated. */
  mustWait(gpa: number): boolean {
    let rewritten = this.known.get(gpa);
    if (!rewritten && (this.writes.get(gpa >>> 12) ?? 0) >= MANY_WRITES) {
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
    this.writes.clear();
  }
}
