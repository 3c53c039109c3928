/*D:120
 * The descriptor page
 *
 * How does a guest without PCI or ACPI find its devices? lguest's answer, from 2.6.25 to 3.19: the page right
 * behind the guest's RAM lists them. Each entry names the device's type, its queues (how long, which interrupt,
 * in which page), the features on offer, the features the guest wants, and a little configuration:
 *
 *     type, queues, feature bytes, config bytes, status      five bytes; type 0 ends the list
 *     {entries u16, irq u16, page number u32}                for each queue
 *     offered features, accepted features, configuration
 *
 * The rings are in the pages behind it. There is one way to get the Host's attention, the hypercall NOTIFY with
 * an address: that of a descriptor says "look at my status", that of a ring is a kick, and any other address is
 * that of a string to be printed, which is how a guest talks before its console driver is up.
 *
 * The page is guest memory and the guest may write anything there. What the Host needs to know it keeps for
 * itself; of the page it reads nothing but status and accepted features.
 */
import type { GuestMemory } from '../memory/guest-memory.js';
import type { DevicePort, VirtioDevice } from './device.js';
import { legacyRingBytes, type QueueState, Virtqueue } from './queue.js';

const PAGE = 0x1000;
/** Offsets in a descriptor (lguest-abi §9.3). */
const STATUS = 4;
const QUEUES = 5;
const QUEUE_BYTES = 8;
const STATUS_FAILED = 0x80;
/** Interrupt numbers 1…31: 0 is the timer. */
const HIGHEST_IRQ = 31;
/** Guests print at most 16 characters per call; the original would go on to the end of memory. */
const EARLY_PRINT_LIMIT = 0x1_0000;

export interface LguestTransportOptions {
  memory: GuestMemory;
  /** Guest RAM in bytes, a multiple of 4096; the descriptor page follows. */
  ramBytes: number;
  /** Bytes reserved behind RAM for device pages, a multiple of 4096 (the original: 1 MB). All of it is zero. */
  deviceBytes: number;
  /** Entries per ring: 128 up to 2.6.26, 256 since; guests take what they find. */
  queueSize?: 128 | 256;
  raiseInterrupt(irq: number): void;
  /** Text of a guest without a console driver yet; the array is the receiver's own. */
  earlyPrint(bytes: Uint8Array): void;
  warn(text: string): void;
  fatal(text: string): never;
}

interface AttachedDevice {
  device: VirtioDevice;
  /** Guest-physical address of the descriptor. */
  descriptor: number;
  /** Guest-physical address and length of the accepted features. */
  accepted: number;
  featureBytes: number;
  queues: AttachedQueue[];
  /** The driver has told us its status since the last reset. */
  started: boolean;
}

interface AttachedQueue {
  queue: Virtqueue;
  gpa: number;
  bytes: number;
}

export interface LguestTransportState {
  version: 1;
  devices: { name: string; started: boolean; queues: QueueState[]; state: unknown }[];
}

export class LguestTransport {
  /**
   * Set for guests of 2.6.25, whose reset is a NOTIFY of the descriptor with the status left as it was; those
   * guests never notify it for anything else. Later ones write status 0 first.
   */
  everyStatusNotifyResets = false;
  private readonly options: LguestTransportOptions;
  private readonly memory: GuestMemory;
  private readonly queueSize: number;
  private readonly devices: AttachedDevice[] = [];
  /** First free byte of the descriptor page. */
  private nextDescriptor: number;
  private nextPage: number;
  private nextIrq = 1;

  constructor(options: LguestTransportOptions) {
    this.options = options;
    this.memory = options.memory;
    this.queueSize = options.queueSize ?? 256;
    this.nextDescriptor = options.ramBytes;
    this.nextPage = options.ramBytes + PAGE;
    if (options.deviceBytes < PAGE || !this.memory.contains(options.ramBytes, options.deviceBytes)) {
      options.fatal('Not enough memory for devices');
    }
  }

  /** Guest-physical address behind the last page handed out: nothing from here on belongs to the guest. */
  get limit(): number {
    return this.nextPage;
  }

  /** Gives the device its descriptor, rings and interrupts. The console is added last (lguest-abi §9.3). */
  addDevice(device: VirtioDevice): void {
    const { memory, options } = this;
    const featureBytes = device.features === 0n ? 0 : Math.ceil(device.features.toString(2).length / 8);
    const descriptor = this.nextDescriptor;
    const features = descriptor + QUEUES + QUEUE_BYTES * device.queueCount;
    const accepted = features + featureBytes;
    const end = accepted + featureBytes + device.config.length;
    // Behind the last one, a type of 0 must fit.
    if (end >= options.ramBytes + PAGE || this.nextIrq + device.queueCount - 1 > HIGHEST_IRQ)
      options.fatal('Too many devices');
    const attached: AttachedDevice = { device, descriptor, accepted, featureBytes, queues: [], started: false };
    for (let index = 0; index < device.queueCount; index++) {
      attached.queues.push(this.addQueue(descriptor + QUEUES + QUEUE_BYTES * index));
    }
    memory.writeBytes(descriptor, Uint8Array.of(device.type, device.queueCount, featureBytes, device.config.length, 0));
    for (let byte = 0; byte < featureBytes; byte++) {
      memory.write8(features + byte, Number((device.features >> BigInt(8 * byte)) & 0xffn));
    }
    memory.writeBytes(accepted + featureBytes, device.config);
    this.nextDescriptor = end;
    this.devices.push(attached);
    device.attach(this.createPort(attached));
  }

