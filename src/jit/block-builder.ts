import type { Builder, FloatAssumption, MemoryCell, Size, StateField, Value } from '../isa/builder.js';
import { FIELD_OF_REG, FIELD_OF_RM, type Operand } from '../isa/encoding.js';
import type { LaneWidth } from '../isa/vector.js';
import type { HandlerForm } from '../cpu/interpreter/forms.js';
import { loadsSegment, shortcutOf } from '../cpu/interpreter/shortcuts.js';
import type { StringRun } from '../cpu/interpreter/string-runs.js';
import { CS, FS, SEGMENT, STATE } from '../memory/layout.js';
import { OP } from '../wasm/code.js';
import { type FlagSource, floatCondition, type FloatFlagSource, integerCondition } from './flag-conditions.js';
import { FloatChecks } from './float-checks.js';
import { linearForm, sameTerms } from './linear-form.js';
import { KEEPS_VARIABLES, sameNodes } from './helper-calls.js';
import { type Instruction, isMmxRegister, isVectorRegister } from './instruction.js';
import type { LeaveReasons } from './leave-reasons.js';
import * as n from './node.js';
import { KIND, type Node } from './node.js';
import { NodeValues } from './node-values.js';
import {
  type AccessGroup,
  type AccessSize,
  FIRST_VECTOR,
  FLAGS_AUX,
  FLAGS_RESULT,
  FPU_STATUS,
  type HelperStep,
  LARGEST_SPAN,
  LEAVE,
  type Place,
  type Step,
  VARIABLES,
  VARIABLE_OF,
  stateOffset,
  within,
} from './steps.js';
import { repeatAtOnce } from './string-steps.js';
import { AlignedAddresses, StoredValues, type StoreStep, areApart, isSameValue } from './stored-values.js';
import * as vectors from './vector-nodes.js';
import { X87Registers } from './x87-registers.js';

/** How a block goes on. Targets are EIPs. */
export interface BlockEnd {
  /** Undefined: always `target`. */
  condition: Node | undefined;
  target: Node;
  otherwise: Node | undefined;
}

/** Thrown, and caught in `translate`: only the interpreter can do the instruction. */
const UNTRANSLATABLE = new Error('untranslatable');

/**
 * The translator's `Builder`: runs the meaning of one instruction after the other and gathers what the block does.
 *
 * Registers and flags are `variables`, mapped to the node that holds their present value; nothing is stored anywhere
 * before the block ends or is left. So a step may leave at any place, with the variables as they were when its
 * instruction began, and the interpreter does the whole instruction.
 */
export class BlockBuilder extends NodeValues implements Builder {
  form!: HandlerForm;
  readonly entries: readonly Node[] = Array.from({ length: VARIABLES }, (_, i) => n.entry(i, i >= FIRST_VECTOR));
  variables: Node[] = [...this.entries];
  steps: Step[] = [];
  readonly places: Place[] = [];
  /** Places in the middle of an instruction, and those where it begins. */
  private readonly inMiddle = new Map<Place, Place>();
  readonly x87: X87Registers = new X87Registers(this);
  /** Set by a jump of the last instruction. */
  end: BlockEnd | undefined;
  /** A helper of the last instruction has set EIP. */
  elsewhere = false;
  private instruction!: Instruction;
  /** Where the instruction begins. */
  private ownPlace!: Place;
  /** Where steps leave to: before the instruction, or before what has not been checked yet. */
  place!: Place;
  private readonly checks: FloatChecks;
  private groups: AccessGroup[] = [];
  private cells: (MemoryCell | undefined)[] = [];
  /** What was last stored in a group, by offset: nothing else has been stored since. */
  private stored: { readonly group: AccessGroup; readonly values: StoredValues } | undefined;
  /** Stores that wait for a check. */
  private delayed: StoreStep[] = [];
  /** What is known to be in the state, by offset. */
  private readonly known = new StoredValues();
  private readonly aligned = new AlignedAddresses();
  private flagSource: FlagSource | FloatFlagSource | undefined;
  /** By segment: base, and whether it has been found flat. */
  private readonly segmentBases: (Node | undefined)[] = [];
  private readonly checkedUnits = new Set<number>();
  private arms = 0;
  /** How many steps there were, and what the variables were, behind the last helper. */
  private helperSteps = 0;
  private helperVariables: readonly Node[] = [];

