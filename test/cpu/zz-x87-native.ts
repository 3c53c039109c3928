// temporary: native comparison of the x87 layer (not committed)
import { spawnSync } from 'node:child_process';
import { EXIT } from '../../src/cpu/exit.js';
import { STATE } from '../../src/memory/layout.js';
import { createMachine } from './machine-code.js';

let seed = Number(process.argv[3] ?? 1) >>> 0;
const rnd = (n: number): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * n);
};
const pick = <T>(a: readonly T[]): T => a[rnd(a.length)]!;
const big64 = (): bigint => (BigInt(rnd(2 ** 32)) << 32n) | BigInt(rnd(2 ** 32));

function value(): [bigint, number] {
  const sign = rnd(2) << 15;
  const sig = pick([0n, 1n << 63n, (1n << 63n) | 1n, (1n << 64n) - 1n, 3n << 62n, (1n << 63n) | (1n << 40n), 1n, (1n << 63n) | big64() , big64(), ((1n << 63n) | big64()) & ~((1n << 40n) - 1n)]);
  switch (rnd(10)) {
    case 0: return [sig, sign];
    case 1: return [0n, sign];
    case 2: return [sig, sign | 0x7fff];
    case 3: return [sig, sign | rnd(0x8000)];
    case 4: return [sig | (1n << 63n), sign | (0x3fff - 64 + rnd(128))];
    case 5: return [sig | (1n << 63n), sign | (0x3fff - 130 + rnd(6))];
    case 6: return [sig | (1n << 63n), sign | (0x3fff + 125 + rnd(6))];
    default: return [sig | (1n << 63n), sign | (0x3fff - 3 + rnd(20))];
  }
}

interface Case { image: Uint8Array; mem: Uint8Array; flags: number; code: number[]; name: string }
const list: [string, number[]][] = [];
for (let op = 0xd8; op <= 0xdf; op++) {
  for (let reg = 0; reg < 8; reg++) list.push([`${op.toString(16)} /${reg} m`, [op, (reg << 3) | 7]]);
  for (let m = 0xc0; m < 0x100; m++) list.push([`${op.toString(16)} ${m.toString(16)}`, [op, m]]);
}
const undefinedOps = new Set<string>();
for (const [name, code] of list) {
  const [op, m] = code as [number, number];
  const mem = m < 0xc0;
  const reg = (m >> 3) & 7;
  const k = op.toString(16) + (mem ? `/${reg}` : m.toString(16));
  if (mem) {
    if ((op === 0xd9 && reg === 1) || (op === 0xdb && [1, 4, 6].includes(reg)) || (op === 0xdd && [1, 5].includes(reg)) || (op === 0xdf && reg === 1)) undefinedOps.add(name);
  } else {
    if (op === 0xd9 && ((m >= 0xd1 && m <= 0xd7) || [0xe2, 0xe3, 0xe6, 0xe7, 0xef].includes(m))) undefinedOps.add(name);
    if (op === 0xda && m >= 0xe0 && m !== 0xe9) undefinedOps.add(name);
    if (op === 0xdb && ((m >= 0xe5 && m <= 0xe7) || m >= 0xf8)) undefinedOps.add(name);
    if (op === 0xdd && m >= 0xf0) undefinedOps.add(name);
    if (op === 0xde && m >= 0xd8 && m <= 0xdf && m !== 0xd9) undefinedOps.add(name);
    if (op === 0xdf && ((m >= 0xe1 && m <= 0xe7) || m >= 0xf8)) undefinedOps.add(name);
  }
  void k;
}
for (const [o, r] of [[0xd9, 4], [0xd9, 6], [0xdd, 4], [0xdd, 6]] as const) list.push([`66 ${o.toString(16)} /${r}`, [0x66, o, (r << 3) | 7]]);
const transcendental = new Set(['d9 f0', 'd9 f1', 'd9 f2', 'd9 f3', 'd9 f9', 'd9 fb', 'd9 fe', 'd9 ff']);

