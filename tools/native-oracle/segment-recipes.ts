/** Selectors, far pointers and far return addresses worth testing (segments.ts and far-transfers.ts of src/isa). */

import { type Draft, ESP } from './draft.js';
import { CODE_HIGH, CODE_LOW } from './layout.js';
import type { Recipe } from './recipes.js';
import { littleEndian, oneIn, pickValue } from './values.js';

/** Data, code, of ring 0, null, not present, behind the end of LDT and GDT. */
const SELECTORS = [
  ...[0x2b, 0x07, 0x0f, 0x1f, 0x27, 0x2f, 0x3f, 0x47, 0x57],
  ...[0x23, 0x17, 0x37, 0x4f],
  ...[0x08, 0x10, 0x18, 0, 1, 2, 3, 0x5f, 0x67, 0x6f, 0x80, 0x97f, 0xffff],
];
/** EFLAGS bits that would outlive the test: TF, NT, AC. */
const LASTING_FLAGS = 0x0004_4100;

export function pickSelector({ dice }: Draft): number {
  const selector = dice.pick(SELECTORS);
  return oneIn(dice, 6) ? (selector & ~3) | dice.below(4) : selector;
}

/** A selector and an offset in it, usually of code, and usually one that is there. */
function pickFarTarget(draft: Draft, insideLimit = false): { selector: number; offset: number } {
  const { dice, operandBytes } = draft;
  const inPage = dice.below(0x7f0) + (oneIn(dice, 2) ? 0x810 : 0);
  if (oneIn(dice, 6)) return { selector: pickSelector(draft), offset: insideLimit ? inPage : pickValue(dice) };
  switch (dice.below(3)) {
    case 0:
      return { selector: 0x17, offset: !insideLimit && oneIn(dice, 12) ? 0xff0 + dice.below(32) : inPage };
    case 1:
      return { selector: 0x37, offset: 0x1000 + inPage };
    default:
      return { selector: 0x23, offset: (operandBytes === 2 || oneIn(dice, 2) ? CODE_LOW : CODE_HIGH) + inPage };
  }
}

/** A selector as 16-bit operand in a register or memory. */
function selectorOperand(draft: Draft): void {
  const selector = pickSelector(draft);
  draft.memoryValue = littleEndian(selector, 2);
  if (draft.rm === ESP) draft.rm = 0;
  if (!draft.shape.memory) draft.pinPointer(draft.rm, selector, 0xffff);
}

function farPointer(draft: Draft, selector: number, offset: number): void {
  draft.memoryBytes = draft.operandBytes + 2;
  draft.memoryValue = Uint8Array.from([...littleEndian(offset, draft.operandBytes), ...littleEndian(selector, 2)]);
  draft.farPointer = { selector, offset };
}

function loadFar(draft: Draft): void {
  farPointer(draft, pickSelector(draft), pickValue(draft.dice));
}

function jumpFar(draft: Draft): void {
  const { selector, offset } = pickFarTarget(draft);
  farPointer(draft, selector, offset);
}

/** A call behind the limit of CS may have pushed before it faults, or not. */
function callFar(draft: Draft): void {
  draft.placeStack();
  const { selector, offset } = pickFarTarget(draft, true);
  farPointer(draft, selector, offset);
  draft.onlyInside = true;
}

function popSelector(draft: Draft): void {
  draft.placeStack();
  const upper = draft.dice.word() & ~0xffff;
  draft.patch(draft.stackLinear, littleEndian(upper | pickSelector(draft), draft.operandBytes));
}

function returnFar(draft: Draft): void {
  const { dice, operandBytes } = draft;
  draft.placeSafeStack();
  const { selector, offset } = pickFarTarget(draft);
  const upper = dice.word() & ~0xffff;
  const flags = pickValue(dice) & ~LASTING_FLAGS;
  const words = [offset, upper | selector, flags].flatMap((word) => [...littleEndian(word, operandBytes)]);
  draft.patch(draft.stackLinear, Uint8Array.from(words));
  draft.immediates = [dice.below(64)];
}

/** CS is loaded by far transfers alone, other registers by instructions named like this. */
const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const PUSHES = SEGMENT_NAMES.map((name): [string, Recipe] => [`push ${name}`, (draft) => draft.placeStack()]);
const POPS = SEGMENT_NAMES.map((name): [string, Recipe] => [`pop ${name}`, popSelector]);

export const SEGMENT_RECIPES: Readonly<Record<string, Recipe>> = {
  ...Object.fromEntries([...PUSHES, ...POPS]),
  les: loadFar,
  lds: loadFar,
  lss: loadFar,
  lfs: loadFar,
  lgs: loadFar,
  lar: selectorOperand,
  lsl: selectorOperand,
  verr: selectorOperand,
  verw: selectorOperand,
  mov(draft) {
    const kinds = draft.shape.encoding.operands.map((operand) => operand.kind);
    if (kinds[0] === 'segment') selectorOperand(draft);
    // Of registers that do not exist processors say #UD or, in ring 3, #GP.
    if (kinds.includes('control')) draft.reg = draft.dice.pick([0, 2, 3, 4]);
  },
  'jmp far': jumpFar,
  'call far': callFar,
  retf: returnFar,
  iret: returnFar,
};
