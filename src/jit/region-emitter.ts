import type { Shortcut } from '../cpu/interpreter/shortcuts.js';
import type { StringRun } from '../cpu/interpreter/string-runs.js';
import type { X87RoutineName } from '../isa/x87-stack.js';
import {
  ELSEWHERE,
  JUMP_CACHE,
  JUMP_HASH,
  LEAVE_REGION,
  REGION_FLAG,
  REGION_EXITS,
  REGION_KEYS,
  REGION_LEAVES,
  REGION_NUMBERS,
  REGION_SHIFT,
  STATE,
  TRANSLATED,
} from '../memory/layout.js';
import { Code, I32, OP } from '../wasm/code.js';
import type { LocalRun } from '../wasm/module.js';
import { SIMD } from '../wasm/simd.js';
import { liveOut } from './analysis.js';
import { BlockEmitter } from './block-emitter.js';
import { type Block, type Edge, leavesAtEnd } from './blocks.js';
import { findOperands, formOut, OPERANDS, pushFlags, pushResult, WORDS } from './deferred-flags.js';
import { STORED } from './flag-conditions.js';
import { ENTRY_SHIFT, PROFILE_COUNT, TARGET_HASH } from './jump-profiles.js';
import { type LoopRun, planRun } from './loop-run.js';
import { constant, type Node } from './node.js';
import { emitRun, FIRST_TRY } from './run-emitter.js';
import {
  type AccessGroup,
  type BehindStep,
  EXTENDED,
  FIRST_VECTOR,
  FLAGS_AUX,
  FLAGS_RESULT,
  FLAGS_X,
  FLAGS_Y,
  type HelperStep,
  LEAVE,
  LOCAL,
  type Place,
  VARIABLES,
  stateOffset,
} from './steps.js';
import { changedAt, findWaysOut, nameOf, wayAlong, wayBefore, type WayOut } from './ways-out.js';

/** What a region's code refers to outside of it. */
export interface Surroundings {
  /** Ring 3. */
  readonly user: boolean;
  /** The region's own slot. */
  readonly slot: number;
  /** Index of the function itself in its module. */
  readonly self: number;
  /** Type index of (depth) → eip. */
  readonly regionType: number;
  /** Slot for the region at a linear address, made now or ever; undefined: nobody knew that it may be called. */
  slotOf(linear: number): number | undefined;
  /** Offset of the profile of a computed jump, or of the region's hub; undefined: there is none. */
  profileOf(jump: number | 'hub'): number | undefined;
  /** Indices of imports: `callHelper`, and the interpreter's `STRING_RUNS` and `SHORTCUTS`. */
  readonly callHelper: number;
  readonly stringRuns: ReadonlyMap<StringRun, number>;
  readonly shortcuts: ReadonlyMap<Shortcut, number>;
  /** Indices of the imported routines of the x87. */
  readonly routines: ReadonlyMap<X87RoutineName, number>;
}

/**
 * Calls of regions by regions go no deeper, so that the guest cannot use up our stack. What is deeper returns through
 * the interpreter's loop, one by one.
 */
const DEEPEST_CALL = 100;

/** Level of the label behind which the region is left for another, and of that behind which it is for the interpreter. */
const CHAIN_LEVEL = 0;
const LEAVE_LEVEL = 1;

/** `LOCAL.leave` where the region is left along an edge: for another, for code that this one might have, to the caller. */
const TO = { region: -1, lacking: -2, caller: -3 } as const;

/** Else it is what is to be added to the budget, and as much as makes that positive, and from this bit on the reason. */
const REASON_SHIFT = 12;
const MOST_REFUNDED = 2 ** (REASON_SHIFT - 1);

/**
 * Emits the function of one region. Blocks are nested by dominance (Ramsey: Beyond Relooper, 2022): a loop around
 * each loop header, and around each block with several ways to it a label that ends where it begins.
 */
export class RegionEmitter {
  private readonly code = new Code();
  private readonly emitter: BlockEmitter;
  /** Levels of the labels where ways out begin (`nameOf`). */
  private readonly waysOut = new Map<string, number>();
  private readonly children = new Map<Block, Block[]>();
  private readonly levels = new Map<Block, number>();
  private readonly runs = new Map<Block, LoopRun>();
  private leavesForNumbers = false;
  private block!: Block;
  /** Instructions that the budget's local does not know of. */
  private spent = 0;
  /** Within a loop's run: emits what is to be done where it is left. */
  private refund: (() => void) | undefined;

