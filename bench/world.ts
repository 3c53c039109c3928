/** The files that programs find: as the first file system of a guest, and as a folder of this computer. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FileTree } from '../guest/image/file-tree.js';
import { type CpioEntry, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, writeCpio } from '../src/formats/cpio.js';

const SCRIPTS = 'bench/scripts';

/** `compiled`: programs of bench/c by name; the runner among them is also /init. */
export function buildTree(compiled: ReadonlyMap<string, Uint8Array>, debian: readonly CpioEntry[]): FileTree {
  const tree = new FileTree();
  for (const path of ['proc', 'dev', 'tmp', 'work', 'bin']) tree.folder(path);
  // The kernel opens it for /init.
  tree.add({ path: 'dev/console', mode: S_IFCHR | 0o600, data: new Uint8Array(0), major: 5, minor: 1 });
  tree.text('empty', '');
  tree.file('init', 0o755, compiled.get('runner')!);
  for (const [name, data] of compiled) if (name !== 'runner') tree.file(`bin/${name}`, 0o755, data);
  for (const name of readdirSync(SCRIPTS)) tree.text(`scripts/${name}`, readFileSync(join(SCRIPTS, name), 'utf8'));
  for (const entry of debian) tree.add(entry);
  // Where programs of a shell are looked for.
  if (debian.some(({ path }) => path === 'bin/busybox')) tree.link('bin/sh', 'busybox');
  return tree;
}

/** As an initramfs. */
export function writeArchive(tree: FileTree): Uint8Array {
  return writeCpio(tree.entries);
}

/** As a new folder below `parent`; its path. Device nodes are left out. */
export function writeFolder(tree: FileTree, parent: string): string {
  const root = mkdtempSync(join(parent, 'lguest-bench-'));
  for (const { path, mode, data } of tree.entries) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    switch (mode & S_IFMT) {
      case S_IFDIR:
        mkdirSync(file, { recursive: true, mode: mode & 0o7777 });
        break;
      case S_IFLNK:
        symlinkSync(new TextDecoder().decode(data), file);
        break;
      case S_IFCHR:
        break;
      default:
        writeFileSync(file, data, { mode: mode & 0o7777 });
    }
  }
  return root;
}
