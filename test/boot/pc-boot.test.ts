import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { describe, it } from 'node:test';
import { BootError } from '../../src/boot/boot-error.js';
import { identifyKernel } from '../../src/boot/image.js';
import { unpackPayload } from '../../src/boot/payload.js';
import { loadPcKernel } from '../../src/boot/pc-boot.js';
import { PC_BOOT } from '../../src/boot/pc-boot-params.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { buildBzImage, buildElf } from '../formats/kernel-files.js';

const MEGABYTE = 0x10_0000;
const elf = buildElf(0x100_0000, [
  { physicalAddress: 0x100_0000, data: Uint8Array.of(0xf4, 1, 2, 3), memoryBytes: 64 },
]);

/** A bzImage that holds `packed`, with the unpacked size behind it as the kernel's build puts it there. */
function packedKernel(packed: Uint8Array, size: number): Uint8Array {
  const payload = new Uint8Array(packed.length + 4);
  payload.set(packed);
  new DataView(payload.buffer).setUint32(packed.length, size, true);
  const code = new Uint8Array(4096);
  code.set(payload, 256);
  return buildBzImage({
    protocol: 0x020f,
    code,
    preferredAddress: 0x100_0000,
    initBytes: 0x1000,
    payload: { offset: 256, length: payload.length },
  });
}

async function boot(kernel: Uint8Array, options: { initrd?: Uint8Array; append?: string[]; megabytes?: number } = {}) {
  const memory = new GuestMemory((options.megabytes ?? 32) * MEGABYTE);
  const image = identifyKernel({ name: 'kernel', bytes: kernel });
  const unpacked = image.format === 'bzimage' ? await unpackPayload(image.bytes, image.bzImage) : undefined;
  const initrd = options.initrd === undefined ? undefined : { name: 'initrd', bytes: options.initrd };
  const { registers, report } = loadPcKernel({
    memory,
    kernel: image,
    unpacked,
    initrd,
    kernelArguments: options.append ?? [],
    randomSeed: Uint8Array.of(9, 8, 7),
  });
  return { memory, registers, report };
}

describe('boot on the pc board', () => {
  it('unpacks a kernel and starts it where its ELF file says', async () => {
    const { memory, registers } = await boot(packedKernel(new Uint8Array(gzipSync(elf)), elf.length));
    assert.deepEqual(registers, { eip: 0x100_0000, eax: 0, ebx: 0, esi: PC_BOOT.zeroPage });
    assert.deepEqual(memory.bytes(0x100_0000, 5), Uint8Array.of(0xf4, 1, 2, 3, 0));
  });

  it('leaves it to the guest where it cannot unpack', async () => {
    for (const packed of [Uint8Array.of(0x89, 0x4c, 0x5a, 0x4f), new Uint8Array(gzipSync(elf)).subarray(0, 60)]) {
      const kernel = packedKernel(packed, 100_000);
      const { memory, registers } = await boot(kernel);
      assert.equal(registers.eip, MEGABYTE);
      assert.deepEqual(memory.bytes(MEGABYTE, 4096), kernel.subarray(1024));
    }
  });

  it('fills the zero page: header, memory map, command line, initrd', async () => {
    const initrd = new Uint8Array(5000).fill(7);
    const kernel = packedKernel(new Uint8Array(gzipSync(elf)), elf.length);
    const { memory } = await boot(kernel, { initrd, append: ['quiet', 'x=y'] });
    const zero = PC_BOOT.zeroPage;
    assert.equal(memory.read32(zero + 0x202), 0x5372_6448);
    assert.equal(memory.read16(zero + 0x206), 0x020f);
    assert.equal(memory.read8(zero + 0x210), 0xff);
    assert.equal(memory.read8(zero + 0x1ef), 0);
    assert.equal(memory.read8(zero + 0x1e8), 3);
    assert.equal(memory.read64(zero + 0x2d0 + 40), 0x10_0000n);
    assert.equal(memory.read64(zero + 0x2d0 + 48), 31n * 0x10_0000n);
    assert.equal(memory.read32(zero + 0x228), PC_BOOT.commandLine);
    assert.equal(new TextDecoder().decode(memory.bytes(PC_BOOT.commandLine, 10)), 'quiet x=y\0');
    assert.equal(memory.read32(zero + 0x250), PC_BOOT.setupData);
    assert.deepEqual(
      [8, 12].map((offset) => memory.read32(PC_BOOT.setupData + offset)),
      [9, 3],
    );
    const at = memory.read32(zero + 0x218);
    assert.equal(memory.read32(zero + 0x21c), 5000);
    assert.equal(at, 32 * MEGABYTE - 8192);
    assert.deepEqual(memory.bytes(at, 5000), initrd);
  });

  it('gives an ELF kernel a header of its own', async () => {
    const { memory, registers } = await boot(elf);
    assert.equal(registers.eip, 0x100_0000);
    assert.equal(memory.read32(PC_BOOT.zeroPage + 0x202), 0x5372_6448);
  });

  it('says what does not fit', async () => {
    await assert.rejects(
      boot(elf, { megabytes: 8 }),
      (error) => error instanceof BootError && /Give it more/.test(error.message),
    );
    await assert.rejects(boot(elf, { initrd: new Uint8Array(20 * MEGABYTE) }), /initrd \(20 MB\) does not fit/);
  });
});
