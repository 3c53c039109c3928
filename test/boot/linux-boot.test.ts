import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BootError } from '../../src/boot/boot-error.js';
import { type LoadedKernel, loadLguestKernel } from '../../src/boot/linux-boot.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { ascii, buildBzImage, buildElf, hex } from '../formats/kernel-files.js';

const MB = 0x10_0000;
const code = Uint8Array.from({ length: 300 }, (_, index) => index & 0xff);
const elf = buildElf(0x10_0000, [
  { physicalAddress: 0x10_0000, data: code },
  { physicalAddress: 0x20_0000, data: code.subarray(0, 100), memoryBytes: 0x5000 },
]);

interface Boot {
  kernel: Uint8Array;
  name?: string;
  ramBytes?: number;
  initrd?: Uint8Array;
  words?: string[];
  memory?: GuestMemory;
}

function load({ kernel, name = 'vmlinux', ramBytes = 64 * MB, initrd, words = [], memory }: Boot): LoadedKernel {
  return loadLguestKernel({
    memory: memory ?? new GuestMemory(ramBytes + MB),
    ramBytes,
    kernel: { name, bytes: kernel },
    initrd: initrd === undefined ? undefined : { name: 'initrd.gz', bytes: initrd },
    kernelArguments: words,
  });
}

function rejects(boot: Boot, message: string | RegExp): void {
  assert.throws(
    () => load(boot),
    (error: unknown) => {
      assert.ok(error instanceof BootError, String(error));
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    },
  );
}

/** Addresses and values of all non-zero bytes in `[from, to)`. */
function nonZero(memory: GuestMemory, from: number, to: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (let gpa = from; gpa < to; gpa++) if (memory.read8(gpa) !== 0) found[gpa.toString(16)] = memory.read8(gpa);
  return found;
}

describe('zero page', () => {
  it('T02: has exactly the bytes of the original for an ELF kernel', () => {
    const memory = new GuestMemory(65 * MB);
    const loaded = load({ kernel: elf, memory, words: ['a', 'b'] });
    assert.equal(loaded.entry, 0x10_0000);
    assert.equal(loaded.tablesTop, 64 * MB);
    assert.deepEqual(nonZero(memory, 0, 0x1000), {
      '1e8': 1,
      '206': 7,
      '207': 2,
      '211': 0x40,
      '229': 0x10, // command line at 0x1000
      '233': 1, // kernel_alignment 0x1000000
      '23c': 1, // hardware_subarch
      '2db': 4, // e820[0]: 64 MB …
      '2e0': 1, // … of RAM
    });
    assert.equal(memory.read64(0x2d0), 0n);
    assert.equal(memory.read64(0x2d8), 0x400_0000n);
    assert.deepEqual(memory.bytes(0x1000, 4), ascii('a b\0'));
    assert.deepEqual(Object.keys(nonZero(memory, 0x1000, 0x10_0000)).length, 3);
  });

  it('T03: describes the initrd with its page-rounded size', () => {
    const memory = new GuestMemory(65 * MB);
    const initrd = new Uint8Array(5000).fill(0xa5);
    const loaded = load({ kernel: elf, memory, initrd });
    const gpa = 64 * MB - 8192;
    assert.deepEqual(loaded.initrd, { gpa, bytes: 8192 });
    assert.equal(loaded.tablesTop, gpa);
    assert.equal(memory.read32(0x21c), 8192);
    assert.equal(memory.read32(0x218), gpa);
    assert.equal(memory.read8(0x210), 0xff);
    assert.deepEqual(memory.bytes(gpa, 5000), initrd);
    assert.deepEqual(memory.bytes(gpa + 5000, 3192), new Uint8Array(3192));
    assert.equal(memory.read32(64 * MB), 0);
  });

  it('T04: finds the code of a bzImage behind the setup sectors', () => {
    const memory = new GuestMemory(65 * MB);
    const file = buildBzImage({ entry: 0x10_0010 });
    const loaded = load({ kernel: file, memory, name: 'vmlinuz' });
    assert.equal(loaded.entry, 0x10_0010);
    assert.deepEqual(memory.bytes(0x10_0000, 4096), file.subarray(1024));
    assert.equal(memory.read8(0x10_1000), 0);
  });

  it('passes a bzImage header on, corrected where lguest needs it', () => {
    const memory = new GuestMemory(65 * MB);
    const file = buildBzImage();
    file[0x1ef] = 0xff;
    file.fill(0x77, 0x268, 0x300);
    load({ kernel: file, memory, name: 'vmlinuz' });
    const expected = file.slice(0x1f1, 0x268);
    const set = (offset: number, ...bytes: number[]): void => expected.set(bytes, offset - 0x1f1);
    set(0x1f2, 0, 0); // root read-only
    set(0x1fc, 0, 0); // root device
    set(0x206, 7, 2);
    set(0x211, 0x41);
    set(0x228, 0, 0x10, 0, 0);
    set(0x23c, 1, 0, 0, 0);
    assert.deepEqual(memory.bytes(0x1f1, 0x77), expected);
    assert.equal(memory.read32(0x230), 0x40_0000);
    assert.equal(memory.read8(0x1ef), 0);
    assert.deepEqual(nonZero(memory, 0x268, 0x2d0), {});
  });

  it('sets kernel_alignment when the header has none', () => {
    const memory = new GuestMemory(65 * MB);
    load({ kernel: buildBzImage({ protocol: 0x204 }), memory });
    assert.equal(memory.read32(0x230), 0x100_0000);
  });

  it('takes kernel arguments up to what the kernel reads', () => {
    load({ kernel: elf, words: ['x'.repeat(2047)] });
    rejects(
      { kernel: elf, words: ['x'.repeat(2048)] },
      'the kernel arguments are too long: 2048 bytes, vmlinux takes 2047.',
    );
    rejects({ kernel: elf, words: ['a\0b'] }, /NUL/);
    const memory = new GuestMemory(65 * MB);
    load({ kernel: elf, memory, words: ['init=/ä'] });
    assert.deepEqual(memory.bytes(0x1000, 9), Uint8Array.of(...ascii('init=/'), 0xc3, 0xa4, 0));
  });
});

