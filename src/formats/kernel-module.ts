/**
 * A kernel module tells about itself in a section `.modinfo` of its ELF file: NUL-terminated `key=value` texts (Linux
 * include/linux/moduleinfo.h, scripts/mod/modpost.c). depmod reads the same.
 */
import { FormatError, truncated } from './format-error.js';
import { isElf } from './elf.js';

export interface ModuleInfo {
  /** With `_` for every `-`, as the kernel and modprobe compare names. */
  name: string;
  /** Names of the modules whose symbols it uses. */
  depends: string[];
  /** Patterns under which the kernel asks for it, e.g. `fs-ext4` or `virtio:d00000003v*`. */
  aliases: string[];
}

/** ELF32 header and section header (System V ABI, chapter 4): the fields that are needed. */
const HEADER_BYTES = 52;
const SECTION_BYTES = 40;
const ET_REL = 1;

export function normaliseModuleName(name: string): string {
  return name.replaceAll('-', '_');
}

/** What the module says. `path` gives the name to modules that do not say theirs (before Linux 4.13). */
export function readModuleInfo(file: Uint8Array, path: string): ModuleInfo {
  const info: ModuleInfo = {
    name: normaliseModuleName(path.replace(/^.*\//, '').replace(/\.ko$/, '')),
    depends: [],
    aliases: [],
  };
  for (const record of new TextDecoder('latin1').decode(findSection(file, '.modinfo')).split('\0')) {
    const equals = record.indexOf('=');
    const value = record.slice(equals + 1);
    switch (record.slice(0, Math.max(0, equals))) {
      case 'depends':
        info.depends = value
          .split(',')
          .filter((name) => name !== '')
          .map(normaliseModuleName);
        break;
      case 'alias':
        info.aliases.push(value);
        break;
    }
  }
  return info;
}

function findSection(file: Uint8Array, name: string): Uint8Array {
  if (!isElf(file) || file.length < HEADER_BYTES) throw new FormatError('is not a kernel module');
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  if (file[4] !== 1 || file[5] !== 1 || view.getUint16(16, true) !== ET_REL) {
    throw new FormatError('is not a kernel module for a 32-bit x86 kernel');
  }
  const table = view.getUint32(32, true);
  const count = view.getUint16(48, true);
  const missing = table + count * SECTION_BYTES - file.length;
  if (view.getUint16(46, true) !== SECTION_BYTES || missing > 0) throw truncated(Math.max(1, missing), 'its sections');
  const section = (index: number): Uint8Array => {
    const at = table + index * SECTION_BYTES;
    const start = view.getUint32(at + 16, true);
    const end = start + view.getUint32(at + 20, true);
    if (end > file.length) throw truncated(end - file.length, `its section ${index}`);
    return file.subarray(start, end);
  };
  const namesIndex = view.getUint16(50, true);
  const names = namesIndex < count ? section(namesIndex) : new Uint8Array(0);
  for (let index = 0; index < count; index++) {
    const start = view.getUint32(table + index * SECTION_BYTES, true);
    const end = names.indexOf(0, start);
    if (end < 0 || end - start !== name.length) continue;
    if (String.fromCharCode(...names.subarray(start, end)) === name) return section(index);
  }
  throw new FormatError('is not a kernel module: it has no section .modinfo');
}