  /** NOTIFY: what it means depends on the address, in this order (lguest-abi §9.4). */
  notify(address: number): void {
    const gpa = address >>> 0;
    for (const attached of this.devices) {
      if (gpa === attached.descriptor) {
        this.readStatus(attached);
        return;
      }
      const index = attached.queues.findIndex((queue) => queue.gpa >>> 12 === gpa >>> 12);
      if (index >= 0) {
        // Kicks before the driver is ready are served: 2.6.31 to 3.0 print that early.
        attached.device.queueNotified(index);
        return;
      }
    }
    if (gpa >= this.limit) this.options.fatal(`Bad NOTIFY 0x${gpa.toString(16)}`);
    this.printEarly(gpa);
  }

  save(): LguestTransportState {
    return {
      version: 1,
      devices: this.devices.map(({ device, started, queues }) => ({
        name: device.name,
        started,
        queues: queues.map(({ queue }) => queue.save()),
        state: device.save(),
      })),
    };
  }

  /** The same devices must have been added in the same order; rings and descriptors come with guest memory. */
  load(state: LguestTransportState): void {
    const wanted = state.devices.map((device) => device.name).join(', ');
    const present = this.devices.map(({ device }) => device.name).join(', ');
    if (wanted !== present)
      throw new Error(`the snapshot has other devices (${wanted}) than this machine (${present})`);
    this.devices.forEach((attached, index) => {
      const saved = state.devices[index]!;
      attached.started = saved.started;
      attached.queues.forEach(({ queue }, which) => {
        queue.load(saved.queues[which]!);
      });
      attached.device.load(saved.state);
    });
  }

  /** A ring in pages of its own, with its entry {entries u16, irq u16, page number u32} at `entry`. */
  private addQueue(entry: number): AttachedQueue {
    const { memory, options, queueSize } = this;
    const gpa = this.nextPage;
    const bytes = Math.ceil(legacyRingBytes(queueSize) / PAGE) * PAGE;
    if (gpa + bytes > options.ramBytes + options.deviceBytes) options.fatal('Not enough memory for devices');
    this.nextPage += bytes;
    const irq = this.nextIrq++;
    const queue = new Virtqueue({
      memory,
      limit: () => this.limit,
      interrupt: () => options.raiseInterrupt(irq),
      fatal: (text) => options.fatal(text),
    });
    queue.setLegacyPlace(queueSize, gpa);
    memory.write16(entry, queueSize);
    memory.write16(entry + 2, irq);
    memory.write32(entry + 4, gpa / PAGE);
    return { queue, gpa, bytes };
  }

  private createPort(attached: AttachedDevice): DevicePort {
    const { options } = this;
    return {
      queues: attached.queues.map(({ queue }) => queue),
      acceptedFeatures: () => this.readAcceptedFeatures(attached),
      warn: (text) => options.warn(text),
      fatal: (text) => options.fatal(text),
    };
  }

  /** Read when asked for, not when the driver starts: 2.6.26 writes them only after DRIVER_OK. */
  private readAcceptedFeatures({ device, accepted, featureBytes }: AttachedDevice): bigint {
    let bits = 0n;
    for (let byte = featureBytes - 1; byte >= 0; byte--)
      bits = (bits << 8n) | BigInt(this.memory.read8(accepted + byte));
    return bits & device.features;
  }

  private readStatus(attached: AttachedDevice): void {
    const status = this.memory.read8(attached.descriptor + STATUS);
    if (status === 0 || this.everyStatusNotifyResets) {
      this.memory.write8(attached.descriptor + STATUS, 0);
      this.resetDevice(attached);
    } else if ((status & STATUS_FAILED) !== 0) {
      this.options.warn(`Device ${attached.device.name} configuration FAILED`);
      if (attached.started) this.resetDevice(attached);
    } else {
      attached.started = true;
    }
  }

  /** Complete before the guest goes on; drivers never initialise the ring and expect to find zeros in it. */
  private resetDevice(attached: AttachedDevice): void {
    this.memory.fill(attached.accepted, attached.featureBytes, 0);
    for (const { queue, gpa, bytes } of attached.queues) {
      this.memory.fill(gpa, bytes, 0);
      queue.reset();
    }
    attached.started = false;
    attached.device.reset();
  }

  private printEarly(gpa: number): void {
    const text = this.memory.bytes(gpa, Math.min(this.limit - gpa, EARLY_PRINT_LIMIT));
    const end = text.indexOf(0);
    const bytes = end < 0 ? text.slice() : text.slice(0, end);
    if (bytes.length > 0) this.options.earlyPrint(bytes);
  }
}
