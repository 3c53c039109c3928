/**
 * Debian's packages (deb(5)): an ar archive of three members, `debian-binary`, `control.tar.*` (what the package is)
 * and `data.tar.*` (its files), the latter two packed.
 */
import { type ArMember, isAr, readAr } from './ar.js';
import { FormatError } from './format-error.js';
import { decodeGzip } from './gzip.js';
import { readTar, type TarEntry } from './tar.js';
import { decodeXz } from './xz.js';

/** What a package says about itself, e.g. Package, Version, Architecture, Depends (Debian Policy, 5.3). */
export type ControlFields = ReadonlyMap<string, string>;

/** A kernel package unpacks to 190 MB. */
const LARGEST_ARCHIVE_BYTES = 0x4000_0000;

export function isDeb(file: Uint8Array): boolean {
  return isAr(file) && readAr(file)[0]?.name === 'debian-binary';
}

/** The fields of the package's control file. Rejects with `FormatError`. */
export async function readDebControl(file: Uint8Array): Promise<ControlFields> {
  for (const { path, data } of readTar(await unpackMember(file, 'control.tar'))) {
    if (path === 'control') return parseControl(new TextDecoder().decode(data));
  }
  throw new FormatError('is no Debian package: it has no control file');
}

/** The package's files. Rejects with `FormatError`; takes seconds for a large package. */
export async function readDebFiles(file: Uint8Array): Promise<Iterable<TarEntry>> {
  return readTar(await unpackMember(file, 'data.tar'));
}

async function unpackMember(file: Uint8Array, name: string): Promise<Uint8Array> {
  const members = readAr(file);
  const format = members[0]?.name === 'debian-binary' ? new TextDecoder().decode(members[0].data) : '';
  if (!format.startsWith('2.')) throw new FormatError('is no Debian package of format 2');
  const member = members.find((candidate) => candidate.name === name || candidate.name.startsWith(`${name}.`));
  if (member === undefined) throw new FormatError(`is no Debian package: it has no ${name}`);
  return unpack(member, name);
}

async function unpack({ name, data }: ArMember, base: string): Promise<Uint8Array> {
  switch (name.slice(base.length)) {
    case '':
      return data;
    case '.gz':
      return decodeGzip(data, LARGEST_ARCHIVE_BYTES);
    case '.xz':
      return decodeXz(data);
    default:
      throw new FormatError(`is packed in a way that lguest cannot unpack (${name}); gzip and xz it can`);
  }
}

/** `Name: value` lines; a line that begins with a blank goes on with the one before (deb822(5)). */
export function parseControl(text: string): ControlFields {
  const fields = new Map<string, string>();
  let last: string | undefined;
  for (const line of text.split('\n')) {
    const match = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line);
    if (match !== null) {
      last = match[1]!;
      fields.set(last, match[2]!.trimEnd());
    } else if (last !== undefined && /^[ \t]/.test(line)) {
      fields.set(last, `${fields.get(last)}\n${line.trim()}`);
    }
  }
  return fields;
}