  constructor(
    private readonly helperNumber: (name: string) => number,
    private readonly leaveReasons: LeaveReasons,
    private readonly largestSpan = LARGEST_SPAN,
    readonly anyNumbers = false,
  ) {
    super();
    this.checks = new FloatChecks(this, anyNumbers);
  }

  /** Adds an instruction; false, and nothing added, if only the interpreter can do it. */
  translate(instruction: Instruction): boolean {
    this.instruction = instruction;
    this.form = instruction.handler;
    const { unit } = this.form.row;
    if (unit !== undefined && unit !== 'sse') this.settle();
    if (unit === 'mmx' || unit === 'sse-mmx') this.x87.flush();
    const variables = [...this.variables];
    const { steps, groups } = this;
    const stepCount = steps.length;
    const groupCount = groups.length;
    const stores = this.x87.pending();
    this.ownPlace = { eip: instruction.eip, remaining: 0, variables, stores, flags: this.arithmeticFlags };
    this.place = this.checks.place ?? this.ownPlace;
    const { delayed } = this;
    this.delayed = [...delayed];
    const forgetChecks = this.checks.save();
    // The x87 may write its registers, which MMX shares, past `storeState`.
    if (this.form.row.unit !== undefined && !/^(sse|mmx)/.test(this.form.row.unit)) this.known.clear();
    this.cells = [];
    try {
      if (unit) this.checkUnit(unit);
      this.form.row.semantics(this);
    } catch (error) {
      if (error !== UNTRANSLATABLE) throw error;
      this.variables = variables;
      forgetChecks();
      this.delayed = delayed;
      this.known.clear();
      this.aligned.clear();
      // It may have been thrown in an arm of a `when`.
      this.steps = steps;
      this.groups = groups;
      steps.length = stepCount;
      this.stored = undefined;
      groups.length = groupCount;
      this.segmentBases.length = 0;
      this.checkedUnits.clear();
      this.arms = 0;
      this.end = undefined;
      return false;
    }
    this.x87.finish();
    this.endHelpers(stepCount);
    this.places.push(this.ownPlace);
    for (let i = FIRST_VECTOR; i < VARIABLES; i++) {
      if (this.variables[i] === variables[i]) continue;
      for (const node of vectors.partsToKeep(this.variables[i]!)) this.steps.push({ kind: 'keep', node });
    }
    const status = this.variables[FPU_STATUS]!;
    if (status !== variables[FPU_STATUS]) this.steps.push({ kind: 'keep', node: status });
    for (let i = 0; i < FLAGS_RESULT; i++) {
      const node = this.variables[i]!;
      if (node !== variables[i] && node.kind !== KIND.constant && node.kind !== KIND.entry && !n.isOffset(node)) {
        this.steps.push({ kind: 'keep', node });
      }
    }
    return true;
  }

  /** The end of an instruction, whose steps are those from `first` on, if it has called helpers. */
  private endHelpers(first: number): void {
    const { steps, form } = this;
    const at = steps.findLastIndex((step) => step.kind === 'helper');
    if (at < first) return;
    if (form.row.ends && !this.end) {
      // What the registers are now is not wanted.
      steps.length = at + 1;
      this.variables = [...this.place.variables];
      this.elsewhere = true;
    } else {
      const helper = steps[at] as HelperStep;
      helper.last = steps.length === this.helperSteps && sameNodes(this.variables, this.helperVariables);
      if (!helper.last) steps.push({ kind: 'behind', variables: [...this.variables] });
    }
  }

  /** The block is complete. Numbers the instructions: `Place.remaining`. */
  finish(): void {
    this.x87.flush();
    this.settle();
    const count = this.places.length;
    for (let i = 0; i < count; i++) this.places[i]!.remaining = count - i;
    for (const [place, begin] of this.inMiddle) place.remaining = begin.remaining;
  }

  /** Before something happens that others can see: checks what has been taken for granted. */
  settle(): void {
    if (this.arms > 0) return;
    this.checks.check();
    this.steps.push(...this.delayed);
    this.delayed = [];
    this.place = this.ownPlace;
  }

