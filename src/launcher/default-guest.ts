/*L:145
 * `lguest` alone
 *
 * Whoever types just `lguest` should see it do something. Until there is a Linux to give them, we launch the one guest
 * that we can make ourselves: the conformance guest of the first part of this book, which tries what the Host promises
 * and says for each promise whether it was kept. Then we say how to launch something larger.
 */
import { buildConformanceGuest, VARIANTS, type VariantName } from '../../guest/index.js';
import type { ByteSink } from '../platform/node-streams.js';
import { LaunchError } from '../vm/index.js';
import { launch } from './launch.js';
import type { Messages } from './messages.js';
import type { Settings } from './options.js';

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

/** Launches the guest that comes with lguest; resolves with the exit status. */
export async function launchDefaultGuest(settings: Settings, messages: Messages, stderr: ByteSink): Promise<number> {
  const kernel = buildConformanceGuest(chooseVariant(settings));
  const status = await launch({ kernel, kernelArguments: [] }, settings, messages, stderr);
  messages.write(HOW_TO_GO_ON);
  await stderr.flush();
  return status;
}
