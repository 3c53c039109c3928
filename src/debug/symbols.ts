/** A function's name and the address where it begins. */
interface GuestSymbol {
  address: number;
  name: string;
}

/** Names of guest code, from a System.map or from the symbol table of an ELF kernel. */
export class SymbolTable {
  /** Ascending by address. */
  private readonly symbols: GuestSymbol[];

  constructor(symbols: GuestSymbol[]) {
    this.symbols = [...symbols].sort((a, b) => a.address - b.address);
  }

  get size(): number {
    return this.symbols.length;
  }

  /**
   * The nearest symbol at or below `address` as `name+0x12`; undefined when none is within a megabyte,
   * because then the address lies in something the table does not know (a module, the heap, user space).
   */
  nearest(address: number): string | undefined {
    const found = this.find(address);
    if (found === undefined) return undefined;
    const offset = (address >>> 0) - found.address;
    return offset === 0 ? found.name : `${found.name}+0x${offset.toString(16)}`;
  }

  /** The nearest symbol as `nearest` finds it, with its own address. */
  find(address: number): Readonly<GuestSymbol> | undefined {
    address >>>= 0;
    let low = 0;
    let high = this.symbols.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.symbols[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.symbols[low - 1];
    return found === undefined || address - found.address > 0x10_0000 ? undefined : found;
  }

  /** The address of `name`, if it is there. */
  addressOf(name: string): number | undefined {
    return this.symbols.find((symbol) => symbol.name === name)?.address;
  }
}

/** Reads a System.map or an ELF file; undefined when it is neither, or carries no symbol. */
export function readSymbols(file: Uint8Array): SymbolTable | undefined {
  const symbols = isElf(file) ? readElfSymbols(file) : readSystemMap(file);
  return symbols.length === 0 ? undefined : new SymbolTable(symbols);
}

function isElf(file: Uint8Array): boolean {
  return file.length > 4 && file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46;
}

/** Lines of `c0101234 T name`, as nm and the kernel build write them. Types that are no code or data are left out. */
function readSystemMap(file: Uint8Array): GuestSymbol[] {
  const symbols: GuestSymbol[] = [];
  for (const line of new TextDecoder('latin1').decode(file).split('\n')) {
    const match = /^([0-9a-f]{8,16}) ([tTwWdDbBrRvV]) (\S+)/.exec(line);
    if (match === null) continue;
    const address = Number.parseInt(match[1]!, 16);
    if (address <= 0xffff_ffff) symbols.push({ address, name: match[3]! });
  }
  return symbols;
}

/** ELF constants (System V ABI, figures 4-9 and 4-16 to 4-18). */
const SHT_SYMTAB = 2;
const SYMBOL_BYTES = 16;
const STT_OBJECT = 1;
const STT_FUNC = 2;
const STT_NOTYPE = 0;
/** Section numbers from here on are not sections; 0xfff1 (absolute) is no place in the code either. */
const SHN_LORESERVE = 0xff00;

/** Whether a kernel is worth keeping until somebody wants to know its symbols. */
export function mayHaveSymbols(file: Uint8Array): boolean {
  return isElf(file) && !elfSymbolTables(file).next().done;
}

/** Bytes of the symbols of a 32-bit little-endian ELF file, and of their names: where these begin and end. */
function* elfSymbolTables(file: Uint8Array): Generator<{ start: number; end: number; namesAt: number }> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 52 || file[4] !== 1 || file[5] !== 1) return;
  const sectionsAt = view.getUint32(32, true);
  const sectionBytes = view.getUint16(46, true);
  const sectionCount = view.getUint16(48, true);
  if (sectionBytes < 40 || sectionsAt + sectionCount * sectionBytes > file.length) return;
  for (let section = 0; section < sectionCount; section++) {
    const header = sectionsAt + section * sectionBytes;
    if (view.getUint32(header + 4, true) !== SHT_SYMTAB) continue;
    const names = view.getUint32(header + 24, true);
    if (names >= sectionCount) continue;
    const namesAt = view.getUint32(sectionsAt + names * sectionBytes + 16, true);
    const start = view.getUint32(header + 16, true);
    yield { start, end: Math.min(file.length, start + view.getUint32(header + 20, true)), namesAt };
  }
}

/** Symbols of an ELF file; anything that points outside the file is left out. */
function readElfSymbols(file: Uint8Array): GuestSymbol[] {
  const symbols: GuestSymbol[] = [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  for (const { start, end, namesAt } of elfSymbolTables(file)) {
    for (let at = start; at + SYMBOL_BYTES <= end; at += SYMBOL_BYTES) {
      const type = file[at + 12]! & 15;
      const inSection = view.getUint16(at + 14, true);
      if (type !== STT_FUNC && type !== STT_OBJECT && type !== STT_NOTYPE) continue;
      if (inSection === 0 || inSection >= SHN_LORESERVE) continue;
      const name = readName(file, namesAt + view.getUint32(at, true));
      if (name !== '') symbols.push({ address: view.getUint32(at + 4, true), name });
    }
  }
  return symbols;
}

/** NUL-terminated name, at most 255 characters; empty outside the file. */
function readName(file: Uint8Array, at: number): string {
  let end = at;
  while (end < file.length && end < at + 255 && file[end] !== 0) end++;
  return new TextDecoder('latin1').decode(file.subarray(at, end));
}
