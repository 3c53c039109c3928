/** What the translator has done so far. */
export interface TranslatorCounts {
  /** Regions made, and guest instructions in them. */
  translated: number;
  instructions: number;
  modules: number;
  /** Regions lost to writes. */
  invalidated: number;
  /** Regions made anew because their accesses straddled pages. */
  narrowed: number;
  /** Regions given up because there was too much code, and they were not in use. */
  cold: number;
  /** Times that everything was forgotten because there were too many slots. */
  flushes: number;
  /** Milliseconds making WebAssembly, and having it compiled. */
  emitMs: number;
  compileMs: number;
}

export interface TranslatorStatistics extends TranslatorCounts {
  /** Alive now, and bytes of WebAssembly in them. */
  regions: number;
  bytes: number;
  /** Bytes of memory that compiled code takes, estimated (`CodeMemory`). */
  memory: number;
  /** How often a region was left before an instruction, by reason. */
  leaves: { read: number; write: number; instruction: number; budget: number; fault: number; numbers: number };
  /** How often for which instruction, by name. */
  leftFor: Record<string, number>;
}

export function emptyCounts(): TranslatorCounts {
  return {
    translated: 0,
    instructions: 0,
    modules: 0,
    invalidated: 0,
    narrowed: 0,
    cold: 0,
    flushes: 0,
    emitMs: 0,
    compileMs: 0,
  };
}
