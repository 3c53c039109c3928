import type { BlockBuilder } from './block-builder.js';
import type { Instruction } from './instruction.js';
import { type Node, constant } from './node.js';
import type { Scan } from './scanner.js';
import { type Step, VARIABLES } from './steps.js';

/** Where control goes: to a block of the region, or out of it to the address `eip`. */
export interface Edge {
  block: Block | undefined;
  readonly eip: Node;
}

export type Terminator =
  /** With `returns` it goes where a caller, perhaps of this region, waits. */
  | { readonly kind: 'jump'; readonly edge: Edge; readonly returns: boolean }
  | { readonly kind: 'branch'; readonly condition: Node; readonly taken: Edge; readonly otherwise: Edge }
  /** A computed jump, often to one of `edges`. */
  | { readonly kind: 'switch'; readonly target: Node; readonly edges: readonly Edge[] }
  /** The return address has been pushed; `after` is where it leads. */
  | { readonly kind: 'call'; readonly target: Node; readonly after: Edge }
  /** Out, and the interpreter does the instruction at `eip`. */
  | { readonly kind: 'interpret'; readonly eip: number };

/** A basic block of a region. */
export class Block {
  terminator!: Terminator;
  steps: readonly Step[] = [];
  /** Final values of the variables, and what they were at the beginning. */
  variables: readonly Node[] = [];
  entries: readonly Node[] = [];
  instructions = 0;
  /** Bytes, all of them consecutive. */
  length = 0;

  // What the analyses find out.
  /** Position in reverse postorder, −1 if not reached. */
  order = -1;
  dominator: Block | undefined;
  predecessors: Block[] = [];
  loopHeader = false;
  /** Reached by a computed jump: needs a label. */
  switchTarget = false;
  /** Sets of variables, bit per variable: may differ from the state at the beginning; needed there; changed here. */
  dirtyIn = 0;
  liveIn = 0;
  changed = 0;
  /** Instructions on the longest way to the next check of the budget, this block included. */
  pathLength = 0;
  /** The budget is checked when the block begins. */
  checksBudget = false;

  constructor(readonly eip: number) {}

  edges(): Edge[] {
    const { terminator } = this;
    switch (terminator.kind) {
      case 'jump':
        return [terminator.edge];
      case 'branch':
        return [terminator.taken, terminator.otherwise];
      case 'switch':
        return [...terminator.edges];
      case 'call':
        return [terminator.after];
      default:
        return [];
    }
  }
}

/** Translates the scanned code into blocks, as far as it can be reached from the entry; the entry is the first. */
export function createBlocks(scan: Scan, newBuilder: () => BlockBuilder): Block[] {
  const blocks = new Map<number, Block>();
  const list: Block[] = [];
  const edgeTo = (eip: Node): Edge => {
    const address = eip.number >>> 0;
    if (!eip.isConstant || !scan.leaders.has(address) || !scan.instructions.has(address))
      return { block: undefined, eip };
    let block = blocks.get(address);
    if (!block) {
      block = new Block(address);
      blocks.set(address, block);
      list.push(block);
    }
    return { block, eip };
  };
  edgeTo(constant(scan.entry));
  for (let i = 0; i < list.length; i++) translateBlock(list[i]!, scan, edgeTo, newBuilder());
  return list;
}

function translateBlock(block: Block, scan: Scan, edgeTo: (eip: Node) => Edge, builder: BlockBuilder): void {
  let at = block.eip;
  let last: Instruction | undefined;
  let terminator: Terminator | undefined;
  while (!terminator) {
    const instruction = scan.instructions.get(at);
    if (!instruction) {
      terminator = { kind: 'jump', edge: { block: undefined, eip: constant(at) }, returns: false };
    } else if (last && scan.leaders.has(at)) {
      terminator = { kind: 'jump', edge: edgeTo(constant(at)), returns: false };
    } else if (!builder.translate(instruction)) {
      terminator = { kind: 'interpret', eip: at };
    } else {
      last = instruction;
      block.instructions++;
      at = (at + instruction.length) >>> 0;
      const { end } = builder;
      if (end) {
        if (instruction.handler.row.name === 'call') {
          terminator = { kind: 'call', target: end.target, after: edgeTo(constant(at)) };
        } else if (end.condition) {
          terminator = {
            kind: 'branch',
            condition: end.condition,
            taken: edgeTo(end.target),
            otherwise: edgeTo(end.otherwise!),
          };
        } else {
          const targets = end.target.isConstant ? undefined : scan.tables.get(instruction.eip);
          const edges = (targets ?? []).map((target) => edgeTo(constant(target))).filter((edge) => edge.block);
          for (const edge of edges) edge.block!.switchTarget = true;
          if (edges.length > 1) terminator = { kind: 'switch', target: end.target, edges };
          else terminator = { kind: 'jump', edge: edgeTo(end.target), returns: instruction.handler.row.name === 'ret' };
        }
      }
    }
  }
  builder.finish();
  block.length = at - block.eip;
  block.terminator = terminator;
  block.steps = builder.steps;
  block.entries = builder.entries;
  block.variables = builder.variables;
  for (let v = 0; v < VARIABLES; v++) if (block.variables[v] !== block.entries[v]) block.changed |= 1 << v;
}