  constructor(
    private readonly blocks: readonly Block[],
    private readonly surroundings: Surroundings,
  ) {
    const { user, stringRuns } = surroundings;
    const actions = {
      leave: (place: Place, reason: number) => this.leave(place, reason),
      callHelper: (step: HelperStep) => this.callHelper(step),
      leaveBehind: (step: BehindStep) => this.leaveBehind(step),
      pushBudget: () => this.pushBudget(),
      routine: (name: X87RoutineName) => surroundings.routines.get(name)!,
      shortcut: (name: Shortcut) => surroundings.shortcuts.get(name)!,
    };
    this.emitter = new BlockEmitter(
      this.code,
      user,
      actions,
      stringRuns,
      blocks.some((block) => block.loopHeader),
    );
  }

  emit(): { code: Uint8Array; locals: LocalRun[] } {
    const { code, emitter, blocks } = this;
    const entry = blocks[0]!;
    for (const block of blocks.slice(1)) {
      const siblings = this.children.get(block.dominator!);
      if (siblings) siblings.push(block);
      else this.children.set(block.dominator!, [block]);
    }
    this.planRuns();
    this.loadBudget();
    this.loadVariables(entry.liveIn);
    this.findFlags(entry);
    if (entry.hub) {
      code.constant(0);
      code.memory(OP.i32_load, TRANSLATED.entry);
      code.localSet(LOCAL.nextEip);
    }
    emitter.open(OP.block);
    emitter.open(OP.block);
    const ways = findWaysOut(blocks);
    for (const way of ways) {
      this.waysOut.set(nameOf(way), emitter.depth);
      emitter.open(OP.block);
    }
    this.tree(entry);
    for (const way of ways.reverse()) {
      code.byte(OP.unreachable);
      emitter.close();
      this.wayOut(way);
    }
    code.byte(OP.unreachable);
    emitter.close();
    this.endOfWays();
    emitter.close();
    this.goOn();
    const whole = emitter.prologue();
    whole.append(code.bytes());
    return { code: whole.bytes(), locals: emitter.localRuns() };
  }

  /** The flags at the entry are in the state; the loop that begins there wants them as operands. */
  private findFlags(entry: Block): void {
    const { code, emitter } = this;
    if ((entry.liveIn & (1 << FLAGS_X)) === 0) return;
    this.loadVariables(WORDS);
    findOperands(code, entry.flagForm, emitter.temporary());
    // Rare: the interpreter goes on to where they are set anew.
    emitter.open(OP.if);
    code.constant(0);
    code.constant(entry.eip);
    code.memory(OP.i32_store, TRANSLATED.slowEip);
    code.constant(entry.eip);
    code.byte(OP.return);
    emitter.close();
  }

  private planRuns(): void {
    for (const block of this.blocks) {
      const run = block.loopHeader ? planRun(block) : undefined;
      if (!run) continue;
      this.runs.set(block, run);
      // Run and block both go there.
      if (run.exit.block) run.exit.block.needsLabel = true;
    }
  }

  // --- structure ------------------------------------------------------------------------------

  private tree(block: Block): void {
    const { emitter } = this;
    const merges = (this.children.get(block) ?? []).filter(isMerge).sort((a, b) => b.order - a.order);
    const run = this.runs.get(block);
    const tries = run ? emitter.reserve() : 0;
    if (run) {
      this.code.constant(FIRST_TRY);
      this.code.localSet(tries);
    }
    if (block.loopHeader) {
      // Branches back go to the loop, branches ahead to the label before it, which is closed by then.
      this.levels.set(block, emitter.depth);
      emitter.open(OP.loop);
    }
    for (const merge of merges) {
      this.levels.set(merge, emitter.depth);
      emitter.open(OP.block);
    }
    this.emitBlock(block, run, tries);
    for (const merge of merges.reverse()) {
      emitter.close();
      this.tree(merge);
    }
    if (block.loopHeader) emitter.close();
  }

