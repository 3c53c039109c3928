import type { Row, Size } from '../../isa/builder.js';
import type { Form } from '../../isa/builder.js';
import { type Encoding, parseEncodings } from '../../isa/encoding.js';
import { INSTRUCTIONS } from '../../isa/index.js';
import { nameOf, PAIRS } from './pairs.js';

/** How a form's memory operand is addressed. */
export const ADDRESSING = {
  /** No memory operand. */
  none: 0,
  /** base + displacement in a flat segment. */
  simple: 1,
  /** base + index × scale + displacement in a flat segment. */
  full: 2,
} as const;

/** One handler's worth of an instruction: everything about it that the record does not say at run time. */
export interface HandlerForm extends Form {
  readonly row: Row;
  readonly encoding: Encoding;
  /** One of `ADDRESSING`. */
  readonly addressing: number;
  /** Segment limits are checked and bases added, addresses may be 16 bits wide. */
  readonly checked: boolean;
  /** Index in the interpreter's table. */
  handler: number;
}

/** Which variant of an encoding the decoder wants. */
export interface Variant {
  operand16: boolean;
  addressing: number;
  checked: boolean;
  stack16: boolean;
  address16: boolean;
  /** 0 none, 1 F3, 2 F2. */
  repeat: number;
}

/** Values of `variantIndex`, at most. */
const VARIANTS = 256;

function variantIndex(v: Variant): number {
  return (
    (v.operand16 ? 1 : 0) |
    (v.addressing << 1) |
    (v.checked ? 8 : 0) |
    (v.stack16 ? 16 : 0) |
    (v.address16 ? 32 : 0) |
    (v.repeat << 6)
  );
}

const BOTH = [false, true];
const REPEATS = ['none', 'rep', 'repne'] as const;

/**
 * All forms of all instructions and the way from a decoded variant to its handler.
 * Handlers of hot forms, and of pairs of them, come first: the interpreter keeps them in its main loop.
 */
export class Forms {
  readonly encodings: readonly Encoding[] = parseEncodings(INSTRUCTIONS);
  readonly list: readonly HandlerForm[];
  /**
   * What the handlers in the main loop do: one instruction, or two that stand one behind the other. All others have
   * higher numbers. Number 0 is "leave the block here".
   */
  readonly hot: readonly (readonly HandlerForm[])[];
  /** Handlers in all, including number 0. */
  readonly handlerCount: number;
  /** By handlers of two instructions: that of the pair, or 0. */
  private pairs: (Uint16Array | undefined)[] = [];
  /** By encoding and variant: 1 more than the form's index, or 0 where there is none. */
  private readonly variants: Int16Array;

  constructor() {
    const forms: HandlerForm[] = [];
    this.variants = new Int16Array(this.encodings.length * VARIANTS);
    for (const encoding of this.encodings)
      for (const variant of variantsOf(encoding))
        this.variants[encoding.id * VARIANTS + variantIndex(variant)] = forms.push(createForm(encoding, variant));
    this.list = forms;
    this.hot = this.numberHot();
    let handler = this.hotCount;
    for (const form of forms) if (!isHot(form)) form.handler = handler++;
    this.handlerCount = handler;
  }

  /** Handlers below this number are in the main loop. */
  get hotCount(): number {
    return this.hot.length;
  }

  private numberHot(): HandlerForm[][] {
    const hot: HandlerForm[][] = [[]];
    const byName = new Map<string, HandlerForm>();
    for (const form of this.list) {
      if (!isHot(form)) continue;
      const name = nameOf(form);
      const same = byName.get(name);
      if (same?.row === form.row) form.handler = same.handler;
      else {
        form.handler = hot.push([form]) - 1;
        byName.set(name, form);
      }
    }
    this.pairs = Array.from({ length: hot.length }, () => undefined);
    const singles = hot.length;
    for (const pair of PAIRS) {
      const [first, second] = pair.split('; ').map((name) => byName.get(name));
      if (!first || !second) throw new Error(`no such pair of instructions, ${pair}`);
      const seconds = (this.pairs[first.handler] ??= new Uint16Array(singles));
      seconds[second.handler] = hot.push([first, second]) - 1;
    }
    return hot;
  }

