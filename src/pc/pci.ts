/**
 * The PCI host bridge: configuration mechanism 1 (PCI 3.0, 3.2.2.3.2; an address at port 0xCF8, data at 0xCFC) and
 * the window above RAM where devices have their registers. One bus. Nobody but us programs it before the kernel runs,
 * so devices come with addresses and interrupt lines already given out, as a BIOS would leave them.
 */
import type { PciFunction } from '../virtio/pci-function.js';
import { allOnes, type PortDevice, type PortSpace } from './ports.js';

export const CONFIG_ADDRESS = 0xcf8;
const CONFIG_DATA = 0xcfc;
const ENABLE = 0x8000_0000;
const SLOTS = 32;

/** Where devices have their memory-mapped registers: above all RAM that a guest can have, below the top. */
export const PCI_WINDOW = 0xe000_0000;
const PCI_WINDOW_END = 0xf000_0000;

/** The bridge itself, in slot 0: Red Hat's id for "a host bridge of no particular kind". */
class HostBridge implements PciFunction {
  private readonly registers = new Uint8Array(256);
  constructor() {
    const view = new DataView(this.registers.buffer);
    view.setUint16(0, 0x1b36, true);
    view.setUint16(2, 0x0008, true);
    // Class: bridge, to the host.
    view.setUint16(10, 0x0600, true);
  }
  readConfig(offset: number, size: number): number {
    let value = 0;
    for (let n = size - 1; n >= 0; n--) value = value * 256 + (this.registers[offset + n] ?? 0xff);
    return value;
  }
  writeConfig(): void {}
  readMemory(): number | undefined {
    return undefined;
  }
  writeMemory(): boolean {
    return false;
  }
}

export interface PciBusState {
  readonly address: number;
}

export class PciBus implements PortDevice {
  private readonly functions: PciFunction[] = [new HostBridge()];
  private address = 0;

  constructor(ports: PortSpace) {
    // The bytes of the address port belong to other chips (0xCF9): only whole words are ours.
    ports.add(CONFIG_ADDRESS, 1, this, true);
    ports.add(CONFIG_DATA, 4, this, true);
  }

  /** The next free slot, 1…31. */
  get nextSlot(): number {
    return this.functions.length;
  }

  add(device: PciFunction): void {
    if (this.functions.length >= SLOTS) throw new RangeError('a PCI bus has 32 slots');
    this.functions.push(device);
  }

  readPort(port: number, size: number): number {
    if (port === CONFIG_ADDRESS) return size === 4 ? this.address : allOnes(size);
    const target = this.target();
    const offset = (this.address & 0xfc) + (port & 3);
    if (target === undefined || (port & 3) + size > 4) return allOnes(size);
    return target.readConfig(offset, size);
  }

  writePort(port: number, size: number, value: number): void {
    if (port === CONFIG_ADDRESS) {
      if (size === 4) this.address = (value & 0x80ff_fffc) >>> 0;
      return;
    }
    if ((port & 3) + size <= 4) this.target()?.writeConfig((this.address & 0xfc) + (port & 3), size, value);
  }

  /** Memory-mapped registers; all ones where no device answers. */
  readMemory(gpa: number, size: number): number {
    if (gpa >= PCI_WINDOW && gpa < PCI_WINDOW_END) {
      for (const device of this.functions) {
        const value = device.readMemory(gpa, size);
        if (value !== undefined) return value;
      }
    }
    return allOnes(size);
  }
  writeMemory(gpa: number, size: number, value: number): void {
    if (gpa < PCI_WINDOW || gpa >= PCI_WINDOW_END) return;
    for (const device of this.functions) if (device.writeMemory(gpa, size, value)) return;
  }

  /** The function that the address names: bus 0, function 0. */
  private target(): PciFunction | undefined {
    const { address } = this;
    if (address < ENABLE || (address & 0xff_0700) !== 0) return undefined;
    return this.functions[(address >>> 11) & 31];
  }

  save(): PciBusState {
    return { address: this.address };
  }
  load(state: PciBusState): void {
    this.address = state.address;
  }
}
