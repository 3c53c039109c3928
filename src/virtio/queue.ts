/*D:110
 * Queues
 *
 * Guest and device talk through a ring in guest memory, in three parts:
 *
 *     descriptors  what the guest offers: pieces of its memory, each to be read or to be written by the device,
 *                  chained to requests by `next`
 *     available    written by the guest: "these chains are for you"; idx counts them for ever, modulo 65536
 *     used         written by the device: "done with this chain, and so many bytes written"
 *
 * Nobody locks anything, because every word has exactly one writer. A guest that adds to `available` kicks the
 * device; a device that adds to `used` interrupts the guest, unless the guest said that it is looking anyway.
 *
 * Everything in the ring is the guest's word, so everything is checked, with the original Launcher's last words
 * for a guest that gets it wrong. This class is the only code that reads rings.
 */
import type { GuestMemory } from '../memory/guest-memory.js';
import { type Buffer, DescriptorChain } from './descriptor-chain.js';

/** Descriptor: addr u64 @0, len u32 @8, flags u16 @12, next u16 @14 (lguest-abi §9.5; virtio 1.0, 2.4.5). */
const DESCRIPTOR_BYTES = 16;
const FLAG_NEXT = 1;
const FLAG_WRITE = 2;
const FLAG_INDIRECT = 4;
/** avail.flags: the guest does not want interrupts. */
const NO_INTERRUPT = 1;
/** lguest aligns the used ring to this, whatever the release. */
const LEGACY_ALIGNMENT = 4096;
/** Longest chain accepted, in descriptors: an indirect table could be as long as memory. Linux stays below 300. */
const MAXIMUM_CHAIN = 1024;
/** Most bytes one look at the ring may hand out, so that overlapping buffers cannot keep a device busy for ever. */
const MAXIMUM_BYTES_PER_RUN = 0x2000_0000;

export interface QueueOptions {
  memory: GuestMemory;
  /** First guest-physical address that buffers must not reach, bytes. */
  limit(): number;
  /** Tells the guest to look at the used ring. */
  interrupt(): void;
  /** Ends the guest. */
  fatal(text: string): never;
}

/** Where the three parts are: guest-physical addresses. */
export interface QueuePlace {
  /** Entries, 1…32768; 0: the queue is not set up. */
  size: number;
  descriptors: number;
  available: number;
  used: number;
}

export interface QueueState extends QueuePlace {
  lastAvailable: number;
  usedIndex: number;
}

/** Bytes of a legacy ring of `size` entries, up to the end of the used ring (lguest-abi §9.5). */
export function legacyRingBytes(size: number): number {
  return legacyUsedOffset(size) + 4 + 8 * size;
}

function legacyUsedOffset(size: number): number {
  const end = DESCRIPTOR_BYTES * size + 4 + 2 * size;
  return Math.ceil(end / LEGACY_ALIGNMENT) * LEGACY_ALIGNMENT;
}

export class Virtqueue {
  private readonly memory: GuestMemory;
  private readonly options: QueueOptions;
  private place: QueuePlace = { size: 0, descriptors: 0, available: 0, used: 0 };
  /** Chains taken from the available ring, modulo 65536. */
  private lastAvailable = 0;
  /** Chains given back, modulo 65536. Ours is the truth; the word in memory is a copy for the guest. */
  private usedIndex = 0;
  private epoch = 0;

  constructor(options: QueueOptions) {
    this.memory = options.memory;
    this.options = options;
  }

  /** Entries; 0 while the queue is not set up. */
  get size(): number {
    return this.place.size;
  }

  /** Sets the queue up (virtio 1.0: three free addresses). The parts must lie in guest memory. */
  setPlace(place: QueuePlace): void {
    const { size, descriptors, available, used } = place;
    this.checkRange(descriptors, DESCRIPTOR_BYTES * size);
    this.checkRange(available, 4 + 2 * size);
    this.checkRange(used, 4 + 8 * size);
    this.place = { size, descriptors, available, used };
  }

  /** Sets the queue up in one block at `gpa`, as lguest and virtio before 1.0 have it. */
  setLegacyPlace(size: number, gpa: number): void {
    this.setPlace({
      size,
      descriptors: gpa,
      available: gpa + DESCRIPTOR_BYTES * size,
      used: gpa + legacyUsedOffset(size),
    });
  }

  /** Forgets all progress; chains still held by the device become void. The place stays. */
  reset(): void {
    this.lastAvailable = 0;
    this.usedIndex = 0;
    this.epoch++;
  }

  /** Whether `pending` would yield anything. */
  hasPending(): boolean {
    return this.countAvailable() > 0;
  }