  /** The handler that does what two do one behind the other; 0 if there is none. */
  pairOf(first: number, second: number): number {
    return this.pairs[first]?.[second] ?? 0;
  }

  /** Index in `list`, or −1. Parts of the variant that make no difference to the encoding are ignored. */
  find(encoding: Encoding, variant: Variant): number {
    const { row } = encoding;
    const stack16 = row.stack === true && variant.stack16;
    const address16 = row.addressSized === true && variant.address16;
    const wanted: Variant = {
      operand16: encoding.sized && variant.operand16,
      addressing: variant.addressing,
      // What is 16 bits wide is rare enough to always be checked: fewer handlers.
      checked:
        stack16 ||
        address16 ||
        (row.compact === true && touchesMemory(encoding, variant.addressing)) ||
        (variant.checked && touchesMemory(encoding, variant.addressing)),
      stack16,
      address16,
      repeat: row.repeat === undefined || variant.repeat === 0 ? 0 : row.repeat === 'rep' ? 1 : variant.repeat,
    };
    if (wanted.checked && wanted.addressing === ADDRESSING.simple) wanted.addressing = ADDRESSING.full;
    if (wanted.addressing === ADDRESSING.simple && !row.hot) wanted.addressing = ADDRESSING.full;
    return this.variants[encoding.id * VARIANTS + variantIndex(wanted)]! - 1;
  }
}

function touchesMemory(encoding: Encoding, addressing: number): boolean {
  return addressing !== ADDRESSING.none || encoding.row.stack === true || encoding.row.addressSized === true;
}

function* variantsOf(encoding: Encoding): Generator<Variant> {
  const { row } = encoding;
  const rm = encoding.rmOperand < 0 ? undefined : encoding.operands[encoding.rmOperand]!;
  const addressings: number[] = [];
  if (!rm || rm.register) addressings.push(ADDRESSING.none);
  if (rm?.memory) addressings.push(...(row.hot ? [ADDRESSING.simple, ADDRESSING.full] : [ADDRESSING.full]));
  for (const operand16 of encoding.sized ? BOTH : [false])
    for (const addressing of addressings)
      for (const checked of checkedVariants(encoding, addressing))
        for (const stack16 of row.stack && checked ? BOTH : [false])
          for (const address16 of row.addressSized && checked ? BOTH : [false])
            for (const repeat of row.repeat === undefined ? [0] : row.repeat === 'rep' ? [0, 1] : [0, 1, 2])
              yield { operand16, addressing, checked, stack16, address16, repeat };
}

function checkedVariants(encoding: Encoding, addressing: number): readonly boolean[] {
  if (addressing === ADDRESSING.simple || !touchesMemory(encoding, addressing)) return [false];
  return encoding.row.compact ? [true] : BOTH;
}

function createForm(encoding: Encoding, variant: Variant): HandlerForm {
  const memory = variant.addressing !== ADDRESSING.none;
  return {
    row: encoding.row,
    encoding,
    size: formSize(encoding, variant.operand16),
    addressSize: variant.address16 ? 16 : 32,
    stackSize: variant.stack16 ? 16 : 32,
    repeat: REPEATS[variant.repeat]!,
    number: encoding.number,
    addressing: variant.addressing,
    checked: variant.checked,
    handler: 0,
    isMemory: (operand) => memory && operand === encoding.rmOperand,
  };
}

function formSize(encoding: Encoding, operand16: boolean): Size {
  if (encoding.sized) return operand16 ? 16 : 32;
  // A byte operand decides (`out dx,al`); else the first one does.
  const size = encoding.operands.some((o) => o.size === 8) ? 8 : encoding.operands[0]?.size;
  return size === 16 || size === 32 ? size : 8;
}

/** 32- and 8-bit forms of rows marked hot, in the ordinary mode of a protected-mode kernel. */
function isHot(form: HandlerForm): boolean {
  return form.row.hot === true && form.size !== 16 && !form.checked && form.stackSize === 32 && form.addressSize === 32;
}
