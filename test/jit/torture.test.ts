import assert from 'node:assert/strict';
import test from 'node:test';
import { buildConformanceGuest } from '../../guest/index.js';
import { assembleRing0Kernel } from '../../guest/ring0/index.js';
import { type TortureOptions, VirtualMachine, type VirtualMachineOptions } from '../../src/vm/index.js';

/**
 * Guests under torture, interpreted and translated: they print the same and take as many instructions. A short form of
 * `npm run torture`.
 */

interface Outcome {
  readonly ending: string;
  readonly output: string;
  readonly instructions: number;
}

async function run(options: VirtualMachineOptions): Promise<Outcome & { translated: number }> {
  let output = '';
  const vm = await VirtualMachine.create({ memory: 16, clock: 'virtual', input: '', ...options });
  vm.on('output', (bytes) => {
    output += String.fromCharCode(...bytes);
  });
  vm.run();
  const { reason, text } = await vm.ended;
  const { instructions, translation } = vm.stats();
  return { ending: `${reason} ${text}`, output, instructions, translated: translation?.translated ?? 0 };
}

/** What may change the guest's run, and ways of translating, which may not. */
interface Ordeal {
  readonly name: string;
  readonly machine: TortureOptions;
  readonly ways: readonly TortureOptions[];
}

const SOON: TortureOptions = { translateAfter: 20 };
const AT_ONCE: TortureOptions = { translateAtOnce: true };
const ALONE: TortureOptions = { translateAtOnce: true, oneInstructionRegions: true };

async function compare(guest: VirtualMachineOptions, { machine, ways }: Ordeal): Promise<void> {
  const { translated: none, ...interpreted } = await run({ ...guest, jit: false, torture: machine });
  assert.equal(none, 0);
  assert.match(interpreted.ending, /^power-off/);
  for (const way of ways) {
    const { translated, ...outcome } = await run({ ...guest, torture: { ...machine, ...way } });
    assert.deepEqual(outcome, interpreted, JSON.stringify(way));
    assert.ok(translated > 10, `${translated} regions: ${JSON.stringify(way)}`);
  }
}

const RING0: readonly Ordeal[] = [
  { name: 'no other torture', machine: {}, ways: [SOON, { ...AT_ONCE, dropTranslationsEvery: 10_000 }, ALONE] },
  { name: 'a TLB that is flushed all the time', machine: { flushTlbEvery: 3 }, ways: [SOON] },
  { name: 'a TLB that is flushed often', machine: { flushTlbEvery: 5000 }, ways: [AT_ONCE] },
  {
    name: 'turns of a few instructions',
    machine: { interruptStorm: 500 },
    ways: [{ ...AT_ONCE, dropTranslationsEvery: 10_000 }, ALONE],
  },
  { name: 'moves to other machines', machine: { saveEvery: 1_000_003 }, ways: [AT_ONCE] },
];

for (const ordeal of RING0) {
  test(`the ring-0 kernel does not notice translation, with ${ordeal.name}`, () =>
    compare({ kernel: assembleRing0Kernel().elf, debugExitPort: 0xf4 }, ordeal));
}

const CONFORMANCE: readonly Ordeal[] = [
  {
    name: 'a TLB that is flushed all the time',
    machine: { flushTlbEvery: 41 },
    ways: [{ ...SOON, dropTranslationsEvery: 100_000 }],
  },
  { name: 'moves to other machines', machine: { saveEvery: 5_000_011 }, ways: [SOON] },
  { name: 'interrupts everywhere', machine: { interruptStorm: 131 }, ways: [AT_ONCE] },
];

for (const ordeal of CONFORMANCE) {
  const append = ordeal.machine.interruptStorm === undefined ? 'case=all' : 'case=all storm';
  test(`nor does the conformance guest, with ${ordeal.name}`, () =>
    compare({ kernel: buildConformanceGuest('C2'), append }, ordeal));
}
