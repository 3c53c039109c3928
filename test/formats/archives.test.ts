import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readAr } from '../../src/formats/ar.js';
import { readCpio, S_IFCHR, S_IFDIR, S_IFLNK, S_IFREG, writeCpio } from '../../src/formats/cpio.js';
import { isDeb, parseControl, readDebControl, readDebFiles } from '../../src/formats/deb.js';
import { FormatError } from '../../src/formats/format-error.js';
import { decodeGzip } from '../../src/formats/gzip.js';
import { readModuleInfo } from '../../src/formats/kernel-module.js';
import { readTar } from '../../src/formats/tar.js';
import { concat, makeAr, makeDeb, makeModule, makeTar } from './package-files.js';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Cuts and changes `file` in many ways; `read` may do what it likes, but may throw nothing but FormatError. */
function torment(file: Uint8Array, read: (bytes: Uint8Array) => unknown): void {
  const attempt = (bytes: Uint8Array): void => {
    try {
      read(bytes);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
      assert.doesNotMatch(error.message, /\n|NaN|undefined/);
    }
  };
  for (let length = 0; length < file.length; length += Math.max(1, length >> 4)) attempt(file.subarray(0, length));
  for (let at = 0; at < file.length; at += 1 + (at >> 5)) {
    for (const value of [0, 0x20, 0x39, 0xff]) {
      const damaged = file.slice();
      damaged[at] = value;
      attempt(damaged);
    }
  }
}

describe('ar', () => {
  const archive = makeAr([
    ['odd', utf8('abc')],
    ['even/', utf8('abcd')],
  ]);

  it('reads members of odd and even length', () => {
    assert.deepEqual(
      readAr(archive).map(({ name, data }) => [name, text(data)]),
      [
        ['odd', 'abc'],
        ['even', 'abcd'],
      ],
    );
  });

  it('says what is wrong with a damaged one', () => {
    assert.throws(() => readAr(utf8('hello')), { message: 'is not an ar archive' });
    assert.throws(() => readAr(archive.subarray(0, -1)), {
      message: 'is truncated: 1 byte of its member even is missing',
    });
    torment(archive, readAr);
  });
});

describe('tar', () => {
  const long = `${'long/'.repeat(30)}name`;
  const archive = makeTar([
    { path: './', type: '5', mode: 0o755 },
    { path: './bin/sh', mode: 0o4755, data: 'program' },
    { path: './link', type: '2', target: 'bin/sh' },
    { path: 'same', type: '1', target: './bin/sh' },
    { path: 'name', prefix: 'a/prefix', data: 'x'.repeat(513) },
    { path: '././@LongLink', type: 'L', data: `${long}\0` },
    { path: 'cut', data: '1' },
    { path: 'pax', type: 'x', data: '17 path=from pax\n22 linkpath=elsewhere\n' },
    { path: 'cut', type: '2', target: 'cut' },
    { path: 'null', type: '3' },
  ]);

  it('reads files, folders, links, long names and pax records', () => {
    assert.deepEqual(
      [...readTar(archive)].map(({ path, type, mode, target, data }) => [path, type, mode, target, data.length]),
      [
        ['', 'directory', 0o755, '', 0],
        ['bin/sh', 'file', 0o4755, '', 7],
        ['link', 'symlink', 0o644, 'bin/sh', 0],
        ['same', 'hardlink', 0o644, './bin/sh', 0],
        ['a/prefix/name', 'file', 0o644, '', 513],
        [long, 'file', 0o644, '', 1],
        ['from pax', 'symlink', 0o644, 'elsewhere', 0],
        ['null', 'other', 0o644, '', 0],
      ],
    );
  });

  it('says what is wrong with a damaged one', () => {
    assert.throws(() => [...readTar(utf8('x'.repeat(1024)))], { message: 'is not a tar archive' });
    assert.throws(() => [...readTar(archive.subarray(0, 600))], { message: /^is truncated: 424 bytes of a header/ });
    torment(archive, (bytes) => [...readTar(bytes)]);
  });
});

