import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { listApplets } from '../../guest/image/applets.js';
import { buildGuestImage, PackageError } from '../../guest/image/build.js';
import { selectModules } from '../../guest/image/modules.js';
import { readCpio, S_IFLNK, S_IFMT } from '../../src/formats/cpio.js';
import { makeDeb, makeModule } from '../formats/package-files.js';
import { fakeBusybox, fakeBusyboxPackage, fakeKernelPackage, RELEASE } from './image-packages.js';

const OWN = [{ path: 'init', mode: 0o755, data: new TextEncoder().encode('#!/bin/sh\n') }];

describe('the image of the default guest', () => {
  it('has the kernel, busybox under all its names, our files, and the modules that are of use', async () => {
    const image = await buildGuestImage(fakeKernelPackage(), fakeBusyboxPackage(), OWN);
    assert.equal(image.release, RELEASE);
    assert.equal(new TextDecoder().decode(image.kernel), 'the kernel');
    assert.equal(image.moduleCount, 6);
    const entries = new Map(readCpio(image.initramfs).map((entry) => [entry.path, entry]));
    const text = (path: string) => new TextDecoder().decode(entries.get(path)!.data);
    assert.equal(text('init'), '#!/bin/sh\n');
    assert.equal(text('bin/ls'), 'busybox');
    assert.equal(entries.get('bin/ls')!.mode & S_IFMT, S_IFLNK);
    assert.equal(text('sbin'), 'bin');
    assert.deepEqual([entries.get('dev/console')!.major, entries.get('dev/console')!.minor], [5, 1]);
    const folder = `lib/modules/${RELEASE}`;
    assert.ok(entries.has(`${folder}/kernel/fs/ext4/ext4.ko`));
    assert.ok(!entries.has(`${folder}/kernel/drivers/gpu/huge.ko`));
    assert.ok(entries.has(`${folder}/modules.builtin`));
    assert.match(
      text(`${folder}/modules.dep`),
      /^kernel\/fs\/ext4\/ext4\.ko: kernel\/fs\/jbd2\/jbd2\.ko kernel\/lib\/crc16\.ko$/m,
    );
    assert.match(
      text(`${folder}/modules.dep`),
      /^kernel\/drivers\/char\/virtio_console\.ko: kernel\/drivers\/virtio\/virtio_ring\.ko kernel\/drivers\/virtio\/virtio\.ko$/m,
    );
    assert.match(text(`${folder}/modules.alias`), /^alias fs-ext4 ext4$/m);
  });

  it('lists every folder before what is in it, and nothing twice', async () => {
    const image = await buildGuestImage(fakeKernelPackage(), fakeBusyboxPackage(), OWN);
    const seen = new Set<string>();
    for (const { path } of readCpio(image.initramfs)) {
      assert.ok(!seen.has(path), path);
      const slash = path.lastIndexOf('/');
      if (slash > 0) assert.ok(seen.has(path.slice(0, slash)), path);
      seen.add(path);
    }
  });

  it('is the same, byte for byte, when it is made again', async () => {
    const make = () => buildGuestImage(fakeKernelPackage(), fakeBusyboxPackage(), OWN);
    assert.deepEqual((await make()).initramfs, (await make()).initramfs);
  });

  it('says which package is wrong, and how', async () => {
    const rejects = (kernel: Uint8Array, busybox: Uint8Array, which: string, message: RegExp) =>
      assert.rejects(buildGuestImage(kernel, busybox, OWN), (error) => {
        assert.ok(error instanceof PackageError);
        assert.equal(error.which, which);
        assert.match(error.message, message);
        return true;
      });
    const junk = new Uint8Array(100);
    await rejects(junk, fakeBusyboxPackage(), 'kernel', /^is not an ar archive$/);
    await rejects(fakeKernelPackage(), junk, 'busybox', /^is not an ar archive$/);
    await rejects(fakeBusyboxPackage(), fakeBusyboxPackage(), 'kernel', /^has no kernel in it/);
    await rejects(fakeKernelPackage(), fakeKernelPackage(), 'busybox', /^has no busybox in it/);
    const needy = makeModule(['depends=nowhere']);
    const incomplete = fakeKernelPackage([{ path: `./lib/modules/${RELEASE}/kernel/loop.ko`, data: needy }]);
    await rejects(incomplete, fakeBusyboxPackage(), 'kernel', /its module loop needs nowhere, which is not there$/);
    const broken = fakeKernelPackage([{ path: `./lib/modules/${RELEASE}/kernel/loop.ko`, data: 'text' }]);
    await rejects(broken, fakeBusyboxPackage(), 'kernel', /^is damaged: its module kernel\/loop\.ko is not a kernel/);
    await rejects(makeDeb('Package: x\n', []), fakeBusyboxPackage(), 'kernel', /^has no kernel/);
  });

  it('takes modules that need each other', () => {
    const files = ['a', 'b'].map((name) => ({
      path: `${name}.ko`,
      data: makeModule([`depends=${name === 'a' ? 'b' : 'a'}`]),
    }));
    assert.deepEqual(
      selectModules(files, ['a', 'not-there']).map(({ name }) => name),
      ['a', 'b'],
    );
  });
});

describe("busybox's names", () => {
  it('are found in the program', () => {
    const names = listApplets(fakeBusybox());
    assert.deepEqual([names[0], names[1], names.at(-1)], ['[', '[[', 'vi']);
    assert.ok(!names.includes('more'));
  });

  it('are the necessary ones if they are not', () => {
    for (const bytes of ['', '\0[\0[[\0ls\0\0', '[\0[[\0']) {
      const names = listApplets(new TextEncoder().encode(bytes));
      assert.ok(names.includes('sh') && names.includes('modprobe'));
    }
  });
});

describe('/init', () => {
  it('is a shell script without syntax errors', () => {
    for (const name of ['init.sh', 'power.sh', 'profile.sh']) {
      const { status, stderr } = spawnSync('sh', ['-n', `guest/init/${name}`], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    }
  });
});
