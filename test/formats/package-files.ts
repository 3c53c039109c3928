/** Makers of small ar, tar, deb and module files for tests. */

import { gzipSync } from 'node:zlib';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

export function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function makeAr(members: readonly (readonly [name: string, data: Uint8Array])[]): Uint8Array {
  const parts = [utf8('!<arch>\n')];
  for (const [name, data] of members) {
    const size = String(data.length).padEnd(10);
    parts.push(utf8(`${name.padEnd(16)}${'0'.padEnd(12)}0     0     100644  ${size}\`\n`), data);
    if (data.length % 2 === 1) parts.push(utf8('\n'));
  }
  return concat(...parts);
}

export interface TarFile {
  path: string;
  /** '0' file, '5' directory, '2' symlink, 'L' GNU long name, 'x' pax header … */
  type?: string;
  mode?: number;
  data?: Uint8Array | string;
  target?: string;
  /** Of ustar, in front of the path. */
  prefix?: string;
}

export function makeTar(files: readonly TarFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { path, type = '0', mode = 0o644, data = '', target = '', prefix = '' } of files) {
    const bytes = typeof data === 'string' ? utf8(data) : data;
    const header = new Uint8Array(512);
    const put = (offset: number, text: string): void => header.set(utf8(text), offset);
    put(0, path.slice(0, 100));
    put(100, `${mode.toString(8).padStart(7, '0')}\0`);
    put(124, `${bytes.length.toString(8).padStart(11, '0')}\0`);
    put(148, '        ');
    put(156, type);
    put(157, target);
    put(257, 'ustar\x0000');
    put(345, prefix);
    const sum = header.reduce((total, byte) => total + byte, 0);
    put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
    parts.push(header, bytes, new Uint8Array((512 - (bytes.length % 512)) % 512));
  }
  return concat(...parts, new Uint8Array(1024));
}

/** A package packed with gzip. */
export function makeDeb(control: string, files: readonly TarFile[]): Uint8Array {
  return makeAr([
    ['debian-binary', utf8('2.0\n')],
    ['control.tar.gz', gzipSync(makeTar([{ path: './control', data: control }]))],
    ['data.tar.gz', gzipSync(makeTar(files))],
  ]);
}

/** An ELF file with a section `.modinfo`: what makes a file a module to us. */
export function makeModule(records: readonly string[]): Uint8Array {
  const modinfo = utf8(records.map((record) => `${record}\0`).join(''));
  const names = utf8('\0.shstrtab\0.modinfo\0');
  const namesAt = 52;
  const modinfoAt = namesAt + names.length;
  const table = Math.ceil((modinfoAt + modinfo.length) / 4) * 4;
  const file = new Uint8Array(table + 3 * 40);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 1, true);
  view.setUint16(18, 3, true);
  view.setUint32(32, table, true);
  view.setUint16(46, 40, true);
  view.setUint16(48, 3, true);
  view.setUint16(50, 1, true);
  file.set(names, namesAt);
  file.set(modinfo, modinfoAt);
  const section = (index: number, name: number, offset: number, bytes: number): void => {
    view.setUint32(table + 40 * index, name, true);
    view.setUint32(table + 40 * index + 16, offset, true);
    view.setUint32(table + 40 * index + 20, bytes, true);
  };
  section(1, 1, namesAt, names.length);
  section(2, 11, modinfoAt, modinfo.length);
  return file;
}
