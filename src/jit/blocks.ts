import { ELSEWHERE } from '../memory/layout.js';
import type { BlockBuilder } from './block-builder.js';
import type { Instruction } from './instruction.js';
import { OP } from '../wasm/code.js';
import { type FlagSource, STORED } from './flag-conditions.js';
import type { CodeContext, Inliner } from './inlining.js';
import { type Node, comparison, constant } from './node.js';
import { beginsBlock, hubTargets } from './scan.js';
import { type Step, VARIABLES } from './steps.js';

/** Where control goes: to a block of the region, or out of it to the address `eip`. */
export interface Edge {
  block: Block | undefined;
  readonly eip: Node;
  /** Out of the region by a return: a caller, perhaps another region, waits for it. */
  readonly returns: boolean;
  /** Out of the region by a computed jump at this address, which is to be recorded. */
  readonly jump?: number;
}

export type Terminator =
  | { readonly kind: 'jump'; readonly edge: Edge }
  | { readonly kind: 'branch'; readonly condition: Node; readonly taken: Edge; readonly otherwise: Edge }
  /** A computed jump, often to one of `edges`. Without `target`: to where the way to this block says, a hub's. */
  | { readonly kind: 'switch'; readonly target: Node | undefined; readonly edges: readonly Edge[] }
  /** The return address has been pushed; `after` is where it leads. */
  | { readonly kind: 'call'; readonly target: Node; readonly after: Edge }
  /** A helper has set EIP, and more. */
  | { readonly kind: 'elsewhere' }
  /** Out, and the interpreter does the instruction at `eip`. */
  | { readonly kind: 'interpret'; readonly eip: number; readonly reason: number };

/** Consecutive bytes of code, at a linear address. */
export interface Piece {
  readonly eip: number;
  length: number;
}

/** A basic block of a region. */
export class Block {
  terminator!: Terminator;
  steps: readonly Step[] = [];
  /** Final values of the variables, and what they were at the beginning. */
  variables: readonly Node[] = [];
  entries: readonly Node[] = [];
  instructions = 0;
  /** Where its bytes are: in several places, if it runs on into what it calls. */
  pieces: readonly Piece[] = [];

  // What the analyses find out.
  /** Position in reverse postorder, −1 if not reached. */
  order = -1;
  dominator: Block | undefined;
  predecessors: Block[] = [];
  loopHeader = false;
  /** Reached by a computed jump, or from a loop of one block by two ways. */
  needsLabel = false;
  /** Sets of variables, bit per variable: may differ from the state at the beginning; needed there; changed here. */
  dirtyIn = 0;
  liveIn = 0;
  changed = 0;
  /** What set the flags last, if they are sums or differences of it. */
  flags: FlagSource | undefined;
  /** The same of AND and the like. */
  logicFlags: FlagSource | undefined;
  /** `FlagForm` of the flags when the block begins. */
  flagForm = STORED;
  /** Variables whose value at the beginning the block computes with. */
  reads = 0;
  /** Instructions on the longest way to the next check of the budget, this block included. */
  pathLength = 0;
  /** The budget is checked when the block begins. */
  checksBudget = false;
  /** Instructions since the budget was last paid, when the block begins (`budget.ts`). */
  spentBefore = 0;

