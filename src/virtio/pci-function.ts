/** A device on a PCI bus, as the bus sees it: configuration space and memory-mapped registers. */
export interface PciFunction {
  /** `offset` + `size` ≤ 256, within one 32-bit word. Unsigned. */
  readConfig(offset: number, size: number): number;
  writeConfig(offset: number, size: number, value: number): void;
  /** Undefined: this address is not ours. Unsigned. */
  readMemory(gpa: number, size: number): number | undefined;
  /** False: this address is not ours. */
  writeMemory(gpa: number, size: number, value: number): boolean;
}
