/** Linear pages. */
const PAGES = 1 << 20;

/**
 * Which jump-cache entries and translated regions are still valid, without touching each of them: every entry carries
 * the epoch it was made in, one for ring 3 and one for all others, and a new epoch voids all that carry an older one.
 *
 * An epoch ends when a page that code was fetched from, in it, may be mapped differently. That is rarer than changes
 * of mappings: a page fault that brings in data, or a switch to another process, says nothing about the kernel's code.
 */
export class CodeEpochs {
  /** By privilege: rings 0 to 2, ring 3. Positive. */
  readonly current: [supervisor: number, user: number] = [1, 1];
  /** By privilege and page number: the epoch in which code came from the page last. */
  private readonly pages: readonly [Uint32Array, Uint32Array] = [new Uint32Array(PAGES), new Uint32Array(PAGES)];
  /** The same for pages that the processor itself may fetch from, as a walk has found. */
  private readonly fetched: readonly [Uint32Array, Uint32Array] = [new Uint32Array(PAGES), new Uint32Array(PAGES)];
  /** User code came from any page in this epoch. */
  private userNoted = false;
  /** Supervisor code was fetched from a page that is not global. */
  private supervisorLocal = false;
  /** The lowest page of supervisor code. */
  private lowestSupervisor = Number.POSITIVE_INFINITY;

  /** Code comes from linear page number `page`. */
  note(page: number, user: boolean, global: boolean): void {
    const privilege = user ? 1 : 0;
    this.pages[privilege][page] = this.current[privilege];
    if (user) {
      this.userNoted = true;
      return;
    }
    if (!global) this.supervisorLocal = true;
    if (page < this.lowestSupervisor) this.lowestSupervisor = page;
  }

  /** A walk to fetch code from the page has succeeded. */
  noteFetched(page: number, user: boolean): void {
    const privilege = user ? 1 : 0;
    this.fetched[privilege][page] = this.current[privilege];
  }

  /** Whether such a walk has succeeded in this epoch: the page may only have become another in a new one. */
  isFetched(page: number, user: boolean): boolean {
    const privilege = user ? 1 : 0;
    return this.fetched[privilege][page] === this.current[privilege];
  }

  /** All mappings, or decoded code itself, may be different now. */
  endAll(): void {
    this.endSupervisor();
    this.endUser();
  }

  /** All but global pages may be mapped differently now. */
  endLocal(): void {
    this.endUser();
    if (this.supervisorLocal) this.endSupervisor();
  }

  /** Pages below page number `limit` may be mapped differently now. */
  endBelow(limit: number): void {
    this.endUser();
    if (this.lowestSupervisor < limit) this.endSupervisor();
  }

  /** This page may be mapped differently now. Returns whether an epoch has ended. */
  endPage(page: number): boolean {
    const [supervisor, user] = this.current;
    if (this.pages[0][page] === supervisor) this.endSupervisor();
    if (this.pages[1][page] === user) this.endUser();
    return this.current[0] !== supervisor || this.current[1] !== user;
  }

  /** No epoch has the number of one that has been. Only when nothing carries one any more. */
  startAnew(): void {
    this.current.fill(1);
    for (const pages of [...this.pages, ...this.fetched]) pages.fill(0);
  }

  private endSupervisor(): void {
    this.current[0]++;
    this.supervisorLocal = false;
    this.lowestSupervisor = Number.POSITIVE_INFINITY;
  }

  private endUser(): void {
    if (!this.userNoted) return;
    this.current[1]++;
    this.userNoted = false;
  }
}
