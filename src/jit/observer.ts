/** Why one region came to its end. */
export type RegionEnd =
  /** A byte that it was made from has been written. */
  | 'overwritten'
  /** It was left for accesses all the time: made anew without groups. */
  | 'narrowed'
  /** Other code at the same address has taken its place. */
  | 'replaced'
  /** There was more code than the limit allows, and this was not in use. */
  | 'cold';

/** Why all regions came to their end. */
export type FlushReason =
  /** There were too many addresses with regions. */
  | 'slots'
  /** Somebody asked for it (`TortureOptions.dropTranslationsEvery`). */
  | 'dropped'
  /** The processor's state was replaced as a whole. */
  | 'state';

/** What an observer is told of a region. */
export interface RegionFacts {
  /** Linear address of the entry. */
  readonly entry: number;
  /** Ring 3. */
  readonly user: boolean;
  /** At how many addresses it may be entered. */
  readonly entries: number;
  /** Guest instructions. */
  readonly instructions: number;
  /** Bytes of its WebAssembly function. */
  readonly bytes: number;
}

/** What a module consists of, and the milliseconds that it took to make it and to have it compiled. */
export interface ModuleFacts {
  readonly regions: number;
  readonly bytes: number;
  readonly emitMs: number;
  readonly compileMs: number;
}

/** Hears what a translator does. */
export interface TranslatorObserver {
  regionMade(region: RegionFacts): void;
  regionEnded(region: RegionFacts, why: RegionEnd): void;
  /** Nothing can be translated at this address. */
  regionRefused(entry: number, user: boolean): void;
  moduleCompiled(module: ModuleFacts): void;
  /** `regions` regions with `bytes` bytes of code are gone. */
  flushed(regions: number, bytes: number, why: FlushReason): void;
}