  private emitBlock(block: Block, run: LoopRun | undefined, tries: number): void {
    const { code, emitter } = this;
    this.block = block;
    this.spent = block.spentBefore;
    emitter.startBlock(block.flagForm);
    if (block.checksBudget) {
      code.localGet(LOCAL.budget);
      code.constant(block.pathLength);
      code.byte(OP.i32_lt_s);
      emitter.open(OP.if);
      const place = { eip: block.eip, remaining: 0, variables: block.entries, stores: [], flags: undefined };
      emitter.scoped(() => this.leave(place, LEAVE.budget));
      emitter.close();
    }
    if (run) this.emitRun(block, run, tries);
    this.spent += block.instructions;
    emitter.steps(block.steps);
    const { spent } = this;
    const { terminator } = block;
    switch (terminator.kind) {
      case 'jump':
        if (terminator.edge.block) {
          if (terminator.edge.block.hub) {
            emitter.push(terminator.edge.eip);
            code.localSet(LOCAL.nextEip);
          }
          this.assign(liveOut(block));
          this.follow(terminator.edge);
        } else if (terminator.edge.returns) {
          this.storeVariables(block.dirtyIn | block.changed);
          this.storeBudget();
          emitter.push(terminator.edge.eip);
          code.byte(OP.return);
        } else {
          emitter.push(terminator.edge.eip);
          code.localSet(LOCAL.nextEip);
          this.assignAtBranch();
          this.goOut(terminator.edge);
        }
        return;
      case 'branch': {
        const out = terminator.otherwise.eip;
        if (!out.isConstant) {
          emitter.push(out);
          code.localSet(LOCAL.nextEip);
        }
        emitter.push(terminator.condition);
        this.assignAtBranch();
        emitter.open(OP.if);
        this.follow(terminator.taken);
        emitter.close();
        this.block = block;
        this.spent = spent;
        this.follow(terminator.otherwise);
        return;
      }
      case 'switch':
        this.switchTo(
          terminator.target,
          terminator.edges.filter((edge) => edge.block),
        );
        return;
      case 'call':
        this.call(terminator.target, terminator.after);
        return;
      case 'elsewhere':
        // Behind IRET and its like, whose helpers need not have asked for it.
        code.constant(0);
        code.constant(LEAVE_REGION.behind);
        code.memory(OP.i32_store, TRANSLATED.leave);
        this.goElsewhere();
        return;
      case 'interpret':
        this.leave(
          { eip: terminator.eip, remaining: 0, variables: block.variables, stores: [], flags: block.flags },
          terminator.reason,
        );
        return;
    }
  }

  private assignAtBranch(variables = -1): void {
    const { block } = this;
    const stored = formOut(block) === STORED ? block.changed : block.changed & ~WORDS;
    this.assign((liveOut(block) | (leavesAtEnd(block) ? stored : 0)) & variables);
  }

  private emitRun(block: Block, run: LoopRun, tries: number): void {
    const { code, emitter } = this;
    const surroundings = {
      code,
      emitter,
      loopLevel: this.levels.get(block)!,
      steps: (addends: ReadonlyMap<AccessGroup, number>, refund: () => void): void => {
        this.refund = refund;
        emitter.checkedSteps(block.steps, addends);
        this.refund = undefined;
      },
      assign: (variables: number) => this.assignAtBranch(variables),
      follow: (edge: Edge) => this.follow(edge),
    };
    emitRun(surroundings, block, run, tries);
  }

  /** Jumps to one of `edges`, if it is one. */
  private switchTo(target: Node | undefined, edges: readonly Edge[]): void {
    const { code, emitter, block } = this;
    if (target) {
      emitter.push(target);
      code.localSet(LOCAL.nextEip);
    }
    this.assign(block.changed);
    this.payBudget();
    emitter.open(OP.block);
    if (target) this.spread(edges);
    else this.spreadByHash(edges);
    emitter.close();
    const mask = block.dirtyIn | block.changed;
    for (let v = 0; v < VARIABLES; v++) if (mask & (1 << v)) this.storeLocal(v);
    this.storeBudget();
    if (!target) this.record(this.surroundings.profileOf('hub'));
    emitter.branch(OP.br, CHAIN_LEVEL);
  }

