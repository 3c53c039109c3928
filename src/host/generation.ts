/*H:200
 * Who is this guest?
 *
 * Guest and Host used to be built from one source tree, so nobody ever promised that the interface between them
 * would hold still, and it did not. We want to run all of them. A kernel does not tell its version when it calls
 * LGUEST_INIT, but it gives itself away: by the register that carries the argument, by the instruction it calls
 * with, and by what is where in the structure it points us to. Half of that structure has known initial contents,
 * so one look at it tells the layout, and the layout tells nearly everything else.
 */

import { SYSCALL_VECTOR } from '../cpu/interpreter/gates.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { RAM_BASE } from '../memory/layout.js';
import { type GuestDataLayout, LAYOUTS, type LayoutName } from './guest-data.js';

export type GenerationTag = 'A' | 'B1' | 'B2' | 'C1' | 'C2' | 'D1' | 'D2' | 'E1' | 'E2';

/** All generations, oldest first. */
export const GENERATION_ORDER: readonly GenerationTag[] = ['A', 'B1', 'B2', 'C1', 'C2', 'D1', 'D2', 'E1', 'E2'];

export type HypercallInstruction = 'vmcall' | 'int 0x1f';

/** In which registers arguments 1… arrive, as register numbers in encoding order (EAX ECX EDX EBX ESP EBP ESI EDI). */
export type ArgumentRegisters = readonly number[];
/** EDX, EBX, ECX. */
const OLD_ORDER: ArgumentRegisters = [2, 3, 1];
/** EBX, ECX, EDX, ESI: the order KVM uses. */
const KVM_ORDER: ArgumentRegisters = [3, 1, 2, 6];

/** What distinguishes a generation. A new one is a new record here. */
export interface Generation {
  readonly tag: GenerationTag;
  readonly releases: string;
  /** Whether this Host can run it. */
  readonly supported: boolean;
  readonly layout: LayoutName;
  readonly argumentRegisters: ArgumentRegisters;
  /** The word of a ring entry that holds argument 1, 2, …; word 0 is the call number. */
  readonly ringWords: readonly number[];
  /** Who makes the first page tables: nobody (addresses are physical until NEW_PGTABLE), the Host, or the Launcher. */
  readonly initialTables: 'linear' | 'host' | 'launcher';
  readonly mayUsePae: boolean;
  readonly devices: 'dma' | 'tlv' | 'descriptor-page' | 'pci';
}

// lguest-abi.md, §1.1.
// biome-ignore format: table
export const GENERATIONS: Readonly<Record<GenerationTag, Generation>> = {
  A:  { tag: 'A',  releases: '2.6.23',           supported: false, layout: 'L0', argumentRegisters: OLD_ORDER, ringWords: [1, 2, 3],    initialTables: 'launcher', mayUsePae: false, devices: 'dma' },
  B1: { tag: 'B1', releases: '2.6.24',           supported: false, layout: 'L1', argumentRegisters: OLD_ORDER, ringWords: [3, 1, 2],    initialTables: 'launcher', mayUsePae: false, devices: 'tlv' },
  B2: { tag: 'B2', releases: '2.6.25 to 2.6.29', supported: false, layout: 'L1', argumentRegisters: OLD_ORDER, ringWords: [3, 1, 2],    initialTables: 'launcher', mayUsePae: false, devices: 'descriptor-page' },
  C1: { tag: 'C1', releases: '2.6.30',           supported: true,  layout: 'L1', argumentRegisters: KVM_ORDER, ringWords: [1, 2, 3],    initialTables: 'host',     mayUsePae: false, devices: 'descriptor-page' },
  C2: { tag: 'C2', releases: '2.6.31 to 2.6.33', supported: true,  layout: 'L2', argumentRegisters: KVM_ORDER, ringWords: [1, 2, 3, 4], initialTables: 'host',     mayUsePae: true,  devices: 'descriptor-page' },
  D1: { tag: 'D1', releases: '2.6.34 to 3.0',    supported: true,  layout: 'L2', argumentRegisters: KVM_ORDER, ringWords: [1, 2, 3, 4], initialTables: 'host',     mayUsePae: true,  devices: 'descriptor-page' },
  D2: { tag: 'D2', releases: '3.1 to 3.19',      supported: true,  layout: 'L3', argumentRegisters: KVM_ORDER, ringWords: [1, 2, 3, 4], initialTables: 'linear',   mayUsePae: true,  devices: 'descriptor-page' },
  E1: { tag: 'E1', releases: '4.0',              supported: false, layout: 'L3', argumentRegisters: KVM_ORDER, ringWords: [1, 2, 3, 4], initialTables: 'linear',   mayUsePae: true,  devices: 'pci' },
  E2: { tag: 'E2', releases: '4.1 to 4.13',      supported: false, layout: 'L4', argumentRegisters: KVM_ORDER, ringWords: [1, 2, 3, 4], initialTables: 'linear',   mayUsePae: true,  devices: 'pci' },
};

