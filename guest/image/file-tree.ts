import { type CpioEntry, S_IFDIR, S_IFLNK, S_IFREG } from '../../src/formats/cpio.js';

/** Entries in an order in which Linux can create them: folders before what is in them. */
export class FileTree {
  readonly entries: CpioEntry[] = [];
  private readonly folders = new Set<string>();

  add(entry: CpioEntry): void {
    const slash = entry.path.lastIndexOf('/');
    if (slash > 0) this.folder(entry.path.slice(0, slash));
    this.entries.push(entry);
  }

  folder(path: string): void {
    if (this.folders.has(path)) return;
    this.folders.add(path);
    this.add({ path, mode: S_IFDIR | (/^(?:var\/)?tmp$/.test(path) ? 0o1777 : 0o755), data: new Uint8Array(0) });
  }

  file(path: string, mode: number, data: Uint8Array): void {
    this.add({ path, mode: S_IFREG | mode, data });
  }

  text(path: string, text: string): void {
    this.file(path, 0o644, new TextEncoder().encode(text));
  }

  link(path: string, target: string): void {
    this.add({ path, mode: S_IFLNK | 0o777, data: new TextEncoder().encode(target) });
  }
}
