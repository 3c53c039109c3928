/** Addresses that are remembered: a guest may have any number of them become hot and never be translated. */
const MOST_ADDRESSES = 4096;

/**
 * At first hot code has to become hot several times. The engine interprets the maker of modules until it has compiled
 * that itself: the first thousand instructions take ten times as long as later ones, and as much from the guest, whose
 * core is seldom its own. A guest that boots runs much of its code some thousand times and then never again.
 *
 * | instructions made, of those that warm up | times |
 * |---|---|
 * | less than half | 10 |
 * | less than all | 3 |
 * | all | 1 |
 */
export class WarmUp {
  /** Address (`addressKey`) → times that it has become hot. */
  private readonly times = new Map<number, number>();

  /** `instructions`: so many made ones are a warm-up; 0: none is needed. */
  constructor(private readonly instructions: number) {}

  /** Whether what has become hot at an address had better become so again, when so many instructions have been made. */
  mustWait(address: number, made: number): boolean {
    if (made >= this.instructions) {
      this.times.clear();
      return false;
    }
    const times = (this.times.get(address) ?? 0) + 1;
    if (this.times.size >= MOST_ADDRESSES) this.times.clear();
    this.times.set(address, times);
    return times < (made < this.instructions / 2 ? 10 : 3);
  }
}