/** One sentence for a guest this Host cannot run yet. */
export function describeUnsupported(generation: Generation): string {
  const supported = Object.values(GENERATIONS).filter((other) => other.supported);
  return (
    `this kernel is an lguest guest of generation ${generation.tag} (Linux ${generation.releases}), which this Host ` +
    `does not support yet; it supports ${supported.map((other) => `${other.tag} (${other.releases})`).join(', ')}`
  );
}

/** What the user knows better than the Host. Everything that is given switches off its own detection. */
export interface GenerationOverride {
  readonly tag?: GenerationTag | undefined;
  readonly pae?: boolean | undefined;
}

/** Whether `tag` lies in the range of generations `[first, last]`. */
export function isBetween(tag: GenerationTag, first: GenerationTag, last: GenerationTag): boolean {
  const place = GENERATION_ORDER.indexOf(tag);
  return place >= GENERATION_ORDER.indexOf(first) && place <= GENERATION_ORDER.indexOf(last);
}

/** What LGUEST_INIT found out. */
export interface DetectedGeneration {
  readonly generation: Generation;
  readonly instruction: HypercallInstruction;
  /** Guest-physical address of `lguest_data`. */
  readonly dataGpa: number;
  /** Three-level page tables; undefined while it cannot be known yet (3.1 and later, before NEW_PGTABLE). */
  pae: boolean | undefined;
  /** The release the kernel's banner names, if there is one. */
  readonly release: string | undefined;
}

/** Processor state at the LGUEST_INIT call that detection looks at. */
export interface InitCall {
  readonly instruction: HypercallInstruction;
  /** All eight, in encoding order, unsigned. */
  readonly registers: ArrayLike<number>;
  readonly eip: number;
}

const EBX = 3;
const EDX = 2;
/** Detection reads up to here behind a candidate (§1.2). */
const LARGEST_LAYOUT_BYTES = 1396;

/** Whether `value` can be PAGE_OFFSET. */
function isKernelAddress(value: number): boolean {
  return value >= 0x4000_0000 && (value & 0xfff) === 0;
}

/**
 * The layout of the `lguest_data` at `gpa`, or undefined if none can be there: the plausibility test and the
 * decision table of lguest-abi.md, §1.2. `ramBytes` bounds what is looked at.
 */
export function detectLayout(
  memory: GuestMemory,
  ramBytes: number,
  gpa: number,
  eip: number,
): GuestDataLayout | undefined {
  if ((gpa & 3) !== 0 || gpa + LARGEST_LAYOUT_BYTES > ramBytes) return undefined;
  const word = (offset: number): number => memory.read32(gpa + offset);
  if (word(0) !== 0 || word(4) !== 1 || word(8) !== 0) return undefined;
  const pending = word(20);
  const status = pending === 0 ? 24 : 20;
  const entryBytes = pending === 0 ? 20 : 16;
  for (let slot = 0; slot < 64; slot += 4) if (word(status + slot) !== 0xffff_ffff) return undefined;
  const ring = memory.bytes(gpa + status + 64, 64 * entryBytes);
  if (ring.some((byte) => byte !== 0)) return undefined;

  if (status === 20) {
    if (word(1132) === SYSCALL_VECTOR && isKernelAddress(word(1128))) return LAYOUTS.L1;
    const start = word(1120);
    const end = word(1124);
    return start < end && end - start < 64 && eip >= 0x4000_0000 ? LAYOUTS.L0 : undefined;
  }
  if (word(1392) === SYSCALL_VECTOR && isKernelAddress(word(1388)) && word(1380) < word(1384)) return LAYOUTS.L2;
  if (word(1388) === SYSCALL_VECTOR && isKernelAddress(word(1384)) && word(1376) < word(1380)) return LAYOUTS.L3;
  if (word(1384) === SYSCALL_VECTOR && isKernelAddress(word(1380)) && word(1376) >= word(1380)) return LAYOUTS.L4;
  return undefined;
}

/** The first of the two possible argument registers that points at an `lguest_data`. */
function findGuestData(memory: GuestMemory, ramBytes: number, call: InitCall) {
  for (const register of [EBX, EDX]) {
    const gpa = call.registers[register]!;
    const layout = detectLayout(memory, ramBytes, gpa, call.eip);
    if (layout !== undefined) return { register, gpa, layout };
  }
  return undefined;
}

/** Longest distance between `lguest_data` and other parts of the kernel that is searched, bytes. An image is smaller. */
const IMAGE_REACH = 16 << 20;
/** The search goes away from `lguest_data` in steps of so many bytes: memory nobody has used yet is slow to read. */
const SEARCH_STEP = 1 << 20;
const BANNER = Array.from('Linux version ', (letter) => letter.charCodeAt(0));

