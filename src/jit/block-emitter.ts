import type { X87RoutineName } from '../isa/x87-stack.js';
import {
  TLB_BYTE,
  TLB_READ_SUPERVISOR,
  TLB_READ_USER,
  TLB_WRITE_SUPERVISOR,
  TLB_WRITE_USER,
} from '../memory/layout.js';
import { emitMisses } from '../cpu/interpreter/memory-functions.js';
import type { Shortcut } from '../cpu/interpreter/shortcuts.js';
import type { StringRun } from '../cpu/interpreter/string-runs.js';
import { Code, F32, F64, I32, I64, OP, V128, VOID_BLOCK } from '../wasm/code.js';
import type { LocalRun } from '../wasm/module.js';
import type { Operand } from '../wasm/routine.js';
import { SIMD } from '../wasm/simd.js';
import { pushFlags, pushResult } from './deferred-flags.js';
import { type FlagForm, STORED } from './flag-conditions.js';
import { KIND, type Node } from './node.js';
import {
  type AccessGroup,
  type AccessSize,
  type BehindStep,
  FIRST_VECTOR,
  FLAGS_AUX,
  FLAGS_RESULT,
  type HelperStep,
  isOnOnePage,
  LEAVE,
  LOCAL,
  type LoadStep,
  type Place,
  type Step,
  type StoreStateStep,
  type StoredStep,
  type StoreStep,
  VARIABLES,
} from './steps.js';
import { X87Emitter } from './x87-emitter.js';
import { tagsOf } from './x87-registers.js';

const FIRST_TEMPORARY = LOCAL.nextEip + 1;

/** What a block's steps need of the region around it. */
interface RegionActions {
  /** Emits the way out before an instruction: sets the variables, branches. */
  leave(place: Place, reason: number): void;
  /** Emits the call; leaves the result on the wasm stack. */
  callHelper(step: HelperStep): void;
  leaveBehind(step: BehindStep): void;
  /** Leaves the budget behind the block on the wasm stack. */
  pushBudget(): void;
  /** Function index of a shortcut. */
  shortcut(name: Shortcut): number;
  /** Function index of a routine. */
  routine(name: X87RoutineName): number;
}

/** Values and steps of one block after the other, with locals for what has been computed. */
export class BlockEmitter {
  /** Labels open. */
  depth = 0;
  private readonly types: number[] = [];
  /** Temporaries: i32, i64, v128, f32, f64. */
  private readonly pools: readonly Pool[] = [I32, I64, V128, F32, F64].map((type) => ({ type, locals: [], used: 0 }));
  /** Vectors that are in locals from the beginning, and their locals. */
  private readonly constants = new Map<string, { node: Node; local: number }>();
  /** Inside of `scoped`, where hardly anything comes by. */
  private scopes = 0;
  /** Nodes with a value in a local, in the order in which they got it. */
  private computed: Node[] = [];
  private readonly tlbRead: number;
  private readonly tlbWrite: number;
  /** By `AccessGroup.hostNumber`. */
  private readonly sharedHosts: (number | undefined)[] = [];
  private flagForm = STORED;
  /** Set within `checkedSteps`. */
  private addends: ReadonlyMap<AccessGroup, number> | undefined;
  private readonly x87 = new X87Emitter(this);

  constructor(
    readonly code: Code,
    user: boolean,
    private readonly region: RegionActions,
    /** Indices of the imported functions. */
    private readonly stringRuns: ReadonlyMap<StringRun, number>,
    /** Whether constants of the main path are worth a local. */
    private readonly hasLoops: boolean,
  ) {
    this.tlbRead = user ? TLB_READ_USER : TLB_READ_SUPERVISOR;
    this.tlbWrite = user ? TLB_WRITE_USER : TLB_WRITE_SUPERVISOR;
  }

