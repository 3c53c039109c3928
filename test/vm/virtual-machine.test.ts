import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LguestMachineState } from '../../src/vm/lguest-machine.js';
import { VIRTUAL_EPOCH_SECONDS } from '../../src/vm/clock.js';
import { BootError, LaunchError, VirtualMachine, type VirtualMachineOptions } from '../../src/vm/index.js';
import { FileError, type FileProblem } from '../../src/platform/platform.js';
import { fakePlatform } from './fake-platform.js';
import { SmallGuest } from './small-guest.js';

/** A machine with little memory and the virtual clock that has not begun to run, and all it prints. */
async function createMachine(guest: SmallGuest, options: Partial<VirtualMachineOptions> = {}) {
  const vm = await VirtualMachine.create({ memory: 4, kernel: guest.elf(), clock: 'virtual', ...options });
  let output = '';
  vm.on('output', (bytes) => {
    output += new TextDecoder().decode(bytes);
  });
  return { vm, output: () => output };
}

/** Runs a guest to its end. */
async function runMachine(guest: SmallGuest, options: Partial<VirtualMachineOptions> = {}) {
  const { vm, output } = await createMachine(guest, options);
  vm.run();
  const ending = await vm.ended;
  return { vm, ending, output: output() };
}

test('a guest prints and powers off', async () => {
  const { vm, ending, output } = await runMachine(new SmallGuest().init().print('hello\n').powerOff());
  assert.equal(output, 'hello\n');
  assert.equal(ending.reason, 'power-off');
  const stats = vm.stats();
  assert.deepEqual(stats.hypercalls, {
    LGUEST_INIT: { sync: 1, ring: 0 },
    NOTIFY: { sync: 1, ring: 0 },
    SHUTDOWN: { sync: 1, ring: 0 },
  });
  assert.deepEqual(
    [stats.generation, stats.instruction, stats.pae, stats.release],
    ['C2', 'vmcall', false, '2.6.32.9'],
  );
  assert.equal(stats.instructions, vm.instructions);
  assert.deepEqual(stats.ending, ending);
  assert.deepEqual(JSON.parse(JSON.stringify(stats)).memoryMegabytes, 4);
});

test('a guest that crashes was killed; its place has a name', async () => {
  const { vm, ending } = await runMachine(new SmallGuest().init().label('panic').crash('Kernel panic'));
  assert.deepEqual(ending, { reason: 'killed', text: 'CRASH: Kernel panic' });
  assert.match(vm.symbolAt(vm.eip)!, /^panic\+0x/);
  assert.deepEqual(vm.lastHypercall, { name: 'SHUTDOWN', viaRing: false, eip: vm.eip });
});

test('the limit of instructions is exact, over restarts too', async () => {
  const loop = await runMachine(new SmallGuest().init().loop(), { maxInstructions: 123_456 });
  assert.equal(loop.ending.reason, 'instruction-limit');
  assert.equal(loop.vm.instructions, 123_456);
  const restarting = await runMachine(new SmallGuest().init().restart(), { maxInstructions: 100 });
  assert.equal(restarting.vm.instructions, 100);
  assert.ok(restarting.vm.stats().restarts > 3);
  assert.equal(restarting.vm.stats().hypercalls['SHUTDOWN']!.sync, restarting.vm.stats().restarts);
});

test('with the virtual clock a sleep is exact and takes no time', async () => {
  const guest = new SmallGuest()
    .init()
    .timer()
    .sleep(1_000_000_000)
    .print('one ')
    .sleep(2_000_000_000)
    .print('two')
    .powerOff();
  const { vm, ending, output } = await runMachine(guest);
  assert.equal(ending.reason, 'power-off');
  assert.equal(output, 'one two');
  assert.deepEqual(vm.stats().interrupts, { 0: 2 });
  assert.ok(vm.stats().wallSeconds < 2);
  const { nowNs } = vm.save().clock;
  assert.ok(nowNs >= 3e9 && nowNs < 3e9 + 1000, String(nowNs));
});

