/**
 * The ar archive, in which Debian wraps its packages (ar(5), deb(5)): eight bytes of magic, then members, each a
 * header of 60 characters and its data, padded to an even length.
 *
 *     name 16, time 12, owner 6, group 6, mode 8 (octal), size 10 (decimal), "`\n"
 *
 * Written by hand: three fields of text, and what npm has is for Node streams only.
 */
import { FormatError, truncated } from './format-error.js';

export interface ArMember {
  name: string;
  /** A view into the archive. */
  data: Uint8Array;
}

const MAGIC = '!<arch>\n';
const HEADER_BYTES = 60;

export function isAr(file: Uint8Array): boolean {
  return file.length >= MAGIC.length && latin1(file, 0, MAGIC.length) === MAGIC;
}

/** All members, in the order of the file. Throws `FormatError`. */
export function readAr(file: Uint8Array): ArMember[] {
  if (!isAr(file)) throw new FormatError('is not an ar archive');
  const members: ArMember[] = [];
  for (let at = MAGIC.length; at < file.length; ) {
    if (at + HEADER_BYTES > file.length) throw truncated(at + HEADER_BYTES - file.length, 'a header');
    // GNU ar marks the end of a name with a slash, dpkg does not.
    const name = latin1(file, at, 16).trimEnd().replace(/\/$/, '');
    const size = latin1(file, at + 48, 10).trimEnd();
    if (latin1(file, at + 58, 2) !== '`\n' || !/^\d+$/.test(size)) {
      throw new FormatError(`is damaged: the header at byte ${at} is none`);
    }
    const start = at + HEADER_BYTES;
    const end = start + Number(size);
    if (end > file.length) throw truncated(end - file.length, `its member ${name}`);
    members.push({ name, data: file.subarray(start, end) });
    at = end + (end & 1);
  }
  return members;
}

function latin1(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}