/** The release number behind `Linux version ` near `gpa`, e.g. `2.6.32.63`, or undefined. */
export function findRelease(memory: GuestMemory, ramBytes: number, gpa: number): string | undefined {
  for (let distance = 0; distance < IMAGE_REACH; distance += SEARCH_STEP) {
    for (const from of [gpa - distance - SEARCH_STEP, gpa + distance]) {
      const start = Math.max(0, from);
      // A banner may begin in one step and end in the next.
      const end = Math.min(ramBytes, from + SEARCH_STEP + 64);
      const release = start < end ? releaseIn(memory.bytes(start, end - start)) : undefined;
      if (release !== undefined) return release;
    }
  }
  return undefined;
}

function releaseIn(bytes: Uint8Array): string | undefined {
  for (let at = bytes.indexOf(BANNER[0]!); at >= 0; at = bytes.indexOf(BANNER[0]!, at + 1)) {
    if (!BANNER.every((letter, index) => bytes[at + index] === letter)) continue;
    let release = '';
    for (let i = at + BANNER.length; i < bytes.length && release.length < 32; i++) {
      const letter = String.fromCharCode(bytes[i]!);
      if (!/[0-9.]/.test(letter)) break;
      release += letter;
    }
    if (/^\d+\.\d/.test(release)) return release.replace(/\.+$/, '');
  }
  return undefined;
}

/** The generation that fits layout, argument register, instruction and, where those leave a choice, the banner. */
function chooseGeneration(
  layout: LayoutName,
  register: number,
  instruction: HypercallInstruction,
  release: string | undefined,
): GenerationTag {
  switch (layout) {
    case 'L0':
      return 'A';
    case 'L1':
      if (register === EBX) return 'C1';
      return release?.startsWith('2.6.24') ? 'B1' : 'B2';
    case 'L2':
      return instruction === 'vmcall' ? 'C2' : 'D1';
    case 'L3':
      return Number(release?.split('.')[0] ?? 3) >= 4 ? 'E1' : 'D2';
    case 'L4':
      return 'E2';
  }
}

/**
 * Recognises the guest at its LGUEST_INIT. Undefined: no argument register points at anything like `lguest_data`.
 * With `override.tag` the contents are not looked at; only the address must lie in RAM.
 */
export function detectGeneration(
  memory: GuestMemory,
  ramBytes: number,
  call: InitCall,
  override: GenerationOverride = {},
): DetectedGeneration | undefined {
  const { instruction } = call;
  const { tag } = override;
  if (tag !== undefined) {
    const generation = GENERATIONS[tag];
    const dataGpa = call.registers[generation.argumentRegisters[0]!]!;
    if ((dataGpa & 3) !== 0 || dataGpa + LAYOUTS[generation.layout].size > ramBytes) return undefined;
    return { generation, instruction, dataGpa, pae: override.pae, release: findRelease(memory, ramBytes, dataGpa) };
  }
  const found = findGuestData(memory, ramBytes, call);
  if (found === undefined) return undefined;
  const release = findRelease(memory, ramBytes, found.gpa);
  const generation = GENERATIONS[chooseGeneration(found.layout.name, found.register, instruction, release)];
  return { generation, instruction, dataGpa: found.gpa, pae: override.pae, release };
}
/*:*/

/**
 * The statically initialised top-level table of a PAE kernel (§1.4): a page with four double words in the pattern
 * of its VMSPLIT and nothing else. True if one is in the image around `gpa`: then the guest wants three levels. For
 * kernels that get their first tables from the Host and so cannot show us their own directory.
 */
export function hasPaeTables(memory: GuestMemory, ramBytes: number, gpa: number, kernelAddress: number): boolean {
  const words = memory.u32;
  const end = Math.min(ramBytes, gpa + IMAGE_REACH);
  for (let page = Math.max(0, (gpa & ~0xfff) - IMAGE_REACH); page + 4096 <= end; page += 4096) {
    const at = (RAM_BASE + page) >>> 2;
    const first = words[at]!;
    if ((first & 0xfff) !== 1 || first >= ramBytes || first < 4096) continue;
    if (isPaePattern(words, at, kernelAddress >>> 30)) return true;
  }
  return false;
}

/** Whether the page at word index `at` maps the first PMD page low and, from 1 GiB entry `kernelIndex` on, again. */
function isPaePattern(words: Uint32Array, at: number, kernelIndex: number): boolean {
  const first = words[at]!;
  if (kernelIndex < 1) return false;
  for (let i = 0; i < 4; i++) {
    const expected = i === 0 ? first : i < kernelIndex ? 0 : first + (i - kernelIndex) * 4096;
    if (words[at + 2 * i] !== expected || words[at + 2 * i + 1] !== 0) return false;
  }
  for (let i = 8; i < 1024; i++) if (words[at + i] !== 0) return false;
  return true;
}

/** Whether `directory`, the argument of a NEW_PGTABLE, is a PAE directory of a 3.1+ kernel (§1.4). */
export function isPaeDirectory(memory: GuestMemory, directory: number, kernelAddress: number): boolean {
  const entry = directory + 8 * (kernelAddress >>> 30);
  if ((directory & 31) !== 0 || !memory.contains(entry, 8)) return false;
  return (memory.read32(entry) & 0xfff) === 0x001 && memory.read32(entry + 4) === 0;
}
