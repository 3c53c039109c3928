import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AssemblyError, assemble, assembleBytes } from '../../guest/assembler/index.js';
import { buildInstructionTable } from '../../guest/assembler/instructions.js';
import { RECORDED_ENCODINGS } from './encodings.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const code = (text: string) => hex(assembleBytes(text));

test('every instruction row is encoded as GNU as encodes it', () => {
  const rows = RECORDED_ENCODINGS.trim()
    .split('\n')
    .map((line) => line.split(' | ') as [string, string]);
  // All of them in one program, a label before each.
  const text = rows.map(([row], i) => `at_${i}: ${row}`).join('\n');
  const source = `section .text physical=0 virtual=0\n${text}\nat_${rows.length}:`;
  const { sections, symbols } = assemble([{ name: 'rows', text: source }]);
  const different: string[] = [];
  rows.forEach(([row, expected], i) => {
    const bytes = hex(sections[0]!.bytes.subarray(symbols.get(`at_${i}`), symbols.get(`at_${i + 1}`)));
    if (bytes !== expected) different.push(`${row}: ${bytes}, not ${expected}`);
  });
  assert.deepEqual(different, []);
  const mnemonics = new Set(rows.map(([row]) => row.split(' ')[0]));
  for (const name of buildInstructionTable().keys()) {
    const alias = /^(j|set|cmov)/.test(name);
    assert.ok(alias || mnemonics.has(name), `${name} has a recorded encoding`);
  }
});

test('prefixes stand in front of the instruction', () => {
  assert.equal(code('lock xadd [ebx], eax'), 'f00fc103');
  assert.equal(code('rep movsd'), 'f3a5');
  assert.equal(code('repne scasb'), 'f2ae');
  assert.equal(code('mov [ss:0x12345678], eax'), '36a378563412');
});

test('jumps start short and grow until they reach', () => {
  assert.equal(code('a: jmp b\n times 127 nop\n b:').length, 2 * (2 + 127));
  assert.equal(code('a: jmp b\n times 128 nop\n b:').length, 2 * (5 + 128));
  assert.equal(code('jmp near b\n b:'), 'e900000000');
  // One jump that grows pushes another one over the edge.
  assert.equal(code('jz a\n jz b\n times 124 nop\n a: times 5 nop\n b:').length, 2 * (6 + 6 + 124 + 5));
  assert.throws(() => code('jmp short b\n times 200 nop\n b:'), /too far/);
  assert.throws(() => code('a: times 200 nop\n loop a'), /too far/);
});

test('data, alignment and expressions', () => {
  assert.equal(code(`db 1, 'ab', -1\n dw 0x1234\n dd x, 2+3*4\n x: dd $`), '016162ff34120e0000000e0000000e000000');
  assert.equal(code('db 1\n align 4\n db 2'), '0190909002');
  assert.equal(code('n equ 3\n times n*2 db n'), '030303030303');
  assert.equal(
    code('a: times 5 db 0\n end:\n dd end-a, (1<<4)|1, ~0, 7/2, 7%4'),
    '0000000000' + '05000000' + '11000000' + 'ffffffff' + '03000000' + '03000000',
  );
});

test('local labels belong to the label before them', () => {
  assert.equal(code('a: .x: jmp .x\n b: .x: jmp .x\n jmp a.x'), 'ebfe' + 'ebfe' + 'ebfa');
});

test('conditions, repetitions and macros', () => {
  const assembly = assemble(
    [
      {
        name: 'm',
        text: `
          section .text physical=0x1000 virtual=0xC0001000
          %macro twice 2
          %%again: mov %1, %2
          jmp %%again
          %endmacro
          %if KIND == 1
          db 1
          %elif KIND == 2
            %if 0
            db 9
            %else
            db 2
            %endif
          %else
          db 3
          %endif
          %assign n 0
          %rep 3
          label_%[n]: db n
          %assign n n+1
          %endrep
          twice eax, [ebx] ; a comment with 'quotes"
          twice ecx, 5     /* and a block
          comment */
          db ';', "'"`,
      },
    ],
    { defines: { KIND: 2 } },
  );
  assert.equal(hex(assembly.sections[0]!.bytes), '02000102' + '8b03ebfc' + 'b905000000ebf9' + '3b27');
  assert.equal(assembly.symbols.get('label_2'), 0xc0001003);
});

test('sections have physical and virtual addresses and become ELF segments', () => {
  const { elf, entry, symbols } = assemble(
    [
      {
        name: 's',
        text: `
          section .text physical=0x100000 virtual=0xC0100000 align=4096
          nop
          start: mov eax, [value]
          jmp start + 0xC0000000
          section .data align=4096
          value: dd 0x11223344
          section .user virtual=0x40000000 align=4096
          there: dd there
          section .bss align=4096 zero
          room: resb 100
          align 64
          more: resd 2`,
      },
    ],
    { entry: 'start' },
  );
  assert.equal(entry, 0x100001);
  assert.equal(symbols.get('value'), 0xc0101000);
  assert.equal(symbols.get('there'), 0x40000000);
  assert.equal(symbols.get('more'), 0xc0103080);
  const view = new DataView(elf.buffer);
  assert.equal(view.getUint32(24, true), 0x100001);
  const segments = Array.from({ length: view.getUint16(44, true) }, (_, i) => {
    const at = view.getUint32(28, true) + 32 * i;
    return [0, 4, 8, 12, 16, 20].map((offset) => view.getUint32(at + offset, true));
  });
  assert.deepEqual(
    segments.map(([type, , virtual, physical, inFile, inMemory]) => [type, virtual, physical, inFile, inMemory]),
    [
      [1, 0xc0100000, 0x100000, 11, 11],
      [1, 0xc0101000, 0x101000, 4, 4],
      [1, 0x40000000, 0x102000, 4, 4],
      [1, 0xc0103000, 0x103000, 0, 0x88],
    ],
  );
  assert.equal(view.getUint32(segments[1]![1]!, true), 0x11223344);
  // The jump wraps around the top of the address space: at its physical place it leads to the high half.
  assert.equal(view.getInt32(segments[0]![1]! + 7, true), (0xc0000000 - 10) | 0);
});

test('mistakes are reported with their place', () => {
  assert.throws(() => code('mov eax'), /text:2: mov does not take these operands/);
  assert.throws(() => code('mov [ebx], 1'), /say byte, word or dword/);
  assert.throws(() => code('frobnicate'), /unknown instruction frobnicate/);
  assert.throws(() => code('jmp nowhere'), /unknown symbol nowhere/);
  assert.throws(() => code('a: a:'), /a is defined twice/);
  assert.throws(() => code('db 300'), /300 does not fit into 1 byte/);
  assert.throws(() => code('mov eax, [esp*2]'), AssemblyError);
  assert.throws(() => code('%if 1\nnop'), /%if without %endif/);
});