  constructor(
    readonly eip: number,
    /** Where all computed jumps of the region meet, and its entry, to be spread over their targets. */
    readonly hub = false,
  ) {}

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

/** Whether the region may be left at the block's end, by an edge. */
export function leavesAtEnd(block: Block): boolean {
  const { kind } = block.terminator;
  return kind === 'interpret' || kind === 'switch' || block.edges().some((edge) => !edge.block);
}

/** Edges at the block's end out of the region, but for the return of a function: those are ends of their own. */
export function edgesOut(block: Block): Edge[] {
  const { terminator } = block;
  if (terminator.kind !== 'branch' && (terminator.kind !== 'jump' || terminator.edge.returns)) return [];
  return block.edges().filter((edge) => !edge.block);
}

/** Scanned code as blocks. */
export interface FoundBlocks {
  /** The entry is the first. */
  readonly blocks: readonly Block[];
  /** Translates a block of a function once more, with edges to the same blocks; undefined if they are not the same. */
  copy(block: Block): Block | undefined;
}

/**
 * Translates the scanned code into blocks, as far as it can be reached from the entry. Small functions that it calls
 * are translated with it, once for each call.
 */
export function createBlocks(root: CodeContext, inliner: Inliner, newBuilder: () => BlockBuilder): FoundBlocks {
  const list: { block: Block; context: CodeContext }[] = [];
  const edgeTo = (eip: Node, context: CodeContext): Edge => {
    const address = eip.number >>> 0;
    const { scan, blocks } = context;
    if (address === ELSEWHERE >>> 0) return edgeOut(eip, true);
    if (!eip.isConstant || !beginsBlock(scan, address)) return edgeOut(eip);
    let block = blocks.get(address);
    if (!block) {
      block = new Block(address);
      blocks.set(address, block);
      list.push({ block, context });
    }
    return { block, eip, returns: false };
  };
  edgeTo(constant(root.scan.entry), root);
  const hub = createHub(root, newBuilder().entries, (address) => edgeTo(constant(address), root));
  const contexts = new Map<Block, CodeContext>();
  for (const { block, context } of list) {
    contexts.set(block, context);
    new BlockTranslation(block, context, inliner, newBuilder(), edgeTo, hub).run();
  }
  const blocks = list.map(({ block }) => block);
  const copy = (block: Block): Block | undefined => {
    const context = contexts.get(block);
    if (!context || block.pieces.length > 1) return undefined;
    const again = new Block(block.eip);
    new BlockTranslation(again, context, inliner, newBuilder(), edgeTo, hub).run();
    const edges = block.edges();
    const same = again.edges().every((edge, i) => edge.block === edges[i]!.block);
    return same && again.terminator.kind === block.terminator.kind ? again : undefined;
  };
  return { blocks: hub ? [hub, ...blocks] : blocks, copy };
}

/** The block where computed jumps meet, if there are any whose targets are known. */
function createHub(
  { scan }: CodeContext,
  variables: readonly Node[],
  edgeTo: (address: number) => Edge,
): Block | undefined {
  const edges = hubTargets(scan)?.map(edgeTo);
  if (!edges) return undefined;
  for (const edge of edges) edge.block!.needsLabel = true;
  const hub = new Block(scan.entry, true);
  hub.terminator = { kind: 'switch', target: undefined, edges };
  hub.entries = variables;
  hub.variables = variables;
  return hub;
}

function edgeOut(eip: Node, returns = false): Edge {
  return { block: undefined, eip, returns };
}

/** Gathers the instructions of one block. */
class BlockTranslation {
  private at: number;
  private piece: Piece;
  private readonly pieces: Piece[];
  private last: Instruction | undefined;

  constructor(
    private readonly block: Block,
    private context: CodeContext,
    private readonly inliner: Inliner,
    private readonly builder: BlockBuilder,
    private readonly edgeTo: (eip: Node, context: CodeContext) => Edge,
    private readonly hub: Block | undefined,
  ) {
    this.at = block.eip;
    this.piece = { eip: block.eip, length: 0 };
    this.pieces = [this.piece];
  }

  run(): void {
    const { block, builder } = this;
    let terminator: Terminator | undefined;
    while (!terminator) terminator = this.step();
    builder.finish();
    block.pieces = this.pieces;
    block.terminator = terminator;
    block.steps = builder.steps;
    block.entries = builder.entries;
    block.variables = builder.variables;
    block.flags = builder.arithmeticFlags;
    block.logicFlags = builder.logicFlags;
    for (let v = 0; v < VARIABLES; v++) if (block.variables[v] !== block.entries[v]) block.changed |= 1 << v;
  }

