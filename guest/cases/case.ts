import type { Variant } from '../variants.js';

/**
 * One conformance case: what the guest does, and how its run must end.
 *
 * `code` is a routine of the guest, called in the high half with everything in order (chapter G:520), interrupts off
 * and masked. It compares with `check`, gives up with `fail`, and returns.
 */
export interface CaseSource {
  /** As in lguest-abi §13; S… are ours, for the routines of the seed. */
  readonly id: string;
  readonly title: string;
  /** Where the case applies; default: everywhere. */
  readonly on?: (variant: Variant) => boolean;
  /** 'early': runs at physical addresses before LGUEST_INIT, and may return to let that happen. */
  readonly stage?: 'early' | 'running';
  readonly expected?: Expectation;
  /** Words behind `case=…` on the command line that the case wants to see. */
  readonly arguments?: readonly string[];
  /** What must come from outside. Such cases are not part of `case=all` (T03 is if there is an initrd). */
  readonly needs?: 'initrd' | 'input' | 'override';
  /** Not part of `case=all`, though it ends normally. */
  readonly alone?: boolean;
  /** When interrupts come is its subject: spared by storms (chapter G:525). */
  readonly countsInterrupts?: boolean;
  readonly code: string;
}

/**
 * How the run of a case ends. 'pass-line': the guest prints `ID pass` and powers off. `kill`: the guest is killed with
 * that text, in which `{symbol}` stands for the address of a symbol, as `0x…`. 'restart', 'power-off': it asks for that.
 */
export type Expectation = 'pass-line' | 'restart' | 'power-off' | { readonly kill: string | RegExp };

export const notC1 = (variant: Variant): boolean => variant.layout >= 2;
export const onlyPae = (variant: Variant): boolean => variant.pae;
export const notPae = (variant: Variant): boolean => !variant.pae;

/** The line of code at which a guest that ought to be dead says so. */
export const STILL_ALIVE = '    fail "the guest is still alive"\n    ret';