describe('loading', () => {
  it('puts ELF segments at their physical addresses', () => {
    const memory = new GuestMemory(65 * MB);
    const loaded = load({ kernel: elf, memory });
    assert.deepEqual(memory.bytes(0x10_0000, 300), code);
    assert.deepEqual(memory.bytes(0x20_0000, 100), code.subarray(0, 100));
    assert.equal(loaded.kernelEnd, 0x20_5000);
    assert.deepEqual(loaded.report, [
      'vmlinux: 300 of 300 bytes at 0x100000',
      'vmlinux: 100 of 20480 bytes at 0x200000',
    ]);
  });

  it('refuses what does not fit, with a size that would', () => {
    const large = buildElf(0x10_0000, [{ physicalAddress: 0x10_0000, data: code, memoryBytes: 19 * MB + 1 }]);
    rejects(
      { kernel: large, ramBytes: 16 * MB },
      'vmlinux does not fit: it reaches up to 21 MB, the guest has 16 MB. Give it more, e.g. 64.',
    );
    rejects(
      { kernel: buildBzImage({ preferredAddress: 16 * MB, initBytes: 8 * MB }), name: 'vmlinuz', ramBytes: 16 * MB },
      'vmlinuz does not fit: it reaches up to 24 MB, the guest has 16 MB. Give it more, e.g. 64.',
    );
    const virtual = buildElf(0xc010_0000, [{ physicalAddress: 0xc010_0000, data: code }]);
    rejects({ kernel: virtual }, /does not look like a kernel that is loaded at physical addresses/);
  });

  it('refuses an initrd that does not fit, with a size that would', () => {
    // Only its length counts; this one takes no memory of its own.
    const initrd = new Uint8Array(412 * MB);
    rejects({ kernel: elf, initrd }, 'initrd.gz (412 MB) does not fit: the guest has 64 MB. Give it more, e.g. 640.');
    rejects(
      { kernel: elf, initrd: new Uint8Array(62 * MB) },
      'initrd.gz (62 MB) does not fit: the guest has 64 MB and the kernel takes 3 MB. Give it more, e.g. 128.',
    );
    rejects({ kernel: elf, initrd: new Uint8Array(0) }, /^initrd.gz is empty/);
  });

  it('leaves memory alone when it fails', () => {
    const memory = new GuestMemory(5 * MB);
    rejects({ kernel: elf, memory, ramBytes: 4 * MB, initrd: new Uint8Array(5 * MB) }, /does not fit/);
    rejects({ kernel: elf, memory, ramBytes: 4 * MB, words: ['x'.repeat(3000)] }, /too long/);
    assert.ok(memory.bytes(0, memory.size).every((byte) => byte === 0));
  });

  it('refuses an ELF entry outside of what is loaded', () => {
    rejects({ kernel: buildElf(0x30_0000, [{ physicalAddress: 0x10_0000, data: code }]) }, /its entry 0x300000/);
  });
});

