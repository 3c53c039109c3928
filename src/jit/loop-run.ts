import { OP } from '../wasm/code.js';
import type { Block, Edge } from './blocks.js';
import { KIND, type Node } from './node.js';
import type { AccessGroup } from './steps.js';

/**
 * Loops of one block whose addresses move by constants: sums, copies, searches. Many of their iterations can be run
 * without looking at TLB and budget, as many as stay on the pages where the first one is. A *run* is that: the checks
 * for all of its iterations, then a loop without any, or with those of accesses that move in other ways.
 */
export interface LoopRun {
  /** The groups that move by constants. */
  readonly groups: readonly RunGroup[];
  readonly condition: Node;
  /** The loop goes on if the condition is not zero, or if it is. */
  readonly whenTrue: boolean;
  /** Where the loop ends. */
  readonly exit: Edge;
  /** A step may leave the region before its instruction. */
  readonly leaves: boolean;
}

/** A group of accesses and by how many bytes it moves in an iteration: always the same. */
export interface RunGroup {
  readonly group: AccessGroup;
  /** A node: a value that the loop does not change. */
  readonly stride: number | Node;
}

/** Groups that move further are on too many pages. */
export const LONGEST_STRIDE = 256;
const MOST_GROUPS = 6;
const MOST_INSTRUCTIONS = 60;

/** How the block can be run, or undefined. Only behind the analyses. */
export function planRun(block: Block): LoopRun | undefined {
  const { terminator } = block;
  if (terminator.kind !== 'branch' || block.instructions > MOST_INSTRUCTIONS) return undefined;
  const { taken, otherwise, condition } = terminator;
  const whenTrue = taken.block === block;
  if (whenTrue === (otherwise.block === block)) return undefined;
  const exit = whenTrue ? otherwise : taken;
  if (!exit.eip.isConstant) return undefined;
  const groups = findGroups(block);
  if (!groups || groups.size > MOST_GROUPS) return undefined;
  const moving: RunGroup[] = [];
  for (const group of groups) {
    const stride = group.root ? changeOf(group.root, block) : 0;
    if (stride === undefined || (typeof stride === 'number' && Math.abs(stride) > LONGEST_STRIDE)) continue;
    moving.push({ group, stride });
  }
  if (moving.length === 0) return undefined;
  const leaves = moving.length < groups.size || block.steps.some((step) => step.kind === 'leave');
  return { groups: moving, condition, whenTrue, exit, leaves };
}

/** Undefined if the block does more than move data. */
function findGroups(block: Block): Set<AccessGroup> | undefined {
  const groups = new Set<AccessGroup>();
  for (const step of block.steps) {
    switch (step.kind) {
      case 'access':
        if (!step.group.sharedWith) groups.add(step.group);
        break;
      case 'keep':
      case 'load':
      case 'store':
      case 'loadState':
      case 'storeState':
      case 'leave':
        break;
      default:
        return undefined;
    }
  }
  return groups;
}

/** By how much a value is greater in the next iteration, if that is always the same. */
export function changeOf(node: Node, block: Block): number | Node | undefined {
  if (node.kind === KIND.constant) return 0;
  if (node.kind === KIND.entry) {
    const next = block.variables[node.number]!;
    if (next === node) return 0;
    if (next.kind !== KIND.binary || next.opcode !== OP.i32_add) return undefined;
    const step = next.a === node ? next.b! : next.b === node ? next.a! : undefined;
    if (!step) return undefined;
    if (step.isConstant) return step.number;
    return step.kind === KIND.entry && block.variables[step.number] === step ? step : undefined;
  }
  if (node.kind !== KIND.binary || node.wide) return undefined;
  const a = changeOf(node.a!, block);
  const b = changeOf(node.b!, block);
  if (a === undefined || b === undefined) return undefined;
  if (typeof a !== 'number' || typeof b !== 'number') {
    if (node.opcode === OP.i32_add) return a === 0 ? b : b === 0 ? a : undefined;
    return undefined;
  }
  if (node.opcode === OP.i32_add) return (a + b) | 0;
  if (node.opcode === OP.i32_sub) return (a - b) | 0;
  if (a === 0 && b === 0) return 0;
  if (node.opcode === OP.i32_shl && node.b!.isConstant) return a << node.b!.number;
  if (node.opcode === OP.i32_mul && node.b!.isConstant) return Math.imul(a, node.b!.number);
  return undefined;
}