  // --- values that have to be computed where they stand -----------------------------------------

  // Divisions trap on 0, so each is computed where it stands, behind the checks before it, and nowhere else.
  divU(a: Value, b: Value): Value {
    return this.kept(this.operate(OP.i32_div_u, OP.i64_div_u, a, b));
  }
  divS(a: Value, b: Value): Value {
    return this.kept(this.operate(OP.i32_div_s, OP.i64_div_s, a, b));
  }
  remU(a: Value, b: Value): Value {
    return this.kept(this.operate(OP.i32_rem_u, OP.i64_rem_u, a, b));
  }
  remS(a: Value, b: Value): Value {
    return this.kept(this.operate(OP.i32_rem_s, OP.i64_rem_s, a, b));
  }
  private kept(value: Value): Value {
    this.steps.push({ kind: 'keep', node: value as Node });
    return value;
  }
  // --- vectors --------------------------------------------------------------------------------

  assume(assumption: FloatAssumption): boolean {
    // Behind an arm there is no knowing whether it has been taken.
    if (this.arms > 0) return false;
    const holds = (): Value => {
      this.arms++;
      const value = assumption.holds();
      this.arms--;
      return value;
    };
    this.checks.assume({ ...assumption, holds });
    return true;
  }
  passVector(value: Value): void {
    // In an arm it is the interpreter that calls the helper.
    if (this.arms === 0) this.storeState(STATE.vectorScratch, 128, value);
  }

  variable(): Value {
    throw UNTRANSLATABLE;
  }
  assign(): void {
    throw UNTRANSLATABLE;
  }

  // --- state ----------------------------------------------------------------------------------

  state(field: StateField): Value {
    if (field === 'budget') {
      const result = n.result(false, 32);
      this.steps.push({ kind: 'loadBudget', result });
      return result;
    }
    const variable = VARIABLE_OF.get(field);
    return variable === undefined ? this.loadState(STATE[field], 32) : this.variables[variable]!;
  }
  setState(field: StateField, value: Value): void {
    const variable = VARIABLE_OF.get(field);
    if (variable !== undefined) this.variables[variable] = value as Node;
    else this.storeState(STATE[field], 32, value);
  }
  loadState(offset: number, size: AccessSize, base?: Node): Node {
    const known = base ? undefined : this.known.get(offset, size);
    if (known) return known;
    const result = n.resultOf(size);
    this.steps.push({ kind: 'loadState', result, offset, size, ...(base && { base }) });
    if (this.arms === 0 && !base) this.known.set(offset, size, result);
    return result;
  }
  private storeState(offset: number, size: AccessSize, value: Value): void {
    this.settle();
    const node = value as Node;
    const known = this.known.get(offset, size);
    if (known && isSameValue(known, node)) return;
    this.steps.push({ kind: 'storeState', offset, size, value: node });
    if (this.arms === 0) this.known.set(offset, size, node);
    else this.known.forget(offset, size);
  }

  selector(index: Value): Value {
    return this.loadState(STATE.segments + (index as Node).number * SEGMENT.stride + SEGMENT.selector, 32);
  }

  register(index: number, size: Size): Value {
    if (size === 32) return this.variables[index]!;
    if (size === 16) return this.and(this.variables[index]!, n.constant(0xffff));
    const whole = this.variables[index & 3]!;
    return this.and(index < 4 ? whole : this.shrU(whole, n.constant(8)), n.constant(0xff));
  }
  setRegister(index: number, size: Size, value: Value): void {
    if (size === 32) {
      this.variables[index] = value as Node;
      return;
    }
    const low = this.and(value, n.constant(size === 8 ? 0xff : 0xffff));
    const number = size === 8 ? index & 3 : index;
    const high = size === 8 && index >= 4;
    const kept = this.and(this.variables[number]!, n.constant(size === 16 ? ~0xffff : high ? ~0xff00 : ~0xff));
    this.variables[number] = this.or(kept, high ? this.shl(low, n.constant(8)) : low) as Node;
  }

  flagsFrom(operation: 'add' | 'sub' | 'logic', size: Size, x: Value, y: Value, result: Value): void {
    const words = [this.variables[FLAGS_RESULT]!, this.variables[FLAGS_AUX]!] as const;
    this.flagSource = { operation, size, x: x as Node, y: y as Node, result: result as Node, words };
  }

