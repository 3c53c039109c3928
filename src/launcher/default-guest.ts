/*L:145
 * `lguest` alone
 *
 * Whoever types just `lguest` should find themselves in a Linux. Which one, and where it comes from, is the next
 * chapters' business; here it is only decided what it is to do. Without more words it starts a shell on the terminal,
 * and the shell's exit status becomes ours. `lguest run -- COMMAND` gives it one command instead, whose three streams
 * are our three streams: that is no terminal session but a program that happens to run in a machine of its own.
 */
import { buildConformanceGuest, VARIANTS, type VariantName } from '../../guest/index.js';
import type { ByteSink } from '../platform/node-streams.js';
import { LaunchError } from '../vm/index.js';
import { FLAVOURS, KERNEL_ARGUMENTS } from './image/flavours.js';
import { obtainImage } from './image/image-builder.js';
import { Progress } from './image/progress.js';
import { cacheFolder } from './cache-folder.js';
import { ImageStore } from './image/store.js';
import { launch } from './launch.js';
import type { Messages } from './messages.js';
import { DEFAULT_GUEST_MEGABYTES, type Settings } from './options.js';

/** Launches the guest that comes with lguest; resolves with the exit status. */
export async function launchDefaultGuest(
  settings: Settings,
  command: readonly string[],
  messages: Messages,
  stderr: ByteSink,
): Promise<number> {
  if (settings.guest === 'conformance') return launchConformanceGuest(settings, command, messages, stderr);
  const flavour = FLAVOURS.find(({ name }) => name === settings.guest)!;
  const store = new ImageStore(cacheFolder());
  const image = await obtainImage(store, { flavour, packages: settings.packages }, new Progress(stderr));
  const { TERM } = process.env;
  const { append, ...rest } = settings;
  return launch(
    {
      kernel: image.kernel,
      initrd: image.initramfs,
      // What the user says comes last and wins.
      kernelArguments: append === undefined ? KERNEL_ARGUMENTS : [...KERNEL_ARGUMENTS, append],
      memoryMegabytes: DEFAULT_GUEST_MEGABYTES,
      release: image.release,
      task: { command, environment: TERM === undefined || TERM === '' ? {} : { TERM } },
    },
    rest,
    messages,
    stderr,
  );
}
/*:*/

const HOW_TO_GO_ON = `That was the conformance guest. To launch a Linux of your own:
    lguest 64 vmlinux root=/dev/ram0              a 32-bit kernel built with CONFIG_LGUEST_GUEST
    lguest --initrd=root.cpio.gz 64 vmlinux       and a file system to go with it
    lguest --help                                 everything else
`;

/** The dialect of the conformance guest that `--generation` and `--pae` ask for; C2, the seed's, if they do not. */
function chooseVariant(settings: Settings): VariantName {
  const generation = settings.generation === 'auto' ? 'C2' : settings.generation;
  const wanted = `${generation}${settings.pae === true ? '-PAE' : ''}`;
  const variant = VARIANTS.find(({ name }) => name === wanted);
  if (variant !== undefined) return variant.name;
  throw new LaunchError(`generation ${generation} had no PAE yet: leave out --pae=yes.`);
}

/** The guest that tries what the Host promises, and says for each promise whether it was kept. */
async function launchConformanceGuest(
  settings: Settings,
  command: readonly string[],
  messages: Messages,
  stderr: ByteSink,
): Promise<number> {
  if (command.length > 0) {
    throw new LaunchError('the conformance guest has no programs to run: leave out --guest=conformance.');
  }
  const kernel = buildConformanceGuest(chooseVariant(settings));
  const status = await launch({ kernel, kernelArguments: [] }, settings, messages, stderr);
  messages.write(HOW_TO_GO_ON);
  await stderr.flush();
  return status;
}