  /** Branches to the edge for `nextEip` by a label for each byte between the first and the last; falls through. */
  private spread(edges: readonly Edge[]): void {
    const { code, emitter } = this;
    const first = edges[0]?.eip.number ?? 0;
    const count = edges.length === 0 ? 0 : edges[edges.length - 1]!.eip.number - first + 1;
    code.localGet(LOCAL.nextEip);
    code.constant(first);
    code.byte(OP.i32_sub);
    code.byte(OP.br_table);
    code.u32(count);
    let next = 0;
    for (let i = 0; i < count; i++) {
      if (edges[next]!.eip.number - first === i) {
        code.u32(emitter.depth - 1 - this.levels.get(edges[next]!.block!)!);
        next++;
      } else code.u32(0);
    }
    code.u32(0);
  }

  /** The same by a label for each hash, behind which targets are compared. */
  private spreadByHash(edges: readonly Edge[]): void {
    const { code, emitter } = this;
    const bits = Math.ceil(Math.log2(edges.length)) + 1;
    const none = emitter.depth - 1;
    const buckets = new Map<number, Edge[]>();
    for (const edge of edges) {
      const hash = Math.imul(edge.eip.number, TARGET_HASH) >>> (32 - bits);
      const bucket = buckets.get(hash);
      if (bucket) bucket.push(edge);
      else buckets.set(hash, [edge]);
    }
    const labels = new Map<number, number>();
    for (const hash of buckets.keys()) {
      labels.set(hash, emitter.depth);
      emitter.open(OP.block);
    }
    code.localGet(LOCAL.nextEip);
    code.constant(TARGET_HASH);
    code.byte(OP.i32_mul);
    code.constant(32 - bits);
    code.byte(OP.i32_shr_u);
    code.byte(OP.br_table);
    const count = 2 ** bits;
    code.u32(count - 1);
    for (let hash = 0; hash < count; hash++) code.u32(emitter.depth - 1 - (labels.get(hash) ?? none));
    for (const bucket of [...buckets.values()].reverse()) {
      emitter.close();
      for (const edge of bucket) {
        code.localGet(LOCAL.nextEip);
        emitter.push(edge.eip);
        code.byte(OP.i32_eq);
        emitter.branch(OP.br_if, this.levels.get(edge.block!)!);
      }
      emitter.branch(OP.br, none);
    }
  }

  /** Goes along an edge of `this.block`; variables are in their locals, and so is a computed target. */
  private follow(edge: Edge): void {
    const { emitter, code, block } = this;
    const to = edge.block;
    if (!to) {
      if (edge.eip.isConstant) {
        emitter.push(edge.eip);
        code.localSet(LOCAL.nextEip);
      }
      this.goOut(edge);
      return;
    }
    this.addToBudget(to.spentBefore - this.spent);
    if (to.order <= block.order || isMerge(to)) emitter.branch(OP.br, this.levels.get(to)!);
    else this.tree(to);
  }

  // --- variables and budget -------------------------------------------------------------------

  /** Puts final values of the block into the variables' locals; all of them are computed before the first is. */
  private assign(mask: number): void {
    const { block } = this;
    this.setVariables(mask & block.changed, block.variables);
  }

  private setVariables(mask: number, values: readonly Node[]): void {
    for (let v = 0; v < EXTENDED; v++) if (mask & (1 << v)) this.emitter.push(values[v]!);
    for (let v = EXTENDED - 1; v >= 0; v--) if (mask & (1 << v)) this.code.localSet(LOCAL.variables + v);
  }

  private loadVariables(mask: number): void {
    for (let v = 0; v < VARIABLES; v++) {
      if ((mask & (1 << v)) === 0) continue;
      this.code.constant(0);
      if (v >= FIRST_VECTOR) this.code.simdMemory(SIMD.v128_load, stateOffset(v));
      else this.code.memory(OP.i32_load, stateOffset(v));
      this.code.localSet(LOCAL.variables + v);
    }
  }

