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
  private readonly pages: readonly [Set<number>, Set<number>] = [new Set(), new Set()];
  /** Supervisor code was fetched from a page that is not global. */
  private supervisorLocal = false;
  /** The lowest page of supervisor code. */
  private lowestSupervisor = Number.POSITIVE_INFINITY;

  /** Code comes from linear page number `page`. */
  note(page: number, user: boolean, global: boolean): void {
    this.pages[user ? 1 : 0].add(page);
    if (user) return;
    if (!global) this.supervisorLocal = true;
    if (page < this.lowestSupervisor) this.lowestSupervisor = page;
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

  /** This page may be mapped differently now. */
  endPage(page: number): void {
    if (this.pages[0].has(page)) this.endSupervisor();
    if (this.pages[1].has(page)) this.endUser();
  }

  private endSupervisor(): void {
    this.current[0]++;
    this.pages[0].clear();
    this.supervisorLocal = false;
    this.lowestSupervisor = Number.POSITIVE_INFINITY;
  }

  private endUser(): void {
    if (this.pages[1].size === 0) return;
    this.current[1]++;
    this.pages[1].clear();
  }
}
