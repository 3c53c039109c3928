/** The command on a real terminal, which util-linux' `script` makes. Without it, terminal.test.ts has to do. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SmallGuest } from '../vm/small-guest.js';

const folder = mkdtempSync(join(tmpdir(), 'lguest-pty-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function kernel(name: string, guest: SmallGuest): string {
  const path = join(folder, name);
  writeFileSync(path, guest.elf());
  return path;
}

/**
 * Runs a command with `lguest` in it in a shell on a terminal, between two `stty -g`; types `keys`, or does
 * something else, once the guest has printed `prompt`. Resolves with everything the terminal showed.
 */
function onTerminal(line: string, prompt: string, ...keys: (string | (() => void))[]): Promise<string> {
  const command = `stty -g; ${line.replace('lguest ', `${process.execPath} bin/lguest `)}; echo "status $?"; stty -g`;
  const child = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  let typed = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (typed || !shown.includes(prompt)) return;
    typed = true;
    for (const [index, key] of keys.entries()) {
      setTimeout(() => (typeof key === 'string' ? child.stdin.write(key) : key()), 50 * index);
    }
  });
  return new Promise((resolve) => {
    child.on('close', () => resolve(shown.replaceAll('\r', '')));
  });
}

/** The terminal's settings before and after, and what was shown between them. */
function split(shown: string): { before: string; between: string; after: string } {
  const lines = shown.trimEnd().split('\n');
  return { before: lines[0]!, between: lines.slice(1, -1).join('\n'), after: lines.at(-1)! };
}

if (spawnSync('script', ['--version']).status === 0 && process.platform === 'linux') {
  const loop = kernel('loop', new SmallGuest().init().print('looping').loop());

  test('three Ctrl-C end it with status 130, and the terminal is as it was', async () => {
    const { before, between, after } = split(await onTerminal(`lguest 4 ${loop}`, 'looping', '\x03', '\x03', '\x03'));
    assert.match(
      between,
      /^lguest {2}lguest board \(generation C2, vmcall\), 4 MB, Linux 2\.6\.32\.9\nlooping\nlguest {2}ended by three Ctrl-C\nstatus 130$/,
    );
    assert.match(before, /^[0-9a-f]+:/);
    assert.equal(after, before);
  });

  test('the menu: statistics, and the end', async () => {
    const { before, between, after } = split(await onTerminal(`lguest 4 ${loop}`, 'looping', '\x1d', 's', '\x1d', 'e'));
    assert.match(between, /lguest: e end, r reset, s statistics/);
    assert.match(between, /^LGUEST_INIT +1 +0$/m);
    assert.match(between, /status 130$/);
    assert.equal(after, before);
  });

  test('a death, and a signal, restore it too', async () => {
    const dying = kernel('dying', new SmallGuest().init().print('hi').crash('the end'));
    const death = split(await onTerminal(`lguest 4 ${dying}`, 'hi'));
    assert.match(death.between, /hi\nlguest: CRASH: the end\n {8}at .*\nstatus 1$/);
    assert.equal(death.after, death.before);
    const pid = join(folder, 'pid');
    const signalled = onTerminal(`sh -c 'echo $$ >${pid}; exec lguest 4 ${loop}'`, 'looping', () =>
      process.kill(Number(readFileSync(pid, 'latin1'))),
    );
    const ended = split(await signalled);
    assert.match(ended.between, /looping(\n)?status 143$/);
    assert.equal(ended.after, ended.before);
  });
} else {
  test('there is no terminal to test on', () => {
    assert.notEqual(process.platform === 'linux' && spawnSync('script', ['--version']).status === 0, true);
  });
}