function makeImage(unmasked: boolean): Uint8Array {
  const image = new Uint8Array(108);
  const v = new DataView(image.buffer);
  const cw = 0x40 | (unmasked ? rnd(64) : 0x3f) | (rnd(4) << 8) | (rnd(4) << 10);
  const top = rnd(8);
  const sw = (top << 11) | (rnd(8) << 8) | (rnd(2) << 14) | (rnd(4) === 0 ? rnd(128) & (cw | 0x40) & 0x7f : 0);
  let tag = 0;
  const empties = rnd(3);
  for (let i = 0; i < 8; i++) if (empties === 0 ? i > 4 !== false && rnd(4) > 0 && ((i - top) & 7) > 2 : empties === 1 ? rnd(3) === 0 : ((i - top) & 7) >= 4) tag |= 3 << (2 * i);
  v.setUint32(0, cw | 0xffff0000, true);
  v.setUint32(4, sw | 0xffff0000, true);
  v.setUint32(8, tag | 0xffff0000, true);
  v.setUint32(12, 0x11223344, true);
  v.setUint32(16, 0x0234_0000, true);
  v.setUint32(20, 0x55667788, true);
  v.setUint32(24, 0xffff0000, true);
  let prev: [bigint, number] = value();
  for (let i = 0; i < 8; i++) {
    const [s, e] = rnd(8) === 0 ? prev : (prev = value());
    v.setBigUint64(28 + 10 * i, s, true);
    v.setUint16(36 + 10 * i, e, true);
  }
  return image;
}

function makeCase(name: string, code: number[]): Case {
  const image = makeImage(rnd(3) === 0);
  const mem = new Uint8Array(112);
  const op = code[0]!, m = code[1]!, reg = (m >> 3) & 7;
  for (let i = 0; i < 112; i++) mem[i] = rnd(256);
  const v = new DataView(mem.buffer);
  if (m < 0xc0) {
    if (op === 0xd8 || (op === 0xd9 && reg < 4)) v.setUint32(0, pick([0, 0x80000000, 1, 0x7f800000, 0xff800000, 0x7f800001, 0xffc00000, 0x3f800000, 0x80000 , rnd(2 ** 32), 0x3f800000 + rnd(0x1000000)]), true);
    else if (op === 0xdc || (op === 0xdd && reg < 4)) v.setBigUint64(0, pick([0n, 1n << 63n, 1n, 0x7ff0n << 48n, 0xfff0n << 48n, (0x7ff0n << 48n) | 1n, 0xfff8n << 48n, 0x3ff0n << 48n, big64(), (0x3ff0n << 48n) + (big64() & 0xffffffffffffffn)]), true);
    else if (op === 0xdb && reg === 5) { const [s, e] = value(); v.setBigUint64(0, s, true); v.setUint16(8, e, true); }
    else if (op === 0xdf && reg === 4) { for (let i = 0; i < 9; i++) mem[i] = rnd(10) | (rnd(10) << 4); }
    else if (op === 0xd9 && reg === 4) { const im = makeImage(true); mem.set(im.subarray(0, 28)); v.setUint16(4, rnd(65536), true); v.setUint16(8, rnd(65536), true); }
    else if (op === 0xdd && reg === 4) { mem.set(makeImage(true)); v.setUint16(4, rnd(65536), true); v.setUint16(8, rnd(65536), true); }
  }
  return { image, mem, flags: 0x202 | (rnd(0x1000) & 0x8d5), code, name };
}

const count = Number(process.argv[2] ?? 50);
const only = process.argv[4];
const cases: Case[] = [];
for (const [name, code] of list) {
  if (undefinedOps.has(name)) continue;
  if (only && !name.startsWith(only)) continue;
  for (let i = 0; i < count; i++) cases.push(makeCase(name, code));
}
const input = new Uint8Array(cases.length * 236);
const iv = new DataView(input.buffer);
cases.forEach((c, n) => {
  input.set(c.image, n * 236);
  input.set(c.mem, n * 236 + 108);
  iv.setUint32(n * 236 + 220, c.flags, true);
  input[n * 236 + 224] = c.code.length;
  input.set(c.code, n * 236 + 225);
});
const run = spawnSync('/tmp/ts/x87/oracle', { input, maxBuffer: 1 << 30 });
if (run.status !== 0) { console.log('oracle', run.status, run.signal, run.stdout.length / 228); }
const out = run.stdout as Buffer;

