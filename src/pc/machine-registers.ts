/** Model-specific registers of the board, besides those that the processor keeps itself (SYSENTER) and KVM's clock. */

const TIME_STAMP_COUNTER = 0x10;
const EXTENDED_FEATURES = 0xc000_0080;
/** EFER: no-execute enable. The other bits belong to what CPUID does not advertise. */
export const NO_EXECUTE_ENABLE = 1 << 11;

/** What kernels touch on a processor of Intel's without asking: its value, low and high word. Writes change nothing. */
const CONSTANTS: ReadonlyMap<number, readonly [number, number]> = new Map([
  /** IA32_PLATFORM_ID. */
  [0x17, [0, 0]],
  /** IA32_BIOS_SIGN_ID: there is no microcode. */
  [0x8b, [0, 0]],
  /** IA32_MISC_ENABLE: fast strings; neither is CPUID limited, nor no-execute disabled. */
  [0x1a0, [1, 0]],
]);

export interface MachineRegistersState {
  readonly efer: number;
  readonly tscOffset: bigint;
}

export interface MachineRegistersOptions {
  /** Time-stamp counter before the guest's own offset, ticks. */
  ticks(): number;
  /** EFER has changed. */
  onChange(): void;
}

export class MachineRegisters {
  private readonly options: MachineRegistersOptions;
  efer = 0;
  /** What the guest has moved its counter by. */
  private tscOffset = 0n;

  constructor(options: MachineRegistersOptions) {
    this.options = options;
  }

  timestamp(): readonly [number, number] {
    const ticks = this.options.ticks();
    if (this.tscOffset === 0n) return [ticks >>> 0, Math.floor(ticks / 0x1_0000_0000)];
    const value = BigInt.asUintN(64, BigInt(Math.floor(ticks)) + this.tscOffset);
    return [Number(value & 0xffff_ffffn), Number(value >> 32n)];
  }

  read(index: number): readonly [number, number] | undefined {
    if (index === TIME_STAMP_COUNTER) return this.timestamp();
    if (index === EXTENDED_FEATURES) return [this.efer, 0];
    return CONSTANTS.get(index);
  }

  write(index: number, low: number, high: number): boolean {
    if (index === TIME_STAMP_COUNTER) {
      const wanted = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
      this.tscOffset = wanted - BigInt(Math.floor(this.options.ticks()));
      return true;
    }
    if (index === EXTENDED_FEATURES) {
      if ((low & ~NO_EXECUTE_ENABLE) !== 0 || high !== 0) return false;
      this.efer = low >>> 0;
      this.options.onChange();
      return true;
    }
    return CONSTANTS.has(index);
  }

  save(): MachineRegistersState {
    return { efer: this.efer, tscOffset: this.tscOffset };
  }
  load(state: MachineRegistersState): void {
    this.efer = state.efer;
    this.tscOffset = state.tscOffset;
  }
}
