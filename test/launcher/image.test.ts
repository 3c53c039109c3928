import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FLAVOURS } from '../../src/launcher/image/flavours.js';
import { buildImage, listImages, removeImages } from '../../src/launcher/image/image-command.js';
import { explainCacheError } from '../../src/launcher/image/image-error.js';
import { obtainImage } from '../../src/launcher/image/image-builder.js';
import { Progress, renderBar } from '../../src/launcher/image/progress.js';
import { cacheFolder } from '../../src/launcher/cache-folder.js';
import { ImageStore, sha256 } from '../../src/launcher/image/store.js';
import { LaunchError } from '../../src/vm/index.js';
import { makeDeb } from '../formats/package-files.js';
import { fakeBusyboxPackage, fakeKernelPackage, RELEASE } from '../guest/image-packages.js';

const flavour = FLAVOURS[0]!;
const silent = new Progress({ isTerminal: false, write: () => assert.fail('nothing is printed') });
const ownFiles = [{ path: 'init', mode: 0o755, data: new Uint8Array(3) }];

/** Nobody has apt here, so nobody can miss the packages without being noticed. */
const { PATH } = process.env;
let folder = '';
let packages = '';
let store: ImageStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lguest-image-'));
  packages = join(folder, 'packages');
  store = new ImageStore(join(folder, 'cache'));
  mkdirSync(packages);
  process.env['PATH'] = packages;
});
afterEach(() => {
  process.env['PATH'] = PATH;
  rmSync(folder, { recursive: true, force: true });
});

