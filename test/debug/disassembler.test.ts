import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { disassemble } from '../../src/debug/disassembler.js';

function text(bytes: string, eip = 0x1000, code32 = true): string {
  return disassemble(Buffer.from(bytes, 'hex'), eip, code32).text;
}

test('operands, sizes and prefixes', () => {
  assert.equal(text('8345f810'), 'add dword [ebp-8],0x10');
  assert.equal(text('b80a000000'), 'mov eax,0xa');
  assert.equal(text('668b4c9304'), 'mov cx,word [ebx+edx*4+4]');
  assert.equal(text('65a114000000'), 'mov eax,dword [gs:0x14]');
  assert.equal(text('f00fb10f'), 'lock cmpxchg dword [edi],ecx');
  assert.equal(text('8d742600'), 'lea esi,[esi]');
  assert.equal(text('678b4602'), 'mov eax,dword [bp+2]');
  assert.equal(text('8b4602', 0, false), 'mov ax,word [bp+2]');
});

test('names that depend on condition, size and repeat prefix', () => {
  assert.equal(text('7405'), 'je 0x1007');
  assert.equal(text('0f94c0'), 'sete al');
  assert.equal(text('f3a5'), 'rep movsd');
  assert.equal(text('66f2af'), 'repne scasw');
  assert.equal(text('f3a6'), 'repe cmpsb');
  assert.equal(text('6698'), 'cbw');
  assert.equal(text('98'), 'cwde');
  assert.equal(text('64a4'), 'fs movsb');
  assert.equal(text('6667f3ab'), 'rep a16 stosw');
  assert.equal(text('66c3'), 'o16 ret');
});

test('targets are addresses', () => {
  assert.equal(text('ebfe', 0xc010_0000), 'jmp 0xc0100000');
  assert.equal(text('e8fbffffff', 0x10), 'call 0x10');
  assert.equal(text('ebfe', 0xffff, false), 'jmp 0xffff');
});

test('bytes that are no instruction', () => {
  assert.deepEqual(disassemble(Uint8Array.of(0x0f, 0x0b), 0), { text: 'ud2', length: 2 });
  assert.equal(text('f0f4'), '(bad)');
  assert.equal(text('0f05'), '(bad)');
  assert.deepEqual(disassemble(Uint8Array.of(0x81, 0xc0, 0x12), 0), { text: '(incomplete)', length: 3 });
  assert.deepEqual(disassemble(new Uint8Array(20).fill(0x2e), 0), { text: '(bad)', length: 15 });
});

/** What objdump writes differently, in our notation; applied in order to both texts. */
const NOTATION: readonly (readonly [RegExp, string])[] = [
  [/\s+/g, ' '],
  [/ [<#].*$/, ''],
  [/\b(byte|word|dword|qword) ptr /g, '$1 '],
  [/\btbyte ptr /g, 'tword '],
  [/\boword /g, ''],
  [/\b[a-z]+ ptr /g, ''],
  // Segments: DS goes without saying.
  [/\b([c-g]s|ss|es):\[/g, '[$1:'],
  [/(?<!\[)\b([c-g]s|ss|es):(0x[0-9a-f]+)/g, '[$1:$2]'],
  [/\[ds:/g, '['],
  [/\+ei[zr]\*\d|\*1\b|\+0x0(?=\])/g, ''],
  [/\b0x([0-9])\b/g, '$1'],
  [/\bst\((\d)\)/g, 'st$1'],
  [/\bst(?=,|$)/g, 'st0'],
  // Prefixes that no operand shows.
  [/\b(data16|addr16|o16|a16|data32|addr32|o32|a32|[c-g]s|es|ss) (?=[a-z])/g, ''],
  // String instructions: objdump spells out the operands.
  [/\brepz\b/, 'repe'],
  [/\brepnz\b/, 'repne'],
  [/\b(movs|cmps|stos|lods|scas|ins|outs) .*?\b(byte|word|dword) .*$/, '$1$2'],
  [/\b(movs|cmps|stos|lods|scas|ins|outs)(b|w|d)[a-z]*$/, '$1$2'],
  [/\brepn?e (movs|stos|lods|ins|outs)/, 'rep $1'],
  [/^xlat .*/, 'xlat'],
  // Suffixes for prefixes that no operand shows.
  [/^(repn?e|notrack|xrelease|xacquire) (?!cmps|scas)/, ''],
  [/^(push|pop|ret|leave|enter|call|jmp|retf|[sl][gi]dt|fldenv|fnstenv|frstor|fnsave)[wd]\b/, '$1'],
  [/^(pusha|popa|pushf|popf|iret)[wd]?$/, '$1'],
  // Sizes of what has none of the usual, or only one.
  [/^(bound|l[defgs]s|invlpg|mov [a-d]l|mov e?ax)([ ,].*?)?(byte|word|dword|qword) /, '$1$2'],
  [/^mov (byte|word|dword) (\[[^\]]*\]),(al|e?ax)$/, 'mov $2,$3'],
  [/^(mov [c-gs]s,|l(?:ar|sl) \w+,)e/, '$1'],
  [/^(jmp|call) (far )?((dword )?(\[|\w+:))/, '$1 $5'],
  [/^fnstsw ax/, 'fnstsw'],
  [/\(\d*87 only\)/, ''],
  ...['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord'].map((predicate, n): [RegExp, string] => [
    new RegExp(`^cmp([ps][sd]) (.*),${n}$`),
    `cmp${predicate}$1 $2`,
  ]),
  [/^xchg (e?ax),\1/, 'nop'],
];

function normalise(text: string): string {
  return NOTATION.reduce((line, [pattern, replacement]) => line.replace(pattern, replacement), text.toLowerCase());
}

/** Control registers that do not exist, LOCK where it is not allowed, aliases that objdump does not know, hints that are NOPs to us. */
function isOurs(actual: string, expected: string): boolean {
  if (actual === '(bad)' && /^mov .*\bcr[15-7]/.test(expected)) return true;
  return (actual === '(bad)' && expected.startsWith('lock')) || /^\(bad\)$|^prefetch|^cldemote|^bnd/.test(expected);
}

test('objdump says the same', () => {
  const lines = gunzipSync(readFileSync(join(process.cwd(), 'test/vectors/disassembly.txt.gz')))
    .toString()
    .trim()
    .split('\n');
  const different: string[] = [];
  for (const line of lines) {
    const [, bits, address, hex, theirs] = /^(\d+) (\w+) (\w+) (.*)$/.exec(line)!;
    const expected = normalise(theirs!);
    const actual = normalise(text(hex!, Number.parseInt(address!, 16), bits === '32'));
    if (isOurs(actual, expected)) continue;
    if (actual !== expected) different.push(`${bits} ${hex}: ${actual}, objdump ${expected}`);
  }
  assert.equal(different.length, 0, `${different.length} of ${lines.length}\n${different.slice(0, 20).join('\n')}`);
});
