/**
 * The cpio archive in the form that Linux unpacks as its first root file system ("newc": Linux
 * Documentation/driver-api/early-userspace/buffer-format.rst). Entry after entry, each aligned to 4 bytes:
 *
 *     "070701", 13 numbers of 8 hexadecimal digits, path and NUL, padding, data, padding
 *
 * the numbers being inode, mode, uid, gid, links, time, bytes, device major and minor, rdev major and minor, bytes of
 * the path with its NUL, checksum. An entry named TRAILER!!! ends it.
 *
 * Written by hand: no library writes device nodes and owners, which is what an initramfs is about.
 */
import { FormatError, truncated } from './format-error.js';

export interface CpioEntry {
  /** Without a leading slash. */
  path: string;
  /** Type and permissions as in `st_mode`, e.g. `S_IFREG | 0o755`. */
  mode: number;
  /** The contents, or where a symlink leads; empty for everything else. */
  data: Uint8Array;
  /** Numbers of a device node. */
  major?: number;
  minor?: number;
}

/** File types of `st_mode` (Linux include/uapi/linux/stat.h). */
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFMT = 0o170000;

const HEADER_BYTES = 110;
const NUMBERS = 13;
const TRAILER = 'TRAILER!!!';
/** Linux reads no longer paths (PATH_MAX, init/initramfs.c). */
const LONGEST_PATH_BYTES = 4096;

/** The archive, every entry owned by root and dated 1970: the same entries are always the same bytes. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const encoder = new TextEncoder();
  const all = [...entries, { path: TRAILER, mode: 0, data: new Uint8Array(0) }].map((entry, index) => {
    const path = encoder.encode(`${entry.path}\0`);
    return { entry, inode: index + 1, path, dataAt: align(HEADER_BYTES + path.length) };
  });
  const archive = new Uint8Array(all.reduce((sum, { entry, dataAt }) => sum + align(dataAt + entry.data.length), 0));
  let at = 0;
  for (const { entry, inode, path, dataAt } of all) {
    const { mode, data, major = 0, minor = 0 }: CpioEntry = entry;
    const links = (mode & S_IFMT) === S_IFDIR ? 2 : 1;
    const numbers = [inode, mode, 0, 0, links, 0, data.length, 0, 0, major, minor, path.length, 0];
    const header = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
    archive.set(encoder.encode(header), at);
    archive.set(path, at + HEADER_BYTES);
    archive.set(data, at + dataAt);
    at += align(dataAt + data.length);
  }
  return archive;
}

/** The entries of an archive. Throws `FormatError`. */
export function readCpio(archive: Uint8Array): CpioEntry[] {
  const decoder = new TextDecoder();
  const entries: CpioEntry[] = [];
  for (let at = 0; ; ) {
    const fields = readHeader(archive, at);
    const mode = fields[1]!;
    const bytes = fields[6]!;
    const pathBytes = fields[11]!;
    if (pathBytes < 1 || pathBytes > LONGEST_PATH_BYTES) throw damaged(at);
    const pathEnd = at + HEADER_BYTES + pathBytes;
    const start = align(pathEnd);
    const end = start + bytes;
    const missing = Math.max(pathEnd, bytes > 0 ? end : 0) - archive.length;
    if (missing > 0) throw truncated(missing, `the entry at byte ${at}`);
    const path = decoder.decode(archive.subarray(at + HEADER_BYTES, pathEnd - 1));
    if (path === TRAILER) return entries;
    const device = (mode & S_IFMT) === S_IFCHR ? { major: fields[9]!, minor: fields[10]! } : {};
    entries.push({ path, mode, data: archive.subarray(start, end), ...device });
    at = align(end);
  }
}

function readHeader(archive: Uint8Array, at: number): number[] {
  if (at + HEADER_BYTES > archive.length) throw truncated(at + HEADER_BYTES - archive.length, 'a header');
  const header = String.fromCharCode(...archive.subarray(at, at + HEADER_BYTES));
  if (!header.startsWith('070701')) {
    throw at === 0 ? new FormatError('is not a cpio archive of the kind that Linux unpacks (newc)') : damaged(at);
  }
  const numbers = Array.from({ length: NUMBERS }, (_, index) => header.slice(6 + 8 * index, 14 + 8 * index));
  if (!numbers.every((digits) => /^[0-9a-fA-F]{8}$/.test(digits))) throw damaged(at);
  return numbers.map((digits) => Number.parseInt(digits, 16));
}

function damaged(at: number): FormatError {
  return new FormatError(`is damaged: the header at byte ${at} is none`);
}

function align(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
