/**
 * How helpers written in TypeScript reach linear memory. Every method throws `GuestFault` (#PF) before
 * anything is changed; addresses are linear (segment base already added), unsigned or signed 32-bit.
 * `supervisor` accesses ignore CPL (descriptor tables, TSS, ring-0 stacks; SDM vol. 3, 4.6.1).
 */
export interface LinearAccess {
  read8(linear: number, supervisor?: boolean): number;
  read16(linear: number, supervisor?: boolean): number;
  /** Unsigned. */
  read32(linear: number, supervisor?: boolean): number;
  write8(linear: number, value: number, supervisor?: boolean): void;
  write16(linear: number, value: number, supervisor?: boolean): void;
  write32(linear: number, value: number, supervisor?: boolean): void;
  /** Faults now if `[linear, linear+length)` could not be written: for helpers that write several words. */
  probeWrite(linear: number, length: number, supervisor?: boolean): void;
  /** Where `bytes` at `linear` are in linear memory for a supervisor, if the TLB knows and they are on a page; else −1. */
  hostAddress(linear: number, bytes: number, write: boolean): number;
  probeRead(linear: number, length: number, supervisor?: boolean): void;
}
