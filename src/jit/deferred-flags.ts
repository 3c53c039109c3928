import type { Size } from '../isa/builder.js';
import { type Code, OP } from '../wasm/code.js';
import { type Block, edgesOut } from './blocks.js';
import { type FlagForm, type FlagSource, STORED } from './flag-conditions.js';
import { constant, type Node } from './node.js';
import { FLAGS_AUX, FLAGS_RESULT, FLAGS_X, FLAGS_Y, LOCAL } from './steps.js';

/**
 * The two flag words (`isa/flags.ts`) are a handful of operations, and hardly ever wanted: the next instruction that
 * sets the flags is near. But until then the region may be left. So between blocks that agree on it the operands of
 * the addition or subtraction are passed on in their place, and the words are computed where they are needed.
 */

export const AUX = 1 << FLAGS_AUX;
export const RESULT = 1 << FLAGS_RESULT;
export const WORDS = AUX | RESULT;
/** What is needed in place of the words. */
export const OPERANDS = (1 << FLAGS_X) | (1 << FLAGS_Y);

/** The bits of the word that sums and differences have. */
const CARRIES = 0xc000_0008 | 0;

/** Chooses the form at the beginning of each block. */
export function deferFlags(blocks: readonly Block[]): void {
  const forms = new Map<Block, FlagForm>();
  for (const block of blocks) if (block.hub) storeFrom(block, forms);
  agree(blocks, forms);
  const entry = blocks[0]!;
  if (!forms.has(entry)) {
    // The flags of no block come to it: it has what the state has.
    forms.set(entry, STORED);
    agree(blocks, forms);
  }
  for (const block of blocks) if (!forms.has(block)) forms.set(block, STORED);
  agree(blocks, forms);
  for (const block of blocks) block.flagForm = forms.get(block)!;
  for (const block of blocks) passOn(block);
}

/** Blocks whose predecessors end in different forms want the words themselves. */
function agree(blocks: readonly Block[], forms: Map<Block, FlagForm>): void {
  for (let again = true; again; ) {
    again = false;
    for (const block of blocks) {
      const form = block.terminator.kind === 'call' ? STORED : formAtEnd(block, forms.get(block));
      if (form === undefined) continue;
      for (const { block: to } of block.edges()) {
        const known = to && forms.get(to);
        if (!to || known === form || known === STORED) continue;
        if (form < 0 && (known === undefined || -form <= sizeOf(known))) continue;
        forms.set(to, known === undefined ? form : STORED);
        again = true;
      }
    }
  }
}

function storeFrom(hub: Block, forms: Map<Block, FlagForm>): void {
  forms.set(hub, STORED);
  for (const { block } of hub.edges()) if (block) forms.set(block, STORED);
}

/**
 * Undefined: that is not known yet. Negative: the size of an AND or the like, whose flags are those of `result ± 0`, for
 * any size that is not smaller.
 */
function formAtEnd({ changed, flags, logicFlags }: Block, atBegin: FlagForm | undefined): FlagForm | undefined {
  if ((changed & WORDS) === 0) return atBegin;
  if (flags) return formOf(flags);
  return logicFlags ? -logicFlags.size : STORED;
}

/** How the flag words of a sum or difference are passed on. */
export function formOf({ size, operation }: FlagSource): FlagForm {
  return size + Number(operation === 'sub');
}

function sizeOf(form: FlagForm): Size {
  return (form & ~1) as Size;
}

/** How the flag words are represented where the region is left at the block's end, along an edge. */
export function formOut(block: Block): FlagForm {
  const { flags, flagForm, changed, variables, entries, terminator } = block;
  if (terminator.kind === 'switch') return STORED;
  if (variables[FLAGS_AUX] !== entries[FLAGS_AUX]) return flags ? formOf(flags) : STORED;
  return changed & AUX ? STORED : flagForm;
}

/** Adds what the block has to compute for those behind it. */
function passOn(block: Block): void {
  const { flags, flagForm } = block;
  const next = block.terminator.kind === 'call' ? [] : block.edges().flatMap(({ block: to }) => to ?? []);
  if (block.changed & WORDS) {
    const passed = next.some((to) => to.flagForm !== STORED);
    if (flags && (edgesOut(block).length > 0 || passed)) setOperands(block, flags.x, flags.y);
    else if (block.logicFlags && passed) setOperands(block, block.variables[FLAGS_RESULT]!, constant(0));
  } else if (flagForm === STORED) return;
  else if (block.terminator.kind === 'switch' || next.some((to) => to.flagForm === STORED)) block.changed |= WORDS;
  // One word from before goes with another one.
  if (flagForm !== STORED && block.changed & WORDS) block.changed |= WORDS;
}

