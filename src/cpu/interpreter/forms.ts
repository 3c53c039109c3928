import type { Row, Size } from '../../isa/builder.js';
import type { Form } from '../../isa/builder.js';
import { type Encoding, parseEncodings } from '../../isa/encoding.js';
import { INSTRUCTIONS } from '../../isa/index.js';
import { STATE } from '../../memory/layout.js';
import { CARRIED, carriedOperands, carrierOf, registerOf } from './carried.js';
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

/** What one instruction's part of a handler in the main loop does. */
export interface Step {
  readonly form: HandlerForm;
  /** `CARRIED`: operands that are taken from what the instruction before has left. */
  readonly carried: number;
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
  readonly hot: readonly (readonly Step[])[];
  /** Handlers in all, including number 0. */
  readonly handlerCount: number;
  /** By handlers of two instructions: that of the pair, or 0. */
  private pairs: (Uint16Array | undefined)[] = [];
  /** By handler of one instruction × 8 + what of it is carried (`CARRIED`): the handler. */
  private carriers: Uint16Array = new Uint16Array(0);
  /** By handler of one instruction: the operand that it leaves for the next one, `CARRIED.rm`, `reg` or `none`. */
  private leaves: Uint8Array = new Uint8Array(0);
  /** Likewise: the state offset of the register that its r/m operand always is, or −1. */
  private fixed: Int8Array = new Int8Array(0);
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

  private numberHot(): Step[][] {
    const hot: Step[][] = [[]];
    const byName = new Map<string, HandlerForm>();
    for (const form of this.list) {
      if (!isHot(form)) continue;
      const name = nameOf(form);
      const same = byName.get(name);
      if (same?.row === form.row) form.handler = same.handler;
      else {
        form.handler = hot.push([{ form, carried: CARRIED.none }]) - 1;
        byName.set(name, form);
      }
    }
    this.addCarriers(hot);
    this.addPairs(hot, byName);
    return hot;
  }

  /** Handlers of one instruction that is given operands by the one before. */
  private addCarriers(hot: Step[][]): void {
    const singles = hot.slice(1).map(([step]) => step!.form);
    this.carriers = new Uint16Array((singles.length + 1) * 8);
    this.leaves = new Uint8Array(singles.length + 1);
    this.fixed = new Int8Array(singles.length + 1).fill(-1);
    for (const form of singles) {
      if (carrierOf(form) >= 0) this.leaves[form.handler] = registerOf(form, 0);
      const [operand] = form.encoding.operands;
      if (operand?.kind === 'fixed') this.fixed[form.handler] = STATE.registers + operand.number * 4;
      const variants = carriedOperands(form).map((carried) => ({
        carried,
        handler: hot.push([{ form, carried }]) - 1,
      }));
      for (let carried = 0; carried < 8; carried++)
        this.carriers[form.handler * 8 + carried] =
          variants.find((variant) => (variant.carried & ~carried) === 0)?.handler ?? form.handler;
    }
  }

  private addPairs(hot: Step[][], byName: ReadonlyMap<string, HandlerForm>): void {
    const singles = hot.length;
    this.pairs = Array.from({ length: singles }, () => undefined);
    for (const pair of PAIRS) {
      const [first, second] = pair.split('; ').map((name) => byName.get(name));
      if (!first || !second) throw new Error(`no such pair of instructions, ${pair}`);
      // What is compared comes from before, what is computed goes on behind.
      const firsts = second.row.ends ? carriedOperands(first) : [];
      const seconds = carrierOf(first) < 0 ? [] : carriedOperands(second);
      for (const one of [CARRIED.none, ...firsts])
        for (const other of [CARRIED.none, ...seconds]) {
          const pairs = (this.pairs[this.carriedHandler(first.handler, one)] ??= new Uint16Array(singles));
          pairs[this.carriedHandler(second.handler, other)] =
            hot.push([
              { form: first, carried: one },
              { form: second, carried: other },
            ]) - 1;
        }
    }
  }

  /**
   * The handler of an instruction behind one that leaves register `carried` (a state offset, or −1) for it; `handler`
   * is the one for any instruction before it, `rm`, `reg` and `base` are its record's fields.
   */
  handlerAfter(handler: number, carried: number, rm: number, reg: number, base: number): number {
    if (carried < 0 || handler * 8 >= this.carriers.length) return handler;
    const isRm = (this.fixed[handler]! < 0 ? rm : this.fixed[handler]!) === carried;
    const operands =
      (isRm ? CARRIED.rm : 0) | (reg === carried ? CARRIED.reg : 0) | (base === carried ? CARRIED.base : 0);
    return this.carriers[handler * 8 + operands]!;
  }

  /** The register that an instruction leaves for the next one (a state offset), or −1. */
  carriedFrom(handler: number, rm: number, reg: number): number {
    const leaves = this.leaves[handler];
    if (leaves === CARRIED.reg) return reg;
    if (leaves !== CARRIED.rm) return -1;
    return this.fixed[handler]! < 0 ? rm : this.fixed[handler]!;
  }

  /** The handler of an instruction whose operands `carried` (`CARRIED`) are carried; that of `handler` if there is none. */
  carriedHandler(handler: number, carried: number): number {
    return this.carriers[handler * 8 + carried] ?? handler;
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
