import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildTree, writeArchive, writeFolder } from '../../bench/world.js';
import { readCpio, S_IFLNK, S_IFREG } from '../../src/formats/cpio.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const tree = buildTree(
  new Map([
    ['runner', bytes('R')],
    ['integer', bytes('I')],
  ]),
  [
    { path: 'bin/busybox', mode: S_IFREG | 0o755, data: bytes('B') },
    { path: 'usr/lib/libx.so.1', mode: S_IFLNK | 0o777, data: bytes('libx.so.1.2') },
  ],
);

test('a guest has the runner as its init, the programs, the scripts and what packages bring', () => {
  const entries = new Map(readCpio(writeArchive(tree)).map((entry) => [entry.path, entry]));
  assert.deepEqual(entries.get('init')!.data, bytes('R'));
  assert.equal(entries.get('init')!.mode & 0o7777, 0o755);
  assert.deepEqual(entries.get('bin/integer')!.data, bytes('I'));
  assert.equal(entries.get('dev/console')!.major, 5);
  assert.ok(entries.get('scripts/calls.lua')!.data.length > 0);
  assert.deepEqual(entries.get('bin/sh')!.data, bytes('busybox'));
  assert.ok(entries.has('work'));
});

test('the same files natively, without the device', () => {
  const parent = mkdtempSync(join(tmpdir(), 'lguest-test-'));
  try {
    const root = writeFolder(tree, parent);
    assert.equal(readFileSync(join(root, 'bin/integer'), 'latin1'), 'I');
    assert.equal(statSync(join(root, 'init')).mode & 0o100, 0o100);
    assert.equal(readlinkSync(join(root, 'usr/lib/libx.so.1')), 'libx.so.1.2');
    assert.equal(statSync(join(root, 'dev/console'), { throwIfNoEntry: false }), undefined);
  } finally {
    rmSync(parent, { recursive: true });
  }
});
