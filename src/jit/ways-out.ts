import { type Block, edgesOut } from './blocks.js';
import { AUX, formOf, formOut, OPERANDS, RESULT, WORDS } from './deferred-flags.js';
import { type FlagForm, STORED } from './flag-conditions.js';
import type { Node } from './node.js';
import { mayLeave, type Place, type Step, VARIABLES } from './steps.js';

/**
 * Ways out of a region
 *
 * A region may be left at hundreds of places, and each time variables have to be stored. So each place branches to
 * where all of the same kind begin, and those are chained: each stores what the next one does not.
 */

/** A way out that several places share, or a part of it. */
export interface WayOut {
  /** Variables that are in their locals and have to be stored. */
  readonly mask: number;
  /** How the flag words, which are among them, are represented. */
  readonly flagForm: FlagForm;
  /** Where it goes on when the flags are words, or some of the variables have been stored. */
  next?: WayOut;
}

export function nameOf({ mask, flagForm }: WayOut): string {
  return `${flagForm} ${mask}`;
}

/** Out before an instruction. */
export function wayBefore(block: Block, { variables, flags }: Pick<Place, 'variables' | 'flags'>): WayOut {
  const changed = changedAt(block, variables);
  const mask = block.dirtyIn | changed;
  let flagForm = STORED;
  if ((changed & WORDS) === 0) flagForm = mask & WORDS ? block.flagForm : STORED;
  else if (flags && (changed & AUX) !== 0 && (changed & RESULT) !== 0) flagForm = formOf(flags);
  return { mask, flagForm };
}

/** Out along an edge at the block's end. */
export function wayAlong(block: Block): WayOut {
  const mask = (block.dirtyIn | block.changed) & ~OPERANDS;
  return { mask, flagForm: mask & WORDS ? formOut(block) : STORED };
}

/** All that are taken somewhere; those that others go on to come first. */
export function findWaysOut(blocks: readonly Block[]): WayOut[] {
  const found = new Map<string, WayOut>();
  const add = (way: WayOut): WayOut => {
    const name = nameOf(way);
    const known = found.get(name);
    if (known) return known;
    found.set(name, way);
    if (way.flagForm !== STORED) way.next = add({ mask: way.mask, flagForm: STORED });
    return way;
  };
  for (const block of blocks) {
    const visit = (steps: readonly Step[]): void => {
      for (const step of steps) {
        if (mayLeave(step)) add(wayBefore(block, step.place));
        else if (step.kind === 'branch') {
          visit(step.taken);
          visit(step.otherwise);
        }
      }
    };
    if (block.checksBudget) add(wayBefore(block, { variables: block.entries, flags: undefined }));
    visit(block.steps);
    if (block.terminator.kind === 'interpret') add(wayBefore(block, block));
    if (edgesOut(block).length > 0) add(wayAlong(block));
  }
  const all = [...found.values()];
  const words = all.filter((way) => way.flagForm === STORED).sort((a, b) => count(a.mask) - count(b.mask));
  for (const [i, way] of words.entries()) {
    // The one that stores most of it.
    way.next = words.slice(0, i).findLast((other) => other.mask !== way.mask && (other.mask & ~way.mask) === 0);
  }
  return [...words, ...all.filter((way) => way.flagForm !== STORED)];
}

/** Bits that are set. */
function count(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}

/** Variables that the block has changed when they are `variables`. */
export function changedAt(block: Block, variables: readonly Node[]): number {
  let mask = 0;
  for (let v = 0; v < VARIABLES; v++) if (variables[v] !== block.entries[v]) mask |= 1 << v;
  return mask;
}
