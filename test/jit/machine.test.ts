import assert from 'node:assert/strict';
import test from 'node:test';
import { buildConformanceGuest, VARIANTS, type VariantName } from '../../guest/index.js';
import { createNodePlatform } from '../../src/platform/node.js';
import { VirtualMachine, type VirtualMachineOptions } from '../../src/vm/index.js';

/** The conformance guest, translated in every way there is: it must not notice. */

interface Result {
  readonly ending: string;
  readonly output: string;
  readonly instructions: number;
  readonly translated: number;
}

async function run(variant: VariantName, options: Partial<VirtualMachineOptions>): Promise<Result> {
  let output = '';
  const vm = await VirtualMachine.create({
    kernel: buildConformanceGuest(variant),
    memory: 64,
    clock: 'virtual',
    platform: createNodePlatform(),
    input: '',
    output: {
      write: (bytes) => {
        output += Buffer.from(bytes).toString('latin1');
      },
    },
    ...options,
  });
  vm.run();
  const { reason, text } = await vm.ended;
  const { instructions, translation } = vm.stats();
  return { ending: `${reason} ${text}`, output, instructions, translated: translation?.translated ?? 0 };
}

const WAYS: Record<string, Partial<VirtualMachineOptions>> = {
  'when it is hot': {},
  'at once': { torture: { translateAtOnce: true } },
  'and thrown away all the time': { torture: { translateAtOnce: true, dropTranslationsEvery: 100_000 } },
};

for (const { name } of VARIANTS) {
  test(`${name} runs the same interpreted and translated`, async () => {
    const interpreted = await run(name, { jit: false });
    assert.match(interpreted.output, /T\d+ pass/);
    // Compiling everything takes a while; one dialect is enough for the slower ways.
    const ways = name === 'C2' ? Object.keys(WAYS) : ['at once'];
    for (const way of ways) {
      const { translated, ...result } = await run(name, WAYS[way]!);
      assert.deepEqual({ ...result, translated: 0 }, interpreted, way);
      assert.ok(translated > 0);
    }
  });
}