  /** Locals of the function behind its parameter. */
  localRuns(): LocalRun[] {
    const runs: { type: number; count: number }[] = [
      { type: I32, count: FIRST_VECTOR },
      { type: V128, count: VARIABLES - FIRST_VECTOR },
      { type: I32, count: FIRST_TEMPORARY - LOCAL.variables - VARIABLES },
    ];
    for (const type of this.types) {
      const last = runs[runs.length - 1]!;
      if (last.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    return runs;
  }

  /** Temporaries hold nothing that is still wanted: a new block begins, with flags of this form. */
  startBlock(flagForm: FlagForm): void {
    this.flagForm = flagForm;
    for (const pool of this.pools) pool.used = 0;
    this.computed = [];
  }

  open(opcode: number): void {
    this.code.byte(opcode);
    this.code.byte(VOID_BLOCK);
    this.depth++;
  }
  close(): void {
    this.code.byte(OP.end);
    this.depth--;
  }
  /** Code that may branch behind itself. */
  block(emit: (branch: (opcode: number) => void) => void): void {
    const level = this.depth;
    this.open(OP.block);
    emit((opcode) => this.branch(opcode, level));
    this.close();
  }
  /** Branches to the label that was opened when `level` labels were open. */
  branch(opcode: number, level: number): void {
    this.code.branch(opcode, this.depth - 1 - level);
  }

  /** Emits code after which what it computed is forgotten: it does not always run. */
  scoped(emit: () => void): void {
    const used = this.pools.map((pool) => pool.used);
    const known = this.computed.length;
    this.scopes++;
    emit();
    this.scopes--;
    while (this.computed.length > known) this.computed.pop()!.local = -1;
    for (const [i, pool] of this.pools.entries()) pool.used = used[i]!;
  }

  /** V8 makes a vector anew wherever it stands, out of two registers; from a local it is one load at most. */
  private constantLocal(node: Node): number {
    const key = `${node.big} ${node.upper}`;
    let constant = this.constants.get(key);
    if (!constant) {
      constant = { node, local: FIRST_TEMPORARY + this.types.length };
      this.types.push(V128);
      this.constants.set(key, constant);
    }
    return constant.local;
  }

  /** Code for the beginning of the function, known at its end. */
  prologue(): Code {
    const code = new Code(256);
    for (const { node, local } of this.constants.values()) {
      code.vectorConstant(node.big, node.upper);
      code.localSet(local);
    }
    return code;
  }

  /** A local for an i32. */
  temporary(): number {
    return this.allocate(I32);
  }
  /** A local for a value of the type. */
  allocate(type: number): number {
    return this.allocateOf(this.pools.find((pool) => pool.type === type)!);
  }
  private allocateOf(pool: Pool): number {
    const { locals } = pool;
    let local = locals[pool.used++];
    if (local === undefined) {
      local = FIRST_TEMPORARY + this.types.length;
      this.types.push(pool.type);
      locals.push(local);
    }
    return local;
  }

  /** Leaves the value on the wasm stack. */
  push(node: Node): void {
    const { code } = this;
    if (node.local >= 0) {
      code.localGet(node.local);
      return;
    }
    switch (node.kind) {
      case KIND.constant:
        if (node.wide) {
          code.byte(OP.i64_const);
          code.s64(node.big);
        } else code.constant(node.number);
        return;
      case KIND.entry:
        if (this.flagForm !== STORED && node.number === FLAGS_AUX) pushFlags(code, this.flagForm, this.temporary());
        else if (this.flagForm !== STORED && node.number === FLAGS_RESULT) pushResult(code, this.flagForm);
        else {
          code.localGet(LOCAL.variables + node.number);
          return;
        }
        break;
      case KIND.unary:
        this.push(node.a!);
        code.byte(node.opcode);
        break;
      case KIND.binary:
        this.push(node.a!);
        this.push(node.b!);
        code.byte(node.opcode);
        break;
      case KIND.select:
        this.push(node.a!);
        this.push(node.b!);
        this.push(node.c!);
        code.byte(OP.select);
        break;
      case KIND.simd:
        if (node.a) this.push(node.a);
        if (node.b) this.push(node.b);
        if (node.c) this.push(node.c);
        code.simd(node.opcode);
        for (const byte of node.immediates) code.byte(byte);
        break;
      case KIND.vectorConstant:
        if (this.hasLoops && this.scopes === 0) code.localGet(this.constantLocal(node));
        else code.vectorConstant(node.big, node.upper);
        return;
      default:
        throw new Error('a result is used before its step');
    }
    if (node.uses > 1) code.localTee(this.compute(node));
  }

  /** Gives the node a local, which its value is about to be put into. */
  compute(node: Node): number {
    node.local = this.allocateOf(this.pools[poolOf(node)]!);
    this.computed.push(node);
    return node.local;
  }

  private popInto(node: Node): void {
    this.code.localSet(this.compute(node));
  }

  steps(steps: readonly Step[]): void {
    for (const step of steps) this.step(step);
  }

  private step(step: Step): void {
    const { code } = this;
    switch (step.kind) {
      case 'keep':
        if (step.node.local >= 0 || step.node.kind <= KIND.entry || step.node.kind === KIND.result) return;
        this.push(step.node);
        if (step.node.local >= 0) code.byte(OP.drop);
        else this.popInto(step.node);
        return;
      case 'loadState':
        this.pushBase(step.base);
        this.load(step.size, step.offset);
        this.popInto(step.result);
        return;
      case 'storeState':
        this.storeState(step);
        return;
      case 'stack': {
        const { full, empty } = step.requirement;
        this.push(step.tags);
        code.constant(tagsOf(full | empty));
        code.byte(OP.i32_and);
        if (empty !== 0) {
          code.constant(tagsOf(empty));
          code.byte(OP.i32_ne);
        }
        this.leaveIf(step.place, step.reason);
        return;
      }
      case 'call':
        this.x87.call(step);
        return;
      case 'trust':
        this.x87.trust(step);
        return;
      case 'distrust':
        this.x87.distrust(step);
        return;
      case 'convert':
        this.x87.convert(step);
        return;
      case 'access':
        this.access(step.group, step.place);
        return;
      case 'load':
        this.loadFrom(step);
        return;
      case 'store':
        this.storeTo(step);
        return;
      case 'stored':
        this.waitForStore(step);
        return;
      case 'leave':
        this.push(step.condition);
        this.leaveIf(step.place, step.reason);
        return;
      case 'stringRun':
        code.constant(step.parameter);
        code.call(this.stringRuns.get(step.operation)!);
        this.popInto(step.result);
        return;
      case 'shortcut':
        for (const arg of step.args) this.push(arg);
        code.call(this.region.shortcut(step.shortcut));
        this.popInto(step.result);
        return;
      case 'helper':
        this.region.callHelper(step);
        this.popInto(step.result);
        return;
      case 'behind':
        this.region.leaveBehind(step);
        return;
      case 'loadBudget':
        this.region.pushBudget();
        this.popInto(step.result);
        return;
      case 'branch': {
        for (const merge of step.merges) this.compute(merge.result);
        this.push(step.condition);
        this.open(OP.if);
        this.scoped(() => {
          this.steps(step.taken);
          for (const merge of step.merges) {
            this.push(merge.taken);
            code.localSet(merge.result.local);
          }
        });
        code.byte(OP.else);
        this.scoped(() => {
          this.steps(step.otherwise);
          for (const merge of step.merges) {
            this.push(merge.otherwise);
            code.localSet(merge.result.local);
          }
        });
        this.close();
        return;
      }
    }
  }

  routine(name: X87RoutineName): number {
    return this.region.routine(name);
  }

  /** The node's value as an operand of a `RoutineBuilder`. */
  operand(node: Node): Operand {
    if (node.isConstant) return node.wide ? node.big : node.number;
    const type = node.wide ? I64 : I32;
    if (node.local >= 0) return { type, index: node.local };
    this.push(node);
    const index = this.allocate(type);
    this.code.localSet(index);
    return { type, index };
  }

  /** Leaves if what is on the wasm stack is not zero. */
  leaveIf(place: Place, reason: number): void {
    this.open(OP.if);
    this.scoped(() => this.region.leave(place, reason));
    this.close();
  }

  private loadFrom({ group, offset, size, result }: LoadStep): void {
    const at = this.pushHost(group, offset);
    if (result.vector && size !== 128)
      this.code.simdMemory(size === 64 ? SIMD.v128_load64_zero : SIMD.v128_load32_zero, at);
    else this.load(size, at);
    this.popInto(result);
  }
  private storeTo({ group, offset, size, value }: StoreStep): void {
    const at = this.pushHost(group, offset);
    this.push(value);
    if (value.float) this.code.memory(size === 64 ? OP.f64_store : OP.f32_store, at);
    else this.store(size, at);
  }
  /**
   * Processors hand a store's value on to loads of nothing but it; others wait until it is in the cache. So here is one
   * of four bytes where it was, in the same line of the cache, some of which it has not written.
   */
  private waitForStore({ group, offset, size, result }: StoredStep): void {
    const { code } = this;
    const bytes = Math.max(size / 8, 2);
    const at = this.pushHost(group, offset);
    code.constant(at);
    code.byte(OP.i32_add);
    code.constant(-2 * bytes);
    code.byte(OP.i32_and);
    code.memory(OP.i32_load, bytes - 2);
    // What nobody sees through.
    code.byte(OP.i64_extend_i32_u);
    code.byte(OP.i64_const);
    code.s64(32n);
    code.byte(OP.i64_shr_u);
    code.byte(OP.i32_wrap_i64);
    this.popInto(result);
  }
  /** Leaves the local of a group on the wasm stack, and returns how far behind what it says `offset` is. */
  private pushHost(group: AccessGroup, offset: number): number {
    const checked = group.sharedWith ?? group;
    this.code.localGet(checked.host);
    return ((offset - group.sharedOffset) | 0) - checked.least + checked.hostBias;
  }

  private pushBase(base: Node | undefined): void {
    if (base) this.push(base);
    else this.code.constant(0);
  }
  storeState({ base, offset, size, value }: StoreStateStep): void {
    this.pushBase(base);
    this.push(value);
    this.store(size, offset);
  }

  private load(size: AccessSize, offset: number): void {
    if (size === 128) this.code.simdMemory(SIMD.v128_load, offset);
    else this.code.memory(LOADS[size], offset);
  }
  private store(size: AccessSize, offset: number): void {
    if (size === 128) this.code.simdMemory(SIMD.v128_store, offset);
    else this.code.memory(STORES[size], offset);
  }

  /**
   * Makes sure that a group is on one page in the TLB, once.
   */
  private access(group: AccessGroup, place: Place): void {
    if (group.host >= 0 || group.sharedWith) return;
    const { code } = this;
    const host = group.shared ? this.sharedHost(group) : this.temporary();
    const known = this.addends?.get(group);
    if (known !== undefined) {
      group.hostBias = biasInRun(group);
      this.pushAddress(group);
      code.localGet(known);
    } else {
      group.hostBias = biasOf(group);
      const entry = this.temporary();
      // The second byte's address will do to look up more than one: the first one is on that page or on another one than
      // the last. Where it is as cheap as the first one's it is better, for it is the one that is wanted behind.
      const ahead = group.span > 1 && group.least !== 0 ? TLB_BYTE : 0;
      this.lookUp(group, host, entry, ahead);
      this.leaveIf(place, group.write ? LEAVE.write : LEAVE.read);
      code.localGet(host);
      this.pushMore(TLB_BYTE - group.hostBias - ahead);
      code.localGet(entry);
    }
    code.byte(OP.i32_add);
    code.localSet(host);
    group.host = host;
  }

  /**
   * Puts the address of byte `ahead` of a group, and the TLB entry, into locals; leaves "not on one page in the TLB" on
   * the wasm stack.
   */
  lookUp(group: AccessGroup, address: number, entry: number, ahead = 0): void {
    const { code } = this;
    this.pushAddress(group, ahead);
    code.localTee(address);
    code.constant(10);
    code.byte(OP.i32_shr_u);
    code.constant(~3);
    code.byte(OP.i32_and);
    code.memory(OP.i32_load, group.write ? this.tlbWrite : this.tlbRead);
    code.localTee(entry);
    const bytes = isOnOnePage(group, group.least, group.span) ? 1 : group.span;
    emitMisses(code, () => code.localGet(address), bytes, ahead);
  }

  /** The local of a group whose check others share: the same in a loop and its run. */
  private sharedHost({ hostNumber }: AccessGroup): number {
    return (this.sharedHosts[hostNumber] ??= this.reserve());
  }

  private pushAddress({ root, least }: AccessGroup, ahead = 0): void {
    if (root) {
      this.push(root);
      this.pushMore(least + ahead);
    } else this.code.constant(least + ahead);
  }
  /** Adds to what is on the wasm stack. */
  private pushMore(constant: number): void {
    if (constant === 0) return;
    this.code.constant(constant);
    this.code.byte(OP.i32_add);
  }

  /** Makes the addend of a group of the TLB entry that has been looked up for it. */
  makeAddend(group: AccessGroup, entry: number): void {
    const { code } = this;
    code.localGet(entry);
    this.pushMore(TLB_BYTE - biasInRun(group));
    code.localSet(entry);
  }

  /** Emits steps of which some groups have been looked up: their addends are in locals. */
  checkedSteps(steps: readonly Step[], addends: ReadonlyMap<AccessGroup, number>): void {
    this.addends = addends;
    this.steps(steps);
    this.addends = undefined;
    for (const step of steps) if (step.kind === 'access') step.group.host = -1;
  }

  /** A local that no block uses for anything else. */
  reserve(): number {
    this.types.push(I32);
    return FIRST_TEMPORARY + this.types.length - 1;
  }
}

/**
 * `AccessGroup.hostBias`: accesses without an offset are faster, and one instruction is as many as that takes; for a
 * single byte it is not worth it.
 */
function biasOf(group: AccessGroup): number {
  return group.span > 1 ? 0 : TLB_BYTE;
}
/** In a run nothing has to be added each time. But others that share the check find what they find without a run. */
function biasInRun(group: AccessGroup): number {
  return group.shared ? biasOf(group) : 0;
}

/** The pool with locals of the node's type. */
function poolOf({ vector, float, wide }: Node): number {
  return vector ? 2 : (float ? 3 : 0) + Number(wide);
}

interface Pool {
  readonly type: number;
  readonly locals: number[];
  used: number;
}

const LOADS = { 8: OP.i32_load8_u, 16: OP.i32_load16_u, 32: OP.i32_load, 64: OP.i64_load } as const;
const STORES = { 8: OP.i32_store8, 16: OP.i32_store16, 32: OP.i32_store, 64: OP.i64_store } as const;
