/*G:010
 * Seven guests from one source
 *
 * A guest kernel and its Host were built from one tree, so every kernel release may speak its own dialect. Ours is
 * assembled once for each dialect that the Host understands (lguest-abi §1.1): which instruction makes a hypercall,
 * how `struct lguest_data` is laid out, who makes the first page tables, and whether page tables have two levels or
 * three. What differs is a handful of `%if` in the chapters that follow.
 */
export type VariantName = 'C1' | 'C2' | 'C2-PAE' | 'D1' | 'D1-PAE' | 'D2' | 'D2-PAE';

/** One dialect. */
export interface Variant {
  readonly name: VariantName;
  /** The releases that speak it. */
  readonly releases: string;
  /** Hypercalls by `0F 01 C1`; otherwise by `CD 1F`. */
  readonly vmcall: boolean;
  /** `send_interrupts` uses `0F 01 C1` even where nothing else does. */
  readonly vmcallInSendInterrupts: boolean;
  /** 1: 16-byte ring entries and no `irq_pending`; 2: both; 3: as 2, and no `pgdir`. */
  readonly layout: 1 | 2 | 3;
  /** The guest begins without any page table, and makes its own. */
  readonly linear: boolean;
  readonly pae: boolean;
}

// biome-ignore format: table
export const VARIANTS: readonly Variant[] = [
  { name: 'C1',     releases: '2.6.30',           vmcall: true,  vmcallInSendInterrupts: true,  layout: 1, linear: false, pae: false },
  { name: 'C2',     releases: '2.6.31 to 2.6.33', vmcall: true,  vmcallInSendInterrupts: true,  layout: 2, linear: false, pae: false },
  { name: 'C2-PAE', releases: '2.6.31 to 2.6.33', vmcall: true,  vmcallInSendInterrupts: true,  layout: 2, linear: false, pae: true },
  { name: 'D1',     releases: '2.6.34 to 3.0',    vmcall: false, vmcallInSendInterrupts: true,  layout: 2, linear: false, pae: false },
  { name: 'D1-PAE', releases: '2.6.34 to 3.0',    vmcall: false, vmcallInSendInterrupts: true,  layout: 2, linear: false, pae: true },
  { name: 'D2',     releases: '3.1 to 3.19',      vmcall: false, vmcallInSendInterrupts: false, layout: 3, linear: true,  pae: false },
  { name: 'D2-PAE', releases: '3.1 to 3.19',      vmcall: false, vmcallInSendInterrupts: false, layout: 3, linear: true,  pae: true },
];

/** The names by which the source text asks about its dialect. */
export function definesOf(variant: Variant): Readonly<Record<string, number>> {
  return {
    VMCALL: Number(variant.vmcall),
    VMCALL_IN_SEND_INTERRUPTS: Number(variant.vmcallInSendInterrupts),
    LAYOUT: variant.layout,
    LINEAR: Number(variant.linear),
    PAE: Number(variant.pae),
  };
}