  /** Stores final values of the block, or others. */
  private storeVariables(mask: number, values: readonly Node[] = this.block.variables): void {
    for (let v = 0; v < VARIABLES; v++) {
      if ((mask & (1 << v)) === 0) continue;
      this.code.constant(0);
      this.emitter.push(values[v]!);
      this.store(v);
    }
  }

  private storeLocal(variable: number): void {
    this.code.constant(0);
    this.code.localGet(LOCAL.variables + variable);
    this.store(variable);
  }
  private store(variable: number): void {
    if (variable >= FIRST_VECTOR) this.code.simdMemory(SIMD.v128_store, stateOffset(variable));
    else this.code.memory(OP.i32_store, stateOffset(variable));
  }

  private loadBudget(): void {
    this.code.constant(0);
    this.code.memory(OP.i32_load, STATE.budget);
    this.code.localSet(LOCAL.budget);
  }
  private pushBudget(): void {
    this.code.localGet(LOCAL.budget);
    if (this.spent === 0) return;
    this.code.constant(-this.spent);
    this.code.byte(OP.i32_add);
  }
  private storeBudget(): void {
    this.code.constant(0);
    this.pushBudget();
    this.code.memory(OP.i32_store, STATE.budget);
  }
  /** The local is the budget then. */
  private payBudget(): void {
    this.addToBudget(-this.spent);
    this.spent = 0;
  }
  private addToBudget(instructions: number): void {
    if (instructions === 0) return;
    this.code.localGet(LOCAL.budget);
    this.code.constant(instructions);
    this.code.byte(OP.i32_add);
    this.code.localSet(LOCAL.budget);
  }

  // --- leaving --------------------------------------------------------------------------------

  /** Out of the region, before an instruction that the interpreter is to do. */
  private leave(place: Place, reason: number): void {
    if (reason === LEAVE.numbers) this.leavesForNumbers = true;
    const { code, block, emitter } = this;
    for (const store of place.stores) emitter.storeState(store);
    const changed = changedAt(block, place.variables);
    const way = wayBefore(block, place);
    if (way.flagForm === STORED) {
      const flags = block.flagForm === STORED ? 0 : block.dirtyIn & WORDS;
      this.setVariables(changed | flags, place.variables);
    } else if (changed & WORDS) {
      const values = [...place.variables];
      values[FLAGS_X] = place.flags!.x;
      values[FLAGS_Y] = place.flags!.y;
      this.setVariables((changed & ~WORDS) | OPERANDS, values);
    } else this.setVariables(changed, place.variables);
    // There are many of these: small numbers make short code.
    code.constant((place.eip - this.blocks[0]!.eip) | 0);
    code.localSet(LOCAL.leaveOffset);
    const refund = place.remaining - this.spent;
    const here = Math.max(-MOST_REFUNDED, Math.min(refund, MOST_REFUNDED - 1));
    code.constant((here + MOST_REFUNDED) | (reason << REASON_SHIFT));
    code.localSet(LOCAL.leave);
    this.addToBudget(refund - here);
    this.refund?.();
    this.take(way);
  }

  /** Out of the region along an edge; variables are in their locals, and so is the target. */
  private goOut(edge: Edge): void {
    if (edge.jump !== undefined) this.record(this.surroundings.profileOf(edge.jump));
    this.addToBudget(-this.spent);
    this.code.constant(edge.returns ? TO.caller : edge.eip.isConstant ? TO.lacking : TO.region);
    this.code.localSet(LOCAL.leave);
    this.take(wayAlong(this.block));
  }

  private take(way: WayOut): void {
    this.emitter.branch(OP.br, this.waysOut.get(nameOf(way))!);
  }

  /** What `take` branches to: a part of the way, up to where another begins. */
  private wayOut({ mask, flagForm, next }: WayOut): void {
    const { code, emitter } = this;
    if (flagForm !== STORED) {
      pushFlags(code, flagForm, emitter.temporary());
      code.localSet(LOCAL.variables + FLAGS_AUX);
      pushResult(code, flagForm);
      code.localSet(LOCAL.variables + FLAGS_RESULT);
    } else {
      const rest = mask & ~(next?.mask ?? 0);
      for (let v = 0; v < VARIABLES; v++) if (rest & (1 << v)) this.storeLocal(v);
    }
    emitter.branch(OP.br, next ? this.waysOut.get(nameOf(next))! : LEAVE_LEVEL);
  }

