/** Small kernel files made by hand, for tests of formats and boot. */

export interface TestSegment {
  physicalAddress: number;
  data: Uint8Array;
  memoryBytes?: number;
}

/** An i386 ELF executable: header, program headers, then the segments' bytes one after the other. */
export function buildElf(entry: number, segments: readonly TestSegment[]): Uint8Array {
  const tableEnd = 52 + 32 * segments.length;
  const length = segments.reduce((sum, segment) => sum + segment.data.length, tableEnd);
  const file = new Uint8Array(length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, entry, true);
  view.setUint32(28, 52, true);
  view.setUint16(40, 52, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, segments.length, true);
  let offset = tableEnd;
  segments.forEach(({ physicalAddress, data, memoryBytes }, index) => {
    const at = 52 + 32 * index;
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, offset, true);
    view.setUint32(at + 8, (physicalAddress + 0xc000_0000) >>> 0, true);
    view.setUint32(at + 12, physicalAddress, true);
    view.setUint32(at + 16, data.length, true);
    view.setUint32(at + 20, memoryBytes ?? data.length, true);
    file.set(data, offset);
    offset += data.length;
  });
  return file;
}

export interface TestBzImage {
  protocol?: number;
  versionText?: string;
  code?: Uint8Array;
  entry?: number;
  xloadFlags?: number;
  kernelAlignment?: number;
  preferredAddress?: number;
  initBytes?: number;
  payload?: { offset: number; length: number };
}

/** A bzImage with one setup sector (file offset of the code: 1024). */
export function buildBzImage(options: TestBzImage = {}): Uint8Array {
  const code = options.code ?? Uint8Array.from({ length: 4096 }, (_, index) => index & 0xff);
  const file = new Uint8Array(1024 + code.length);
  const view = new DataView(file.buffer);
  file[0x1f1] = 1;
  view.setUint16(0x1f2, 1, true); // root read-only
  view.setUint32(0x1f4, Math.ceil(code.length / 16), true);
  view.setUint16(0x1fa, 0xffff, true);
  view.setUint16(0x1fc, 0x801, true);
  view.setUint16(0x1fe, 0xaa55, true);
  file.set([0xeb, 0x66, 0x48, 0x64, 0x72, 0x53], 0x200);
  view.setUint16(0x206, options.protocol ?? 0x20a, true);
  file[0x211] = 1;
  view.setUint32(0x214, options.entry ?? 0x10_0000, true);
  view.setUint32(0x22c, 0x37ff_ffff, true);
  view.setUint32(0x230, options.kernelAlignment ?? 0x40_0000, true);
  file[0x234] = 1;
  view.setUint16(0x236, options.xloadFlags ?? 0, true);
  view.setUint32(0x238, 2047, true);
  view.setUint32(0x248, options.payload?.offset ?? 0, true);
  view.setUint32(0x24c, options.payload?.length ?? 0, true);
  view.setUint32(0x258, options.preferredAddress ?? 0x40_0000, true);
  view.setUint32(0x260, options.initBytes ?? 0x20_0000, true);
  if (options.versionText !== undefined) {
    view.setUint16(0x20e, 0x280 - 0x200 + 0x20, true);
    file.set(ascii(`${options.versionText}\0`), 0x2a0);
  }
  file.set(code, 1024);
  return file;
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Bytes from hexadecimal pairs, `..` for a filler byte 0x11. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.split(/\s+/), (pair) => (pair === '..' ? 0x11 : Number.parseInt(pair, 16)));
}
