/** Exception vectors (Intel SDM vol. 3, table 6-1). */
export const DE = 0;
export const DB = 1;
export const BP = 3;
export const OF = 4;
export const BR = 5;
export const UD = 6;
export const NM = 7;
export const DF = 8;
export const TS = 10;
export const NP = 11;
export const SS_FAULT = 12;
export const GP = 13;
export const PF = 14;
export const MF = 16;
export const AC = 17;
export const XM = 19;

/** Whether the processor pushes an error code for `vector` (SDM vol. 3, 6.13). */
export function hasErrorCode(vector: number): boolean {
  return vector === 8 || (vector >= 10 && vector <= 14) || vector === 17;
}

/**
 * An exception of the guest, thrown by helpers written in TypeScript before they change any state.
 * The processor catches it at the helper's boundary; it never escapes `Processor.run`.
 *
 * Not an `Error`: capturing a stack trace would cost more than everything else about a page fault.
 */
export class GuestFault {
  constructor(
    readonly vector: number,
    readonly errorCode = 0,
    /** Page faults: the linear address, for CR2. */
    readonly address = 0,
  ) {}
}
