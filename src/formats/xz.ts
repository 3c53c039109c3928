/**
 * The .xz container (file format 1.2): streams of blocks, each with its chain of filters. What Linux kernels and
 * Debian packages use is here: LZMA2, alone or behind the x86 filter, checked by CRC-32 or CRC-64. A SHA-256 check is
 * passed over, since whoever downloads a package checks it anyway.
 */
import { decodeBcjX86 } from './bcj-x86.js';
import { crc32, crc64 } from './crc.js';
import { FormatError, truncated } from './format-error.js';
import { Lzma2Decoder, Output } from './lzma2.js';

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] as const;
const STREAM_HEADER_BYTES = 12;
const FOOTER_BYTES = 12;
/** Bytes of the check field by its type (2.1.1.2). */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64] as const;
const CHECK_CRC32 = 1;
const CHECK_CRC64 = 4;
const FILTER_X86 = 4;
const FILTER_LZMA2 = 0x21;
/** More than any machine of ours could use. */
const DEFAULT_LIMIT_BYTES = 0x6000_0000;

export interface XzOptions {
  /** What the caller believes it unpacks to: saves copying. */
  readonly expectedBytes?: number;
  /** Refuse to unpack to more. */
  readonly limitBytes?: number;
}

export function isXz(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * Unpacks all streams of `bytes`. What follows the last stream and is no stream is ignored (kernels append their
 * unpacked size). Throws `FormatError` when the data is damaged.
 */
export function decodeXz(bytes: Uint8Array, options: XzOptions = {}): Uint8Array {
  if (!isXz(bytes)) throw new FormatError('is not an xz file');
  const expected = options.expectedBytes ?? sizeFromIndex(bytes) ?? bytes.length * 4;
  const output = new Output(expected, options.limitBytes ?? DEFAULT_LIMIT_BYTES);
  let at = 0;
  do {
    at = decodeStream(bytes, at, output);
    while (at + 4 <= bytes.length && bytes[at] === 0) at += 4;
  } while (isXz(bytes.subarray(at, at + 6)));
  return output.bytes.subarray(0, output.length);
}

/** Decodes the stream at `start`; returns the offset behind its footer. */
function decodeStream(bytes: Uint8Array, start: number, output: Output): number {
  const check = bytes[start + 7]! & 15;
  let at = start + STREAM_HEADER_BYTES;
  if (at > bytes.length) throw truncated(at - bytes.length, 'its stream header');
  verify(bytes, start + 6, 2);
  while ((bytes[at] ?? 0) !== 0) at = decodeBlock(bytes, at, check, output);
  const index = new FieldReader(bytes, at + 1);
  const records = index.number();
  for (let n = 0; n < records; n++) {
    index.number();
    index.number();
  }
  const end = at + Math.ceil((index.at - at) / 4) * 4 + 4;
  if (end + FOOTER_BYTES > bytes.length) throw truncated(end + FOOTER_BYTES - bytes.length, 'its index');
  verify(bytes, at, end - 4 - at);
  return end + FOOTER_BYTES;
}

function decodeBlock(bytes: Uint8Array, start: number, check: number, output: Output): number {
  const headerBytes = (bytes[start]! + 1) * 4;
  if (start + headerBytes > bytes.length) throw truncated(start + headerBytes - bytes.length, 'a block header');
  verify(bytes, start, headerBytes - 4);
  const filters = readFilters(bytes, start);
  const from = output.length;
  const dataStart = start + headerBytes;
  let at = new Lzma2Decoder(bytes, output).decode(dataStart);
  at = dataStart + Math.ceil((at - dataStart) / 4) * 4;
  const block = output.bytes.subarray(from, output.length);
  if (filters.x86) decodeBcjX86(block);
  const checkBytes = CHECK_BYTES[check]!;
  if (at + checkBytes > bytes.length) throw truncated(at + checkBytes - bytes.length, 'its check');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (check === CHECK_CRC32 && crc32(block) !== view.getUint32(at, true)) throw wrongCheck();
  if (check === CHECK_CRC64) {
    const { low, high } = crc64(block);
    if (low !== view.getUint32(at, true) || high !== view.getUint32(at + 4, true)) throw wrongCheck();
  }
  return at + checkBytes;
}

/** The filter chain of a block header: LZMA2, perhaps with the x86 filter before it. */
function readFilters(bytes: Uint8Array, start: number): { x86: boolean } {
  const flags = bytes[start + 1]!;
  const fields = new FieldReader(bytes, start + 2);
  if (flags & 0x40) fields.number();
  if (flags & 0x80) fields.number();
  const ids: number[] = [];
  for (let n = 0; n <= (flags & 3); n++) {
    const id = fields.number();
    const propertyBytes = fields.number();
    // The x86 filter may start at another position; nobody does that.
    if (id === FILTER_X86 && propertyBytes !== 0) throw new FormatError('uses an xz filter with a start offset');
    fields.at += propertyBytes;
    ids.push(id);
  }
  const x86 = ids.length === 2 && ids[0] === FILTER_X86;
  if (ids.at(-1) !== FILTER_LZMA2 || (ids.length !== 1 && !x86)) {
    throw new FormatError(`uses xz filters other than LZMA2 and x86 (${ids.join(', ')})`);
  }
  return { x86 };
}

/** Reads the container's numbers: seven bits a byte, lowest first, at most nine bytes (1.2). */
class FieldReader {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}
  number(): number {
    let value = 0;
    for (let n = 0; n < 9; n++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw truncated(1, 'its xz headers');
      value += (byte & 0x7f) * 2 ** (7 * n);
      if (byte < 0x80) return value;
    }
    throw new FormatError('is damaged: a number in its xz headers has no end');
  }
}

/** Unpacked bytes of the last stream, from its index, if the file ends with one; a guess for the allocation only. */
function sizeFromIndex(bytes: Uint8Array): number | undefined {
  const { length } = bytes;
  if (length < STREAM_HEADER_BYTES + FOOTER_BYTES || bytes[length - 2] !== 0x59 || bytes[length - 1] !== 0x5a) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const indexBytes = (view.getUint32(length - 8, true) + 1) * 4;
  const at = length - FOOTER_BYTES - indexBytes;
  if (at < STREAM_HEADER_BYTES) return;
  const index = new FieldReader(bytes, at + 1);
  let total = 0;
  for (let left = index.number(); left > 0 && index.at < length; left--) {
    index.number();
    total += index.number();
  }
  // LZMA2 gains at most a factor of about 7000; whoever claims more does not get the memory in advance.
  return total <= length * 8192 ? total : undefined;
}

/** The CRC-32 behind `[at, at + length)`. */
function verify(bytes: Uint8Array, at: number, length: number): void {
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + length, true);
  if (crc32(bytes.subarray(at, at + length)) !== stored) throw wrongCheck();
}

function wrongCheck(): FormatError {
  return new FormatError('is damaged: a checksum in its xz data does not match');
}
