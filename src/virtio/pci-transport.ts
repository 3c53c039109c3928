/*D:140
 * Devices on PCI
 *
 * Today's kernels look for virtio devices on the PCI bus (virtio 1.0, 4.1). The device is a PCI function with one
 * window of memory-mapped registers; capabilities in its configuration space say what is where in the window:
 *
 *     0x0000  common      features, status, and for one queue at a time its size and where its three parts are
 *     0x1000  ISR         why the device interrupts; reading it lowers the interrupt line
 *     0x2000  device      the configuration of this type of device
 *     0x3000  notify      one word for each queue; writing it is the kick
 *
 * A guest that gets its rings wrong does not end here, as it would under lguest: the device declares itself broken
 * (DEVICE_NEEDS_RESET) and does nothing more until the driver resets it.
 */
import { GuestAddressError, type GuestMemory } from '../memory/guest-memory.js';
import type { VirtioDevice } from './device.js';
import type { PciFunction } from './pci-function.js';
import { type QueueState, Virtqueue } from './queue.js';

/** Bytes of the register window, and of each of its four parts. */
export const VIRTIO_PCI_WINDOW = 0x4000;
const PART = { common: 0, isr: 0x1000, device: 0x2000, notify: 0x3000 } as const;
const PART_BYTES = 0x1000;
/** Bytes between the notify words of two queues. */
const NOTIFY_STEP = 4;

/** Offsets in configuration space (PCI 3.0, 6.1) and of our capabilities. */
const CONFIG = {
  ...{ command: 0x04, status: 0x06, revision: 0x08, subclass: 0x0a, class: 0x0b, bar0: 0x10 },
  ...{ subsystemVendor: 0x2c, subsystem: 0x2e, capabilities: 0x34, interruptLine: 0x3c, interruptPin: 0x3d },
} as const;
const FIRST_CAPABILITY = 0x40;
const COMMAND_MEMORY = 2;
const COMMAND_WRITABLE = 0x0406;
const COMMAND_NO_INTERRUPT = 0x400;
const STATUS_INTERRUPT = 8;
const STATUS_CAPABILITIES = 0x10;
const VENDOR = 0x1af4;
/** Device ids of devices without a legacy interface: this plus the virtio type. */
const FIRST_DEVICE_ID = 0x1040;

/** Capability types (4.1.4). */
const CAPABILITY = { common: 1, notify: 2, isr: 3, device: 4, window: 5 } as const;
const CAPABILITY_BYTES = 16;

/** Device status (2.1). */
const STATUS = { featuresOk: 8, driverOk: 4, needsReset: 0x40 } as const;
/** ISR bits. */
const ISR_QUEUE = 1;
const ISR_CONFIG = 2;
const FEATURE_INDIRECT = 1n << 28n;
const FEATURE_VERSION_1 = 1n << 32n;
const MOST_ENTRIES = 256;
const NO_VECTOR = 0xffff;

/** PCI base class and subclass by virtio type; others are "other". */
const CLASSES: ReadonlyMap<number, readonly [number, number]> = new Map([
  [1, [0x02, 0x00]],
  [2, [0x01, 0x80]],
  [3, [0x07, 0x80]],
  [4, [0xff, 0x00]],
]);

export interface VirtioPciOptions {
  memory: GuestMemory;
  device: VirtioDevice;
  /** Guest-physical address of the register window, a multiple of its size. */
  windowGpa: number;
  /** The interrupt line as the guest numbers it. */
  irq: number;
  setLine(high: boolean): void;
  warn(text: string): void;
}

interface QueueRegisters {
  size: number;
  enabled: boolean;
  descriptors: number;
  available: number;
  used: number;
}

export interface VirtioPciState {
  version: 1;
  name: string;
  config: Uint8Array;
  status: number;
  isr: number;
  deviceFeatureSelect: number;
  driverFeatureSelect: number;
  driverFeatures: bigint;
  queueSelect: number;
  kicked: number;
  registers: QueueRegisters[];
  queues: QueueState[];
  device: unknown;
}

/** The driver did what no driver does. */
class DeviceBroken extends Error {}

export class VirtioPciTransport implements PciFunction {
  readonly device: VirtioDevice;
  private readonly options: VirtioPciOptions;
  private readonly offered: bigint;
  private readonly config = new Uint8Array(256);
  private readonly queues: Virtqueue[];
  private registers: QueueRegisters[];
  private status = 0;
  private isr = 0;
  private deviceFeatureSelect = 0;
  private driverFeatureSelect = 0;
  private driverFeatures = 0n;
  private queueSelect = 0;
  /** Bit n: queue n has been kicked since the last reset. */
  private kicked = 0;
  /** The window through configuration space: capability `window` at this offset. */
  private windowAt = 0;