describe('what kernel it is', () => {
  it('T05: knows what is no kernel', () => {
    const message = "notes.txt: This doesn't look like a bzImage to me, nor like an ELF file.";
    rejects({ kernel: ascii('Hello'), name: 'notes.txt' }, message);
    rejects({ kernel: new Uint8Array(5000), name: 'notes.txt' }, message);
    rejects({ kernel: hex('1f 8b 08 00'), name: 'vmlinux.gz' }, /packed with gzip, unpack it first\.$/);
    rejects({ kernel: new Uint8Array(0) }, 'vmlinux is empty: give it a Linux kernel (vmlinux or bzImage).');
  });

  it('turns format errors into sentences', () => {
    rejects({ kernel: elf.slice(0, 200) }, 'vmlinux is truncated: 216 bytes of its segment at 0x100000 are missing.');
    rejects(
      { kernel: buildBzImage({ protocol: 0x20c, xloadFlags: 1 }), name: 'vmlinuz' },
      'vmlinuz is a 64-bit kernel and needs a 64-bit processor; take a 32-bit (i386, 686) one.',
    );
  });

  it('tells by its release that a bzImage has no lguest support', () => {
    const name = 'vmlinuz-6.1.0-50-686';
    rejects(
      { kernel: buildBzImage({ versionText: '6.1.0-50-686 (debian-kernel@lists.debian.org) #1' }), name },
      'vmlinuz-6.1.0-50-686 has no lguest support (Linux dropped it in 4.14); it boots on the pc board: leave out --board=lguest.',
    );
    rejects({ kernel: buildBzImage({ versionText: '4.14.0' }) }, /dropped it in 4\.14/);
    rejects({ kernel: buildBzImage({ versionText: '2.6.22.19' }) }, /Linux got it in 2\.6\.23/);
    rejects({ kernel: buildBzImage({ versionText: '2.6.23' }) }, /starts unlike all later ones/);
  });

  it('guesses the generation of a bzImage from its release', () => {
    const generations = (versionText: string): readonly string[] =>
      load({ kernel: buildBzImage({ versionText }) }).identity.generations;
    const table = {
      '2.6.24': 'B1',
      '2.6.25-14': 'B2',
      '2.6.29.6': 'B2',
      '2.6.30': 'C1',
      '2.6.31': 'C2',
      '2.6.33.20': 'C2',
      '2.6.34': 'D1',
      '2.6.39': 'D1',
      '3.0.101': 'D1',
      '3.1': 'D2',
      '3.19.8': 'D2',
      '4.0.1': 'E1',
      '4.1': 'E2',
      '4.13.16': 'E2',
    };
    for (const [version, generation] of Object.entries(table))
      assert.deepEqual(generations(version), [generation], version);
    assert.deepEqual(load({ kernel: buildBzImage() }).identity.generations, []);
    assert.equal(load({ kernel: buildBzImage({ versionText: '2.6.32' }) }).identity.lguest, 'unknown');
  });

  /** An ELF kernel with `entryCode` somewhere in its text and `texts` in its data. */
  const kernelWith = (entryCode: string, ...texts: string[]): Uint8Array =>
    buildElf(0x10_0000, [
      {
        physicalAddress: 0x10_0000,
        data: Uint8Array.of(0xb8, 0xb8, 1, 0, ...(entryCode === '' ? [] : hex(entryCode)), 0x90),
      },
      { physicalAddress: 0x20_0000, data: ascii(`\0${texts.join('\0')}\0`) },
    ]);
  const C2 = 'b8 01 00 00 00 bb .. .. .. .. 0f 01 c1 bc';

  it('recognises lguest_entry in an ELF kernel', () => {
    const generations = (entryCode: string): readonly string[] =>
      load({ kernel: kernelWith(entryCode) }).identity.generations;
    assert.deepEqual(generations('b8 01 00 00 00 ba .. .. .. .. cd 1f 8b 35'), ['B1', 'B2']);
    assert.deepEqual(generations('b8 01 00 00 00 ba .. .. .. .. cd 1f bc'), ['B2']);
    assert.deepEqual(generations(C2), ['C1', 'C2']);
    assert.deepEqual(generations('b8 01 00 00 00 bb .. .. .. .. cd 1f bc'), ['D1']);
    const d2 = 'b8 01 00 00 00 bb .. .. .. .. cd 1f b8 04 00 00 00 bb .. .. .. .. cd 1f bc';
    assert.deepEqual(generations(d2), ['D2', 'E1', 'E2']);
    assert.deepEqual(generations(''), []);
  });

  it('prefers the banner, and finds it behind other text that begins like it', () => {
    const banner = 'Linux version 2.6.32.63 (a@b) (gcc) #3 Thu\n';
    const { identity } = load({ kernel: kernelWith(C2, 'Linux version %s', banner) });
    assert.equal(identity.lguest, 'yes');
    assert.deepEqual(identity.generations, ['C2']);
    assert.equal(identity.release?.text, '2.6.32.63');
    assert.equal(identity.versionText, '2.6.32.63 (a@b) (gcc) #3 Thu');
  });

  it('takes a Linux that knows the name for a guest, and one that does not for none', () => {
    assert.equal(load({ kernel: kernelWith('', 'Linux version 3.11.10', 'lguest') }).identity.lguest, 'yes');
    rejects({ kernel: kernelWith('', 'Linux version 3.11.10') }, /built without CONFIG_LGUEST_GUEST/);
    rejects({ kernel: kernelWith('', 'Linux version 5.4.0', 'lguest') }, /dropped it in 4\.14/);
    rejects({ kernel: kernelWith('', 'GenuineLguest') }, /2\.6\.23, which starts unlike/);
    assert.equal(load({ kernel: elf }).identity.lguest, 'unknown');
  });

  it('never fails on damaged files with anything but a BootError', () => {
    let state = 12345;
    const random = (bound: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    const memory = new GuestMemory(9 * MB);
    const originals = [
      kernelWith(C2, 'Linux version 2.6.32'),
      buildBzImage({ versionText: '2.6.32', payload: { offset: 0, length: 16 } }),
    ];
    const loaded = [0, 0];
    for (let round = 0; round < 4000; round++) {
      const kernel = originals[round % 2]!.slice();
      const headerBytes = round % 2 === 0 ? 120 : 0x268;
      for (let changes = 1 + random(4); changes > 0; changes--) kernel[random(headerBytes)] = random(256);
      const cut = random(4) === 0 ? kernel.slice(0, random(kernel.length)) : kernel;
      try {
        load({ kernel: cut, memory, ramBytes: 8 * MB });
        loaded[round % 2]!++;
      } catch (error) {
        assert.ok(error instanceof BootError, String(error));
        assert.match(error.message, /^.+\.$/);
      }
    }
    assert.ok(loaded[0]! > 100 && loaded[1]! > 100, `loaded: ${loaded}`);
  });
});