  /** Where all ways out end; falls through to `goOn`. */
  private endOfWays(): void {
    const { code, emitter } = this;
    const when = (condition: number, to: number, then: () => void): void => {
      code.localGet(LOCAL.leave);
      code.constant(to);
      code.byte(condition);
      emitter.open(OP.if);
      then();
      emitter.close();
    };
    when(OP.i32_ge_s, 0, () => this.leaveRegion());
    this.spent = 0;
    this.storeBudget();
    when(OP.i32_eq, TO.lacking, () => this.countExit());
    when(OP.i32_eq, TO.caller, () => {
      code.localGet(LOCAL.nextEip);
      code.byte(OP.return);
    });
  }

  /** What `leave` has begun ends here. */
  private leaveRegion(): void {
    const { code } = this;
    code.localGet(LOCAL.budget);
    code.localGet(LOCAL.leave);
    code.constant(2 * MOST_REFUNDED - 1);
    code.byte(OP.i32_and);
    code.byte(OP.i32_add);
    code.localSet(LOCAL.budget);
    this.spent = MOST_REFUNDED;
    this.storeBudget();
    code.constant(0);
    code.localGet(LOCAL.leaveOffset);
    code.constant(this.blocks[0]!.eip);
    code.byte(OP.i32_add);
    code.localTee(LOCAL.nextEip);
    code.memory(OP.i32_store, TRANSLATED.slowEip);
    code.localGet(LOCAL.leave);
    code.constant(REASON_SHIFT);
    code.byte(OP.i32_shr_u);
    code.constant(2);
    code.byte(OP.i32_shl);
    code.localTee(LOCAL.leave);
    code.localGet(LOCAL.leave);
    code.memory(OP.i32_load, TRANSLATED.exits);
    code.constant(1);
    code.byte(OP.i32_add);
    code.memory(OP.i32_store, TRANSLATED.exits);
    // The reasons `read` and `write` come first.
    this.countLeave(REGION_LEAVES, OP.i32_lt_u, 8);
    if (this.leavesForNumbers) this.countLeave(REGION_NUMBERS, OP.i32_eq, 4 * LEAVE.numbers);
    code.localGet(LOCAL.nextEip);
    code.byte(OP.return);
  }

  /** Counts, in the slot's word at `counts`, if four times the reason compares so. */
  private countLeave(counts: number, comparison: number, to: number): void {
    const { code } = this;
    const at = counts + 4 * this.surroundings.slot;
    code.constant(0);
    code.constant(0);
    code.memory(OP.i32_load, at);
    code.localGet(LOCAL.leave);
    code.constant(to);
    code.byte(comparison);
    code.byte(OP.i32_add);
    code.memory(OP.i32_store, at);
  }

  /** Out of the region to the address on the wasm stack; everything is in the state. */
  private chain(eip: Node): void {
    this.code.localSet(LOCAL.nextEip);
    if (eip.isConstant) this.countExit();
    this.emitter.branch(OP.br, CHAIN_LEVEL);
  }

  /** Out for code that the region lacks. */
  private countExit(): void {
    const { code, surroundings } = this;
    const at = REGION_EXITS + 4 * surroundings.slot;
    code.constant(0);
    code.constant(0);
    code.memory(OP.i32_load, at);
    code.constant(1);
    code.byte(OP.i32_add);
    code.memory(OP.i32_store, at);
  }

  /** Notes `nextEip` in a profile. */
  private record(profile: number | undefined): void {
    if (profile === undefined) return;
    const { code } = this;
    code.localGet(LOCAL.nextEip);
    code.constant(TARGET_HASH);
    code.byte(OP.i32_mul);
    code.constant(ENTRY_SHIFT);
    code.byte(OP.i32_shr_u);
    code.constant(2);
    code.byte(OP.i32_shl);
    code.localGet(LOCAL.nextEip);
    code.memory(OP.i32_store, profile);
    code.constant(0);
    code.constant(0);
    code.memory(OP.i32_load, profile + PROFILE_COUNT);
    code.constant(1);
    code.byte(OP.i32_add);
    code.memory(OP.i32_store, profile + PROFILE_COUNT);
  }