  /**
   * The requests the guest has made available until now, oldest first; one is taken from the ring when it is
   * yielded, so a device may stop early. At most `size` come out of one call, even if serving them changes the
   * ring under our feet.
   */
  *pending(): Generator<DescriptorChain, void, undefined> {
    const { epoch } = this;
    let bytesLeft = MAXIMUM_BYTES_PER_RUN;
    for (let count = this.countAvailable(); count > 0 && epoch === this.epoch; count--) {
      const slot = this.place.available + 4 + 2 * (this.lastAvailable % this.place.size);
      const chain = this.readChain(this.memory.read16(slot));
      this.lastAvailable = (this.lastAvailable + 1) & 0xffff;
      bytesLeft -= chain.readableBytes + chain.writableBytes;
      if (bytesLeft < 0) this.options.fatal('Buffers available at once are larger than any memory');
      yield chain;
    }
  }

  /** Gives a request back with the number of bytes written into it. The guest is not interrupted yet. */
  complete(chain: DescriptorChain, writtenBytes: number): void {
    if (chain.epoch !== this.epoch || this.place.size === 0) return;
    const { used, size } = this.place;
    const element = used + 4 + 8 * (this.usedIndex % size);
    this.memory.write32(element, chain.head);
    this.memory.write32(element + 4, writtenBytes);
    this.usedIndex = (this.usedIndex + 1) & 0xffff;
    this.memory.write16(used + 2, this.usedIndex);
  }

  /** Interrupts the guest unless it asked not to be; call it once after the last `complete`. */
  notifyGuest(): void {
    if (this.place.size === 0 || (this.memory.read16(this.place.available) & NO_INTERRUPT) !== 0) return;
    this.options.interrupt();
  }

  /** Reads the chain that begins at descriptor `head`; also finds a request again after a snapshot was loaded. */
  readChain(head: number): DescriptorChain {
    const { memory, options } = this;
    const { size, descriptors } = this.place;
    if (head >= size) options.fatal(`Guest says index ${head} is available`);
    const readable: Buffer[] = [];
    const writable: Buffer[] = [];
    let table = descriptors;
    let tableSize = size;
    let indirect = false;
    let index = head;
    let count = 0;
    let bytes = 0;
    for (;;) {
      const at = table + DESCRIPTOR_BYTES * index;
      const flags = memory.read16(at + 12);
      const buffer = this.readBuffer(at);
      if ((flags & FLAG_INDIRECT) !== 0) {
        // The rest of the chain is in a table elsewhere; a table inside a table is forbidden (virtio 1.0, 2.4.5.3.1).
        if (indirect) options.fatal('Indirect descriptor inside an indirect table');
        if (buffer.bytes === 0 || buffer.bytes % DESCRIPTOR_BYTES !== 0)
          options.fatal('Invalid size for indirect buffer table');
        indirect = true;
        table = buffer.gpa;
        tableSize = buffer.bytes / DESCRIPTOR_BYTES;
        index = 0;
        count = 0;
        continue;
      }
      if ((flags & FLAG_WRITE) !== 0) writable.push(buffer);
      else if (writable.length > 0) options.fatal('Descriptor has out after in');
      else readable.push(buffer);
      bytes += buffer.bytes;
      // More bytes than there is memory means that some are named twice, and so does a chain without an end.
      if (++count > Math.min(tableSize, MAXIMUM_CHAIN) || bytes > options.limit()) options.fatal('Looped descriptor');
      if ((flags & FLAG_NEXT) === 0) break;
      index = memory.read16(at + 14);
      if (index >= tableSize) options.fatal(`Desc next is ${index}`);
    }
    return new DescriptorChain(memory, head, this.epoch, readable, writable);
  }

  save(): QueueState {
    return { ...this.place, lastAvailable: this.lastAvailable, usedIndex: this.usedIndex };
  }

  load(state: QueueState): void {
    this.setPlace(state);
    this.lastAvailable = state.lastAvailable & 0xffff;
    this.usedIndex = state.usedIndex & 0xffff;
    this.epoch++;
  }

  /** How many chains the guest is ahead of us, 0…size. */
  private countAvailable(): number {
    const { size, available } = this.place;
    if (size === 0) return 0;
    const index = this.memory.read16(available + 2);
    const ahead = (index - this.lastAvailable) & 0xffff;
    if (ahead > size) this.options.fatal(`Guest moved used index from ${this.lastAvailable} to ${index}`);
    return ahead;
  }

  /** The address range of the descriptor at `at`, checked against the guest's memory. */
  private readBuffer(at: number): Buffer {
    const gpa = this.memory.read32(at);
    const high = this.memory.read32(at + 4);
    const bytes = this.memory.read32(at + 8);
    if (high !== 0 || gpa + bytes > this.options.limit()) {
      const address = (BigInt(high) << 32n) | BigInt(gpa);
      this.options.fatal(`Invalid address 0x${address.toString(16)}`);
    }
    return { gpa, bytes };
  }

  private checkRange(gpa: number, bytes: number): void {
    if (!this.memory.contains(gpa, bytes)) this.options.fatal(`Invalid address 0x${gpa.toString(16)}`);
  }
}