const cpu = createMachine([], { at: 0x1000 });
const st = cpu.state;
const ram = cpu.memory;
const seen = new Map<string, number>();
let bad = 0;
const hex = (u: Uint8Array): string => Buffer.from(u).toString('hex');
function load(c: Case): void {
  const v = new DataView(c.image.buffer);
  const sw = v.getUint16(4, true);
  st.set(STATE.fpuControl, v.getUint16(0, true));
  st.set(STATE.fpuStatus, sw & 0x477f);
  const top = (sw >> 11) & 7;
  st.set(STATE.fpuTop, top);
  const tw = v.getUint16(8, true);
  st.set(STATE.fpuTag, tw);
  st.set(STATE.fpuIp, 0x11223344);
  st.set(STATE.fpuDp, 0x55667788);
  st.set(STATE.fpuOpcode, 0x234); st.set(STATE.fpuCs, 0); st.set(STATE.fpuDs, 0); 
  for (let i = 0; i < 8; i++) {
    const at = STATE.fpuRegisters + 16 * ((top + i) & 7);
    ram.u8.set(c.image.subarray(28 + 10 * i, 38 + 10 * i), at);
  }
  cpu.fpuStateChanged();
}
for (let n = 0; n < out.length / 228; n++) {
  const c = cases[n]!;
  load(c);
  st.registers.fill(0);
  st.registers[7] = 0x3000;
  st.eip = 0x1000;
  ram.writeBytes(0x1000, Uint8Array.from([...c.code, 0xdd, 0x35, 0x00, 0x40, 0, 0]));
  ram.writeBytes(0x3000, c.mem);
  st.eflags = c.flags;
  const why = cpu.run(2);
  const image = ram.bytes(0x4000, 108).slice();
  const mem = ram.bytes(0x3000, 112).slice();
  const oi = out.subarray(n * 228, n * 228 + 108), om = out.subarray(n * 228 + 108, n * 228 + 220);
  const of = out.readUInt32LE(n * 228 + 220), oa = out.readUInt32LE(n * 228 + 224);
  const problems: string[] = [];
  if (why !== EXIT.budget) problems.push(`exit ${why} vector ${cpu.exit.vector}`);
  // pointers are compared separately
  const strip = (u: Uint8Array, isMem: boolean): void => { void isMem; if (!process.env['PTR']) u.fill(0, 12, 28); else { u.fill(0, 12, 16); u.fill(0,20,24); } };
  const a = Uint8Array.from(image), b = Uint8Array.from(oi);
  strip(a, false); strip(b, false);
  const fn = c.code[0] === 0xd9 && c.code[1]! >> 3 === 6 && c.code[1]! < 0xc0;
  const fs = c.code[0] === 0xdd && c.code[1]! >> 3 === 6 && c.code[1]! < 0xc0;
  const ma = Uint8Array.from(mem), mb = Uint8Array.from(om);
  if (fn || fs) { if (!process.env['PTR']) { ma.fill(0, 12, 28); mb.fill(0, 12, 28); } }
  const av = new DataView(a.buffer), bv = new DataView(b.buffer);
  const tr = transcendental.has(c.name);
  for (const [what, at] of [['cw', 0], ['sw', 4], ['tw', 8], ['fcs/fop', 16], ['fds',24]] as const) {
    let x = av.getUint32(at, true), y = bv.getUint32(at, true);
    if (tr && at === 4) { x &= ~0x230; y &= ~0x230; }
    if (x !== y) problems.push(`${what} ${x.toString(16)} native ${y.toString(16)}`);
  }
  for (let i = 0; i < 8; i++) {
    const x = a.subarray(28 + 10 * i, 38 + 10 * i), y = b.subarray(28 + 10 * i, 38 + 10 * i);
    if (hex(x) !== hex(y)) {
      if (tr) {
        const l = new DataView(x.buffer, x.byteOffset, 10).getBigUint64(0, true), m = new DataView(y.buffer, y.byteOffset, 10).getBigUint64(0, true);
        const d = l > m ? l - m : m - l;
        if (d <= 2n) continue;
      }
      problems.push(`st${i} ${hex(x)} native ${hex(y)}`);
    }
  }
  if (hex(ma) !== hex(mb)) problems.push(`mem ${hex(ma.subarray(0, 28))} native ${hex(mb.subarray(0, 28))}`);
  if (((st.eflags ^ of) & 0x8d5) !== 0) problems.push(`flags ${st.eflags.toString(16)} native ${of.toString(16)}`);
  if (((st.registers[0]! ^ oa) & 0xffff) !== 0) problems.push(`ax ${st.registers[0]!.toString(16)} native ${oa.toString(16)}`);
  if (problems.length) {
    bad++;
    const k = c.name;
    seen.set(k, (seen.get(k) ?? 0) + 1);
    if (seen.get(k)! <= Number(process.env['SHOW'] ?? 2)) {
      const v = new DataView(c.image.buffer);
      const ib = (i: number): string => hex(c.image.subarray(28 + 10 * i, 38 + 10 * i));
      console.log(`${k} cw ${v.getUint16(0, true).toString(16)} sw ${v.getUint16(4, true).toString(16)} tw ${v.getUint16(8, true).toString(16)} st0 ${ib(0)} st1 ${ib(1)} sti ${ib((c.code[1]!) & 7)} mem ${hex(c.mem.subarray(0, 10))}\n    ${problems.join('\n    ')}`);
    }
  }
}
console.log(`${cases.length} cases, ${out.length / 228} answered, ${bad} differ: ${[...seen].map(([k, n]) => `${k}:${n}`).join(', ')}`);