  flagsFromLowest(less: Value, equal: Value): void {
    const words = [this.variables[FLAGS_RESULT]!, this.variables[FLAGS_AUX]!] as const;
    this.flagSource = { less: less as Node, equal: equal as Node, words };
  }

  /** What the flag words come from, if they still do. */
  get flags(): FlagSource | FloatFlagSource | undefined {
    const { flagSource, variables } = this;
    const [result, aux] = flagSource?.words ?? [];
    return result === variables[FLAGS_RESULT] && aux === variables[FLAGS_AUX] ? flagSource : undefined;
  }

  /** The same, if they are those of a sum or difference. */
  get arithmeticFlags(): FlagSource | undefined {
    const { flags } = this;
    return flags && !('less' in flags) && flags.operation !== 'logic' ? flags : undefined;
  }

  /** The same, if they are those of AND or the like. */
  get logicFlags(): FlagSource | undefined {
    const { flags } = this;
    return flags && !('less' in flags) && flags.operation === 'logic' ? flags : undefined;
  }

  shortCondition(cc: number): Value | undefined {
    const source = this.flags;
    if (!source) return undefined;
    if ('less' in source) {
      const holds = floatCondition(source, cc >> 1);
      return cc & 1 ? n.isZero(holds) : holds;
    }
    const value = integerCondition(source, cc >> 1);
    return value && cc & 1 ? n.isZero(value) : value;
  }

  isExtension(high: Value, low: Value, signed: boolean): boolean {
    return signed ? n.isSignOf(high as Node, low as Node) : n.isZeroConstant(high as Node);
  }

  // --- operands -------------------------------------------------------------------------------

  private operand(index: number): Operand {
    return this.form.encoding.operands[index]!;
  }
  private operandSize(operand: Operand): Size {
    if (operand.size === 'v') return this.form.size;
    return operand.size === 64 || operand.size === 128 || operand.size === 0 ? 32 : operand.size;
  }
  /** Offset in the state of a register operand. */
  private registerOffset(operand: Operand): number {
    const { reg, rm } = this.instruction;
    return FIELD_OF_REG.has(operand.kind) ? reg : rm;
  }
  /** The variable of an XMM register. */
  private vectorOf(operand: Operand): number {
    return FIRST_VECTOR + ((this.registerOffset(operand) - STATE.xmm) >> 4);
  }
  /** Writes the lowest lane of an XMM register. */
  private setLowest(operand: Operand, width: LaneWidth, value: Value): void {
    const variable = this.vectorOf(operand);
    this.variables[variable] = this.withLane(this.variables[variable]!, width, 0, value) as Node;
  }
  /** Number of the register at a state offset, as `register` wants it. */
  private registerAt(offset: number, size: Size): number {
    return (offset >> 2) + (size === 8 ? (offset & 1) << 2 : 0);
  }

  read(index: number): Value {
    const operand = this.operand(index);
    const size = this.operandSize(operand);
    switch (operand.kind) {
      case 'one':
        return n.constant(1);
      case 'fixed':
        return this.register(operand.number, size);
      case 'immediate':
      case 'relative': {
        const second = this.form.encoding.operands.slice(0, index).some((o) => o.kind === 'immediate');
        return n.constant(second ? this.instruction.displacement : this.instruction.immediate);
      }
      case 'farPointer':
        return n.constant(this.instruction.immediate);
      case 'segment':
      case 'control':
      case 'debug':
      case 'st':
        return this.number(index);
    }
    if (!this.form.isMemory(index)) {
      if (isVectorRegister(operand)) return this.lane(this.variables[this.vectorOf(operand)]!, size, 0);
      if (isMmxRegister(operand)) return this.loadState(this.registerOffset(operand), size);
      return this.register(this.registerAt(this.registerOffset(operand), size), size);
    }
    if (operand.access === 'rw') {
      const cell = this.cellOf(this.linear(index, true), size);
      this.cells[index] = cell;
      return cell.read();
    }
    return this.loadLinear(this.linear(index, false), size);
  }

