import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Made, Maker, MakerSetup } from '../../src/jit/index.js';
import type { HelperThread, HelperThreadEvents } from '../../src/platform/helper-thread.js';
import { createNodePlatform } from '../../src/platform/node.js';
import type { Platform } from '../../src/platform/platform.js';
import { BackgroundMaker } from '../../src/vm/background-maker.js';
import { VirtualMachine, type VirtualMachineOptions } from '../../src/vm/index.js';
import { fakePlatform } from './fake-platform.js';
import { SmallGuest } from './small-guest.js';

const SETUP: MakerSetup = { helperNumbers: new Map() };
const request = (): Int32Array<ArrayBuffer> => new Int32Array([0]);
const ANSWER: Made = { report: new Int32Array(0), module: undefined, bytes: 0, emitMs: 0, compileMs: 0 };

/** A thread that does nothing, and what has become of it. */
function idleThread() {
  const posted: object[] = [];
  const seen = { posted, ended: 0, events: undefined as HelperThreadEvents | undefined };
  const platform: Platform = {
    ...fakePlatform(),
    startMakerThread(events): HelperThread {
      seen.events = events;
      return {
        post: (message) => void posted.push(message as object),
        end: () => void seen.ended++,
      };
    },
  };
  return { platform, seen };
}

/** Counts what is made in this thread. */
function localMaker() {
  const made = { requests: 0 };
  const local = (): Maker => ({
    idle: true,
    isBehind: false,
    make(_request, done) {
      made.requests++;
      done(ANSWER);
    },
  });
  return { made, local };
}

test('requests go to the thread, and answers to who has asked', () => {
  const { platform, seen } = idleThread();
  const { made, local } = localMaker();
  const background = new BackgroundMaker(platform);
  const maker = background.makerFor(SETUP, local);
  assert.equal(seen.events, undefined, 'a machine that does not run has no thread');
  background.start();
  assert.ok(maker.idle);
  const answers: string[] = [];
  maker.make(request(), (answer) => answers.push(`first ${answer!.bytes}`));
  maker.make(request(), (answer) => answers.push(`second ${answer!.bytes}`));
  assert.deepEqual(
    seen.posted.map((message) => Object.keys(message)),
    [['setup'], ['request'], ['request']],
  );
  assert.ok(!maker.idle);
  seen.events!.message({ ...ANSWER, bytes: 1 });
  seen.events!.message({ ...ANSWER, bytes: 2 });
  assert.deepEqual(answers, ['first 1', 'second 2']);
  assert.ok(maker.idle);
  assert.equal(made.requests, 0);
  background.end();
  assert.equal(seen.ended, 1);
});

test('when the thread dies, what it had to make is lost, and the rest is made here', () => {
  const { platform, seen } = idleThread();
  const { made, local } = localMaker();
  const background = new BackgroundMaker(platform);
  const maker = background.makerFor(SETUP, local);
  background.start();
  const answers: (Made | undefined)[] = [];
  maker.make(request(), (answer) => answers.push(answer));
  seen.events!.failed();
  assert.deepEqual(answers, [undefined] as unknown[]);
  assert.ok(maker.idle);
  maker.make(request(), (answer) => answers.push(answer));
  assert.deepEqual(answers, [undefined, ANSWER]);
  assert.equal(made.requests, 1);
});

test('when the thread is ended, what it had to make is lost, and can be asked for again', () => {
  const { platform, seen } = idleThread();
  const background = new BackgroundMaker(platform);
  const maker = background.makerFor(SETUP, localMaker().local);
  background.start();
  const answers: (Made | undefined)[] = [];
  maker.make(request(), (answer) => answers.push(answer));
  background.end();
  assert.deepEqual(answers, [undefined] as unknown[]);
  assert.equal(seen.ended, 1);
  background.start();
  maker.make(request(), (answer) => answers.push(answer));
  seen.events!.message(ANSWER);
  assert.deepEqual(answers, [undefined, ANSWER]);
});

test('it is behind when many requests wait', () => {
  const { platform, seen } = idleThread();
  const background = new BackgroundMaker(platform);
  const maker = background.makerFor(SETUP, localMaker().local);
  background.start();
  let asked = 0;
  for (; !maker.isBehind && asked < 1000; asked++) maker.make(request(), () => {});
  assert.ok(asked > 1 && asked < 100, `${asked} requests`);
  seen.events!.message(ANSWER);
  assert.equal(maker.isBehind, false);
});

