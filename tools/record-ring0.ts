/**
 * Records what the ring-0 test kernel prints in qemu: `node dist/tools/record-ring0.js`. Needs qemu-system-i386 (TCG).
 * Tests compare our machine's output with the recording, so they need no qemu.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assembleRing0Kernel, RING0_EXIT } from '../guest/ring0/index.js';

const FIXTURE = 'test/pc/fixtures/ring0-qemu.txt';

const folder = mkdtempSync(join(tmpdir(), 'ring0-'));
try {
  const { elf } = assembleRing0Kernel();
  const kernel = join(folder, 'ring0.elf');
  const output = join(folder, 'output');
  writeFileSync(kernel, elf);
  const machine = ['-M', 'pc', '-cpu', 'qemu32,+nx', '-m', '64', '-nodefaults', '-display', 'none', '-no-reboot'];
  const devices = ['-serial', `file:${output}`, '-device', 'isa-debug-exit,iobase=0xf4'];
  const { status } = spawnSync('qemu-system-i386', [...machine, '-kernel', kernel, ...devices], { timeout: 60_000 });
  if (status !== RING0_EXIT * 2 + 1) throw new Error(`qemu ended with ${status}`);
  const hash = createHash('sha256').update(elf).digest('hex');
  writeFileSync(FIXTURE, `kernel ${hash}\n${readFileSync(output, 'latin1')}`);
} finally {
  rmSync(folder, { recursive: true });
}
