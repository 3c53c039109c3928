/**
 * A guest of v86, its first serial port on standard input and output:
 *
 *     node v86-guest.js FOLDER BIOS KERNEL INITRD MEGABYTES ARGUMENTS
 *
 * FOLDER is that of the npm package, BIOS one with SeaBIOS (bios.bin, vgabios.bin).
 */
import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, bios, kernel, initrd, megabytes, cmdline] = process.argv.slice(2) as [string, ...string[]];
const { V86 } = await import(pathToFileURL(join(folder, 'build/libv86.mjs')).href);
const load = async (path: string): Promise<{ buffer: ArrayBuffer }> => {
  const bytes = await readFile(path);
  return { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer };
};
const emulator = new V86({
  wasm_path: join(folder, 'build/v86.wasm'),
  memory_size: Number(megabytes) << 20,
  bios: await load(join(bios!, 'bios.bin')),
  vga_bios: await load(join(bios!, 'vgabios.bin')),
  bzimage: await load(kernel!),
  initrd: await load(initrd!),
  cmdline,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  autostart: true,
});

let line: number[] = [];
const flush = (): void => {
  if (line.length === 0) return;
  writeSync(1, Uint8Array.from(line));
  line = [];
};
emulator.add_listener('serial0-output-byte', (byte: number) => {
  line.push(byte);
  // A prompt has no end of line.
  if (byte === 10 || byte === 32) flush();
});
process.stdin.on('data', (bytes: Buffer) => emulator.serial_send_bytes(0, new Uint8Array(bytes)));
process.stdin.on('end', () => process.exit());
