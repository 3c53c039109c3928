import type { Size } from '../../isa/builder.js';
import type { X87RoutineName } from '../../isa/x87-stack.js';
import type { MemoryFunctions } from './memory-functions.js';
import type { Shortcut } from './shortcuts.js';
import type { StringRun } from './string-runs.js';

/**
 * Function indices that handlers call. Slow paths take the record so that a fault knows its instruction; handlers
 * outside the main loop call `MemoryFunctions`, which have the fast path too.
 */
export interface Callees extends MemoryFunctions {
  /** (linear, record) → value */
  readonly slowRead: Record<Size, number>;
  /** (linear, value, record) */
  readonly slowWrite: Record<Size, number>;
  /** (linear, record) → value; faults unless all of it may be written */
  readonly slowReadForWrite: Record<Size, number>;
  /** (helper, record, a, b, c) → result */
  readonly helper: number;
  /** (vector, record) */
  readonly raise: number;
  /** (segment, offset, bytes | write << 8, record) */
  readonly checkSegment: number;
  /** Routines of the x87's arithmetic. */
  readonly x87: Readonly<Record<X87RoutineName, number>>;
  /** (log2 of an element's bytes) → done */
  readonly stringRuns: Record<StringRun, number>;
  /** (a, b) → done */
  readonly shortcuts: Record<Shortcut, number>;
}
