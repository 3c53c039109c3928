import type { Builder, Row, Size, Value } from './builder.js';
import { setSub, truncate, zero } from './flags.js';

/**
 * String instructions. `semantics` describes one iteration; `repeated` wraps it for REP, REPE, REPNE.
 * Registers move after every iteration, so that a fault in the middle leaves a restartable state.
 */
const EAX = 0;
const ECX = 1;
const ESI = 6;
const EDI = 7;
const ES = 0;

/**
 * A repeated instruction starts anew whenever a multiple of this is left to do, so that interrupts get their turn.
 * The rule looks at ECX alone: wherever a repetition is interrupted and resumed, it counts as many instructions.
 */
export const ITERATIONS_PER_TURN = 4096;

function pointer(b: Builder, register: number): Value {
  return b.register(register, b.form.addressSize);
}

function advance(b: Builder, register: number): void {
  const width = b.form.addressSize;
  const step = b.mul(b.state('direction'), b.const(b.form.size / 8));
  b.setRegister(register, width, truncate(b, width, b.add(b.register(register, width), step)));
}

/**
 * Wraps one iteration in the repeat prefix of the form. `run` emits code that does many of them and says whether the
 * next one need not be done by itself.
 */
export function repeated(b: Builder, iteration: () => void, comparing: boolean, run?: () => Value | undefined): void {
  if (b.form.repeat === 'none') {
    iteration();
    return;
  }
  const width = b.form.addressSize;
  b.when(b.ne(b.register(ECX, width), b.const(0)), () => {
    b.loop((again) => {
      const single = (): void => {
        iteration();
        b.setRegister(ECX, width, truncate(b, width, b.sub(b.register(ECX, width), b.const(1))));
      };
      const done = run?.();
      if (done) b.when(b.isZero(done), single, comparing ? () => setCompared(b) : undefined);
      else single();
      const left = b.register(ECX, width);
      let more = b.ne(left, b.const(0));
      if (comparing) more = b.and(more, b.form.repeat === 'rep' ? zero(b) : b.isZero(zero(b)));
      b.when(more, () => {
        b.when(
          b.isZero(b.and(left, b.const(ITERATIONS_PER_TURN - 1))),
          () => b.jump(b.thisEip()),
          () => again(),
        );
      });
    });
  });
}

/** Flags of the last comparison of a run. */
export function setCompared(b: Builder): void {
  const x = b.state('comparedX');
  const y = b.state('comparedY');
  setSub(b, b.form.size, x, y, truncate(b, b.form.size, b.sub(x, y)));
}

/** The byte form and, one opcode up, the form of operand size. */
function stringRows(
  name: 'movs' | 'stos' | 'cmps' | 'scas' | 'lods',
  opcode: number,
  iteration: (b: Builder, size: Size) => void,
  comparing = false,
): Row[] {
  const hex = (n: number): string => n.toString(16).toUpperCase();
  const row = (encoding: string, sized: boolean): Row => ({
    name,
    encodings: [encoding],
    sized,
    addressSized: true,
    repeat: comparing ? 'repcc' : 'rep',
    flags: comparing ? { writes: 'OSZAPC' } : {},
    semantics(b) {
      const run = b.form.repeat !== 'none' && name !== 'lods' ? name : undefined;
      if (run && b.repeatAtOnce?.(run) === true) return;
      repeated(b, () => iteration(b, b.form.size), comparing, run && (() => b.stringRun?.(run)));
    },
  });
  return [row(hex(opcode), false), row(hex(opcode + 1), true)];
}

export const STRINGS: readonly Row[] = [
  ...stringRows('movs', 0xa4, (b, size) => {
    b.store(ES, pointer(b, EDI), size, b.load('default', pointer(b, ESI), size));
    advance(b, ESI);
    advance(b, EDI);
  }),
  ...stringRows(
    'cmps',
    0xa6,
    (b, size) => {
      const x = b.load('default', pointer(b, ESI), size);
      const y = b.load(ES, pointer(b, EDI), size);
      advance(b, ESI);
      advance(b, EDI);
      setSub(b, size, x, y, truncate(b, size, b.sub(x, y)));
    },
    true,
  ),
  ...stringRows('stos', 0xaa, (b, size) => {
    b.store(ES, pointer(b, EDI), size, b.register(EAX, size));
    advance(b, EDI);
  }),
  ...stringRows('lods', 0xac, (b, size) => {
    b.setRegister(EAX, size, b.load('default', pointer(b, ESI), size));
    advance(b, ESI);
  }),
  ...stringRows(
    'scas',
    0xae,
    (b, size) => {
      const x = b.register(EAX, size);
      const y = b.load(ES, pointer(b, EDI), size);
      advance(b, EDI);
      setSub(b, size, x, y, truncate(b, size, b.sub(x, y)));
    },
    true,
  ),
];
