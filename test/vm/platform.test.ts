import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PerformanceObserver, constants } from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import { createBrowserPlatform } from '../../src/platform/browser.js';
import { detectPlatform } from '../../src/platform/detect.js';
import { createNodePlatform } from '../../src/platform/node.js';
import { collectWhenGrown, limitHeap } from '../../src/platform/node-memory.js';
import { FileError, splitMilliseconds } from '../../src/platform/platform.js';

for (const [name, create] of [
  ['Node', createNodePlatform],
  ['browser', createBrowserPlatform],
] as const) {
  test(`${name}: time goes on, and the day is today`, async () => {
    const platform = create();
    const before = platform.monotonicNs();
    const [seconds, nanoseconds] = platform.wallClock();
    assert.ok(Math.abs(seconds - Date.now() / 1000) < 5);
    assert.ok(nanoseconds >= 0 && nanoseconds < 1e9);
    await new Promise<void>((resolve) => platform.callLater(1, resolve));
    assert.ok(platform.monotonicNs() > before);
  });

  test(`${name}: random bytes, more than a browser gives at once`, () => {
    const platform = create();
    assert.equal(platform.randomBytes(0).length, 0);
    const bytes = platform.randomBytes(100_001);
    assert.equal(bytes.length, 100_001);
    assert.ok(bytes.subarray(99_900).some((byte) => byte !== 0));
    assert.notDeepEqual(platform.randomBytes(16), platform.randomBytes(16));
  });

  test(`${name}: everybody else gets a turn, and waits can be called off`, async () => {
    const platform = create();
    let immediate = false;
    setImmediate(() => {
      immediate = true;
    });
    while (!immediate) await platform.yieldToEventLoop();
    await Promise.all([platform.yieldToEventLoop(), platform.yieldToEventLoop()]);
    const cancel = platform.callLater(0, () => assert.fail('called off'));
    cancel();
    await new Promise<void>((resolve) => platform.callLater(2, resolve));
  });
}

test('Node: files, and what is wrong with them', async () => {
  const platform = createNodePlatform();
  const folder = mkdtempSync(join(tmpdir(), 'lguest-files-'));
  try {
    writeFileSync(join(folder, 'file'), 'abc');
    assert.deepEqual(await platform.readFile(join(folder, 'file')), Uint8Array.of(97, 98, 99));
    const large = randomBytes(1_234_567);
    writeFileSync(join(folder, 'large'), large);
    assert.deepEqual(await platform.readFile(join(folder, 'large')), new Uint8Array(large));
    const problem = (path: string) => platform.readFile(path).catch((error: FileError) => error.problem);
    assert.equal(await problem(folder), 'directory');
    assert.equal(await problem(join(folder, 'nothing')), 'missing');
    assert.equal(await problem(join(folder, 'file', 'below')), 'missing');
    assert.equal(await problem('a\0b'), 'unreadable');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('browser: files are addresses', async () => {
  const platform = createBrowserPlatform();
  assert.deepEqual(await platform.readFile('data:application/octet-stream;base64,YWJj'), Uint8Array.of(97, 98, 99));
  await assert.rejects(platform.readFile('nonsense://x'), FileError);
  assert.equal(platform.cpuTimeNs(), undefined);
});

test('this is Node', async () => {
  assert.equal(typeof (await detectPlatform()).cpuTimeNs(), 'number');
});

test('milliseconds become seconds and nanoseconds', () => {
  assert.deepEqual(splitMilliseconds(1_700_000_000_250.5), [1_700_000_000, 250_500_000]);
  assert.deepEqual(splitMilliseconds(0), [0, 0]);
});

test('Node: what is short-lived takes no more than it is told', async () => {
  limitHeap(8);
  const size = (): number => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')!.space_size;
  let kept: unknown[] = [];
  for (let i = 0; i < 40; i++) {
    kept = Array.from({ length: 50_000 }, (_, n) => [n, kept.length]);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.ok(size() < 2 ** 25, `${size()} bytes`);
});

test('Node: a process that has grown collects its garbage, and goes on', async () => {
  const collected = new Promise<void>((resolve) => {
    const observer = new PerformanceObserver((list) => {
      const { NODE_PERFORMANCE_GC_FLAGS_FORCED, NODE_PERFORMANCE_GC_FLAGS_ALL_AVAILABLE_GARBAGE } = constants;
      const asked = NODE_PERFORMANCE_GC_FLAGS_FORCED | NODE_PERFORMANCE_GC_FLAGS_ALL_AVAILABLE_GARBAGE;
      const forced = (entry: object): boolean => ((entry as { detail: { flags: number } }).detail.flags & asked) !== 0;
      if (!list.getEntries().some(forced)) return;
      observer.disconnect();
      resolve();
    });
    observer.observe({ entryTypes: ['gc'] });
  });
  collectWhenGrown(10);
  const large = new Uint8Array(80 << 20).fill(1);
  // The look alone does not keep the process alive.
  const alive = setInterval(() => {}, 1000);
  await collected;
  clearInterval(alive);
  assert.equal(large[large.length - 1], 1);
  await new Promise((resolve) => setTimeout(resolve, 1));
});