test('two runs with the virtual clock are the same', async () => {
  const guest = new SmallGuest().init().timer().sleep(1_000_000).sleep(70_000).print('x').loop();
  const first = await runMachine(guest, { maxInstructions: 300_000 });
  const second = await runMachine(guest, { maxInstructions: 300_000 });
  assert.deepEqual(second.vm.save().machine, first.vm.save().machine);
  assert.deepEqual(second.vm.save().clock, first.vm.save().clock);
});

test('the guest sees the virtual time of day', async () => {
  const { vm } = await runMachine(new SmallGuest().init().powerOff());
  const memory = new DataView((vm.save().machine as LguestMachineState).memory.buffer);
  assert.equal(memory.getUint32(0x11_0000 + 12, true), VIRTUAL_EPOCH_SECONDS);
});

test('a guest that nothing can wake ends if there is a limit', async () => {
  const guest = new SmallGuest().init().timer().call(10);
  const { ending } = await runMachine(guest, { maxInstructions: 1_000_000, input: '' });
  assert.equal(ending.reason, 'asleep');
});

test('the limit of time ends it in real time', async () => {
  const platform = fakePlatform();
  const { vm, output } = await createMachine(new SmallGuest().init().timer().print('zzz').call(10), {
    clock: 'real',
    platform,
    maxSeconds: 7,
  });
  vm.run();
  assert.equal((await vm.ended).reason, 'time-limit');
  assert.equal(output(), 'zzz');
  assert.deepEqual(platform.waits, [7000]);
});

test('a restart reads the files again', async () => {
  const platform = fakePlatform();
  platform.files.set('boot/kernel', new SmallGuest().init().print('first ').restart().elf());
  const vm = await VirtualMachine.create({ memory: 4, kernel: 'boot/kernel', platform });
  let output = '';
  vm.on('output', (bytes) => {
    output += new TextDecoder().decode(bytes);
  });
  vm.on('restart', () => {
    output += '| ';
  });
  platform.files.set('boot/kernel', new SmallGuest().init().print('second').powerOff().elf());
  vm.run();
  assert.equal((await vm.ended).reason, 'power-off');
  assert.equal(output, 'first | second');
});

test('a file that is gone at a restart ends the machine with a sentence', async () => {
  const platform = fakePlatform();
  platform.files.set('kernel', new SmallGuest().init().restart().elf());
  const vm = await VirtualMachine.create({ memory: 4, kernel: 'kernel', platform });
  platform.files.clear();
  vm.run();
  await assert.rejects(vm.ended, new LaunchError('kernel does not exist: check the name of the kernel.'));
});

test('reset and stop from outside', async () => {
  const { vm } = await createMachine(new SmallGuest().init().print('boot').loop());
  const boots: number[] = [];
  vm.on('output', () => {
    boots.push(vm.stats().restarts);
    if (boots.length < 3) vm.reset();
    else void vm.stop();
  });
  vm.run();
  assert.deepEqual(await vm.ended, { reason: 'stopped', text: 'stopped' });
  assert.deepEqual(boots, [0, 1, 2]);
});

test('a machine that never ran can be stopped, and `await using` does it', async () => {
  let ended: Promise<unknown>;
  {
    await using vm = await VirtualMachine.start({ memory: 4, kernel: new SmallGuest().init().loop().elf() });
    ended = vm.ended;
  }
  assert.deepEqual(await ended, { reason: 'stopped', text: 'stopped' });
  const { vm } = await createMachine(new SmallGuest().init().loop());
  assert.equal((await vm.stop()).reason, 'stopped');
});

