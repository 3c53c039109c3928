/**
 * The tar archive, as far as packages need it: ustar with GNU's long names and the path, linkpath and size records of
 * pax (POSIX.1-2017, pax; GNU tar manual, "Basic Tar Format"). Blocks of 512 bytes: a header, then the data.
 *
 *     name 0…99, mode 100 (octal), size 124 (octal), checksum 148, type 156, link 157…256, magic 257, prefix 345…499
 *
 * Written by hand: the libraries are for Node streams; a reader of bytes that are all there is a loop.
 */
import { FormatError, truncated } from './format-error.js';

export type TarType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';

export interface TarEntry {
  /** As in the archive, without a leading `./` and without a trailing slash; `''` is the root. */
  path: string;
  type: TarType;
  /** Permission bits, 0…0o7777. */
  mode: number;
  /** Where a symlink or hardlink leads; empty otherwise. */
  target: string;
  /** A view into the archive; empty unless it is a file. */
  data: Uint8Array;
}

const BLOCK = 512;
/** Offset of the checksum and its length; it counts as blanks when the sum is made. */
const CHECKSUM = 148;
const CHECKSUM_BYTES = 8;

const TYPES: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '5': 'directory',
};

/** The entries in the order of the archive. Throws `FormatError` where it is damaged, after those before. */
export function* readTar(archive: Uint8Array): Generator<TarEntry, void, undefined> {
  const utf8 = new TextDecoder();
  /** What extension records said about the next entry. */
  let path: string | undefined;
  let target: string | undefined;
  let bytes: number | undefined;
  for (let at = 0; ; ) {
    if (at + BLOCK > archive.length) throw truncated(at + BLOCK - archive.length, 'a header or its end mark');
    const header = archive.subarray(at, at + BLOCK);
    if (isZero(header)) return;
    checkSum(header, at);
    const type = String.fromCharCode(header[156]!);
    const extension = type === 'L' || type === 'K' || type === 'x' || type === 'g';
    const size = (extension ? undefined : bytes) ?? number(header, 124, 12, at);
    const start = at + BLOCK;
    if (start + size > archive.length) throw truncated(start + size - archive.length, `the file at byte ${at}`);
    const data = archive.subarray(start, start + size);
    at = start + Math.ceil(size / BLOCK) * BLOCK;

    if (type === 'L') path = untilZero(utf8.decode(data));
    else if (type === 'K') target = untilZero(utf8.decode(data));
    else if (type === 'x') {
      const records = readPax(data);
      path = records.get('path') ?? path;
      target = records.get('linkpath') ?? target;
      const given = records.get('size');
      if (given !== undefined) bytes = wholeNumber(given);
    } else if (type !== 'g') {
      const kind = TYPES[type] ?? 'other';
      yield {
        path: normalise(path ?? readPath(header, utf8)),
        type: kind,
        mode: number(header, 100, 8, at) & 0o7777,
        target: kind === 'symlink' || kind === 'hardlink' ? (target ?? text(header, 157, 100, utf8)) : '',
        data: kind === 'file' ? data : data.subarray(0, 0),
      };
      path = target = bytes = undefined;
    }
  }
}

function normalise(path: string): string {
  return path
    .replace(/^(?:\.?\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');
}

/** ustar splits a long path into prefix and name. GNU's own magic ("ustar  ") has other things there. */
function readPath(header: Uint8Array, utf8: InstanceType<typeof TextDecoder>): string {
  const name = text(header, 0, 100, utf8);
  const prefix = text(header, 257, 6, utf8) === 'ustar' ? text(header, 345, 155, utf8) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Records `length key=value\n`, where the length counts itself. */
function readPax(data: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  const utf8 = new TextDecoder();
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(0x20, at);
    const length = blank < 0 ? Number.NaN : wholeNumber(utf8.decode(data.subarray(at, blank)));
    if (!(length > blank - at + 1) || at + length > data.length) {
      throw new FormatError('is damaged: one of its pax headers cannot be read');
    }
    const record = utf8.decode(data.subarray(blank + 1, at + length - 1));
    const equals = record.indexOf('=');
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function wholeNumber(digits: string): number {
  const value = /^\d{1,15}$/.test(digits) ? Number(digits) : Number.NaN;
  if (Number.isNaN(value)) throw new FormatError('is damaged: one of its pax headers cannot be read');
  return value;
}

/** An octal number of `length` characters, or GNU's binary form (first bit set). */
function number(header: Uint8Array, offset: number, length: number, at: number): number {
  const field = header.subarray(offset, offset + length);
  let value = 0;
  if ((field[0]! & 0x80) !== 0) {
    value = field[0]! & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
  } else {
    const digits = untilZero(String.fromCharCode(...field)).trim();
    value = /^[0-7]*$/.test(digits) ? Number.parseInt(digits || '0', 8) : Number.NaN;
  }
  if (!Number.isSafeInteger(value)) throw new FormatError(`is damaged: the header at byte ${at} has no valid number`);
  return value;
}

function checkSum(header: Uint8Array, at: number): void {
  let sum = 0;
  for (let index = 0; index < BLOCK; index++) {
    sum += index >= CHECKSUM && index < CHECKSUM + CHECKSUM_BYTES ? 0x20 : header[index]!;
  }
  const field = untilZero(String.fromCharCode(...header.subarray(CHECKSUM, CHECKSUM + CHECKSUM_BYTES))).trim();
  if (/^[0-7]+$/.test(field) && Number.parseInt(field, 8) === sum) return;
  if (at === 0) throw new FormatError('is not a tar archive');
  throw new FormatError(`is damaged: the header at byte ${at} has a wrong checksum`);
}

function text(header: Uint8Array, offset: number, length: number, utf8: InstanceType<typeof TextDecoder>): string {
  const field = header.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return utf8.decode(end < 0 ? field : field.subarray(0, end));
}

function untilZero(value: string): string {
  const end = value.indexOf('\0');
  return end < 0 ? value : value.slice(0, end);
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}
