import type { Region } from './region.js';

/**
 * What compiled code costs, measured with V8: for each module; for each region; and for each byte of WebAssembly, which
 * is kept and compiled twice, fast and well.
 */
const MODULE_BYTES = 25_000;
const REGION_BYTES = 1_500;
const COST_OF_BYTE = 3;

/** When there is too much, as much goes as leaves this part of what is allowed. */
const PART_KEPT = 0.75;

/** A compiled module. The engine frees it when none of its regions can be entered any more. */
interface CodeModule {
  readonly living: Set<Region>;
  readonly bytes: number;
}

/** How much memory compiled code takes, and which of it has not been in use lately. */
export class CodeMemory {
  /** Estimated. */
  bytes = 0;
  /** By number, the oldest first. */
  private readonly modules = new Map<number, CodeModule>();

  /** `mostBytes`: of memory. */
  constructor(private readonly mostBytes: number) {}

  /** Module `number` has been compiled; `living` of its regions may be entered. */
  add(number: number, wasmBytes: number, living: readonly Region[]): void {
    if (living.length === 0) return;
    const bytes = MODULE_BYTES + REGION_BYTES * living.length + COST_OF_BYTE * wasmBytes;
    this.bytes += bytes;
    this.modules.set(number, { living: new Set(living), bytes });
  }

  /** The region will never be entered again. */
  remove(region: Region): void {
    const module = this.modules.get(region.module);
    if (!module?.living.delete(region) || module.living.size > 0) return;
    this.modules.delete(region.module);
    this.bytes -= module.bytes;
  }

  get tooMuch(): boolean {
    return this.bytes > this.mostBytes;
  }
  /** Before long there will be too much: it is time to find out what is in use. */
  get nearlyTooMuch(): boolean {
    return this.bytes > PART_KEPT * this.mostBytes;
  }

  /**
   * Regions to be given up, in whole modules: those that have not been entered since `used` was last taken from them,
   * then the oldest. The newest module stays.
   */
  chooseCold(): Region[] {
    const modules = [...this.modules.values()].slice(0, -1);
    const isUsed = ({ living }: CodeModule): boolean => [...living].some(({ used }) => used);
    const cold: Region[] = [];
    let left = this.bytes;
    for (const module of [...modules.filter((each) => !isUsed(each)), ...modules.filter(isUsed)]) {
      if (left <= PART_KEPT * this.mostBytes) break;
      left -= module.bytes;
      cold.push(...module.living);
    }
    return cold;
  }
}
