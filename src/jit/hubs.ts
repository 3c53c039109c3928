/**
 * Times that computed jumps leave regions before they are followed within one. By then most of their targets are known:
 * a hub made too soon is made twice, and it is the most expensive region there is.
 */
export const MOST_JUMPS = 20_000;
/** Each time that a hub is made, so many times as many jumps past it make it be made anew. */
const PATIENCE = 4;
/** How often a hub is made. */
const MOST_HUBS = 6;
/** Hubs, and targets of one, that are remembered: the guest can jump to any number of places from any number. */
const MOST_KNOWN = 1024;

/** Of an address whose region gets a hub. */
interface Hub {
  readonly targets: Set<number>;
  made: number;
  /** Jumps past it since it was made. */
  past: number;
}

/**
 * Which regions get hubs, and where those lead, as far as is known: to all that is found out at any time, so that a hub
 * only ever grows. Keys are addresses of regions.
 */
export class Hubs {
  private readonly hubs = new Map<number, Hub>();

  has(address: number): boolean {
    return this.hubs.has(address);
  }
  addresses(): Iterable<number> {
    return this.hubs.keys();
  }
  targets(address: number): Iterable<number> {
    return this.hubs.get(address)?.targets ?? [];
  }

  /** So many jumps have gone past the hub, to `targets` among others. Whether it is to be made, perhaps anew. */
  miss(address: number, targets: Iterable<number>, jumps: number): boolean {
    let hub = this.hubs.get(address);
    if (!hub) {
      if (this.hubs.size >= MOST_KNOWN) this.hubs.clear();
      this.hubs.set(address, (hub = { targets: new Set(), made: 0, past: 0 }));
    }
    if (hub.made >= MOST_HUBS) return false;
    if (hub.targets.size >= MOST_KNOWN) hub.targets.clear();
    for (const target of targets) hub.targets.add(target);
    hub.past += jumps;
    if (hub.past < MOST_JUMPS * PATIENCE ** hub.made) return false;
    hub.past = 0;
    hub.made++;
    return true;
  }

  clear(): void {
    this.hubs.clear();
  }
}
