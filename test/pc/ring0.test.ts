/** The ring-0 test kernel prints the same on our machine as in qemu (recorded by tools/record-ring0.ts). */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { assembleRing0Kernel, RING0_CHECKS, RING0_EXIT } from '../../guest/ring0/index.js';
import { VirtualMachine, type VirtualMachineOptions } from '../../src/vm/index.js';

const recorded = readFileSync('test/pc/fixtures/ring0-qemu.txt', 'latin1');
const [head, ...lines] = recorded.split('\n');
const { elf } = assembleRing0Kernel();

async function runKernel(options: Partial<VirtualMachineOptions> = {}) {
  const vm = await VirtualMachine.create({
    kernel: elf,
    memory: 64,
    clock: 'virtual',
    debugExitPort: 0xf4,
    maxInstructions: 50_000_000,
    ...options,
  });
  let output = '';
  vm.on('output', (bytes) => {
    output += new TextDecoder('latin1').decode(bytes);
  });
  vm.run();
  return { ending: await vm.ended, output, instructions: vm.instructions };
}

test('the recording is of this kernel: otherwise record it anew', () => {
  assert.equal(head, `kernel ${createHash('sha256').update(elf).digest('hex')}`);
  assert.equal(lines.length, RING0_CHECKS.length + 2);
});

test('every line is the same as in qemu', async () => {
  const { ending, output } = await runKernel();
  assert.deepEqual(output.split('\n'), lines);
  assert.equal(ending.reason, 'power-off');
  assert.equal(ending.exitStatus, RING0_EXIT * 2 + 1);
});

for (const [name, torture] of Object.entries({
  'blocks of one instruction': { oneInstructionBlocks: true },
  'TLB flushed all the time': { flushTlbEvery: 3 },
  'turns of seven instructions': { interruptStorm: 500 },
})) {
  test(`and with ${name}`, async () => {
    assert.deepEqual((await runKernel({ torture })).output.split('\n'), lines);
  });
}

test('and translated at once', async () => {
  const interpreted = await runKernel({ jit: false });
  const { output, instructions } = await runKernel({ jit: true, torture: { translateAtOnce: true } });
  assert.deepEqual(output.split('\n'), lines);
  assert.equal(instructions, interpreted.instructions);
});

test('with the virtual clock every run takes the same instructions', async () => {
  assert.equal((await runKernel()).instructions, (await runKernel()).instructions);
});