  write(index: number, value: Value): void {
    const operand = this.operand(index);
    const size = this.operandSize(operand);
    if (operand.kind === 'fixed') this.setRegister(operand.number, size, value);
    else if (!this.form.isMemory(index)) {
      if (isVectorRegister(operand)) this.setLowest(operand, size, value);
      else if (isMmxRegister(operand)) this.storeState(this.registerOffset(operand), size, value);
      else this.setRegister(this.registerAt(this.registerOffset(operand), size), size, value);
    } else {
      const cell = this.cells[index] ?? this.cellOf(this.linear(index, true), size);
      cell.write(value);
    }
  }

  read64(index: number): Value {
    const operand = this.operand(index);
    if (!this.form.isMemory(index)) {
      if (isVectorRegister(operand)) return this.lane(this.variables[this.vectorOf(operand)]!, 64, 0);
      return this.loadState(this.registerOffset(operand), 64);
    }
    const linear = this.linear(index, false);
    const access = this.access(linear, 8, false);
    return this.loadFrom(access.group, access.offset, 64);
  }

  readLowest(index: number, width: 32 | 64): Value {
    const { group, offset } = this.access(this.linear(index, false), width / 8, false);
    const known = this.storedAt(group, offset, width);
    if (known) return this.withLane(n.vectorConstant(0n, 0n), width, 0, known);
    this.beforeLoad(group, offset, width);
    const result = n.vectorResult();
    this.steps.push({ kind: 'load', result, group, offset, size: width });
    return result;
  }

  write64(index: number, value: Value): void {
    const operand = this.operand(index);
    if (!this.form.isMemory(index)) {
      if (isVectorRegister(operand)) {
        this.setLowest(operand, 64, value);
        return;
      }
      const offset = this.registerOffset(operand);
      this.storeState(offset, 64, value);
      this.storeState(offset + 8, 16, n.constant(0xffff));
      return;
    }
    const { group, offset } = this.access(this.linear(index, true), 8, true);
    this.storeTo(group, offset, 64, value as Node);
  }

  read128(index: number, aligned: boolean): Value {
    const operand = this.operand(index);
    if (!this.form.isMemory(index)) return this.variables[this.vectorOf(operand)]!;
    const { group, offset } = this.access(this.linear128(index, aligned, false), 16, false);
    return this.loadFrom(group, offset, 128);
  }

  write128(index: number, value: Value, aligned: boolean): void {
    const operand = this.operand(index);
    if (!this.form.isMemory(index)) {
      this.variables[this.vectorOf(operand)] = value as Node;
      return;
    }
    const { group, offset } = this.access(this.linear128(index, aligned, true), 16, true);
    this.storeTo(group, offset, 128, value as Node);
  }

  private linear128(index: number, aligned: boolean, write: boolean): Node {
    const linear = this.linear(index, write);
    if (!aligned || this.aligned.has(linear)) return linear;
    this.leave(this.and(linear, n.constant(15)) as Node, LEAVE.fault);
    if (this.arms === 0) this.aligned.add(linear);
    return linear;
  }

  number(index: number): Value {
    const operand = this.operand(index);
    if (operand.kind === 'farPointer') return n.constant(this.instruction.displacement);
    if (operand.kind === 'st') return n.constant(this.form.number);
    const { reg, rm } = this.instruction;
    return n.constant(FIELD_OF_RM.has(operand.kind) ? rm : reg);
  }

  offset(_operand: number): Value {
    const { base, index, scale, displacement, addressMask } = this.instruction;
    let value: Value = n.constant(displacement);
    if (index !== STATE.zero) value = this.add(this.shl(this.variables[index >> 2]!, n.constant(scale)), value);
    // The displacement comes last, so that accesses with the same base and index share a root.
    if (base !== STATE.zero) {
      const register = this.variables[base >> 2]!;
      if (index === STATE.zero) value = this.add(register, value);
      else {
        const scaled = this.shl(this.variables[index >> 2]!, n.constant(scale));
        value = this.add(this.add(register, scaled), n.constant(displacement));
      }
    }
    return addressMask === -1 ? value : this.and(value, n.constant(addressMask));
  }

  address(index: number, _bytes: number, write: boolean): Value {
    return this.linear(index, write);
  }