  constructor(options: VirtioPciOptions) {
    const { device, memory } = options;
    this.options = options;
    this.device = device;
    this.offered = device.features | FEATURE_VERSION_1 | FEATURE_INDIRECT;
    this.queues = Array.from(
      { length: device.queueCount },
      () =>
        new Virtqueue({
          memory,
          limit: () => memory.size,
          interrupt: () => this.interrupt(ISR_QUEUE),
          fatal: (text) => this.break(text),
        }),
    );
    this.registers = this.queues.map(() => freshQueue());
    this.writeHeader();
    device.attach({
      queues: this.queues,
      acceptedFeatures: () => this.driverFeatures & device.features,
      warn: (text) => options.warn(text),
      fatal: (text) => this.break(text),
    });
  }

  /**
   * Runs work of the device that may touch its rings (a kick, input that has come). A ring that makes no sense breaks
   * the device, not the machine.
   */
  guard(work: () => void): void {
    if ((this.status & STATUS.needsReset) !== 0) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof DeviceBroken) && !(error instanceof GuestAddressError)) throw error;
      this.options.warn(`${this.device.name}: ${error.message}`);
      this.status |= STATUS.needsReset;
      if ((this.status & STATUS.driverOk) !== 0) this.interrupt(ISR_CONFIG);
    }
  }

  /** Whether the driver has kicked queue `index` (0…31) since the last reset. */
  hasKicked(index: number): boolean {
    return ((this.kicked >>> index) & 1) !== 0;
  }

  readConfig(offset: number, size: number): number {
    if (this.windowAt !== 0 && offset === this.windowAt + CAPABILITY_BYTES) {
      const { at, bytes } = this.windowAccess();
      if (bytes !== 0) return this.readRegister(at, Math.min(bytes, size));
    }
    let value = 0;
    for (let n = size - 1; n >= 0; n--) value = value * 256 + (this.config[offset + n] ?? 0xff);
    return value;
  }

  writeConfig(offset: number, size: number, value: number): void {
    if (offset === this.windowAt + CAPABILITY_BYTES) {
      const { at, bytes } = this.windowAccess();
      if (bytes !== 0) this.writeRegister(at, Math.min(bytes, size), value);
      return;
    }
    for (let n = 0; n < size; n++) this.writeConfigByte(offset + n, (value >>> (8 * n)) & 0xff);
  }

  readMemory(gpa: number, size: number): number | undefined {
    const at = this.registerAt(gpa);
    return at < 0 ? undefined : this.readRegister(at, size);
  }

  writeMemory(gpa: number, size: number, value: number): boolean {
    const at = this.registerAt(gpa);
    if (at < 0) return false;
    this.writeRegister(at, size, value);
    return true;
  }

  save(): VirtioPciState {
    return {
      version: 1,
      name: this.device.name,
      config: this.config.slice(),
      status: this.status,
      isr: this.isr,
      deviceFeatureSelect: this.deviceFeatureSelect,
      driverFeatureSelect: this.driverFeatureSelect,
      driverFeatures: this.driverFeatures,
      queueSelect: this.queueSelect,
      kicked: this.kicked,
      registers: this.registers.map((queue) => ({ ...queue })),
      queues: this.queues.map((queue) => queue.save()),
      device: this.device.save(),
    };
  }

  /** Rings come with guest memory, which must have been loaded before. */
  load(state: VirtioPciState): void {
    if (state.name !== this.device.name)
      throw new Error(`the snapshot has a ${state.name} where this machine has a ${this.device.name}`);
    this.config.set(state.config);
    this.status = state.status;
    this.isr = state.isr;
    this.deviceFeatureSelect = state.deviceFeatureSelect;
    this.driverFeatureSelect = state.driverFeatureSelect;
    this.driverFeatures = state.driverFeatures;
    this.queueSelect = state.queueSelect;
    this.kicked = state.kicked;
    this.registers = state.registers.map((queue) => ({ ...queue }));
    this.queues.forEach((queue, index) => {
      queue.load(state.queues[index]!);
    });
    this.device.load(state.device);
    this.updateLine();
  }

  // --- configuration space --------------------------------------------------------------------

  private writeHeader(): void {
    const { device, windowGpa, irq } = this.options;
    const view = new DataView(this.config.buffer);
    const [base, sub] = CLASSES.get(device.type) ?? [0xff, 0];
    view.setUint16(0, VENDOR, true);
    view.setUint16(2, FIRST_DEVICE_ID + device.type, true);
    view.setUint16(CONFIG.command, COMMAND_MEMORY, true);
    view.setUint16(CONFIG.status, STATUS_CAPABILITIES, true);
    view.setUint8(CONFIG.revision, 1);
    view.setUint8(CONFIG.subclass, sub);
    view.setUint8(CONFIG.class, base);
    view.setUint32(CONFIG.bar0, windowGpa, true);
    view.setUint16(CONFIG.subsystemVendor, VENDOR, true);
    view.setUint16(CONFIG.subsystem, 0x1100, true);
    view.setUint8(CONFIG.capabilities, FIRST_CAPABILITY);
    view.setUint8(CONFIG.interruptLine, irq);
    view.setUint8(CONFIG.interruptPin, 1);
    let at = FIRST_CAPABILITY;
    const add = (type: number, offset: number, bytes: number, extra: number): void => {
      const length = CAPABILITY_BYTES + extra;
      this.config.set([0x09, at + length, length, type, 0, 0, 0, 0], at);
      view.setUint32(at + 8, offset, true);
      view.setUint32(at + 12, bytes, true);
      if (type === CAPABILITY.notify) view.setUint32(at + 16, NOTIFY_STEP, true);
      if (type === CAPABILITY.window) {
        this.config[at + 1] = 0;
        this.windowAt = at;
      }
      at += length;
    };
    add(CAPABILITY.common, PART.common, PART_BYTES, 0);
    add(CAPABILITY.notify, PART.notify, PART_BYTES, 4);
    add(CAPABILITY.isr, PART.isr, PART_BYTES, 0);
    if (device.config.length > 0) add(CAPABILITY.device, PART.device, PART_BYTES, 0);
    add(CAPABILITY.window, 0, 0, 4);
  }

  private writeConfigByte(offset: number, value: number): void {
    const { config } = this;
    if (offset === CONFIG.interruptLine) config[offset] = value;
    else if (offset === CONFIG.command || offset === CONFIG.command + 1) {
      config[offset] = value & (COMMAND_WRITABLE >> (8 * (offset & 1)));
      this.updateLine();
    } else if (offset >= CONFIG.bar0 && offset < CONFIG.bar0 + 4) {
      // Only the bits above the window's size exist: that is how its size is found out.
      config[offset] = value & (~(VIRTIO_PCI_WINDOW - 1) >>> (8 * (offset - CONFIG.bar0)));
    } else if (offset >= this.windowAt + 4 && offset < this.windowAt + CAPABILITY_BYTES) config[offset] = value;
  }

  /** What the window in configuration space points at: offset and length in the register window. */
  private windowAccess(): { at: number; bytes: number } {
    const view = new DataView(this.config.buffer);
    const at = view.getUint32(this.windowAt + 8, true);
    const bytes = view.getUint32(this.windowAt + 12, true);
    const valid = this.config[this.windowAt + 4] === 0 && [1, 2, 4].includes(bytes) && at + bytes <= VIRTIO_PCI_WINDOW;
    return { at, bytes: valid ? bytes : 0 };
  }

  /** Offset in the register window, or −1. */
  private registerAt(gpa: number): number {
    const { config } = this;
    if ((config[CONFIG.command]! & COMMAND_MEMORY) === 0) return -1;
    const base =
      (config[CONFIG.bar0]! & 0xf0) +
      config[CONFIG.bar0 + 1]! * 0x100 +
      config[CONFIG.bar0 + 2]! * 0x1_0000 +
      config[CONFIG.bar0 + 3]! * 0x100_0000;
    const at = gpa - base;
    return at >= 0 && at < VIRTIO_PCI_WINDOW ? at : -1;
  }

  // --- registers ------------------------------------------------------------------------------

  private readRegister(at: number, size: number): number {
    if (at >= PART.notify) return 0;
    if (at >= PART.device) return this.readDeviceConfig(at - PART.device, size);
    if (at >= PART.isr) {
      const { isr } = this;
      this.isr = 0;
      this.updateLine();
      return isr;
    }
    return (this.readCommon(at) & mask(size)) >>> 0;
  }

  private writeRegister(at: number, size: number, value: number): void {
    if (at >= PART.notify) {
      const index = Math.floor((at - PART.notify) / NOTIFY_STEP);
      if (index >= this.queues.length) return;
      this.kicked |= 1 << index;
      this.guard(() => this.device.queueNotified(index));
    } else if (at >= PART.device) {
      // The configuration of our devices cannot be written.
    } else if (at < PART.isr) this.writeCommon(at, size, value);
  }

  private readDeviceConfig(at: number, size: number): number {
    let value = 0;
    for (let n = size - 1; n >= 0; n--) value = value * 256 + (this.device.config[at + n] ?? 0);
    return value;
  }

  /** Offsets of virtio 1.0, 4.1.4.3. */
  private readCommon(at: number): number {
    const queue = this.registers[this.queueSelect];
    switch (at) {
      case 0x00:
        return this.deviceFeatureSelect;
      case 0x04:
        return featureWord(this.offered, this.deviceFeatureSelect);
      case 0x08:
        return this.driverFeatureSelect;
      case 0x0c:
        return featureWord(this.driverFeatures, this.driverFeatureSelect);
      case 0x10:
      case 0x1a:
        return NO_VECTOR;
      case 0x12:
        return this.queues.length;
      case 0x14:
        return this.status;
      case 0x16:
        return this.queueSelect;
      case 0x18:
        return queue?.size ?? 0;
      case 0x1c:
        return queue?.enabled === true ? 1 : 0;
      case 0x1e:
        return this.queueSelect;
      case 0x20:
        return queue?.descriptors ?? 0;
      case 0x28:
        return queue?.available ?? 0;
      case 0x30:
        return queue?.used ?? 0;
      default:
        return 0;
    }
  }

  private writeCommon(at: number, size: number, value: number): void {
    const queue = this.registers[this.queueSelect];
    switch (at) {
      case 0x00:
        this.deviceFeatureSelect = value;
        return;
      case 0x08:
        this.driverFeatureSelect = value;
        return;
      case 0x0c:
        this.acceptFeatures(value);
        return;
      case 0x14:
        this.writeStatus(value & 0xff);
        return;
      case 0x16:
        this.queueSelect = value & 0xffff;
        return;
      default:
    }
    // Where a queue lies is settled once it is enabled.
    if (queue === undefined || queue.enabled) return;
    if (at === 0x18 && value > 0 && value <= MOST_ENTRIES && (value & (value - 1)) === 0) queue.size = value;
    else if (at === 0x1c && value === 1) this.enableQueue(queue);
    else if (at === 0x20) queue.descriptors = value;
    else if (at === 0x28) queue.available = value;
    else if (at === 0x30) queue.used = value;
    else if (size === 4 && value !== 0 && (at === 0x24 || at === 0x2c || at === 0x34)) {
      // Above 4 GB there is no memory: an address that `setPlace` will refuse.
      const part = at === 0x24 ? 'descriptors' : at === 0x2c ? 'available' : 'used';
      queue[part] = 0xffff_f000;
    }
  }

  private acceptFeatures(value: number): void {
    if ((this.status & STATUS.featuresOk) !== 0 || this.driverFeatureSelect > 1) return;
    const shift = BigInt(32 * this.driverFeatureSelect);
    const others = this.driverFeatures & ~(0xffff_ffffn << shift);
    this.driverFeatures = others | (BigInt(value >>> 0) << shift);
  }

  private writeStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return;
    }
    // A driver that wants what is not on offer, or not virtio 1, does not get its "features OK".
    const acceptable = (this.driverFeatures & ~this.offered) === 0n && (this.driverFeatures & FEATURE_VERSION_1) !== 0n;
    if ((value & STATUS.featuresOk) !== 0 && (this.status & STATUS.featuresOk) === 0 && !acceptable) {
      value &= ~STATUS.featuresOk;
    }
    this.status = value | (this.status & STATUS.needsReset);
  }

  private enableQueue(registers: QueueRegisters): void {
    const { size, descriptors, available, used } = registers;
    this.guard(() => {
      this.queues[this.queueSelect]!.setPlace({ size, descriptors, available, used });
      registers.enabled = true;
    });
  }

  private reset(): void {
    this.status = 0;
    this.isr = 0;
    this.driverFeatures = 0n;
    this.deviceFeatureSelect = 0;
    this.driverFeatureSelect = 0;
    this.queueSelect = 0;
    this.kicked = 0;
    this.registers = this.queues.map(() => freshQueue());
    for (const queue of this.queues) {
      queue.reset();
      queue.setPlace({ size: 0, descriptors: 0, available: 0, used: 0 });
    }
    this.updateLine();
    this.device.reset();
  }

  private interrupt(reason: number): void {
    this.isr |= reason;
    this.updateLine();
  }

  private updateLine(): void {
    const { config } = this;
    const disabled = ((config[CONFIG.command + 1]! << 8) & COMMAND_NO_INTERRUPT) !== 0;
    config[CONFIG.status] = STATUS_CAPABILITIES | (this.isr !== 0 ? STATUS_INTERRUPT : 0);
    this.options.setLine(this.isr !== 0 && !disabled);
  }

  private break(text: string): never {
    throw new DeviceBroken(text);
  }
}

function freshQueue(): QueueRegisters {
  return { size: MOST_ENTRIES, enabled: false, descriptors: 0, available: 0, used: 0 };
}

function featureWord(bits: bigint, select: number): number {
  return select > 1 ? 0 : Number((bits >> BigInt(32 * select)) & 0xffff_ffffn);
}

/** All ones of `size` bytes, as a 32-bit mask. */
function mask(size: number): number {
  return size === 4 ? -1 : 2 ** (8 * size) - 1;
}
