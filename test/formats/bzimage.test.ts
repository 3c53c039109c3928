import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBzImage, parseBzImage } from '../../src/formats/bzimage.js';
import { FormatError } from '../../src/formats/format-error.js';
import { buildBzImage } from './kernel-files.js';

function rejects(file: Uint8Array, message: RegExp): void {
  assert.throws(
    () => parseBzImage(file),
    (error: unknown) => error instanceof FormatError && message.test(error.message),
  );
}

describe('bzImage', () => {
  it('reads the setup header', () => {
    const image = parseBzImage(buildBzImage({ versionText: '2.6.32.63 (user@host) #1 SMP' }));
    assert.deepEqual(image, {
      protocol: 0x20a,
      codeOffset: 1024,
      codeBytes: 4096,
      entry: 0x10_0000,
      headerEnd: 0x268,
      loadFlags: 1,
      kernelAlignment: 0x40_0000,
      relocatable: true,
      is64Bit: false,
      preferredAddress: 0x40_0000,
      initBytes: 0x20_0000,
      commandLineBytes: 2047,
      versionText: '2.6.32.63 (user@host) #1 SMP',
      payloadOffset: 1024,
      payloadBytes: 0,
      initrdLimit: 0x37ff_ffff,
      compression: '',
    });
  });

  it('reads fields only from the protocol version on that has them', () => {
    const image = parseBzImage(buildBzImage({ protocol: 0x202, xloadFlags: 1 }));
    assert.equal(image.kernelAlignment, 0);
    assert.equal(image.relocatable, false);
    assert.equal(image.is64Bit, false);
    assert.equal(image.initBytes, 0);
    assert.equal(image.commandLineBytes, 255);
    assert.equal(parseBzImage(buildBzImage({ protocol: 0x209 })).initBytes, 0);
    assert.equal(parseBzImage(buildBzImage({ protocol: 0x205 })).kernelAlignment, 0x40_0000);
  });

  it('takes the bare minimum of T04: setup_sects, HdrS, code32_start', () => {
    const file = new Uint8Array(1024 + 16);
    file[0x1f1] = 1;
    file.set([0x48, 0x64, 0x72, 0x53], 0x202);
    new DataView(file.buffer).setUint32(0x214, 0x10_0000, true);
    const image = parseBzImage(file);
    assert.equal(image.codeOffset, 1024);
    assert.equal(image.entry, 0x10_0000);
    assert.equal(image.headerEnd, 0x268);
  });

  it('counts 0 setup sectors as 4', () => {
    const file = buildBzImage();
    file[0x1f1] = 0;
    assert.equal(parseBzImage(Uint8Array.from([...file, ...new Uint8Array(2048)])).codeOffset, 2560);
  });

  it('knows 64-bit kernels by flag and, before there was one, by name', () => {
    assert.equal(parseBzImage(buildBzImage({ protocol: 0x20c, xloadFlags: 1 })).is64Bit, true);
    assert.equal(parseBzImage(buildBzImage({ protocol: 0x20c, xloadFlags: 2 })).is64Bit, false);
    assert.equal(parseBzImage(buildBzImage({ versionText: '2.6.32-5-amd64 (Debian 2.6.32-48)' })).is64Bit, true);
    assert.equal(parseBzImage(buildBzImage({ versionText: '2.6.32-5-686 (built-on-amd64)' })).is64Bit, false);
  });

  it('names the compression', () => {
    const code = new Uint8Array(4096);
    code.set([0xfd, 0x37, 0x7a, 0x58, 0x5a], 0x200);
    const payload = { offset: 0x200, length: 100 };
    assert.equal(parseBzImage(buildBzImage({ code, payload })).compression, 'xz');
    code.set([0x1f, 0x8b], 0x200);
    assert.equal(parseBzImage(buildBzImage({ code, payload })).compression, 'gzip');
    code.set([1, 2], 0x200);
    assert.equal(parseBzImage(buildBzImage({ code, payload })).compression, 'unknown');
  });

  it('says at every length of a cut file how many bytes are missing', () => {
    const whole = buildBzImage({ payload: { offset: 16, length: 4080 } });
    for (let length = 0; length < 0x206; length++) assert.equal(isBzImage(whole.subarray(0, length)), false);
    for (let length = 0x206; length < whole.length; length++) {
      // The last 16-byte unit need not be full, then the packed kernel's own length decides.
      const missing = length < 1024 ? 1024 - length : Math.max(whole.length - 15 - length, 0) || whole.length - length;
      const bytes = missing === 1 ? '1 byte' : `${missing} bytes`;
      rejects(whole.slice(0, length), new RegExp(`^is truncated: ${bytes} of its .* (is|are) missing$`));
    }
    assert.equal(parseBzImage(whole).codeBytes, 4096);
  });

  it('refuses a file that ends behind its setup code', () => {
    rejects(buildBzImage({ protocol: 0x200 }).slice(0, 1024), /^is truncated: it ends behind its setup code/);
  });

  it('refuses an entry outside of the part that is loaded', () => {
    for (const entry of [0, 0x1000, 0xf_ffff, 0x10_1000, 0xffff_ffff]) rejects(buildBzImage({ entry }), /its entry 0x/);
    assert.equal(parseBzImage(buildBzImage({ entry: 0x10_0fff })).entry, 0x10_0fff);
  });

  it('survives a version pointer that leads out of the file', () => {
    const file = buildBzImage();
    new DataView(file.buffer).setUint16(0x20e, 0xffff, true);
    assert.equal(parseBzImage(file).versionText, '');
  });
});
