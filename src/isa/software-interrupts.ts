import type { Row } from './builder.js';
import * as flags from './flags.js';

/** INT n, INT3, INTO, BOUND, VMCALL, UD: instructions whose whole meaning is an exit. */

const UNDEFINED_OPCODE = 6;
const BOUND_RANGE = 5;
/** The vector of lguest's hypercalls: they come back. */
export const HYPERCALL_VECTOR = 31;

export const SOFTWARE_INTERRUPTS: readonly Row[] = [
  {
    name: 'int',
    encodings: ['CD Ib'],
    access: 'r',
    ends: true,
    resumes: HYPERCALL_VECTOR,
    system: true,
    semantics(b) {
      b.helper('softwareInterrupt', b.read(0), b.nextEip());
      b.resume?.(b.read(0), HYPERCALL_VECTOR);
    },
  },
  {
    name: 'int3',
    encodings: ['CC'],
    ends: true,
    system: true,
    semantics(b) {
      b.helper('softwareInterrupt', b.const(3), b.nextEip());
    },
  },
  {
    name: 'int1',
    encodings: ['F1'],
    ends: true,
    system: true,
    semantics(b) {
      b.helper('softwareInterrupt', b.const(1), b.nextEip());
    },
  },
  {
    name: 'into',
    encodings: ['CE'],
    flags: { reads: 'O' },
    ends: true,
    system: true,
    semantics(b) {
      b.when(flags.overflow(b), () => {
        b.helper('softwareInterrupt', b.const(4), b.nextEip());
        b.endBlock();
      });
      b.jump(b.nextEip());
    },
  },
  {
    name: 'bound',
    encodings: ['62 /r Gv,M'],
    access: 'r,r',
    system: true,
    semantics(b) {
      const size = b.form.size;
      const index = flags.signExtend(b, size, b.read(0));
      const lower = flags.signExtend(b, size, b.readAt(1, b.const(0), size));
      const upper = flags.signExtend(b, size, b.readAt(1, b.const(size / 8), size));
      b.when(b.or(b.ltS(index, lower), b.ltS(upper, index)), () => b.fault(BOUND_RANGE));
    },
  },
  {
    // The lguest hypercall of 2.6.30–2.6.33 (and KVM's): leaves at the instruction, at any privilege.
    name: 'vmcall',
    encodings: ['0F 01 C1'],
    ends: 'next',
    system: true,
    semantics(b) {
      b.helper('hypercall', b.nextEip());
      b.resume?.(b.const(0), 0);
    },
  },
  { name: 'ud2', encodings: ['0F 0B'], ends: true, system: true, semantics: (b) => b.fault(UNDEFINED_OPCODE) },
  {
    name: 'ud1',
    encodings: ['0F B9 /r Gv,Ev'],
    access: '-,-',
    ends: true,
    system: true,
    semantics: (b) => b.fault(UNDEFINED_OPCODE),
  },
  {
    name: 'ud0',
    encodings: ['0F FF /r Gv,Ev'],
    access: '-,-',
    ends: true,
    system: true,
    semantics: (b) => b.fault(UNDEFINED_OPCODE),
  },
];