  /**
   * Where `chain` leads: goes on in the region at `nextEip`, in place of this one, so that whoever has called it waits
   * for that one's return; or returns to the interpreter, through all who called.
   */
  private goOn(): void {
    const { code, emitter } = this;
    const at = emitter.temporary();
    this.lookUp(LOCAL.nextEip, at);
    emitter.open(OP.if);
    code.localGet(LOCAL.depth);
    this.pushSlot(at);
    code.byte(OP.return_call_indirect);
    code.u32(this.surroundings.regionType);
    code.u32(0);
    emitter.close();
    code.localGet(LOCAL.nextEip);
    code.byte(OP.return);
  }

  // --- calls ----------------------------------------------------------------------------------

  /**
   * A call in the guest is a call of the target's region if there is a valid one. It returns the EIP where the guest
   * is then: usually the return address; if not, the guest is elsewhere and so do all callers return.
   */
  private call(target: Node, after: Edge): void {
    const { code, emitter, block, surroundings } = this;
    this.storeVariables(block.dirtyIn | block.changed);
    this.storeBudget();
    const slot = target.isConstant ? surroundings.slotOf(target.number >>> 0) : undefined;
    if (target.isConstant && target.number >>> 0 === this.blocks[0]!.eip && !this.blocks[0]!.hub) {
      this.belowDeepest();
      this.callUnless(target, () => code.call(surroundings.self));
    } else if (slot !== undefined) {
      code.constant(0);
      code.memory(OP.i32_load, REGION_KEYS + 4 * slot);
      this.matchesCodeKey();
      this.belowDeepest();
      code.byte(OP.i32_and);
      this.callUnless(target, () => {
        code.constant(slot);
        this.callSlot();
      });
    } else this.callIndirect(target);
    this.spent = 0;
    code.localTee(LOCAL.nextEip);
    emitter.push(after.eip);
    code.byte(OP.i32_ne);
    emitter.open(OP.if);
    code.localGet(LOCAL.nextEip);
    code.byte(OP.return);
    emitter.close();
    if (!after.block) {
      emitter.push(after.eip);
      if (after.returns) code.byte(OP.return);
      else this.chain(after.eip);
      return;
    }
    this.loadBudget();
    this.loadVariables(after.block.liveIn);
    this.follow(after);
  }

  /** Everything into the state, for the helper may look at it; out, if the helper has changed more than data. */
  private callHelper({ helper, shortcut, args, place, next, variables, last, resumes }: HelperStep): void {
    const { code, emitter, block } = this;
    this.storeVariables(block.dirtyIn | changedAt(block, variables), variables);
    this.payBudget();
    this.storeBudget();
    const key = resumes ? emitter.temporary() : -1;
    if (resumes) {
      code.constant(0);
      code.memory(OP.i32_load, STATE.codeKey);
      code.localSet(key);
    }
    if (shortcut) {
      for (let i = 0; i < 2; i++) emitter.push(args[i] ?? constant(0));
      code.call(this.surroundings.shortcuts.get(shortcut)!);
      code.byte(OP.i32_eqz);
      emitter.open(OP.if);
    }
    for (const value of [helper, place.eip, next, place.remaining]) code.constant(value);
    for (let i = 0; i < 3; i++) emitter.push(args[i] ?? constant(0));
    code.call(this.surroundings.callHelper);
    code.localSet(LOCAL.nextEip);
    code.constant(0);
    code.memory(OP.i32_load, TRANSLATED.leave);
    if (!last) {
      code.constant(LEAVE_REGION.now);
      code.byte(OP.i32_eq);
    }
    emitter.open(OP.if);
    this.goElsewhere();
    emitter.close();
    if (shortcut) emitter.close();
    if (resumes) this.leaveUnlessAt(next, key);
    code.localGet(LOCAL.nextEip);
  }

  /** All is in the state. `key`: local with the former `STATE.codeKey`. */
  private leaveUnlessAt(next: number, key: number): void {
    const { code, emitter } = this;
    code.constant(0);
    code.memory(OP.i32_load, STATE.codeKey);
    code.localGet(key);
    code.byte(OP.i32_xor);
    code.constant(0);
    code.memory(OP.i32_load, STATE.eip);
    code.constant(next);
    code.byte(OP.i32_xor);
    code.byte(OP.i32_or);
    emitter.open(OP.if);
    this.goElsewhere();
    emitter.close();
  }

