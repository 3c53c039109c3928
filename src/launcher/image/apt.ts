/*L:420
 * Packages from apt
 *
 * Where there is apt, it is the best way to get a package: it knows a mirror, and it checks the signature over the
 * lists and the hash of every file. We only must not touch the system with it. So apt runs as whoever runs us, with a
 * configuration of its own: lists, caches and status in our folder, i386 as its architecture whatever this computer
 * is, and as sources the Debian mirrors the system uses, at the last Debian that has a kernel for 32-bit PCs.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseControl } from '../../formats/deb.js';
import { explainCacheError, ImageError } from './image-error.js';
import { CommandMissing, type CommandResult, runCommand } from './run-command.js';

/** The last Debian with kernels for i386. */
const RELEASE = 'bookworm';
/*:*/

/** Where Debian's own signatures are checked with; without it apt uses the keys that it trusts in general. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface AptPackage {
  name: string;
  version: string;
  /** As the signed list says. */
  sha256: string;
  bytes: number;
}

export class Apt {
  private readonly folder: string;
  private readonly architecture: string;
  private readonly configuration: string;

  /** `folder`: where apt keeps its lists; made if missing. `architecture`: of the packages, as Debian names it. */
  constructor(folder: string, architecture = 'i386') {
    this.folder = folder;
    this.architecture = architecture;
    this.configuration = join(folder, 'apt.conf');
  }

  /** Gets the lists. `onProgress`: from 0 to 1. Rejects with `ImageError`. */
  async update(onProgress: (fraction: number) => void): Promise<void> {
    const mirrors = await this.findMirrors();
    try {
      this.configure(mirrors);
    } catch (error) {
      throw explainCacheError(error, this.folder);
    }
    // A source that cannot be reached does not matter if the others have what we need: `describe` finds out.
    const { stderr } = await this.run('apt-get', ['update', '-o', 'APT::Status-Fd=3'], { onStatus: onProgress });
    this.complaint = firstComplaint(stderr);
  }

  /** What went wrong with the lists, if anything did. */
  private complaint: string | undefined;

  /** Looks up a package. Rejects with `ImageError` if no list has it. */
  async describe(name: string): Promise<AptPackage & { depends: string }> {
    const { stdout } = await this.run('apt-cache', ['show', '--no-all-versions', name]);
    const fields = parseControl(stdout.split(/\n\n/)[0]!);
    const version = fields.get('Version');
    const sha256 = fields.get('SHA256');
    if (version === undefined || sha256 === undefined) {
      const why = this.complaint === undefined ? '' : ` (apt said: ${this.complaint})`;
      throw new ImageError(
        `apt could not get ${name} for ${this.architecture}${why}: is there a network? Without one, ${FOLDER_ADVICE}`,
      );
    }
    const depends = fields.get('Depends') ?? '';
    return { name: fields.get('Package') ?? name, version, sha256, bytes: Number(fields.get('Size') ?? 0), depends };
  }

  /** Downloads a package into `folder` and returns its bytes, checked by apt. Rejects with `ImageError`. */
  async download(wanted: AptPackage, folder: string, onProgress: (fraction: number) => void): Promise<Uint8Array> {
    const { status, stderr } = await this.run(
      'apt-get',
      ['download', '-o', 'APT::Status-Fd=3', `${wanted.name}=${wanted.version}`],
      { cwd: folder, onStatus: onProgress },
    );
    const file = readdirSync(folder).find((name) => name.startsWith(`${wanted.name}_`) && name.endsWith('.deb'));
    if (status === 0 && file !== undefined) return readFileSync(join(folder, file));
    const why = firstComplaint(stderr) ?? `status ${status}`;
    if (/No space left|ENOSPC/i.test(stderr)) throw explainCacheError({ code: 'ENOSPC' }, folder);
    throw new ImageError(
      `apt could not download ${wanted.name} (it said: ${why}): try again when the network is better, or ${FOLDER_ADVICE}`,
    );
  }

  /** The addresses of the Debian mirrors in the system's sources. */
  private async findMirrors(): Promise<string[]> {
    const words = ['indextargets', '--no-release-info', '--format', '$(REPO_URI)', 'Created-By: Packages'];
    const { stdout } = await runApt('apt-get', words, {});
    const mirrors = [...new Set(stdout.split('\n').map((line) => line.trim().replace(/\/+$/, '')))];
    const debian = mirrors.filter((uri) => /\/debian(-security)?$/.test(uri));
    if (debian.some((uri) => uri.endsWith('/debian'))) return debian;
    throw new ImageError(`apt knows no Debian mirror, so it cannot fetch Debian's kernel: ${FOLDER_ADVICE}`);
  }

  private configure(mirrors: readonly string[]): void {
    const { folder, architecture } = this;
    for (const name of ['state/lists/partial', 'cache/archives/partial', 'parts']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    const options = existsSync(KEYRING) ? `[arch=${architecture} signed-by=${KEYRING}]` : `[arch=${architecture}]`;
    const sources = mirrors.map((uri) => {
      const suite = uri.endsWith('-security') ? `${RELEASE}-security` : RELEASE;
      return `deb ${options} ${uri} ${suite} main\n`;
    });
    writeFileSync(join(folder, 'sources.list'), sources.join(''));
    writeFileSync(join(folder, 'status'), '');
    writeFileSync(this.configuration, renderConfiguration(folder, architecture));
  }

  private run(command: string, words: string[], options: AptRunOptions = {}): Promise<CommandResult> {
    return runApt(command, ['-c', this.configuration, ...words], options);
  }
}

export const FOLDER_ADVICE =
  `put Debian 12's linux-image-6.1.0-…-686 and busybox-static for i386 (two .deb files) in a folder, ` +
  `their SHA-256 sums in a file SHA256SUMS beside them, and use --packages=FOLDER.`;

interface AptRunOptions {
  cwd?: string;
  /** Progress from 0 to 1, from apt's status descriptor. */
  onStatus?(fraction: number): void;
}

async function runApt(command: string, words: string[], options: AptRunOptions): Promise<CommandResult> {
  const { cwd, onStatus } = options;
  try {
    return await runCommand(command, words, {
      ...(cwd === undefined ? {} : { cwd }),
      environment: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
      onStatusLine: (line) => {
        // dlstatus:1:41.2:Retrieving file 1 of 1 (3s remaining)
        const match = /^dlstatus:\d+:([\d.]+):/.exec(line);
        if (match !== null) onStatus?.(Number(match[1]) / 100);
      },
    });
  } catch (error) {
    if (!(error instanceof CommandMissing)) throw error;
    throw new ImageError(`apt is not here: ${FOLDER_ADVICE}`);
  }
}

/** apt.conf(5): what is different from the system's, which also applies (proxies, for one). */
function renderConfiguration(folder: string, architecture: string): string {
  const path = (name: string): string => JSON.stringify(join(folder, name));
  return `#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Sandbox::User "root";
APT::Get::List-Cleanup "true";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons-large::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Dir::State ${path('state')};
Dir::State::status ${path('status')};
Dir::Cache ${path('cache')};
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Etc::sourcelist ${path('sources.list')};
Dir::Etc::sourceparts ${path('parts')};
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts ${path('parts')};
`;
}

/** The first error apt printed, or the first warning; without its letter, in one line. */
function firstComplaint(stderr: string): string | undefined {
  const lines = stderr.split('\n').map((line) => line.trim());
  const line = lines.find((text) => /^E: (?!Some index)/.test(text)) ?? lines.find((text) => /^[EW]: /.test(text));
  return line?.slice(3).replace(/[.\s]+$/, '');
}
