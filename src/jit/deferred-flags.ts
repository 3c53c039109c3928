import type { Size } from '../isa/builder.js';
import { type Code, OP } from '../wasm/code.js';
import { type Block, edgesOut } from './blocks.js';
import { type FlagForm, type FlagSource, STORED } from './flag-conditions.js';
import { constant, type Node } from './node.js';
import { FLAGS_AUX, FLAGS_RESULT, FLAGS_X, FLAGS_Y, LOCAL } from './steps.js';

/**
 * The second flag word (`isa/flags.ts`) is a handful of operations, and hardly ever wanted: the next instruction that
 * sets the flags is near. But until then the region may be left. So between blocks that agree on it the operands of
 * the addition or subtraction are passed on in its place, and the word is computed where it is needed.
 */

export const AUX = 1 << FLAGS_AUX;
export const RESULT = 1 << FLAGS_RESULT;
export const OPERANDS = (1 << FLAGS_X) | (1 << FLAGS_Y);
/** What is needed in place of the word. */
const SOURCES = OPERANDS | RESULT;

/** The flags of AND and the like: they are those of `result ± 0`, for any operation and size. */
const ANY = -1;

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

/** Blocks whose predecessors end in different forms want the word itself. */
function agree(blocks: readonly Block[], forms: Map<Block, FlagForm>): void {
  for (let again = true; again; ) {
    again = false;
    for (const block of blocks) {
      const form = block.terminator.kind === 'call' ? STORED : formAtEnd(block, forms.get(block));
      if (form === undefined || form === ANY) continue;
      for (const { block: to } of block.edges()) {
        const known = to && forms.get(to);
        if (!to || known === form || known === STORED) continue;
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

/** Undefined: that is not known yet. */
function formAtEnd({ changed, flags, logicFlags }: Block, atBegin: FlagForm | undefined): FlagForm | undefined {
  if ((changed & (AUX | RESULT)) === 0) return atBegin;
  if (flags) return formOf(flags);
  return logicFlags ? ANY : STORED;
}

/** How the second flag word of a sum or difference is passed on. */
export function formOf({ size, operation }: FlagSource): FlagForm {
  return size + Number(operation === 'sub');
}

/** How the second flag word is represented where the region is left at the block's end, along an edge. */
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
  if (block.changed & (AUX | RESULT)) {
    const passed = next.some((to) => to.flagForm !== STORED);
    if (flags && (edgesOut(block).length > 0 || passed)) setOperands(block, flags.x, flags.y);
    else if (block.logicFlags && passed) setOperands(block, block.variables[FLAGS_RESULT]!, constant(0));
  } else if (flagForm === STORED) return;
  else if (block.terminator.kind === 'switch' || next.some((to) => to.flagForm === STORED)) block.changed |= AUX;
  // The word from before goes with another result.
  if (flagForm !== STORED && block.variables[FLAGS_AUX] === block.entries[FLAGS_AUX]) {
    if (block.changed & RESULT) block.changed |= AUX;
  }
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
  const keepsWord = (block.changed & AUX) !== 0 && block.variables[FLAGS_AUX] === block.entries[FLAGS_AUX];
  return (variables & AUX) !== 0 || keepsWord ? (variables & ~AUX) | SOURCES : variables;
}

/** Leaves the word on the wasm stack; `temporary` is a local for it. */
export function pushFlags(code: Code, form: FlagForm, temporary: number): void {
  const size = (form & ~1) as Size;
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
  push(FLAGS_RESULT, !subtracted);
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
 * Puts operands that make the word into their locals, where the word itself is `FLAGS_AUX`'s. On the wasm stack:
 * whether there are none, since it is not one of a sum or difference.
 */
export function findOperands(code: Code, form: FlagForm): void {
  const size = form & ~1;
  const word = LOCAL.variables + FLAGS_AUX;
  code.localGet(word);
  if (size !== 32) {
    code.constant(32 - size);
    code.byte(OP.i32_shr_u);
    code.localGet(word);
    code.constant(8);
    code.byte(OP.i32_and);
    code.byte(OP.i32_or);
  }
  code.localTee(LOCAL.variables + FLAGS_Y);
  if (form & 1) {
    code.constant(-1);
    code.byte(OP.i32_xor);
  }
  code.localSet(LOCAL.variables + FLAGS_X);
  code.localGet(word);
  code.constant(~CARRIES);
  code.byte(OP.i32_and);
}
