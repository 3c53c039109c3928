/*L:100
 * The Launcher
 *
 * Somebody types `lguest 64 vmlinux root=/dev/ram0`, and a moment later another Linux greets them from the same
 * terminal. What lies between is this part of the book: understanding the words, putting a kernel into memory,
 * connecting a console, and staying out of the way until the guest is done. The Launcher is the only part that talks
 * to the outside; the Host, which comes next, never sees a file or a terminal.
 */
import { openByteSink } from '../platform/node-streams.js';
import { launchDefaultGuest } from './default-guest.js';
import { renderHelp, renderOptionHelp } from './help.js';
import { buildImage, listImages, removeImages } from './image/image-command.js';
import { Progress } from './image/progress.js';
import { cacheFolder } from './cache-folder.js';
import { ImageStore } from './image/store.js';
import { launch } from './launch.js';
import { EXIT_STATUS, Messages } from './messages.js';
import { findMisplacedOption, type Invocation, parseCommandLine } from './parse.js';
import { readVersion } from './version.js';

/**
 * The `lguest` command: `argv` are the words behind it. Resolves with the exit status; whatever was printed has been
 * written by then, and nothing keeps the process alive.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const stderr = openByteSink(process.stderr);
  const messages = new Messages(stderr);
  try {
    return await perform(parseCommandLine(argv), messages);
  } catch (error) {
    messages.failure(error);
    await stderr.flush();
    return EXIT_STATUS.failure;
  }

  async function perform(invocation: Invocation, messages: Messages): Promise<number> {
    if ('settings' in invocation) messages.verbose = invocation.settings.verbose;
    switch (invocation.form) {
      case 'help':
        return print(renderHelp());
      case 'help-option':
        return print(renderOptionHelp(invocation.row));
      case 'version':
        return print(`lguest ${readVersion()}\n`);
      case 'default':
        return launchDefaultGuest(invocation.settings, [], messages, stderr);
      case 'run':
        return launchDefaultGuest(invocation.settings, invocation.command, messages, stderr);
      case 'image': {
        const { settings, action, id } = invocation;
        const store = new ImageStore(cacheFolder());
        if (action === 'list') return print(listImages(store));
        if (action === 'remove') return print(removeImages(store, id));
        const image = await buildImage(store, settings.guest, settings.packages, new Progress(stderr));
        await stderr.flush();
        return print(`${image.id}  ${image.guest}  ${image.release}\n`);
      }
      case 'launch': {
        const { settings, kernelArguments } = invocation;
        const misplaced = findMisplacedOption(kernelArguments);
        if (misplaced !== undefined) {
          messages.say(
            `${misplaced} is behind the kernel and goes to it; options of lguest come before the memory size.`,
          );
        }
        return launch({ kernel: settings.kernel, kernelArguments }, settings, messages, stderr);
      }
    }
  }
}

async function print(text: string): Promise<number> {
  const stdout = openByteSink(process.stdout);
  stdout.write(text);
  await stdout.flush();
  return EXIT_STATUS.success;
}