  private linear(index: number, write: boolean, displacement?: Value): Node {
    let offset = this.offset(index);
    if (displacement) {
      offset = this.add(offset, displacement);
      const { addressMask } = this.instruction;
      if (addressMask !== -1) offset = this.and(offset, n.constant(addressMask));
    }
    return this.linearAt('default', offset, write);
  }

  /** Adds the segment's base. ES, CS, SS and DS are flat, or this code would not be translated. */
  private linearAt(segment: number | 'default', offset: Value, write: boolean): Node {
    const number = segment === 'default' ? this.instruction.segment : segment;
    if (!this.form.checked) return offset as Node;
    if (number === CS && write) this.leave(n.constant(1), LEAVE.fault);
    if (number < FS) return offset as Node;
    let base = this.segmentBases[number];
    if (!base) {
      const flat = this.loadState(STATE.segmentFlat + 4 * number, 32);
      this.leave(n.isZero(flat), LEAVE.fault);
      base = this.loadState(STATE.segments + number * SEGMENT.stride + SEGMENT.base, 32);
      // What an arm has found is not known behind it.
      if (this.arms === 0) this.segmentBases[number] = base;
    }
    return this.add(base, offset) as Node;
  }

  readAt(index: number, displacement: Value, size: Size): Value {
    return this.loadLinear(this.linear(index, false, displacement), size);
  }
  cellAt(index: number, displacement: Value, size: Size): MemoryCell {
    return this.cellOf(this.linear(index, true, displacement), size);
  }
  load(segment: number | 'default', offset: Value, size: Size): Value {
    return this.loadLinear(this.linearAt(segment, offset, false), size);
  }
  store(segment: number | 'default', offset: Value, size: Size, value: Value): void {
    this.cell(segment, offset, size).write(value);
  }
  cell(segment: number | 'default', offset: Value, size: Size): MemoryCell {
    return this.cellOf(this.linearAt(segment, offset, true), size);
  }

  // --- memory ---------------------------------------------------------------------------------

  /** Makes sure that `bytes` at `linear` may be accessed. */
  private access(linear: Node, bytes: number, write: boolean): { group: AccessGroup; offset: number } {
    const form = linearForm(linear);
    let offset = form.offset;
    let group = this.groups.find((g) => {
      const more = (form.offset - g.form.offset) | 0;
      return sameTerms(form, g.form) && within(g, more, bytes, this.largestSpan);
    });
    if (group) {
      offset = (offset - group.form.offset) | 0;
      const end = Math.max(group.least + group.span, offset + bytes);
      group.least = Math.min(group.least, offset);
      group.span = end - group.least;
      group.write ||= write;
    } else {
      let root: Node | undefined = linear;
      if (linear.isConstant) root = undefined;
      else if (n.isOffset(linear)) {
        root = linear.a!;
        offset = linear.b!.number;
      } else offset = 0;
      group = {
        root,
        form: { terms: form.terms, offset: (form.offset - offset) | 0 },
        least: offset,
        span: bytes,
        write,
        host: -1,
        hostBias: 0,
        shared: false,
        hostNumber: -1,
        sharedWith: undefined,
        sharedOffset: 0,
      };
      this.groups.push(group);
    }
    this.steps.push({ kind: 'access', group, place: this.place });
    return { group, offset };
  }

  private loadFrom(group: AccessGroup, offset: number, size: AccessSize): Node {
    const known = this.storedAt(group, offset, size);
    if (known) return known;
    this.beforeLoad(group, offset, size);
    const result = n.resultOf(size);
    this.steps.push({ kind: 'load', result, group, offset, size });
    return result;
  }
  private storeTo(group: AccessGroup, offset: number, size: AccessSize, value: Node): void {
    const step: StoreStep = { kind: 'store', group, offset, size, value: vectors.stored(value, size) };
    if (this.checks.place) this.delayed.push(step);
    else this.steps.push(step);
    // Addresses with different roots may be the same.
    if (this.stored?.group !== group) this.stored = { group, values: new StoredValues() };
    const { values } = this.stored;
    if (size >= 32) values.set(offset, size, value);
    else values.forget(offset, size);
  }
  private storedAt(group: AccessGroup, offset: number, size: AccessSize): Node | undefined {
    return this.stored?.group === group ? this.stored.values.get(offset, size) : undefined;
  }
  /** Delayed stores come first if they may concern what is to be loaded. */
  private beforeLoad(group: AccessGroup, offset: number, size: AccessSize): void {
    if (!this.delayed.every((store) => areApart(store, { group, offset, size }))) this.settle();
  }
  private loadLinear(linear: Node, size: Size): Value {
    const { group, offset } = this.access(linear, size / 8, false);
    return this.loadFrom(group, offset, size);
  }
  private cellOf(linear: Node, size: Size): MemoryCell {
    const { group, offset } = this.access(linear, size / 8, true);
    return {
      read: () => this.loadFrom(group, offset, size),
      write: (value) => {
        this.storeTo(group, offset, size, value as Node);
      },
    };
  }