function putPackages(files: Record<string, Uint8Array>, sums = true): void {
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(packages, name), bytes);
  const lines = Object.entries(files).map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`);
  if (sums) writeFileSync(join(packages, 'SHA256SUMS'), lines.join(''));
}

function putBoth(): void {
  putPackages({
    'kernel.deb': fakeKernelPackage(),
    'busybox.deb': fakeBusyboxPackage(),
    'other.txt': new Uint8Array(1),
  });
}

const build = (files = ownFiles, fresh = false) => obtainImage(store, { flavour, packages, fresh }, silent, files);
const find = (files = ownFiles) => obtainImage(store, { flavour }, silent, files);
const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof LaunchError, String(error));
    assert.match(error.message, message);
    assert.match(error.message, /^[^\n]*\.$/);
    return true;
  });

describe('the image store', () => {
  it('is in the cache directory of the user', () => {
    assert.equal(cacheFolder({ XDG_CACHE_HOME: '/x', HOME: '/h' }), '/x/lguest');
    assert.equal(cacheFolder({ XDG_CACHE_HOME: 'relative', HOME: '/h' }), '/h/.cache/lguest');
    assert.equal(cacheFolder({ XDG_CACHE_HOME: '', HOME: '/h' }), '/h/.cache/lguest');
  });

  it('builds once, from a folder, and finds the image again without it', async () => {
    putBoth();
    const first = await build();
    assert.equal(first.release, RELEASE);
    assert.deepEqual(readdirSync(join(store.folder, 'temporary')), []);
    rmSync(packages, { recursive: true });
    assert.equal((await find()).id, first.id);
  });

  it('builds anew from the packages it has kept when our own files are others', async () => {
    putBoth();
    const first = await build();
    rmSync(packages, { recursive: true });
    const second = await find([{ path: 'init', mode: 0o755, data: new Uint8Array(4) }]);
    assert.notEqual(second.id, first.id);
    assert.equal((await find()).id, first.id);
  });

  it('does not use what is damaged or half there', async () => {
    putBoth();
    const image = await build();
    truncateSync(image.initramfs, 100);
    assert.deepEqual(store.list(), []);
    assert.equal((await find()).id, image.id, 'made again of the packages that were kept');
    assert.equal(store.list().length, 1);
    rmSync(image.kernel);
    assert.deepEqual(store.list(), []);
    await build();
    writeFileSync(join(image.folder, 'image.json'), '{"version":');
    assert.deepEqual(store.list(), []);
  });

  it('sweeps out what an interrupted build has left, but not what another is at', async () => {
    // Process numbers end below 2^22.
    const dead = join(store.folder, 'temporary', '99999999-abc');
    const alive = join(store.folder, 'temporary', '1-abc');
    mkdirSync(dead, { recursive: true });
    mkdirSync(alive);
    putBoth();
    await build();
    assert.ok(!existsSync(dead));
    assert.ok(existsSync(alive));
  });

  it('lists and removes', async () => {
    assert.match(listImages(store), /^no image yet/);
    putBoth();
    const { id } = await build();
    assert.match(
      listImages(store),
      new RegExp(`^${id}  debian  ${RELEASE}  6 modules  0\\.0 MB  \\d{4}-\\d\\d-\\d\\d\\n$`),
    );
    assert.throws(() => removeImages(store, 'nothing'), { message: /^there is no image nothing: / });
    assert.equal(removeImages(store, id), '1 image removed\n');
    assert.deepEqual(readdirSync(join(store.folder, 'packages')), []);
    await build();
    assert.equal(removeImages(store, undefined), '1 image removed\n');
    assert.deepEqual(readdirSync(store.folder), []);
    await rejects(buildImage(store, 'conformance', undefined, silent), /needs no image/);
  });

  it('says in a sentence why it cannot write', { skip: process.getuid?.() === 0 }, async () => {
    putBoth();
    mkdirSync(store.folder);
    chmodSync(store.folder, 0o500);
    await rejects(build(), /cannot be written by you: change that or set XDG_CACHE_HOME/);
  });

  it('has a sentence for a full disk, and for a file where a folder should be', async () => {
    assert.match((explainCacheError({ code: 'ENOSPC' }, '/c') as Error).message, /^the disk with \/c is full: /);
    assert.equal(explainCacheError('else', '/c'), 'else');
    putBoth();
    writeFileSync(store.folder, '');
    await rejects(build(), /is not a folder or lies in a file/);
  });
});

describe('a computer without apt', () => {
  it('is told what to do', async () => {
    await rejects(find(), /^apt is not here: put Debian 12's .* and use --packages=FOLDER\.$/);
    assert.deepEqual(readdirSync(join(store.folder, 'temporary')), []);
  });
});

describe('--packages', () => {
  it('takes the newest kernel of the flavour', async () => {
    const older = makeDeb('Package: linux-image-6.1.0-9-686\nVersion: 1\nArchitecture: i386\n', []);
    const pae = makeDeb('Package: linux-image-6.1.0-999-686-pae\nVersion: 1\nArchitecture: i386\n', []);
    const meta = makeDeb('Package: linux-image-686\nVersion: 9\nArchitecture: i386\n', []);
    const kernel = fakeKernelPackage();
    putPackages({ 'a.deb': older, 'b.deb': kernel, 'c.deb': pae, 'd.deb': meta, 'e.deb': fakeBusyboxPackage() });
    assert.equal((await build()).packages[0]!.sha256, sha256(kernel));
  });

  it('says what is missing or wrong', async () => {
    await rejects(
      obtainImage(store, { flavour, packages: '/nowhere' }, silent),
      /^the folder \/nowhere does not exist: /,
    );
    await rejects(build(), /has no file SHA256SUMS, so nothing says/);
    putPackages({ 'kernel.deb': fakeKernelPackage() });
    await rejects(build(), /has no package busybox-static for i386 in it/);
    putPackages({ 'busybox.deb': fakeBusyboxPackage() });
    await rejects(build(), /kernel\.deb is not listed in .*SHA256SUMS/);
    rmSync(join(packages, 'kernel.deb'));
    await rejects(build(), /has no package linux-image-6\.1\.0-…-686 for i386/);
    putBoth();
    writeFileSync(join(packages, 'kernel.deb'), fakeKernelPackage([{ path: './more' }]));
    await rejects(build(), /kernel\.deb does not have the sum that .*SHA256SUMS states: fetch it again\.$/);
    putPackages({ 'busybox.deb': fakeBusyboxPackage(), 'kernel.deb': new Uint8Array(10) });
    await rejects(build(), /kernel\.deb is not an ar archive: fetch it again\.$/);
    putPackages({
      'kernel.deb': fakeKernelPackage(),
      'busybox.deb': makeDeb('Package: busybox-static\nArchitecture: amd64\n', []),
    });
    await rejects(build(), /busybox\.deb is for amd64: the guest is 32-bit/);
    putPackages({
      'kernel.deb': fakeKernelPackage(),
      'busybox.deb': makeDeb('Package: busybox-static\nArchitecture: i386\n', []),
    });
    await rejects(build(), /busybox\.deb has no busybox in it: .*\.$/);
    assert.deepEqual(store.list(), []);
  });
});

describe('progress', () => {
  it('fills a bar', () => {
    assert.equal(renderBar(0, undefined), '░'.repeat(20));
    assert.equal(renderBar(0.5, 34_120_000), `${'█'.repeat(10)}${'░'.repeat(10)}   34.1 MB`);
    assert.equal(renderBar(7, 1000), `${'█'.repeat(20)}    0.0 MB`);
  });

  it('rewrites its line on a terminal, not too often and not too long', () => {
    let text = '';
    let now = 0;
    const sink = { isTerminal: true, size: () => ({ columns: 40, rows: 9 }), write: (more: string) => (text += more) };
    const progress = new Progress(sink, () => now);
    progress.title('building');
    progress.title('building');
    progress.begin('busybox');
    for (now = 0; now < 100; now++) progress.update(now / 100, 1e6);
    progress.end('done');
    assert.equal(text.split('\r').length, 4, text);
    assert.ok(text.startsWith('lguest  building\n\r  busybox'));
    assert.ok(text.endsWith('done\x1b[K\n'));
    assert.ok(text.split(/[\r\n]/).every((line) => line.replace('\x1b[K', '').length < 40));
  });
});
