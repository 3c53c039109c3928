import type { Builder, Row, Value } from './builder.js';
import { packFlags, unpackFlags } from './flags.js';
import { drop, peek, push } from './stack.js';

/**
 * PUSHF, POPF, CLI, STI (who may change what: SDM vol. 2, vol. 3 2.3; the rare cases are helpers, flag-transfers.ts).
 *
 * A kernel runs these all the time, so what they usually do is written out here. Virtual-8086 mode runs at level 3 and
 * real-address mode at level 0, so that one comparison of CPL and IOPL serves for all modes.
 */

const GENERAL_PROTECTION = 13;

const TF = 1 << 8;
const IF = 1 << 9;
const DF = 1 << 10;
const NT = 1 << 14;
const RF = 1 << 16;
const VM = 1 << 17;
const AC = 1 << 18;
const ID = 1 << 21;
const IOPL = 3 << 12;

/** CPL > IOPL, as 0 or 1: the interrupt flag is not the program's. */
function lacksInterruptRights(b: Builder, eflags: Value): Value {
  const level = b.and(b.shrU(eflags, b.const(12)), b.const(3));
  return b.ltU(level, b.state('cpl'));
}

/** What a POPF has to leave to the helper: changes of how code runs, and an interrupt that it lets in. */
function isRare(b: Builder, value: Value, eflags: Value): Value {
  const changes = b.xor(value, eflags);
  const mode = b.or(b.and(changes, b.const(TF | NT | AC | IOPL)), b.and(eflags, b.const(TF | RF | VM)));
  const ignored = b.select(lacksInterruptRights(b, eflags), b.and(changes, b.const(IF)), b.const(0));
  const letsIn = b.select(b.state('interruptRequested'), b.and(value, b.const(IF)), b.const(0));
  return b.or(mode, b.or(ignored, letsIn));
}

function popFlags(b: Builder): void {
  const { size } = b.form;
  const value = peek(b, size);
  const slow = (): void => void b.helper('writeFlags', value, b.const(size));
  if (size === 32) {
    const eflags = b.state('eflags');
    b.when(isRare(b, value, eflags), slow, () => {
      const free = IF | DF | ID;
      b.setState('eflags', b.or(b.and(eflags, b.const(~free)), b.and(value, b.const(free))));
      b.setState('direction', b.select(b.and(value, b.const(DF)), b.const(-1), b.const(1)));
      unpackFlags(b, value);
    });
  } else slow();
  drop(b, b.const(size / 8));
  b.jump(b.nextEip());
}

function setInterruptFlag(b: Builder): void {
  const eflags = b.state('eflags');
  b.when(lacksInterruptRights(b, eflags), () => b.fault(GENERAL_PROTECTION));
  b.when(b.isZero(b.and(eflags, b.const(IF))), () => {
    b.when(
      b.state('interruptRequested'),
      () => void b.helper('sti'),
      () => {
        b.setState('eflags', b.or(eflags, b.const(IF)));
        // No interrupt before the next instruction has run.
        b.setState('shadowBudget', b.add(b.state('budget'), b.const(1)));
      },
    );
  });
  b.jump(b.nextEip());
}

export const FLAG_TRANSFERS: readonly Row[] = [
  {
    name: 'pushf',
    encodings: ['9C'],
    sized: true,
    stack: true,
    flags: { reads: 'OSZAPC' },
    semantics(b) {
      const eflags = b.state('eflags');
      b.when(b.and(eflags, b.const(VM)), () => void b.helper('checkVirtual8086Level'));
      push(b, b.form.size, b.or(b.and(eflags, b.const(~(VM | RF))), packFlags(b)));
    },
  },
  {
    name: 'popf',
    encodings: ['9D'],
    sized: true,
    stack: true,
    ends: 'next',
    flags: { writes: 'OSZAPC' },
    semantics: popFlags,
  },
  {
    name: 'cli',
    encodings: ['FA'],
    system: true,
    semantics(b) {
      const eflags = b.state('eflags');
      b.when(lacksInterruptRights(b, eflags), () => b.fault(GENERAL_PROTECTION));
      b.setState('eflags', b.and(eflags, b.const(~IF)));
    },
  },
  { name: 'sti', encodings: ['FB'], ends: 'next', system: true, semantics: setInterruptFlag },
];
