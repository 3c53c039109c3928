import type { Builder, Row } from './builder.js';
import * as flags from './flags.js';

/** MOV, XCHG, LEA, extensions, CMOVcc, XLAT, flag moves. */

function move(b: Builder): void {
  b.write(0, b.read(1));
}

export const MOVES: readonly Row[] = [
  {
    name: 'mov',
    encodings: [
      '88 /r Eb,Gb',
      '89 /r Ev,Gv',
      '8A /r Gb,Eb',
      '8B /r Gv,Ev',
      'A0 AL,Ob',
      'A1 eAX,Ov',
      'A2 Ob,AL',
      'A3 Ov,eAX',
      'B0+r Zb,Ib',
      'B8+r Zv,Iv',
      'C6 /0 Eb,Ib',
      'C7 /0 Ev,Iv',
    ],
    access: 'w,r',
    hot: true,
    semantics: move,
  },
  {
    name: 'movzx',
    encodings: ['0F B6 /r Gv,Eb', '0F B7 /r Gv,Ew'],
    access: 'w,r',
    hot: true,
    semantics: move,
  },
  {
    name: 'movsx',
    encodings: ['0F BE /r Gv,Eb'],
    access: 'w,r',
    hot: true,
    semantics: (b) => b.write(0, b.signExtend8(b.read(1))),
  },
  {
    name: 'movsx',
    encodings: ['0F BF /r Gv,Ew'],
    access: 'w,r',
    hot: true,
    semantics: (b) => b.write(0, b.signExtend16(b.read(1))),
  },
  {
    name: 'lea',
    encodings: ['8D /r Gv,M'],
    access: 'w,-',
    hot: true,
    semantics: (b) => b.write(0, b.offset(1)),
  },
  {
    name: 'xchg',
    encodings: ['86 /r Eb,Gb', '87 /r Ev,Gv', '90+r Zv,eAX'],
    access: 'rw,rw',
    lock: true,
    semantics(b) {
      const x = b.read(0);
      const y = b.read(1);
      b.write(0, y);
      b.write(1, x);
    },
  },
  {
    name: 'cmovcc',
    encodings: ['0F 40+cc /r Gv,Ev'],
    flags: { reads: 'OSZPC' },
    access: 'rw,r',
    hot: true,
    semantics(b) {
      // The source is read, and may fault, whatever the condition says.
      const source = b.read(1);
      b.when(flags.condition(b, b.form.number), () => b.write(0, source));
    },
  },
  {
    name: 'xlat',
    encodings: ['D7'],
    addressSized: true,
    semantics(b) {
      const size = b.form.addressSize;
      const offset = b.add(b.register(3, size), b.register(0, 8));
      b.setRegister(0, 8, b.load('default', size === 16 ? b.and(offset, b.const(0xffff)) : offset, 8));
    },
  },
  {
    // CBW and CWDE
    name: 'cbw',
    encodings: ['98'],
    sized: true,
    semantics(b) {
      if (b.form.size === 16) b.setRegister(0, 16, b.signExtend8(b.register(0, 8)));
      else b.setRegister(0, 32, b.signExtend16(b.register(0, 16)));
    },
  },
  {
    // CWD and CDQ
    name: 'cwd',
    encodings: ['99'],
    sized: true,
    hot: true,
    semantics(b) {
      const size = b.form.size;
      b.setRegister(2, size, b.shrS(flags.signExtend(b, size, b.register(0, size)), b.const(31)));
    },
  },
  {
    name: 'lahf',
    encodings: ['9F'],
    flags: { reads: 'SZAPC' },
    semantics(b) {
      b.setRegister(4, 8, b.or(b.and(flags.packFlags(b), b.const(0xd5)), b.const(2)));
    },
  },
  {
    name: 'sahf',
    encodings: ['9E'],
    flags: { writes: 'SZAPC' },
    semantics(b) {
      const kept = b.and(flags.packFlags(b), b.const(0x800));
      flags.unpackFlags(b, b.or(kept, b.register(4, 8)));
    },
  },
  { name: 'clc', encodings: ['F8'], flags: { writes: 'C' }, semantics: (b) => flags.setCarry(b, b.const(0)) },
  { name: 'stc', encodings: ['F9'], flags: { writes: 'C' }, semantics: (b) => flags.setCarry(b, b.const(1)) },
  {
    name: 'cmc',
    encodings: ['F5'],
    flags: { reads: 'C', writes: 'C' },
    semantics: (b) => flags.setCarry(b, b.isZero(flags.carry(b))),
  },
  {
    name: 'cld',
    encodings: ['FC'],
    semantics(b) {
      b.setState('eflags', b.and(b.state('eflags'), b.const(~0x400)));
      b.setState('direction', b.const(1));
    },
  },
  {
    name: 'std',
    encodings: ['FD'],
    semantics(b) {
      b.setState('eflags', b.or(b.state('eflags'), b.const(0x400)));
      b.setState('direction', b.const(-1));
    },
  },
  {
    // SALC, undocumented but on every processor
    name: 'salc',
    encodings: ['D6'],
    flags: { reads: 'C' },
    semantics: (b) => b.setRegister(0, 8, b.and(b.sub(b.const(0), flags.carry(b)), b.const(0xff))),
  },
  { name: 'nop', encodings: ['90'], hot: true, semantics: () => {} },
  {
    // Hints of later processors: prefetches, ENDBR, multi-byte NOPs (SDM vol. 2, appendix A, 0F 18–0F 1F).
    name: 'nop',
    encodings: ['0D', '18', '19', '1A', '1B', '1C', '1D', '1E', '1F'].map((opcode) => `0F ${opcode} /r Ev`),
    access: '-',
    semantics: () => {},
  },
];
