import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { GuestConsole, type GuestTask, renderRequest } from '../../src/vm/guest-console.js';
import { ascii, buildMachine, RAM, RingDriver, text as latin1, WRITE } from '../virtio/ring-driver.js';

describe('the request to the guest', () => {
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

  it('is a line and as many bytes of shell text as it says', () => {
    const request = text(renderRequest({ command: ['echo', 'ä'], environment: { TERM: 'xterm', 'no good': 'x' } }));
    const [head, ...rest] = request.split('\n');
    const script = rest.join('\n');
    assert.equal(script, "export TERM='xterm'\nset -- 'echo' 'ä'\n");
    assert.equal(head, `run ${Buffer.byteLength(script)}`);
    assert.equal(text(renderRequest({})), 'shell 0\n');
  });

  it('brings any words through a shell', () => {
    const words = ['a b', "it's", '', '$HOME `x` "q" \\', 'line\nend', '*', '-n', 'ä€'];
    const [, ...rest] = text(renderRequest({ command: words })).split('\n');
    const script = `${rest.join('\n')}\nfor word; do printf '%s\\0' "$word"; done`;
    const { stdout } = spawnSync('sh', ['-c', script], { encoding: 'utf8' });
    assert.deepEqual(stdout.split('\0').slice(0, -1), words);
  });
});

/** A guest that knows ports and has them all open; it speaks on the control port. */
function setup(task: GuestTask = {}) {
  const events: string[] = [];
  const streams: Record<string, string> = { console: '', stdout: '', stderr: '' };
  const collect = (name: string) => (bytes: Uint8Array) => {
    streams[name] += latin1(bytes);
  };
  const device = new GuestConsole({
    task,
    output: collect('console'),
    stdout: collect('stdout'),
    stderr: collect('stderr'),
    inputWanted: () => {},
    stdinWanted: () => {},
    ready: () => events.push('ready'),
    exited: (status) => events.push(`exit ${status}`),
  });
  const { memory, transport } = buildMachine([device]);
  const ring = (queue: number) => new RingDriver(memory, 256, RAM + 0x1000 + queue * 0x3000);
  const rings = Array.from({ length: device.queueCount }, (_, queue) => ring(queue));
  memory.write8(RAM + 5 + 8 * device.queueCount + 1, 2);
  for (let index = 0; index < 64; index++) rings[2]!.offer({ gpa: 0x8000, bytes: 64, flags: WRITE });
  const send = (queue: number, bytes: Uint8Array): void => {
    memory.writeBytes(0x1000, bytes);
    rings[queue]!.offer({ gpa: 0x1000, bytes: bytes.length });
    transport.notify(rings[queue]!.gpa);
  };
  for (let port = 0; port < 5; port++) {
    send(3, Uint8Array.of(port, 0, 0, 0, 3, 0, 1, 0));
    send(3, Uint8Array.of(port, 0, 0, 0, 6, 0, 1, 0));
  }
  const outputQueues = { console: 1, stdin: 5, stdout: 7, stderr: 9, control: 11 };
  return {
    device,
    events,
    streams,
    write: (port: keyof typeof outputQueues, words: string) => send(outputQueues[port], ascii(words)),
    /** Reads what has come in on the control port. */
    readControl() {
      const input = rings[10]!;
      input.offer({ gpa: 0xa000, bytes: 0x4000, flags: WRITE });
      transport.notify(input.gpa);
      return input.usedIndex === 0 ? '' : latin1(memory.bytes(0xa000, input.usedElement(0).bytes));
    },
  };
}

describe('the console of a guest with a task', () => {
  it('keeps the streams apart', () => {
    const { write, streams } = setup();
    write('stderr', 'errors');
    write('stdout', 'output');
    write('console', 'console');
    write('stdin', 'nonsense');
    assert.deepEqual(streams, { console: 'console', stdout: 'output', stderr: 'errors' });
  });

  it('says what to do once the guest is ready, and hears what came of it', () => {
    const { write, events, readControl } = setup({ command: ['ls', '-l'] });
    write('control', 'rea');
    assert.deepEqual(events, []);
    write('control', 'dy 1\nexit 3\n');
    assert.deepEqual(events, ['ready', 'exit 3']);
    assert.equal(readControl(), "run 17\nset -- 'ls' '-l'\n");
  });

  it('passes over what it does not understand', () => {
    const { write, events, readControl } = setup();
    write('control', `${'x'.repeat(1000)}\n\nexit\nexit -1\nexit 1000\nready 2\nexit 5 \n \0\n`);
    assert.deepEqual(events, []);
    assert.equal(readControl(), '');
    write('control', 'exit 256\n');
    assert.deepEqual(events, ['exit 0']);
  });

  it('saves and loads, in the middle of a line, too', () => {
    const first = setup();
    first.write('control', 'exi');
    const second = setup();
    second.device.load(structuredClone(first.device.save()));
    second.write('control', 't 9\n');
    assert.deepEqual(second.events, ['exit 9']);
  });
});