  /** The helper has left EIP and budget in the state. */
  private leaveBehind({ variables }: BehindStep): void {
    const { code, emitter, block } = this;
    code.constant(0);
    code.memory(OP.i32_load, TRANSLATED.leave);
    emitter.open(OP.if);
    emitter.scoped(() => this.storeVariables(block.dirtyIn | changedAt(block, variables), variables));
    this.goElsewhere();
    emitter.close();
  }

  private goElsewhere(): void {
    this.code.constant(ELSEWHERE);
    this.code.byte(OP.return);
  }

  private matchesCodeKey(): void {
    this.code.constant(0);
    this.code.memory(OP.i32_load, STATE.codeKey);
    this.code.byte(OP.i32_eq);
  }
  private belowDeepest(): void {
    this.code.localGet(LOCAL.depth);
    this.code.constant(DEEPEST_CALL);
    this.code.byte(OP.i32_lt_s);
  }

  /** With a condition on the wasm stack: calls, or leaves `target` to the caller. */
  private callUnless(target: Node, call: () => void): void {
    const { code, emitter } = this;
    code.byte(OP.if);
    code.byte(I32);
    emitter.depth++;
    code.localGet(LOCAL.depth);
    code.constant(1);
    code.byte(OP.i32_add);
    call();
    code.byte(OP.else);
    emitter.push(target);
    emitter.close();
  }

  private callSlot(): void {
    this.code.byte(OP.call_indirect);
    this.code.u32(this.surroundings.regionType);
    this.code.u32(0);
  }

  /** Calls the region at a computed target, if the jump cache has one. */
  private callIndirect(target: Node): void {
    const { code, emitter } = this;
    const eip = emitter.temporary();
    const at = emitter.temporary();
    emitter.push(target);
    code.localSet(eip);
    this.lookUp(eip, at);
    this.belowDeepest();
    code.byte(OP.i32_and);
    code.byte(OP.if);
    code.byte(I32);
    emitter.depth++;
    code.localGet(LOCAL.depth);
    code.constant(1);
    code.byte(OP.i32_add);
    this.pushSlot(at);
    this.callSlot();
    code.byte(OP.else);
    code.localGet(eip);
    emitter.close();
  }

  /**
   * Looks the local `eip` up in the jump cache, as the interpreter does between blocks: on the wasm stack whether a
   * region may be entered there now. `at` becomes the offset of its entry.
   */
  private lookUp(eip: number, at: number): void {
    const { code } = this;
    code.localGet(eip);
    code.constant(JUMP_HASH.factor);
    code.byte(OP.i32_mul);
    code.constant(JUMP_HASH.shift);
    code.byte(OP.i32_shr_u);
    code.constant(JUMP_HASH.mask);
    code.byte(OP.i32_and);
    code.localTee(at);
    code.memory(OP.i32_load, JUMP_CACHE);
    code.localGet(eip);
    code.byte(OP.i32_eq);
    code.localGet(at);
    code.memory(OP.i32_load, JUMP_CACHE + 4);
    this.matchesCodeKey();
    code.byte(OP.i32_and);
    code.localGet(at);
    code.memory(OP.i32_load, JUMP_CACHE + 12);
    code.constant(REGION_FLAG);
    code.byte(OP.i32_ge_s);
    code.byte(OP.i32_and);
  }

  /** The slot in the jump cache's entry at `at`. */
  private pushSlot(at: number): void {
    const { code } = this;
    code.localGet(at);
    code.memory(OP.i32_load, JUMP_CACHE + 12);
    code.constant(REGION_SHIFT);
    code.byte(OP.i32_shr_u);
    code.constant((REGION_FLAG >>> REGION_SHIFT) - 1);
    code.byte(OP.i32_and);
  }
}

/** More than one way leads to the block from before it. */
function isMerge(block: Block): boolean {
  if (block.needsLabel) return true;
  let ways = 0;
  for (const from of block.predecessors) if (from.order < block.order) ways++;
  return ways > 1;
}
