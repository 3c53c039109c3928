/** The files of guest/init/, which go into the guest as they are. */

import { readFileSync } from 'node:fs';
import type { OwnFile } from '../../../guest/image/build.js';

const FILES: readonly (readonly [source: string, path: string, mode: number])[] = [
  ['init.sh', 'init', 0o755],
  ['power.sh', 'bin/poweroff', 0o755],
  ['power.sh', 'bin/halt', 0o755],
  ['power.sh', 'bin/reboot', 0o755],
  ['profile.sh', 'etc/profile', 0o644],
  ['fstab', 'etc/fstab', 0o644],
  ['passwd', 'etc/passwd', 0o644],
  ['group', 'etc/group', 0o644],
  ['nsswitch.conf', 'etc/nsswitch.conf', 0o644],
];

/** They lie beside dist/ in a clone and in a published package alike. */
export function readOwnFiles(): OwnFile[] {
  return FILES.map(([source, path, mode]) => ({
    path,
    mode,
    data: new Uint8Array(readFileSync(new URL(`../../../../guest/init/${source}`, import.meta.url))),
  }));
}