  /** Adds the instruction at `at`, if there is one, and says how the block ends, if it does. */
  private step(): Terminator | undefined {
    const { at, context, builder } = this;
    const { scan } = context;
    const instruction = scan.instructions.get(at);
    if (!instruction) return { kind: 'jump', edge: edgeOut(constant(at)) };
    if (this.last && scan.leaders.has(at)) return { kind: 'jump', edge: this.edgeTo(constant(at), context) };
    if (!builder.translate(instruction)) return { kind: 'interpret', eip: at, reason: builder.interpreted };
    this.last = instruction;
    this.block.instructions++;
    this.piece.length += instruction.length;
    this.at = (at + instruction.length) >>> 0;
    const { end } = builder;
    if (!end) return builder.elsewhere ? { kind: 'elsewhere' } : undefined;
    builder.end = undefined;
    if (end.condition) {
      const taken = this.edgeTo(end.target, context);
      return { kind: 'branch', condition: end.condition, taken, otherwise: this.edgeTo(end.otherwise!, context) };
    }
    switch (instruction.handler.row.name) {
      case 'call':
        return this.call(end.target);
      case 'ret':
        return this.ret(end.target);
      default:
        return this.jump(end.target, instruction);
    }
  }

  private call(target: Node): Terminator | undefined {
    const { at, context } = this;
    const callee = target.isConstant ? this.inliner.enter(target.number >>> 0, context, at) : undefined;
    if (!callee) return { kind: 'call', target, after: this.edgeTo(constant(at), context) };
    if (callee.scan.references.has(callee.scan.entry)) return { kind: 'jump', edge: this.edgeTo(target, callee) };
    return this.runOn(target.number >>> 0, callee);
  }

  private ret(target: Node): Terminator | undefined {
    const { context } = this;
    const { caller } = context;
    if (!caller) return { kind: 'jump', edge: edgeOut(target, true) };
    const back = constant(context.returnEip);
    if (!target.isConstant) {
      return {
        kind: 'branch',
        condition: comparison(OP.i32_eq, target, back),
        taken: this.edgeTo(back, caller),
        otherwise: edgeOut(target, true),
      };
    }
    if (target.number !== back.number) return { kind: 'jump', edge: edgeOut(target, true) };
    const { leaders, references } = caller.scan;
    if (context.scan.returns > 1 || references.has(context.returnEip) || !leaders.has(context.returnEip))
      return { kind: 'jump', edge: this.edgeTo(back, caller) };
    return this.runOn(context.returnEip, caller);
  }

  private jump(target: Node, instruction: Instruction): Terminator {
    const { context, edgeTo } = this;
    const { caller, scan } = context;
    const targets = target.isConstant ? undefined : scan.tables.get(instruction.eip);
    const edges = (targets ?? []).map((address) => edgeTo(constant(address), context)).filter((edge) => edge.block);
    if (edges.length > 1) {
      for (const edge of edges) edge.block!.needsLabel = true;
      return { kind: 'switch', target, edges };
    }
    const edge = edgeTo(target, context);
    // A jump out of an inlined function to another, as from a procedure linkage table, is the call of that one.
    if (!edge.block && caller) return { kind: 'call', target, after: edgeTo(constant(context.returnEip), caller) };
    if (target.isConstant) return { kind: 'jump', edge };
    if (this.hub) return { kind: 'jump', edge: { block: this.hub, eip: target, returns: false } };
    return { kind: 'jump', edge: { ...edge, jump: instruction.eip } };
  }

  /** The block goes on at an address that nothing else leads to. */
  private runOn(eip: number, context: CodeContext): undefined {
    this.context = context;
    this.at = eip;
    this.last = undefined;
    this.piece = { eip, length: 0 };
    this.pieces.push(this.piece);
    return undefined;
  }
}
