import type { Builder, Row } from './builder.js';
import { drop, peek, push } from './stack.js';

/** Segment registers: MOV, PUSH, POP, LES … LGS, and the queries LAR, LSL, VERR, VERW, ARPL. */

/** Segment numbers with their one-byte PUSH and POP. */
const ES = 0;
const CS = 1;
const SS = 2;
const DS = 3;
const FS = 4;
const GS = 5;

function pushSegment(name: string, encoding: string, segment: number): Row {
  return {
    name: `push ${name}`,
    encodings: [encoding],
    sized: true,
    stack: true,
    system: true,
    semantics: (b) => push(b, b.form.size, b.selector(b.const(segment))),
  };
}

function popSegment(name: string, encoding: string, segment: number): Row {
  return {
    name: `pop ${name}`,
    encodings: [encoding],
    sized: true,
    stack: true,
    ends: 'next',
    system: true,
    semantics(b) {
      // ESP moves after the load, which may fault; the new SS decides nothing about it (SDM vol. 2, POP).
      const selector = peek(b, b.form.size);
      b.helper('loadSegment', b.const(segment), selector);
      drop(b, b.const(b.form.size / 8));
      b.jump(b.nextEip());
    },
  };
}

function loadFarPointer(name: string, encoding: string, segment: number): Row {
  return {
    name,
    encodings: [`${encoding} /r Gv,M`],
    access: 'w,r',
    ends: 'next',
    system: true,
    semantics(b) {
      const bytes = b.form.size / 8;
      const offset = b.readAt(1, b.const(0), b.form.size);
      const selector = b.readAt(1, b.const(bytes), 16);
      b.helper('loadSegment', b.const(segment), selector);
      b.write(0, offset);
      b.jump(b.nextEip());
    },
  };
}

/** LAR and LSL: the helper sets ZF and returns the new or the old destination. */
function query(name: string): (b: Builder) => void {
  return (b) => {
    const selector = b.read(1);
    b.write(0, b.helper(name, selector, b.read(0)));
  };
}

export const SEGMENTS: readonly Row[] = [
  {
    name: 'mov',
    encodings: ['8C /r Ev,Sw'],
    access: 'w,r',
    system: true,
    semantics(b) {
      const selector = b.selector(b.number(1));
      // A register takes the selector zero-extended; memory always 16 bits.
      if (b.form.isMemory(0)) b.store('default', b.offset(0), 16, selector);
      else b.write(0, selector);
    },
  },
  {
    name: 'mov',
    encodings: ['8E /r Sw,Ew'],
    access: 'w,r',
    ends: 'next',
    system: true,
    semantics(b) {
      b.helper('loadSegment', b.number(0), b.read(1));
      b.jump(b.nextEip());
    },
  },
  pushSegment('es', '06', ES),
  pushSegment('cs', '0E', CS),
  pushSegment('ss', '16', SS),
  pushSegment('ds', '1E', DS),
  pushSegment('fs', '0F A0', FS),
  pushSegment('gs', '0F A8', GS),
  popSegment('es', '07', ES),
  popSegment('ss', '17', SS),
  popSegment('ds', '1F', DS),
  popSegment('fs', '0F A1', FS),
  popSegment('gs', '0F A9', GS),
  loadFarPointer('les', 'C4', ES),
  loadFarPointer('lds', 'C5', DS),
  loadFarPointer('lss', '0F B2', SS),
  loadFarPointer('lfs', '0F B4', FS),
  loadFarPointer('lgs', '0F B5', GS),
  { name: 'lar', encodings: ['0F 02 /r Gv,Ew'], flags: { writes: 'Z' }, system: true, semantics: query('lar') },
  { name: 'lsl', encodings: ['0F 03 /r Gv,Ew'], flags: { writes: 'Z' }, system: true, semantics: query('lsl') },
  {
    name: 'verr',
    encodings: ['0F 00 /4 Ew'],
    access: 'r',
    flags: { writes: 'Z' },
    system: true,
    semantics(b) {
      b.helper('verr', b.read(0));
    },
  },
  {
    name: 'verw',
    encodings: ['0F 00 /5 Ew'],
    access: 'r',
    flags: { writes: 'Z' },
    system: true,
    semantics(b) {
      b.helper('verw', b.read(0));
    },
  },
  {
    name: 'arpl',
    encodings: ['63 /r Ew,Gw'],
    access: 'rw,r',
    flags: { writes: 'Z' },
    system: true,
    semantics(b) {
      const target = b.read(0);
      b.write(0, b.helper('arpl', target, b.read(1)));
    },
  },
];
