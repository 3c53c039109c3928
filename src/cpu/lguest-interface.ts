/**
 * What the processor knows of lguest's interface, because it serves the usual hypercalls without the Host
 * (`interpreter/hypercalls.ts`). The Host has it from here.
 */

export { HYPERCALL_VECTOR } from '../isa/software-interrupts.js';

/** The ring that a guest's kernel runs at. */
export const GUEST_LEVEL = 1;

/** Numbers of those calls (lguest-abi.md §4); all calls are in `host/hypercalls.ts`. */
export const CALL = {
  flushAsync: 0,
  newPageTable: 4,
  flushTlb: 5,
  setStack: 7,
  taskSwitched: 8,
  setPte: 14,
  setDirectoryEntry: 15,
  loadTls: 16,
} as const;

/** Slots of the ring of postponed calls. */
export const RING_SLOTS = 64;
/** Status of a free slot. */
export const RING_FREE = 0xff;

/** First of the entries of the GDT that thread-local storage uses, and how many there are. */
export const TLS_ENTRY = 6;
export const TLS_ENTRIES = 3;
