import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isElf, parseElf32 } from '../../src/formats/elf.js';
import { FormatError } from '../../src/formats/format-error.js';
import { buildElf } from './kernel-files.js';

const code = Uint8Array.from({ length: 300 }, (_, index) => index & 0xff);
const sample = (): Uint8Array =>
  buildElf(0x10_0000, [
    { physicalAddress: 0x10_0000, data: code },
    { physicalAddress: 0x20_0000, data: code.subarray(0, 100), memoryBytes: 0x5000 },
  ]);

/** The sample with one header field replaced. */
function patched(change: (view: DataView, file: Uint8Array) => void): Uint8Array {
  const file = sample();
  change(new DataView(file.buffer), file);
  return file;
}

function rejects(file: Uint8Array, message: RegExp): void {
  assert.throws(
    () => parseElf32(file),
    (error: unknown) => error instanceof FormatError && message.test(error.message),
  );
}

describe('ELF', () => {
  it('lists the segments with their physical addresses', () => {
    const image = parseElf32(sample());
    assert.equal(image.entry, 0x10_0000);
    assert.deepEqual(image.segments, [
      { fileOffset: 116, virtualAddress: 0xc010_0000, physicalAddress: 0x10_0000, fileBytes: 300, memoryBytes: 300 },
      { fileOffset: 416, virtualAddress: 0xc020_0000, physicalAddress: 0x20_0000, fileBytes: 100, memoryBytes: 0x5000 },
    ]);
  });

  it('works on a view into a larger buffer', () => {
    const large = new Uint8Array(5000);
    large.set(sample(), 777);
    assert.equal(parseElf32(large.subarray(777, 777 + sample().length)).segments.length, 2);
  });

  it('skips program headers that are not PT_LOAD', () => {
    assert.equal(parseElf32(patched((view) => view.setUint32(52, 4, true))).segments.length, 1);
  });

  it('says at every length of a cut file how many bytes are missing', () => {
    const whole = sample();
    for (let length = 4; length < whole.length; length++) {
      const end = length < 52 ? 52 : length < 116 ? 116 : length < 416 ? 416 : 516;
      const missing = end - length;
      const bytes = missing === 1 ? '1 byte' : `${missing} bytes`;
      rejects(whole.slice(0, length), new RegExp(`^is truncated: ${bytes} of its .* (is|are) missing$`));
    }
    for (let length = 0; length < 4; length++) assert.equal(isElf(whole.subarray(0, length)), false);
  });

  it('never counts more bytes missing than the part has', () => {
    rejects(
      patched((view) => view.setUint32(56, 0xffff_0000, true)),
      /^is truncated: 300 bytes of its segment at 0x100000 are missing$/,
    );
    rejects(
      patched((view) => view.setUint32(28, 0xffff_0000, true)),
      /^is truncated: 64 bytes of its program headers/,
    );
  });

  it('names the processor a file is for', () => {
    rejects(
      patched((view, file) => {
        file[4] = 2;
        view.setUint16(18, 62, true);
      }),
      /64-bit ELF file \(x86-64\) and needs a 64-bit processor/,
    );
    rejects(
      patched((view) => view.setUint16(18, 40, true)),
      /another processor \(ARM\)/,
    );
    rejects(
      patched((view, file) => {
        file[5] = 2;
        view.setUint16(18, 20, false);
      }),
      /another processor \(PowerPC\)/,
    );
    rejects(
      patched((view) => view.setUint16(18, 999, true)),
      /processor type 999/,
    );
  });

  it('keeps the original words for malformed headers', () => {
    const malformed = /Malformed elf header/;
    rejects(
      patched((view) => view.setUint16(16, 1, true)),
      malformed,
    );
    rejects(
      patched((view) => view.setUint16(42, 56, true)),
      malformed,
    );
    rejects(
      patched((view) => view.setUint16(44, 0, true)),
      malformed,
    );
    rejects(
      patched((view) => view.setUint32(72, 10, true)),
      /larger in the file than in memory/,
    );
    rejects(buildElf(0, Array(129).fill({ physicalAddress: 0x10_0000, data: code.subarray(0, 1) })), /more than 128/);
  });
});
