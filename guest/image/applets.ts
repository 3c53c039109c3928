/**
 * busybox is one program with several hundred names. It can list them, but a program for another processor cannot be
 * asked. So we look where it has them: one text after the other, each ended by a NUL, sorted, from `[` and `[[` to an
 * empty one (busybox applets/applet_tables.c).
 */

/** Without these the guest would not start; a busybox whose list is not found gets no more. */
const NEEDED: readonly string[] = [
  ...['ash', 'cat', 'cp', 'cut', 'echo', 'env', 'grep', 'head', 'hostname', 'ip', 'kill', 'ln', 'ls'],
  ...['mkdir', 'mkfifo', 'mknod', 'modprobe', 'mount', 'poweroff', 'ps', 'reboot', 'rm', 'sed', 'setsid', 'sh'],
  ...['sleep', 'stty', 'sync', 'test', 'umount', 'uname', 'usleep'],
];

/** Fewer names than any useful busybox has, or more than there are, mean that it was not the list. */
const FEWEST = 50;
const MOST = 1000;

/** The names under which this busybox can be called, without path. */
export function listApplets(busybox: Uint8Array): readonly string[] {
  // "\0[\0[[\0"
  const start = [0, 0x5b, 0, 0x5b, 0x5b, 0];
  for (let at = busybox.indexOf(0x5b); at > 0; at = busybox.indexOf(0x5b, at + 1)) {
    if (!start.every((byte, index) => busybox[at - 1 + index] === byte)) continue;
    const names = readNames(busybox, at);
    if (names.length >= FEWEST && NEEDED.every((name) => names.includes(name))) return names;
  }
  return NEEDED;
}

function readNames(bytes: Uint8Array, start: number): string[] {
  const names: string[] = [];
  for (let at = start; names.length < MOST; ) {
    const end = bytes.indexOf(0, at);
    if (end <= at || end - at > 32) break;
    const name = String.fromCharCode(...bytes.subarray(at, end));
    if (!/^[\w.[+-]+$/.test(name)) break;
    names.push(name);
    at = end + 1;
  }
  return names;
}