test('where there are no threads, or none is to be had, all is made here', () => {
  const forbidden: Platform = {
    ...fakePlatform(),
    startMakerThread() {
      throw new Error('not here');
    },
  };
  for (const platform of [fakePlatform(), forbidden]) {
    const { made, local } = localMaker();
    const background = new BackgroundMaker(platform);
    const maker = background.makerFor(SETUP, local);
    background.start();
    assert.ok(maker.idle);
    maker.make(request(), () => {});
    assert.equal(made.requests, 1);
    background.end();
  }
});

/** Counts down for a while, in a loop that becomes hot, and says so. */
const busyGuest = (): SmallGuest =>
  new SmallGuest().init().move('ecx', 30_000_000).code(0x49, 0x75, 0xfd).print('done\n').powerOff();

async function run(platform: Platform, options: Partial<VirtualMachineOptions> = {}) {
  let output = '';
  const vm = await VirtualMachine.create({ memory: 4, kernel: busyGuest().elf(), platform, ...options });
  vm.on('output', (bytes) => {
    output += new TextDecoder().decode(bytes);
  });
  vm.run();
  const { reason } = await vm.ended;
  return { vm, output, reason, instructions: vm.instructions };
}

/** Node, and how many of its threads there are and were. */
function countingPlatform() {
  const threads = { started: 0, alive: 0, answers: 0 };
  const node = createNodePlatform();
  const platform: Platform = {
    ...node,
    startMakerThread(events) {
      threads.started++;
      threads.alive++;
      const message = (answer: unknown): void => {
        threads.answers++;
        events.message(answer);
      };
      const thread = node.startMakerThread!({ ...events, message });
      return {
        ...thread,
        end() {
          threads.alive--;
          thread.end();
        },
      };
    },
  };
  return { platform, threads };
}

test('a guest does the same whoever makes its WebAssembly, and its thread ends with it', async () => {
  const { platform, threads } = countingPlatform();
  const { vm, ...withThread } = await run(platform);
  assert.deepEqual(threads, { ...threads, started: 1, alive: 0 });
  assert.ok(threads.answers > 0);
  const { translated, modules, emitMs } = vm.stats().translation!;
  assert.ok(translated > 0 && modules > 0 && emitMs > 0);
  const without = await run(platform, { jitThread: false });
  assert.equal(threads.started, 1);
  assert.ok(without.vm.stats().translation!.translated > 0);
  const { vm: _, ...result } = without;
  assert.deepEqual(result, withThread);
});

test('where every run is to be the same there is no thread', async () => {
  const { platform, threads } = countingPlatform();
  await run(platform, { clock: 'virtual', maxInstructions: 100_000 });
  await run(platform, { jit: false, maxInstructions: 100_000 });
  assert.equal(threads.started, 0);
});

test('a machine ends while code is in the making', async () => {
  const { platform, seen } = idleThread();
  const node = createNodePlatform();
  const { startMakerThread } = platform;
  const vm = await VirtualMachine.create({
    memory: 4,
    kernel: busyGuest().elf(),
    platform: { ...node, ...(startMakerThread && { startMakerThread }) },
  });
  vm.run();
  while (!seen.posted.some((message) => 'request' in message)) await node.yieldToEventLoop();
  await vm.stop();
  assert.equal(seen.ended, 1);
  assert.equal(vm.stats().translation!.modules, 0);
});

test('a machine restarts, and is saved and loaded, beside its thread', async () => {
  const { platform, threads } = countingPlatform();
  const restarting = await run(platform, { torture: { saveEvery: 20_000_000 } });
  assert.equal(restarting.output, 'done\n');
  const vm = await VirtualMachine.create({ memory: 4, kernel: busyGuest().elf(), platform });
  vm.run();
  while (vm.instructions < 100_000) await platform.yieldToEventLoop();
  vm.reset();
  assert.equal((await vm.ended).reason, 'power-off');
  assert.equal(vm.stats().restarts, 1);
  assert.deepEqual(threads, { ...threads, started: 2, alive: 0 });
});