  repeatAtOnce(operation: StringRun): boolean {
    return repeatAtOnce(this, operation);
  }

  /** Calls the function with these registers in the state; those that it moves are what they are then. */
  runString(operation: StringRun, parameter: number, registers: readonly number[], moved: readonly number[]): Node {
    for (const register of registers) this.storeState(stateOffset(register), 32, this.variables[register]!);
    const result = n.result(false, 1);
    this.steps.push({ kind: 'stringRun', operation, parameter, result });
    this.known.clear();
    this.stored = undefined;
    for (const register of moved) this.variables[register] = this.loadState(stateOffset(register), 32);
    return result;
  }

  /** A place in the middle of an instruction, which is to be resumed. */
  resumption(): Place {
    const { eip, stores } = this.place;
    const inMiddle = { eip, remaining: 0, variables: [...this.variables], stores, flags: this.arithmeticFlags };
    this.inMiddle.set(inMiddle, this.place);
    return inMiddle;
  }

  // --- control --------------------------------------------------------------------------------

  /** The reason to leave before the present instruction because the interpreter has to do it. */
  get interpreted(): number {
    return this.leaveReasons.reasonOf(this.form.row.name);
  }

  leave(condition: Node, reason: number, place = this.place): void {
    if (condition.isConstant && condition.number === 0) return;
    this.steps.push({ kind: 'leave', condition, reason, place });
  }

  when(condition: Value, then: () => void, otherwise?: () => void): void {
    const test = condition as Node;
    if (test.isConstant) {
      if (test.number !== 0) then();
      else otherwise?.();
      return;
    }
    this.settle();
    const { steps, stored } = this;
    const before = this.variables;
    const taken = this.arm(before, then);
    const other = this.arm(before, otherwise);
    this.steps = steps;
    this.variables = [...before];
    const only = taken.steps.length === 1 && other.steps.length === 0 ? taken.steps[0]! : undefined;
    if (only?.kind === 'leave' && only.condition.isConstant) {
      // Behind it the arm has not been taken.
      this.variables = other.variables;
      this.stored = stored;
      this.leave(test, only.reason, only.place);
      return;
    }
    if (taken.end || other.end) {
      if (!taken.end || !other.end || taken.steps.length > 0 || other.steps.length > 0) throw UNTRANSLATABLE;
      this.end = { condition: test, target: taken.end.target, otherwise: other.end.target };
      return;
    }
    const pure = taken.steps.length === 0 && other.steps.length === 0;
    const merges: { result: Node; taken: Node; otherwise: Node }[] = [];
    for (let i = 0; i < VARIABLES; i++) {
      const a = taken.variables[i]!;
      const b = other.variables[i]!;
      if (a === b) {
        this.variables[i] = a;
      } else if (pure) this.variables[i] = n.select(test, a, b);
      else {
        const result = i >= FIRST_VECTOR ? n.vectorResult() : n.result(false, 32);
        merges.push({ result, taken: a, otherwise: b });
        this.variables[i] = result;
      }
    }
    if (!pure) steps.push({ kind: 'branch', condition: test, taken: taken.steps, otherwise: other.steps, merges });
  }

