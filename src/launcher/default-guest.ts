import type { ByteSink } from '../platform/node-streams.js';
import { LaunchError } from '../vm/index.js';
import type { Messages } from './messages.js';
import type { Settings } from './options.js';

/** `lguest` alone. */
export async function launchDefaultGuest(_settings: Settings, _messages: Messages, _stderr: ByteSink): Promise<number> {
  throw new LaunchError('there is no guest of our own yet: name a kernel, e.g. lguest 64 vmlinux.');
}
