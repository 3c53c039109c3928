import { hex } from './trace-hypercalls.js';

/** Where the guest's time went, one row for a function or, where no name is known, a page of code. */
export interface ProfileRow {
  name: string;
  ring: 'kernel' | 'user';
  samples: number;
  /** Seconds in translated code, and interpreting it or serving what it asked for. */
  translatedSeconds: number;
  interpretedSeconds: number;
}

/** Sums up samples by function. The names come from `nameAt`, which knows functions by any address in them. */
export class Profile {
  private readonly byPlace = new Map<string, ProfileRow>();
  private readonly nameAt: (address: number) => string | undefined;

  constructor(nameAt: (address: number) => string | undefined) {
    this.nameAt = nameAt;
  }

  /** `ns` nanoseconds went by up to the moment when the guest was at `eip`. */
  add(eip: number, user: boolean, translated: boolean, ns: number): void {
    const ring = user ? 'user' : 'kernel';
    const name = this.nameAt(eip) ?? `page ${hex((eip & ~0xfff) >>> 0)}`;
    const key = `${ring} ${name}`;
    let row = this.byPlace.get(key);
    if (row === undefined) {
      row = { name, ring, samples: 0, translatedSeconds: 0, interpretedSeconds: 0 };
      this.byPlace.set(key, row);
    }
    row.samples++;
    row[translated ? 'translatedSeconds' : 'interpretedSeconds'] += ns / 1e9;
  }

  /** The longest first. */
  rows(): ProfileRow[] {
    const total = (row: ProfileRow): number => row.translatedSeconds + row.interpretedSeconds;
    return [...this.byPlace.values()].map((row) => ({ ...row })).sort((a, b) => total(b) - total(a));
  }
}
