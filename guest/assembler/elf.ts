/**
 * Writes an ELF32 executable (System V ABI, i386): one PT_LOAD per section with its own physical and virtual
 * address, section headers and a symbol table, so that disassemblers and tracers can name what they see.
 */

/** A section with its contents and final addresses. */
export interface LinkedSection {
  name: string;
  /** Guest-physical load address. */
  physical: number;
  /** Address the code was assembled for. */
  virtual: number;
  /** Contents; empty for a zero section. */
  bytes: Uint8Array;
  /** Bytes in memory. */
  size: number;
  zero: boolean;
}

export interface LinkedSymbol {
  name: string;
  value: number;
  /** Index into the sections, or −1 for a plain number. */
  section: number;
}

const PAGE = 4096;
const HEADER = 52;
const PROGRAM_HEADER = 32;
const SECTION_HEADER = 40;
const SYMBOL = 16;

/** Builds the file. `entry` is a physical address, as the Launcher expects it (lguest-abi §2.2). */
export function writeElf(
  sections: readonly LinkedSection[],
  symbols: readonly LinkedSymbol[],
  entry: number,
): Uint8Array {
  const offsets: number[] = [];
  let end = HEADER + sections.length * PROGRAM_HEADER;
  for (const section of sections) {
    end = alignUp(end, PAGE) + (section.virtual % PAGE);
    offsets.push(end);
    if (!section.zero) end += section.size;
  }
  const names = new StringTable();
  const strings = new StringTable();
  const symbolTable = new Bytes();
  symbolTable.add(4, 0, 0, 0).add(1, 0, 0).add(2, 0);
  for (const symbol of symbols) {
    const code = symbol.section >= 0 && isCode(sections[symbol.section]!);
    symbolTable
      .add(4, strings.add(symbol.name), symbol.value, 0)
      .add(1, 0x10 | (symbol.section < 0 ? 0 : code ? 2 : 1), 0)
      .add(2, symbol.section < 0 ? 0xfff1 : symbol.section + 1);
  }
  const sectionHeaders = new Bytes();
  sectionHeaders.add(4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  sections.forEach((section, i) => {
    const flags = isCode(section) ? 6 : 3; // alloc + execute, or alloc + write
    const type = section.zero ? 8 : 1; // NOBITS, PROGBITS
    sectionHeaders.add(
      4,
      names.add(section.name),
      type,
      flags,
      section.virtual,
      offsets[i]!,
      section.size,
      0,
      0,
      16,
      0,
    );
  });
  const symtab = names.add('.symtab');
  const strtab = names.add('.strtab');
  const shstrtab = names.add('.shstrtab');
  const count = sections.length;
  const symbolsAt = alignUp(end, 16);
  const stringsAt = symbolsAt + symbolTable.bytes.length;
  const namesAt = stringsAt + strings.bytes.length;
  const headersAt = alignUp(namesAt + names.bytes.length, 16);
  sectionHeaders.add(4, symtab, 2, 0, 0, symbolsAt, symbolTable.bytes.length, count + 2, 1, 4, SYMBOL);
  sectionHeaders.add(4, strtab, 3, 0, 0, stringsAt, strings.bytes.length, 0, 0, 1, 0);
  sectionHeaders.add(4, shstrtab, 3, 0, 0, namesAt, names.bytes.length, 0, 0, 1, 0);

  const file = new Uint8Array(headersAt + sectionHeaders.bytes.length);
  const header = new Bytes();
  header.add(1, 0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  header.add(2, 2, 3).add(4, 1, entry, HEADER, headersAt, 0); // executable, 386
  header.add(2, HEADER, PROGRAM_HEADER, sections.length, SECTION_HEADER, count + 4, count + 3);
  sections.forEach((section, i) => {
    const flags = isCode(section) ? 5 : 6; // read + execute, or read + write
    const fileSize = section.zero ? 0 : section.size;
    header.add(4, 1, offsets[i]!, section.virtual, section.physical, fileSize, section.size, flags, PAGE);
  });
  file.set(header.bytes, 0);
  sections.forEach((section, i) => {
    if (!section.zero) file.set(section.bytes, offsets[i]!);
  });
  file.set(symbolTable.bytes, symbolsAt);
  file.set(strings.bytes, stringsAt);
  file.set(names.bytes, namesAt);
  file.set(sectionHeaders.bytes, headersAt);
  return file;
}

function isCode(section: LinkedSection): boolean {
  return section.name.startsWith('.text');
}

export function alignUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** A growing run of little-endian numbers. */
class Bytes {
  readonly bytes: number[] = [];
  add(size: number, ...values: number[]): this {
    for (const value of values) for (let i = 0; i < size; i++) this.bytes.push((value >>> (8 * i)) & 0xff);
    return this;
  }
}

/** NUL-terminated names; offset 0 is the empty name. */
class StringTable {
  readonly bytes: number[] = [0];
  add(name: string): number {
    const at = this.bytes.length;
    for (let i = 0; i < name.length; i++) this.bytes.push(name.charCodeAt(i));
    this.bytes.push(0);
    return at;
  }
}