  /** Runs one arm of a `when` for itself. */
  private arm(
    before: readonly Node[],
    body: (() => void) | undefined,
  ): { steps: Step[]; variables: Node[]; end: BlockEnd | undefined } {
    this.steps = [];
    this.variables = [...before];
    const groups = this.groups;
    // A check inside the arm says nothing behind it; checks before it hold in it, but cannot be widened any more.
    this.groups = [];
    this.stored = undefined;
    this.arms++;
    body?.();
    this.arms--;
    this.groups = groups;
    this.stored = undefined;
    const { steps, variables, end } = this;
    this.end = undefined;
    return { steps, variables, end };
  }

  loop(): void {
    throw UNTRANSLATABLE;
  }
  fault(_vector: number): void {
    // The interpreter runs the instruction again, and raises it.
    this.leave(n.constant(1), LEAVE.fault);
  }
  thisEip(): Value {
    return n.constant(this.instruction.eip);
  }
  nextEip(): Value {
    return n.constant(this.instruction.eip + this.instruction.length);
  }
  jump(target: Value): void {
    this.end = { condition: undefined, target: target as Node, otherwise: undefined };
  }
  endBlock(): void {
    // In an arm it stands behind a helper, before which the region is left.
    if (this.arms === 0) throw UNTRANSLATABLE;
  }
  resume(value: Value, usual: number): void {
    const node = value as Node;
    if (node.kind !== KIND.constant || node.number !== usual) return;
    const step = this.steps.at(-1) as HelperStep;
    step.resumes = true;
    this.jump(this.nextEip());
  }
  helper(name: string, ...args: Value[]): Value {
    if (this.arms === 0) return this.takeShortcut(name, args as Node[]) ?? this.callHelper(name, args as Node[]);
    // The rare case of an instruction: the interpreter runs it again, since nothing visible has changed yet.
    this.leave(n.constant(1), this.interpreted);
    return n.constant(0);
  }

  private takeShortcut(name: string, args: readonly Node[]): Value | undefined {
    const shortcut = shortcutOf(name);
    if (!shortcut || !loadsSegment(shortcut)) return undefined;
    this.settle();
    const done = n.result(false, 1);
    this.steps.push({ kind: 'shortcut', shortcut, args, result: done });
    this.known.clear();
    this.segmentBases.length = 0;
    this.leave(n.isZero(done), this.interpreted);
    return n.constant(0);
  }

  private callHelper(name: string, args: readonly Node[]): Value {
    this.settle();
    this.checks.forgetModes();
    this.known.clear();
    const { place, instruction, variables } = this;
    const result = n.result(false, 32);
    const next = instruction.eip + instruction.length;
    this.x87.flushForHelper();
    const callee = { helper: this.helperNumber(name), shortcut: shortcutOf(name) };
    this.steps.push({
      kind: 'helper',
      result,
      ...callee,
      args,
      place,
      next,
      variables: [...variables],
      last: false,
      resumes: false,
    });
    // Those that it keeps are in the state now, and have to be known as changed even if they become what they were.
    const keeps = KEEPS_VARIABLES.has(name);
    this.variables = variables.map((node, v) =>
      keeps && node === this.entries[v] ? node : this.loadState(stateOffset(v), v >= FIRST_VECTOR ? 128 : 32),
    );
    this.helperSteps = this.steps.length;
    this.helperVariables = [...this.variables];
    this.checkedUnits.clear();
    this.stored = undefined;
    return result;
  }

  /** Whether the instruction's unit may be used, once in a block: nothing but a helper can change that. */
  private checkUnit(unit: string): void {
    if (unit !== 'sse' && !this.checkedUnits.has(STATE.fpuUnavailable)) this.checkAvailable(STATE.fpuUnavailable);
    if (unit.startsWith('sse') && !this.checkedUnits.has(STATE.sseUnavailable))
      this.checkAvailable(STATE.sseUnavailable);
  }
  checkMasks(): void {
    if (this.checkedUnits.has(STATE.fpuControl)) return;
    const masks = n.constant(ALL_MASKED);
    const masked = this.and(this.loadState(STATE.fpuControl, 32), masks);
    this.leave(this.ne(masked, masks) as Node, this.interpreted);
    this.checkedUnits.add(STATE.fpuControl);
  }
  private checkAvailable(field: number): void {
    this.leave(this.loadState(field, 32), this.interpreted);
    this.checkedUnits.add(field);
  }
}

/** The x87's exception masks. */
const ALL_MASKED = 0x3f;