describe('cpio', () => {
  const entries = [
    { path: 'dev', mode: S_IFDIR | 0o755, data: new Uint8Array(0) },
    { path: 'dev/console', mode: S_IFCHR | 0o600, data: new Uint8Array(0), major: 5, minor: 1 },
    { path: 'init', mode: S_IFREG | 0o755, data: utf8('#!/bin/sh\n') },
    { path: 'sbin', mode: S_IFLNK | 0o777, data: utf8('bin') },
  ];

  it('writes what it reads', () => {
    const archive = writeCpio(entries);
    assert.equal(archive.length % 4, 0);
    assert.deepEqual(
      readCpio(archive).map((entry) => ({ ...entry, data: new Uint8Array(entry.data) })),
      entries,
    );
  });

  it('writes what cpio reads', { skip: spawnSync('cpio', ['--version']).error !== undefined }, () => {
    const { stdout } = spawnSync('cpio', ['-itv'], { input: writeCpio(entries), encoding: 'utf8' });
    assert.match(stdout, /^drwxr-xr-x {3}2 root.*\ncrw-------.*5, {3}1.*console\n-rwxr-xr-x.*init\n.*sbin -> bin\n$/);
  });

  it('says what is wrong with a damaged one', () => {
    const archive = writeCpio(entries);
    assert.throws(() => readCpio(utf8('x'.repeat(200))), { message: /^is not a cpio archive/ });
    assert.throws(() => readCpio(archive.subarray(0, 300)), { message: /^is truncated/ });
    torment(archive, readCpio);
  });
});

describe('gzip', () => {
  it('unpacks, up to a limit', async () => {
    const packed = gzipSync(new Uint8Array(100_000).fill(7));
    assert.deepEqual(await decodeGzip(packed, 100_000), new Uint8Array(100_000).fill(7));
    await assert.rejects(decodeGzip(packed, 99_999), FormatError);
    await assert.rejects(decodeGzip(packed.subarray(0, -10), 1e6), { message: 'is damaged: gzip cannot unpack it' });
    await assert.rejects(decodeGzip(utf8('plain'), 1e6), { message: 'is not packed with gzip' });
  });
});

describe('Debian packages', () => {
  const deb = makeDeb('Package: busybox-static\nDepends: a (= 1),\n b\nVersion: 1:1.35\n', [
    { path: './bin/busybox', data: 'ELF' },
  ]);

  it('has fields and files', async () => {
    assert.ok(isDeb(deb));
    const fields = await readDebControl(deb);
    assert.equal(fields.get('Package'), 'busybox-static');
    assert.equal(fields.get('Depends'), 'a (= 1),\nb');
    assert.equal(fields.get('Version'), '1:1.35');
    assert.deepEqual(
      [...(await readDebFiles(deb))].map(({ path, data }) => [path, text(data)]),
      [['bin/busybox', 'ELF']],
    );
  });

  it('says what is wrong with what is none', async () => {
    const rejects = (bytes: Uint8Array, message: string | RegExp) => assert.rejects(readDebFiles(bytes), { message });
    await rejects(utf8('x'), 'is not an ar archive');
    await rejects(makeAr([['a', utf8('')]]), 'is no Debian package of format 2');
    await rejects(makeAr([['debian-binary', utf8('2.0\n')]]), 'is no Debian package: it has no data.tar');
    const packed = makeAr([
      ['debian-binary', utf8('2.0\n')],
      ['data.tar.zst', utf8('')],
    ]);
    await rejects(packed, 'is packed in a way that lguest cannot unpack (data.tar.zst); gzip and xz it can');
  });

  it('control files may have anything in them', () => {
    assert.equal(parseControl(' early\nno field\nA: 1\n\tmore\n\nB:2').get('A'), '1\nmore');
  });
});

describe('kernel modules', () => {
  const module = makeModule(['license=GPL', 'alias=fs-ext4', 'alias=ext3', 'depends=jbd2,crc-16', 'name=ext4']);

  it('tells what it needs and what it is called', () => {
    assert.deepEqual(readModuleInfo(module, 'kernel/fs/ext-4.ko'), {
      name: 'ext_4',
      depends: ['jbd2', 'crc_16'],
      aliases: ['fs-ext4', 'ext3'],
    });
    assert.deepEqual(readModuleInfo(makeModule(['depends=']), 'a.ko').depends, []);
  });

  it('says what is wrong with a damaged one', () => {
    assert.throws(() => readModuleInfo(utf8('x'), 'x'), { message: 'is not a kernel module' });
    const cut = module.subarray(0, module.length - 20);
    assert.throws(() => readModuleInfo(cut, 'x'), { message: 'is truncated: 20 bytes of its sections are missing' });
    torment(module, (bytes) => readModuleInfo(bytes, 'x'));
    torment(concat(module, new Uint8Array(64)), (bytes) => readModuleInfo(bytes, 'x'));
  });
});
