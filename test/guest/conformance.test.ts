import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  assembleConformanceGuest,
  CONFORMANCE_CASES,
  type ConformanceCase,
  VARIANTS,
  type VariantName,
} from '../../guest/index.js';
import type { Assembly } from '../../guest/assembler/index.js';
import { type Ending, type TortureOptions, VirtualMachine, type VirtualMachineOptions } from '../../src/vm/index.js';

/**
 * The conformance guest in all its dialects. Time is virtual, so every run of a case is the same run on every computer.
 */

/** No case needs a tenth of it. */
const MOST_INSTRUCTIONS = 200_000_000;

interface Outcome {
  readonly ending: Ending;
  readonly output: string;
  readonly restarts: number;
}

/** Every dialect is assembled once. */
const assemblies = new Map<VariantName, Assembly>();

function assembled(name: VariantName): Assembly {
  let assembly = assemblies.get(name);
  if (assembly === undefined) {
    assembly = assembleConformanceGuest(name);
    assemblies.set(name, assembly);
  }
  return assembly;
}

async function launch(name: VariantName, words: string, options: Partial<VirtualMachineOptions>): Promise<Outcome> {
  let output = '';
  const vm = await VirtualMachine.create({
    kernel: assembled(name).elf,
    append: words,
    memory: 8,
    clock: 'virtual',
    input: new Uint8Array(0),
    maxInstructions: MOST_INSTRUCTIONS,
    ...options,
  });
  let restarts = 0;
  vm.on('output', (bytes) => {
    output += String.fromCharCode(...bytes);
  });
  vm.on('restart', () => {
    restarts++;
    void vm.stop();
  });
  vm.run();
  return { ending: await vm.ended, output, restarts };
}

/** What a case wants from outside. */
function given(each: ConformanceCase, name: VariantName): Partial<VirtualMachineOptions> {
  if (each.id === 'T02') return { memory: 64 };
  if (each.needs === 'initrd') return { initrd: Uint8Array.from({ length: 5000 }, (_, i) => 7 * i + 3) };
  if (each.needs === 'input') return { input: 'x' };
  if (each.needs === 'override') return { generation: name.slice(0, 2) as 'C1' };
  return {};
}

/** Fills in `{symbol}`. */
function killText(name: VariantName, text: string): string {
  return text.replace(/\{(\w+)\}/g, (_, symbol: string) => {
    const address = assembled(name).symbols.get(symbol);
    assert.ok(address !== undefined, `no symbol ${symbol}`);
    return `0x${address.toString(16)}`;
  });
}

async function runAlone(each: ConformanceCase, name: VariantName): Promise<void> {
  const words = [`case=${each.id}`, ...each.arguments].join(' ');
  const { ending, output, restarts } = await launch(name, words, given(each, name));
  const seen = `${ending.reason}: ${ending.text}\n${output}`;
  assert.doesNotMatch(output, /FAIL/, seen);
  if (each.expected === 'restart') assert.equal(restarts, 1, seen);
  else if (each.expected === 'power-off') {
    assert.deepEqual(ending, { reason: 'power-off', text: 'Power down' });
  } else if (each.expected === 'pass-line') {
    assert.match(output, new RegExp(`^${each.id} pass`, 'm'), seen);
    assert.equal(ending.reason, 'power-off', seen);
  } else {
    const { kill } = each.expected;
    assert.equal(ending.reason, 'killed', seen);
    if (typeof kill === 'string') assert.equal(ending.text, killText(name, kill), seen);
    else assert.match(ending.text, kill, seen);
  }
}

/** All cases that end normally, in one life; none may fail, and none may be missing. */
async function runTogether(name: VariantName, torture: TortureOptions, words = ''): Promise<string> {
  const { ending, output } = await launch(name, `case=all${words}`, { torture });
  assert.doesNotMatch(output, /FAIL/, output);
  assert.equal(ending.reason, 'power-off', `${ending.reason}: ${ending.text}\n${output}`);
  const passed = [...output.matchAll(/^(\w+) pass /gm)].map((match) => match[1]);
  const wanted = CONFORMANCE_CASES.filter(
    (each) =>
      each.inAll &&
      each.needs === undefined &&
      each.variants.includes(name) &&
      !(words === ' storm' && each.countsInterrupts),
  );
  assert.deepEqual(passed.sort(), wanted.map((each) => each.id).sort());
  return output;
}

for (const { name } of VARIANTS) {
  describe(`conformance guest ${name}`, () => {
    // Whatever ends normally runs in one life, the others in one of their own.
    let together: Promise<Outcome> | undefined;
    for (const each of CONFORMANCE_CASES) {
      if (!each.variants.includes(name)) continue;
      it(`${each.id}: ${each.title}`, async () => {
        if (!each.inAll || each.needs !== undefined || each.arguments.length > 0) return runAlone(each, name);
        together ??= launch(name, 'case=all', {});
        const { output } = await together;
        assert.match(output, new RegExp(`^${each.id} pass`, 'm'));
        assert.doesNotMatch(output, new RegExp(`^${each.id} FAIL`, 'm'));
      });
    }
    const torments: readonly (readonly [string, TortureOptions])[] = [
      ['all in one life', {}],
      ['while the TLB is emptied every 41 instructions', { flushTlbEvery: 41 }],
      ['in blocks of one instruction', { oneInstructionBlocks: true }],
      ['saved, and loaded into another machine, every 5,000,011 instructions', { saveEvery: 5_000_011 }],
    ];
    for (const [how, torture] of torments) {
      it(how, async () => {
        await runTogether(name, torture);
      });
    }
    for (const every of [97, 109, 131, 151]) {
      it(`with a timer interrupt every ${every} instructions`, async () => {
        const output = await runTogether(name, { interruptStorm: every }, ' storm');
        const [, storms] = /^(\d+) interrupts of the storm/m.exec(output) ?? [];
        assert.ok(Number(storms) >= 30, output);
      });
    }
  });
}

describe('the suite', () => {
  it('has every case of lguest-abi §13 that applies to C1 to D2', () => {
    const present = new Set(CONFORMANCE_CASES.map((each) => each.id));
    const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
    const elsewhere = new Set([
      ...[4, 5], // kernel files: test/boot/linux-boot.test.ts
      ...[9, 41, 58, 88], // other generations
      14, // detection: test/host/initialise.test.ts
      ...[67, 68, 69], // there are none
    ]);
    const missing = [...range(1, 90), 91, 92, 93, 94, 95, 102, 103, ...range(114, 117)]
      .filter((number) => !elsewhere.has(number))
      .map((number) => `T${String(number).padStart(2, '0')}`)
      .filter((id) => !present.has(id));
    assert.deepEqual(missing, []);
  });
});