test('a saved machine goes on in another one', async () => {
  const guest = new SmallGuest()
    .init()
    .timer()
    .print('a')
    .sleep(5_000_000)
    .print('b')
    .sleep(5_000_000)
    .print('c')
    .powerOff();
  const first = await createMachine(guest);
  let snapshot: ReturnType<VirtualMachine['save']> | undefined;
  first.vm.on('interrupt', () => first.vm.pause());
  first.vm.run();
  // One look at the event loop after each turn is enough for the pause to have taken effect.
  while (first.output() !== 'ab') await new Promise((resolve) => setImmediate(resolve));
  first.vm.write('typed ahead');
  snapshot = first.vm.save();
  await first.vm.stop();

  const second = await createMachine(new SmallGuest().init().loop());
  second.vm.load(structuredClone(snapshot));
  second.vm.run();
  assert.equal((await second.vm.ended).reason, 'power-off');
  assert.equal(second.output(), 'c');
  assert.ok(second.vm.save().clock.nowNs >= 10_000_000);

  const other = await createMachine(guest, { memory: 8 });
  assert.throws(() => other.vm.load(snapshot), LaunchError);
});

test('listeners hear what the guest asks', async () => {
  const { vm } = await createMachine(new SmallGuest().init().timer().sleep(1000).code(0x0f, 0x0b).loop());
  const heard: unknown[] = [];
  vm.on('initialised', ({ generation }) => heard.push(generation.tag));
  vm.on('hypercall', (call, args) => heard.push([call, args[0]]));
  vm.on('interrupt', (irq) => heard.push(`irq ${irq}`));
  vm.on('trap', (vector) => heard.push(`trap ${vector}`));
  const forget = vm.on('ended', () => heard.push('never'));
  vm.on('ended', ({ reason }) => heard.push(reason));
  forget();
  vm.run();
  await vm.ended;
  assert.deepEqual(heard, [[1, 0x11_0000], 'C2', [6, 0x20], [9, 1000], [10, 0], 'irq 0', 'trap 6', 'killed']);
});

test('traces: what was asked for, and nothing else', async () => {
  const guest = new SmallGuest().init().timer().sleep(1000).label('end').powerOff();
  const trace = async (...topics: ('hypercalls' | 'traps' | 'interrupts' | 'instructions')[]) => {
    let text = '';
    await runMachine(guest, { trace: { topics, write: (lines) => (text += lines) } });
    return text.split('\n').slice(0, -1);
  };
  assert.deepEqual(
    (await trace('hypercalls')).map((line) => line.replace(/^ *\d+ (hypercall \w+).*/, '$1')),
    ['LGUEST_INIT', 'LOAD_IDT_ENTRY', 'SET_CLOCKEVENT', 'HALT', 'SHUTDOWN'].map((name) => `hypercall ${name}`),
  );
  assert.match((await trace('interrupts')).join(), /^ +\d+ interrupt 0 \(timer\) at eip=0x[0-9a-f]+ <end>$/);
  const steps = await trace('instructions', 'interrupts');
  const at = steps.findIndex((line) => line.includes('interrupt 0'));
  assert.match(steps[at - 1]!, / 0x[0-9a-f]+ 0f01c1 +vmcall$/);
  // Behind the interrupt comes its handler, which begins with the store that turns interrupts on again.
  assert.match(steps[at + 1]!, / 0x100014 c705\w+ mov dword \[0x110000\],0x200$/);
  assert.match(steps.at(-1)!, /<end\+0x14>$/);
});

test('an instruction that crosses a page is shown whole', async () => {
  const guest = new SmallGuest().init();
  while (guest.here < 0x10_0ffd) guest.code(0x90);
  let text = '';
  const trace = { topics: ['instructions'] as const, write: (lines: string) => void (text += lines) };
  await runMachine(guest.move('eax', 0x1234_5678).powerOff(), { trace });
  assert.match(text, /^ +\d+ 0x100ffd b878563412 +mov eax,0x12345678$/m);
});

test('the trace can be off at first, and switched', async () => {
  let text = '';
  const trace = { topics: ['hypercalls'] as const, enabled: false, write: (lines: string) => void (text += lines) };
  const { vm } = await createMachine(new SmallGuest().init().print('on').print('off').powerOff(), { trace });
  vm.on('output', (bytes) => {
    vm.tracing = bytes[1] === 0x6e;
  });
  vm.run();
  await vm.ended;
  assert.match(text, /^ +\d+ hypercall NOTIFY 0x[0-9a-f]+ "off"\n$/);
});

