/*G:820
 * Which modules
 *
 * Debian's kernel has next to nothing built in: without modules it sees no device of ours and can mount no disk. All
 * of them would be 150 megabytes; a guest can use a few dozen. We name what is of use and take along what that needs.
 * Who needs whom is written in the modules themselves; depmod, which collects it into `modules.dep` when a package is
 * installed, has not run on files fresh from a package, so its work is done here.
 */
import { FormatError } from '../../src/formats/format-error.js';
import { type ModuleInfo, normaliseModuleName, readModuleInfo } from '../../src/formats/kernel-module.js';

/** What a guest on our boards can make use of. A name that a kernel does not have as a module is left out. */
export const USEFUL_MODULES: readonly string[] = [
  // Devices.
  ...['virtio_pci', 'virtio_mmio', 'virtio_console', 'virtio_blk', 'virtio_net', 'virtio_rng', 'virtio_balloon'],
  // Folders of the outside.
  ...['9p', '9pnet_virtio', 'virtiofs', 'fuse'],
  // File systems on disks, and the checksums and character sets they ask for by name.
  ...['ext4', 'crc32c_generic', 'squashfs', 'overlay', 'isofs', 'vfat', 'nls_cp437', 'nls_ascii', 'nls_iso8859_1'],
  ...['nls_utf8', 'loop', 'zram'],
  // Networks.
  ...['af_packet', 'tun', 'dummy', 'bridge', 'veth'],
  // Programs of other kinds.
  'binfmt_misc',
];
/*:*/

export interface KernelModule extends ModuleInfo {
  /** Below `/lib/modules/RELEASE/`. */
  path: string;
  data: Uint8Array;
}

/** A module file as it comes out of a package. */
export interface ModuleFile {
  path: string;
  data: Uint8Array;
}

/**
 * The wanted modules and all they need, in the order of their paths. `files` are all the kernel has. Throws
 * `FormatError` when a file is damaged or a needed module is missing.
 */
export function selectModules(files: readonly ModuleFile[], wanted: readonly string[]): KernelModule[] {
  const byName = new Map(
    files.map((file) => [normaliseModuleName(file.path.replace(/^.*\//, '').replace(/\.ko$/, '')), file]),
  );
  const chosen = new Map<string, KernelModule>();
  const choose = (name: string, neededBy?: string): void => {
    if (chosen.has(name)) return;
    const file = byName.get(name);
    if (file === undefined) {
      if (neededBy === undefined) return;
      throw new FormatError(`is incomplete: its module ${neededBy} needs ${name}, which is not there`);
    }
    const info = readModule(file);
    chosen.set(name, { ...info, name, ...file });
    for (const dependency of info.depends) choose(dependency, name);
  };
  for (const name of wanted) choose(normaliseModuleName(name));
  return [...chosen.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function readModule(file: ModuleFile): ModuleInfo {
  try {
    return readModuleInfo(file.data, file.path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`is damaged: its module ${file.path} ${error.message}`);
  }
}

/** `modules.dep` (modules.dep(5)): each module, and behind it all it needs, what is loaded first coming last. */
export function renderModulesDep(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]));
  return modules
    .map((module) => {
      const needed = orderOfLoading(module, byName)
        .slice(0, -1)
        .reverse()
        .map(({ path }) => path);
      return `${[`${module.path}:`, ...needed].join(' ')}\n`;
    })
    .join('');
}

/** What has to be loaded for `module`, dependencies before dependents, the module itself last. */
export function orderOfLoading(module: KernelModule, byName: ReadonlyMap<string, KernelModule>): KernelModule[] {
  const order: KernelModule[] = [];
  const seen = new Set<string>();
  const visit = (current: KernelModule): void => {
    if (seen.has(current.name)) return;
    seen.add(current.name);
    for (const name of current.depends) visit(byName.get(name)!);
    order.push(current);
  };
  visit(module);
  return order;
}

/** `modules.alias`: under which names the kernel asks for them. */
export function renderModulesAlias(modules: readonly KernelModule[]): string {
  return modules.flatMap(({ name, aliases }) => aliases.map((alias) => `alias ${alias} ${name}\n`)).join('');
}
