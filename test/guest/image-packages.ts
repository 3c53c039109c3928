/** Small stand-ins for the two packages the default guest is made of. */

import { makeDeb, makeModule, type TarFile } from '../formats/package-files.js';

export const RELEASE = '6.1.0-99-686';

/** As much of a busybox as the builder looks at: its list of names. */
export function fakeBusybox(): Uint8Array {
  const names =
    '[ [[ ash awk basename bunzip2 busybox cat chmod chown chroot clear cmp cp cpio cut date dd df dirname dmesg du ' +
    'echo env expr false find free grep gunzip gzip head hostname id ip kill ln ls md5sum mkdir mkfifo mknod modprobe ' +
    'mount mv poweroff ps reboot rm sed setsid sh sleep stty sync test umount uname usleep vi';
  return new TextEncoder().encode(`\x7fELF fake\0${names.split(' ').join('\0')}\0\0more`);
}

function module(path: string, ...records: string[]): TarFile {
  return { path: `./lib/modules/${RELEASE}/kernel/${path}`, data: makeModule(records) };
}

export function fakeKernelPackage(files: readonly TarFile[] = []): Uint8Array {
  return makeDeb(`Package: linux-image-${RELEASE}\nVersion: 6.1.999-1\nArchitecture: i386\n`, [
    { path: './boot/', type: '5' },
    { path: `./boot/vmlinuz-${RELEASE}`, data: 'the kernel' },
    { path: `./lib/modules/${RELEASE}/modules.builtin`, data: 'kernel/fs/proc/proc.ko\n' },
    module('drivers/virtio/virtio.ko', 'depends='),
    module('drivers/virtio/virtio_ring.ko', 'depends=virtio'),
    module('drivers/char/virtio_console.ko', 'depends=virtio_ring,virtio', 'alias=virtio:d00000003v*'),
    module('drivers/gpu/huge.ko', 'depends=missing'),
    module('fs/ext4/ext4.ko', 'depends=jbd2,crc16', 'alias=fs-ext4', 'alias=ext3'),
    module('fs/jbd2/jbd2.ko', 'depends=crc16'),
    module('lib/crc16.ko', 'depends='),
    ...files,
  ]);
}

export function fakeBusyboxPackage(): Uint8Array {
  return makeDeb('Package: busybox-static\nVersion: 1:1.35.0-9\nArchitecture: i386\n', [
    { path: './bin/busybox', mode: 0o755, data: fakeBusybox() },
  ]);
}
