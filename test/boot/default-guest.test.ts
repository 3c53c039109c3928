/**
 * The default guest, from the packages to the exit status. Needs apt and a network the first time, then the user's
 * cache. Where they are missing the test is left out, except in CI.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

const LGUEST = join(process.cwd(), 'bin', 'lguest');
/** Far more than it takes; a guest that hangs is ended by this. */
const LIMIT_SECONDS = 300;

interface Outcome {
  status: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Runs lguest with `input` on its standard input. */
function lguest(words: readonly string[], input: Uint8Array | string = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [LGUEST, ...words], { stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk) => stdout.push(chunk));
    child.stderr.on('data', (chunk) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({ status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() }),
    );
    // A guest that dies early does not read it.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** What is tried inside. Each line of output is a fact that is the same on any Linux. */
const SCRIPT = `
set -e
cat >/tmp/input
md5sum </tmp/input
cd /tmp
mkdir -p a/b && echo text >a/b/file && ln -s b/file a/link && cat a/link && rm -r a && [ ! -e a ] && echo files
seq 1 1000 | grep 7 | sort -rn | head -n 3 | tr '\\n' ' ' && echo pipes
n=0; for i in 1 2 3 4 5; do (exit $i) || n=$((n + $?)); done; echo processes $n
sh -c 'trap "echo caught; exit 3" TERM; kill -TERM $$; sleep 10' || echo signals $?
(sleep 100 & kill $!; wait $!) 2>/dev/null || echo killed $?
dd if=/dev/zero of=/tmp/zeros bs=64k count=160 2>/dev/null; md5sum </tmp/zeros
awk 'BEGIN {
  # This busybox has no sin, sqrt or powers: Machin and Newton have to do.
  for (m = 1, a = 5, b = 239; m < 60; m += 2) { s = m % 4 == 1 ? 1 : -1; pi += s * (16 / a - 4 / b) / m; a *= 25; b *= 57121 }
  for (r = n = 1; n < 10; n++) r = (r + 2 / r) / 2
  printf "%.12f %.12f %.6e %.0f\\n", pi, r, 1 / 3, 9007199254740992 + 1
}'
start=$(date +%s); sleep 1.5; end=$(date +%s); [ $((end - start)) -ge 1 ] && echo slept
echo $(($(nproc) > 0)) $(hostname) $(id -u) $(tty)
echo to standard error >&2
echo again >/dev/stderr
printf '\\000\\001\\377'
exit 42
`;

const EXPECTED = [
  'text',
  'files',
  '997 987 979 pipes',
  'processes 15',
  'caught',
  'signals 3',
  'killed 143',
  'f1c9645dbc14efddc7d8a322685f26eb  -',
  '3.141592653590 1.414213562373 3.333333e-01 9007199254740992',
  'slept',
  '1 guest 0 not a tty',
];

const image = spawnSync(process.execPath, [LGUEST, 'image', 'list'], { encoding: 'utf8' });
let unavailable = '';

describe('the default guest', () => {
  before(async () => {
    if (/^\S+ {2}debian /m.test(image.stdout)) return;
    const { status, stderr } = await lguest(['image', 'build']);
    if (status === 0) return;
    assert.equal(process.env['CI'], undefined, stderr);
    unavailable = stderr;
  });

  it('runs a script: its streams, byte for byte, and its status', async (context) => {
    if (unavailable !== '') return context.skip(unavailable);
    // Every byte value, and more than fits into any queue at once.
    const input = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7 + (index >>> 8)) & 0xff);
    const limit = `--max-seconds=${LIMIT_SECONDS}`;
    const { status, stdout, stderr } = await lguest(['run', limit, '--', 'sh', '-c', SCRIPT], input);
    const sum = createHash('md5').update(input).digest('hex');
    const lines = [`${sum}  -`, ...EXPECTED].map((line) => `${line}\n`).join('');
    assert.equal(stdout.toString('latin1'), `${lines}\x00\x01\xff`, stderr);
    assert.equal(stderr, 'to standard error\nagain\n');
    assert.equal(status, 42);
  });

  it('starts a shell on the console; its status is that of lguest', async (context) => {
    if (unavailable !== '') return context.skip(unavailable);
    const script =
      'echo $((6 * 7)) > /tmp/x; cat /tmp/x; tty; modprobe ext4 && grep -c ext4 /proc/filesystems; exit 7\n';
    const { status, stdout } = await lguest([`--max-seconds=${LIMIT_SECONDS}`], script);
    assert.match(stdout.toString(), /\r\n42\r\n\/dev\/hvc0\r\n1\r\n/);
    assert.equal(status, 7);
  });
});
