/**
 * The bzImage: 16-bit setup code with a header in it, then the 32-bit part that unpacks the kernel
 * (Linux Documentation/x86/boot.rst; lguest-abi §§1.3, 2.2).
 *
 * Invariant: after `parseBzImage` setup code and 32-bit part lie inside the file. A field that the header's
 * protocol version does not have yet reads as its default.
 */
import { FormatError, truncated } from './format-error.js';

export interface BzImage {
  /** Boot protocol version, major × 256 + minor (0x020a = 2.10). */
  protocol: number;
  /** File offset of the 32-bit part. */
  codeOffset: number;
  /** Bytes of the 32-bit part, to be put at 0x100000. */
  codeBytes: number;
  /** `code32_start`: guest-physical address of its entry. */
  entry: number;
  /** File offset just behind the setup header that begins at `SETUP_HEADER_START`. */
  headerEnd: number;
  loadFlags: number;
  /** Bytes, 0 when the header has none (before 2.05). */
  kernelAlignment: number;
  relocatable: boolean;
  /** XLF_KERNEL_64, or a name that says so: the 32-bit entry would switch to long mode. */
  is64Bit: boolean;
  /** Where the unpacked kernel wants to be, and the bytes it needs there (0 before 2.10). */
  preferredAddress: number;
  initBytes: number;
  /** Longest command line in bytes without the final NUL (255 before 2.06). */
  commandLineBytes: number;
  /** `2.6.32.63 (user@host) #1 …`, or empty. */
  versionText: string;
  /** File offset and bytes of the packed kernel; 0 bytes when the header does not say where it is (before 2.08). */
  payloadOffset: number;
  payloadBytes: number;
  /** Highest address the initrd may reach, inclusive. */
  initrdLimit: number;
  /** What the packed kernel looks like, or empty when the header does not say where it is. */
  compression: string;
}

/** File offset of the setup header, the same as in boot_params. */
export const SETUP_HEADER_START = 0x1f1;
/** boot_params keeps room for the setup header up to here. */
const SETUP_HEADER_LIMIT = 0x290;
/** End of the header up to protocol 2.14. */
const DEFAULT_HEADER_END = 0x268;
/** Bytes of setup code every protocol with "HdrS" has at least. */
const MINIMUM_SETUP_BYTES = 0x400;
const XLF_KERNEL_64 = 1;
const VERSION_TEXT_LIMIT = 256;

/** First bytes of what a kernel can be packed with. */
const COMPRESSIONS: readonly (readonly [string, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lzma', [0x5d, 0x00, 0x00]],
  ['lzo', [0x89, 0x4c, 0x5a, 0x4f]],
  ['lz4', [0x02, 0x21, 0x4c, 0x18]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];

/** The one mark the original Launcher goes by: "HdrS" at 0x202. */
export function isBzImage(file: Uint8Array): boolean {
  return (
    file.length >= 0x206 && file[0x202] === 0x48 && file[0x203] === 0x64 && file[0x204] === 0x72 && file[0x205] === 0x53
  );
}

/** Throws `FormatError` unless the file is a bzImage with all its bytes there. */
export function parseBzImage(file: Uint8Array): BzImage {
  if (!isBzImage(file)) throw new FormatError('is not a bzImage');
  // boot.rst: a count of 0 stands for 4.
  const codeOffset = ((file[SETUP_HEADER_START] || 4) + 1) * 512;
  // Nothing in the header can be trusted to be there before this much is.
  const setupBytes = Math.max(codeOffset, MINIMUM_SETUP_BYTES);
  if (file.length < setupBytes) throw truncated(setupBytes - file.length, 'its setup code');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const protocol = view.getUint16(0x206, true);
  const u32 = (offset: number, since: number): number => (protocol >= since ? view.getUint32(offset, true) : 0);

  const codeBytes = file.length - codeOffset;
  // `syssize` counts 16-byte units; the last one need not be full (it was not padded before 2.6.26).
  const codeBytesAtLeast = u32(0x1f4, 0x204) * 16 - 15;
  if (codeBytesAtLeast > codeBytes) throw truncated(codeBytesAtLeast - codeBytes, 'its 32-bit part');
  if (codeBytes === 0) throw new FormatError('is truncated: it ends behind its setup code, without a kernel');
  const payloadOffset = u32(0x248, 0x208);
  const payloadEnd = payloadOffset + u32(0x24c, 0x208);
  if (payloadEnd > codeBytes) throw truncated(payloadEnd - codeBytes, 'its packed kernel');

  const entry = view.getUint32(0x214, true);
  if (entry < 0x10_0000 || entry >= 0x10_0000 + codeBytes) {
    throw new FormatError(
      `cannot be loaded: its entry 0x${entry.toString(16)} is not in the part that belongs at 0x100000`,
    );
  }
  const versionText = readVersionText(file, view.getUint16(0x20e, true), codeOffset);
  return {
    protocol,
    codeOffset,
    codeBytes,
    entry,
    // The header ends where the short jump at its start leads to.
    headerEnd: file[0x200] === 0xeb ? Math.min(0x202 + file[0x201]!, SETUP_HEADER_LIMIT) : DEFAULT_HEADER_END,
    loadFlags: file[0x211]!,
    kernelAlignment: u32(0x230, 0x205),
    relocatable: protocol >= 0x205 && file[0x234] !== 0,
    is64Bit:
      (protocol >= 0x20c && (view.getUint16(0x236, true) & XLF_KERNEL_64) !== 0) ||
      /^\S*(x86_64|amd64)/.test(versionText),
    preferredAddress: u32(0x258, 0x20a),
    initBytes: u32(0x260, 0x20a),
    payloadOffset: codeOffset + payloadOffset,
    payloadBytes: payloadEnd - payloadOffset,
    initrdLimit: u32(0x22c, 0x203) || 0x37ff_ffff,
    commandLineBytes: u32(0x238, 0x206) || 255,
    versionText,
    compression: payloadOffset === 0 ? '' : nameCompression(file.subarray(codeOffset + payloadOffset)),
  };
}

/** The text at 0x200 + pointer, as far as it is printable ASCII. */
function readVersionText(file: Uint8Array, pointer: number, setupBytes: number): string {
  if (pointer === 0) return '';
  let text = '';
  for (let at = 0x200 + pointer; at < setupBytes && text.length < VERSION_TEXT_LIMIT; at++) {
    const byte = file[at]!;
    if (byte < 0x20 || byte > 0x7e) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

function nameCompression(payload: Uint8Array): string {
  for (const [name, magic] of COMPRESSIONS) {
    if (magic.every((byte, index) => payload[index] === byte)) return name;
  }
  return 'unknown';
}
