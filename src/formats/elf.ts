/**
 * ELF executables for the i386: only what a loader needs (System V ABI, chapters 4 and 5).
 *
 * Invariant: after `parseElf32` every segment's file range lies inside the file; nothing is known about its
 * physical range, which the loader compares with the guest's memory.
 */
import { FormatError, truncated } from './format-error.js';

/** A PT_LOAD program header. All numbers are unsigned; sizes and offsets in bytes. */
export interface ElfSegment {
  fileOffset: number;
  /** Bytes that come from the file; the rest up to `memoryBytes` is zero. */
  fileBytes: number;
  memoryBytes: number;
  physicalAddress: number;
  virtualAddress: number;
}

export interface ElfImage {
  /** `e_entry`; kernels since 2.6.24 put a physical address here (lguest-abi §2.2). */
  entry: number;
  /** In file order, without empty ones. */
  segments: ElfSegment[];
}

const HEADER_BYTES = 52;
const PROGRAM_HEADER_BYTES = 32;
const PT_LOAD = 1;
const ET_EXEC = 2;
const EM_386 = 3;
/** A kernel has three to six; the bound keeps a forged header from costing the square of the file's size. */
const MAXIMUM_SEGMENTS = 128;

/** `e_machine` values people are likely to pick by mistake. */
const MACHINE_NAMES: Readonly<Record<number, string>> = {
  2: 'SPARC',
  8: 'MIPS',
  20: 'PowerPC',
  21: 'PowerPC',
  22: 's390',
  40: 'ARM',
  43: 'SPARC',
  62: 'x86-64',
  183: 'ARM64',
  243: 'RISC-V',
  258: 'LoongArch',
};

export function isElf(file: Uint8Array): boolean {
  return file.length >= 4 && file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;
}

/** Throws `FormatError` for anything but an executable for the i386 with all its bytes there. */
export function parseElf32(file: Uint8Array): ElfImage {
  if (!isElf(file)) throw new FormatError('is not an ELF file');
  if (file.length < HEADER_BYTES) throw truncated(HEADER_BYTES - file.length, 'its ELF header');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  checkProcessor(file, view);
  if (view.getUint16(16, true) !== ET_EXEC) throw malformed('it is not an executable');
  const tableOffset = view.getUint32(28, true);
  const entryBytes = view.getUint16(42, true);
  const count = view.getUint16(44, true);
  if (entryBytes !== PROGRAM_HEADER_BYTES)
    throw malformed(`its program headers have ${entryBytes} bytes instead of 32`);
  if (count === 0) throw malformed('it has no program headers');
  const tableEnd = tableOffset + count * PROGRAM_HEADER_BYTES;
  if (tableEnd > file.length)
    throw truncated(Math.min(tableEnd - file.length, tableEnd - tableOffset), 'its program headers');

  const segments: ElfSegment[] = [];
  for (let at = tableOffset; at < tableEnd; at += PROGRAM_HEADER_BYTES) {
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const segment = readSegment(view, at);
    if (segment.memoryBytes === 0 && segment.fileBytes === 0) continue;
    checkSegment(segment, file.length);
    segments.push(segment);
    if (segments.length > MAXIMUM_SEGMENTS) throw malformed(`it has more than ${MAXIMUM_SEGMENTS} segments`);
  }
  if (segments.length === 0) throw malformed('it has nothing to load');
  return { entry: view.getUint32(24, true), segments };
}

/** Wrong processors get a sentence of their own, before anything else is looked at. */
function checkProcessor(file: Uint8Array, view: DataView): void {
  const bigEndian = file[5] === 2;
  const machine = view.getUint16(18, !bigEndian);
  const name = MACHINE_NAMES[machine] ?? `processor type ${machine}`;
  if (file[4] === 2) {
    throw new FormatError(`is a 64-bit ELF file (${name}) and needs a 64-bit processor; take a 32-bit (i386) kernel`);
  }
  if (machine !== EM_386 || bigEndian)
    throw new FormatError(`is for another processor (${name}); take a 32-bit x86 (i386) kernel`);
  if (file[4] !== 1 || file[5] !== 1) throw malformed('it is neither a 32-bit nor a 64-bit file');
}

function readSegment(view: DataView, at: number): ElfSegment {
  return {
    fileOffset: view.getUint32(at + 4, true),
    virtualAddress: view.getUint32(at + 8, true),
    physicalAddress: view.getUint32(at + 12, true),
    fileBytes: view.getUint32(at + 16, true),
    memoryBytes: view.getUint32(at + 20, true),
  };
}

function checkSegment(segment: ElfSegment, fileLength: number): void {
  const { fileOffset, fileBytes, memoryBytes, physicalAddress } = segment;
  const where = `its segment at 0x${physicalAddress.toString(16)}`;
  if (fileBytes > memoryBytes) throw malformed(`${where} is larger in the file than in memory`);
  const missing = fileOffset + fileBytes - fileLength;
  if (fileBytes > 0 && missing > 0) throw truncated(Math.min(missing, fileBytes), where);
}

/** Keeps the words of the original Launcher (lguest-abi App. A) and adds why. */
function malformed(why: string): FormatError {
  return new FormatError(`cannot be loaded: Malformed elf header (${why})`);
}