test('torture changes nothing the guest can see', async () => {
  const guest = new SmallGuest().init().timer().sleep(1000).print('same').powerOff();
  for (const torture of [{ flushTlbEvery: 3 }, { oneInstructionBlocks: true }, { interruptStorm: 500 }]) {
    const { ending, output } = await runMachine(guest, { torture });
    assert.deepEqual([ending.reason, output], ['power-off', 'same']);
    const translated = await runMachine(guest, { torture: { ...torture, translateAtOnce: true } });
    assert.deepEqual([translated.ending.reason, translated.output], ['power-off', 'same']);
  }
});

test('what cannot be started says why', async () => {
  const platform = fakePlatform();
  const kernel = new SmallGuest().init().loop().elf();
  platform.files.set('dir/not-a-kernel', new Uint8Array(100));
  const cases: [VirtualMachineOptions, RegExp][] = [
    [{ kernel: 'nowhere' }, /^nowhere does not exist: check the name of the kernel\.$/],
    [{ kernel, initrd: 'nowhere' }, /^nowhere does not exist: check the name of the initrd\.$/],
    [{ kernel: 'nowhere', initrd: 'neither' }, /^nowhere does not exist: check the name of the kernel\.$/],
    [{ kernel: 'dir/not-a-kernel' }, /^not-a-kernel: This doesn't look like a bzImage to me/],
    [{ kernel, memory: 0 }, /^a guest cannot live without memory/],
    [{ kernel, memory: '1G' }, /^1G of memory is too much/],
    [{ kernel, memory: 'lots' }, /^'lots' is not a memory size/],
    [{ kernel, memory: '2G' }, /^2G of memory is too much: the pc board takes/],
    [{ kernel, initrd: new Uint8Array(5 << 20), memory: 4 }, /^the initrd \(5 MB\) does not fit: the guest has 4 MB/],
    [{ kernel, symbols: 'dir/not-a-kernel' }, /^not-a-kernel has no symbols in it/],
  ];
  for (const [options, sentence] of cases) {
    const error = await VirtualMachine.create({ platform, ...options }).catch((reason: Error) => reason);
    assert.ok(error instanceof LaunchError || error instanceof BootError, String(error));
    assert.match(error.message, sentence);
  }
});

test('every trouble with a file is one sentence', async () => {
  const platform = fakePlatform();
  const sentences: [FileProblem, string][] = [
    ['missing', 'a/k does not exist: check the name of the kernel.'],
    ['directory', 'a/k is a directory: name the file that is the kernel.'],
    ['forbidden', 'a/k may not be read by you: change its permissions, or name another file as the kernel.'],
    ['unreadable', 'a/k could not be read (EIO): check the kernel and the disk or network it is on.'],
  ];
  for (const [problem, sentence] of sentences) {
    platform.readFile = async (path) => {
      throw new FileError(path, problem, 'EIO');
    };
    await assert.rejects(VirtualMachine.create({ kernel: 'a/k', platform }), new LaunchError(sentence));
  }
});

test('a reader that cannot keep up holds the guest', async () => {
  const guest = new SmallGuest().init();
  for (let i = 0; i < 5; i++) guest.print('x');
  const platform = fakePlatform();
  let written = 0;
  let ready: Promise<void> | undefined;
  let catchUp = (): void => {};
  const vm = await VirtualMachine.create({
    memory: 4,
    kernel: guest.timer().sleep(1_000_000).print('y').powerOff().elf(),
    platform,
    output: {
      write: () => {
        written++;
        ready ??= new Promise((resolve) => {
          catchUp = () => {
            ready = undefined;
            resolve();
          };
        });
      },
      ready: () => ready,
    },
  });
  vm.run();
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(written, 5);
  catchUp();
  await vm.ended;
  assert.equal(written, 6);
});