function setOperands(block: Block, x: Node, y: Node): void {
  const variables = [...block.variables];
  variables[FLAGS_X] = x;
  variables[FLAGS_Y] = y;
  x.uses++;
  y.uses++;
  block.variables = variables;
  block.changed |= OPERANDS;
}

/** Variables that are needed when the block begins, if `variables` are. */
export function sourcesOf(block: Block, variables: number): number {
  if (block.flagForm === STORED) return variables;
  const { changed, variables: values, entries } = block;
  const keepsWord = (changed & WORDS) !== 0 && [FLAGS_RESULT, FLAGS_AUX].some((word) => values[word] === entries[word]);
  return (variables & WORDS) !== 0 || keepsWord ? (variables & ~WORDS) | OPERANDS : variables;
}

function pushSum(code: Code, form: FlagForm): void {
  code.localGet(LOCAL.variables + FLAGS_X);
  code.localGet(LOCAL.variables + FLAGS_Y);
  code.byte(form & 1 ? OP.i32_sub : OP.i32_add);
}

/** Leaves the first word on the wasm stack. */
export function pushResult(code: Code, form: FlagForm): void {
  pushSum(code, form);
  const size = sizeOf(form);
  if (size !== 32) code.byte(size === 8 ? OP.i32_extend8_s : OP.i32_extend16_s);
}

/** Leaves the second word on the wasm stack; `temporary` is a local for it. */
export function pushFlags(code: Code, form: FlagForm, temporary: number): void {
  const size = sizeOf(form);
  const subtracted = (form & 1) !== 0;
  const push = (variable: number, complement = false): void => {
    code.localGet(LOCAL.variables + variable);
    if (!complement) return;
    code.constant(-1);
    code.byte(OP.i32_xor);
  };
  // See `addCarries` and `subBorrows`.
  push(FLAGS_X, subtracted);
  push(FLAGS_Y);
  code.byte(OP.i32_and);
  push(FLAGS_X, subtracted);
  push(FLAGS_Y);
  code.byte(OP.i32_or);
  pushSum(code, form);
  if (!subtracted) {
    code.constant(-1);
    code.byte(OP.i32_xor);
  }
  code.byte(OP.i32_and);
  code.byte(OP.i32_or);
  if (size !== 32) {
    // The upper two carries come to the top, that of bit 3 stays.
    code.localTee(temporary);
    code.constant(32 - size);
    code.byte(OP.i32_shl);
    code.constant(CARRIES & ~8);
    code.byte(OP.i32_and);
    code.localGet(temporary);
    code.constant(8);
    code.byte(OP.i32_and);
    code.byte(OP.i32_or);
  } else {
    code.constant(CARRIES);
    code.byte(OP.i32_and);
  }
}

/**
 * Puts operands that make the words into their locals, where the words themselves are in theirs. On the wasm stack:
 * whether there are none, since they are not those of such a sum or difference; `temporary` is a local.
 */
export function findOperands(code: Code, form: FlagForm, temporary: number): void {
  const size = sizeOf(form);
  const [result, word] = [LOCAL.variables + FLAGS_RESULT, LOCAL.variables + FLAGS_AUX];
  // Up to each bit that carries there is nothing but ones, and nothing else: then the other operand exists if any do.
  const carries = [
    { at: 3, from: 0, to: 3 },
    { at: 30, from: 4, to: size - 2 },
    { at: 31, from: size - 1, to: size - 1 },
  ];
  for (const { at, from, to } of carries) {
    code.localGet(word);
    code.constant(at);
    code.byte(OP.i32_shr_u);
    code.constant(1);
    code.byte(OP.i32_and);
    code.constant(2 ** (to + 1) - 2 ** from);
    code.byte(OP.i32_mul);
    if (from > 0) code.byte(OP.i32_or);
  }
  code.localSet(LOCAL.variables + FLAGS_Y);
  code.localGet(result);
  code.localGet(LOCAL.variables + FLAGS_Y);
  code.byte(form & 1 ? OP.i32_add : OP.i32_sub);
  code.localSet(LOCAL.variables + FLAGS_X);
  pushFlags(code, form, temporary);
  code.localGet(word);
  code.byte(OP.i32_xor);
  pushResult(code, form);
  code.localGet(result);
  code.byte(OP.i32_xor);
  code.byte(OP.i32_or);
}
