/*G:810
 * The first file system
 *
 * A kernel that starts has no disk yet. It gets its first files from an archive in memory, and ours never gets any
 * others: one statically linked busybox under all its names, the modules, and `/init`, which the kernel runs first.
 * The archive is not packed. It would be a third smaller, but the guest would spend a second unpacking it.
 */
import { S_IFCHR, writeCpio } from '../../src/formats/cpio.js';
import { listApplets } from './applets.js';
import { FileTree } from './file-tree.js';
import { type KernelModule, renderModulesAlias, renderModulesDep } from './modules.js';

export interface InitramfsParts {
  busybox: Uint8Array;
  /** Files of our own (guest/init/), by path in the guest. */
  ownFiles: readonly { path: string; mode: number; data: Uint8Array }[];
  /** As `uname -r` prints it. */
  release: string;
  modules: readonly KernelModule[];
  /** The list of what is built in, from the package; modprobe then knows that there is nothing to load. */
  builtin: Uint8Array | undefined;
}

/** The archive; the same parts always give the same bytes. */
export function buildInitramfs(parts: InitramfsParts): Uint8Array {
  const tree = new FileTree();
  for (const path of ['proc', 'sys', 'dev', 'tmp', 'run', 'mnt', 'root', 'etc', 'var/tmp']) tree.folder(path);
  // The kernel opens it for /init, before anything is mounted.
  tree.add({ path: 'dev/console', mode: S_IFCHR | 0o600, data: new Uint8Array(0), major: 5, minor: 1 });
  for (const [path, target] of [
    ['sbin', 'bin'],
    ['usr/bin', '../bin'],
    ['usr/sbin', '../bin'],
    ['usr/lib', '../lib'],
    ['var/run', '../run'],
    ['etc/mtab', '/proc/mounts'],
    // /init copies these over the /dev that the kernel makes.
    ['usr/share/lguest/dev/fd', '/proc/self/fd'],
    ['usr/share/lguest/dev/stdin', '/proc/self/fd/0'],
    ['usr/share/lguest/dev/stdout', '/proc/self/fd/1'],
    ['usr/share/lguest/dev/stderr', '/proc/self/fd/2'],
  ] as const) {
    tree.link(path, target);
  }
  for (const path of ['pts', 'shm']) tree.folder(`usr/share/lguest/dev/${path}`);
  tree.file('bin/busybox', 0o755, parts.busybox);
  const ours = new Set(parts.ownFiles.map(({ path }) => path));
  for (const name of listApplets(parts.busybox)) {
    if (name !== 'busybox' && !ours.has(`bin/${name}`)) tree.link(`bin/${name}`, 'busybox');
  }
  for (const { path, mode, data } of parts.ownFiles) tree.file(path, mode, data);
  const folder = `lib/modules/${parts.release}`;
  for (const { path, data } of parts.modules) tree.file(`${folder}/${path}`, 0o644, data);
  tree.text(`${folder}/modules.dep`, renderModulesDep(parts.modules));
  tree.text(`${folder}/modules.alias`, renderModulesAlias(parts.modules));
  if (parts.builtin !== undefined) tree.file(`${folder}/modules.builtin`, 0o644, parts.builtin);
  return writeCpio(tree.entries);
}
/*:*/
