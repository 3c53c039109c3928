import type { GuestMemory } from '../memory/guest-memory.js';
import { MODE } from './decoder.js';
import type { Forms } from './interpreter/forms.js';
import type { Shortcut } from './interpreter/shortcuts.js';
import type { StringRun } from './interpreter/string-runs.js';

/**
 * What the processor asks of a translator. The processor knows no translator; `vm` injects one that implements this
 * (`src/jit`), or none.
 *
 * A region is translated code with one entry. The interpreter calls it with the depth of its calls (0) and gets the
 * EIP at which to go on, or `ELSEWHERE`; everything else is in the state by then. When it cannot go on it leaves before
 * the instruction, which the interpreter then runs. It calls nothing but helpers and routines, and leaves behind a helper that
 * has changed what the region was made from, or asked to stop.
 */
export interface Translator {
  /** Functions (depth) → eip; an index is a region's slot. */
  readonly table: WebAssembly.Table;
  /** Executions of a block by the interpreter before `hot` is asked. */
  readonly threshold: number;
  /** The slot of a region that may be entered at `linear` now, under `key` (`STATE.codeKey`), or 0. */
  find(linear: number, key: number): number;
  /** The block at `linear` has run often. Returns the slot of a region there if there is one now, or 0. */
  hot(linear: number, key: number): number;
  /** Guest memory `[gpa, gpa+length)` has changed. Returns whether a region was lost. */
  invalidate(gpa: number, length: number): boolean;
  /** Forgets all regions. */
  flush(): void;
}

/** What a translator may ask of its processor. */
export interface TranslatorHost {
  readonly memory: GuestMemory;
  readonly forms: Forms;
  /** Guest-physical address of the page of `linear`, if the TLB knows that it may be read now; else −1. */
  mappedPage(linear: number, user: boolean): number;
  /** The same for code, if it may be fetched, whatever the TLB knows. */
  fetchablePage(linear: number, user: boolean): number;
  /** Whether the interpreter has decoded a block that begins at `gpa`. */
  hasRun(gpa: number, mode: number): boolean;
  /** Writes to these bytes, all on one page, are noticed from now on, until that page is no longer watched. */
  watchCode(start: number, end: number): void;
  unwatchPage(gpaPage: number): void;
  /** By name, of all helpers. */
  readonly helperNumbers: ReadonlyMap<string, number>;
  /**
   * Calls a helper for the instruction at `eip`, before `next`, with `remaining` instructions of its block left,
   * itself included. Registers, flags and budget are in the state. Sets `TRANSLATED.leave`.
   */
  callHelper(helper: number, eip: number, next: number, remaining: number, a: number, b: number, c: number): number;
  /** A function of the interpreter's module, for regions to call. Not before the translator is attached. */
  interpreterFunction(name: StringRun | Shortcut): WebAssembly.ExportValue;
  /** Routines of the x87's arithmetic, by name (`x87-unit/routines.ts`). */
  readonly x87Routines: WebAssembly.ModuleImports;
  /** How often the interpreter has run the block at `linear` since it became hot, as far as is known. */
  runsSinceHot(linear: number): number;
  /** A region with its entry at `linear` has come or gone: where the jump cache leads from there is void. */
  regionChanged(linear: number): void;
  /** Slots are used anew: all of the jump cache is void. */
  regionsChanged(): void;
}

/** The only mode in which code is translated: 32 bits, flat segments. */
export const TRANSLATED_MODE = MODE.code32 | MODE.stack32 | MODE.flat;

/** Bits of `codeKey` below the epoch: decoding mode, and `KEY_USER` for ring 3. */
export const KEY_USER = 16;
export const KEY_EPOCH = 32;

/** A `codeKey` that nothing carries, in an epoch that never comes; void entries of the jump cache carry 0. */
export const KEY_OF_NOTHING = -0x8000_0000;
