/** Listeners by event name, typed. A listener that throws is the caller's bug and stops the machine. */
export class Events<Table extends { [Name in keyof Table]: unknown[] }> {
  private readonly listeners = new Map<keyof Table, Set<(...args: any[]) => void>>();
  /** Told when an event gets its first listener or loses its last one. */
  private readonly onInterest: (event: keyof Table, wanted: boolean) => void;

  constructor(onInterest: (event: keyof Table, wanted: boolean) => void = () => {}) {
    this.onInterest = onInterest;
  }

  /** Calls `listener` on every `event` until the returned function is called. */
  on<Name extends keyof Table>(event: Name, listener: (...args: Table[Name]) => void): () => void {
    const set = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, set);
    set.add(listener);
    if (set.size === 1) this.onInterest(event, true);
    return () => {
      if (set.delete(listener) && set.size === 0) this.onInterest(event, false);
    };
  }

  emit<Name extends keyof Table>(event: Name, ...args: Table[Name]): void {
    const set = this.listeners.get(event);
    if (set === undefined) return;
    for (const listener of set) listener(...args);
  }

  has(event: keyof Table): boolean {
    return (this.listeners.get(event)?.size ?? 0) > 0;
  }
}
