import type { Builder, MemoryCell, Size, StateField, Value } from '../../isa/builder.js';
import { FIELD_OF_REG, FIELD_OF_RM, type Operand } from '../../isa/encoding.js';
import type { X87RoutineName } from '../../isa/x87-stack.js';
import { SEGMENT, STATE, TLB_BYTE } from '../../memory/layout.js';
import { type Code, OP, VOID_BLOCK } from '../../wasm/code.js';
import { SIMD } from '../../wasm/simd.js';
import { GP } from '../faults.js';
import { UNITS } from '../fpu-state.js';
import type { Callees } from './callees.js';
import { CARRIED, carrierOf } from './carried.js';
import { ADDRESSING, type Step } from './forms.js';
import { CARRIED_LOCAL, HandlerValues, type Local, RECORD_LOCAL } from './handler-values.js';
import { HandlerX87, type X87Handler } from './handler-x87.js';
import { emitLookUp } from './memory-functions.js';
import { RECORD } from './record.js';
import { shortcutOf } from './shortcuts.js';
import { isComparing, type StringRun, UNTIL_EQUAL } from './string-runs.js';

/**
 * The interpreter's `Builder`: emits the handler of one form, whose operands are read from the record at
 * run time.
 *
 * A handler ends in one of three ways: on to the next record, on to the block at `state.eip`, or out of
 * the interpreter with `state.status` set. `Endings` says how each is emitted where the handler stands.
 */
export interface Endings {
  /** Emits the code; `depth` is the number of labels open inside the handler. */
  nextRecord(code: Code, depth: number): void;
  nextBlock(code: Code, depth: number): void;
  leave(code: Code, depth: number): void;
}

export class HandlerBuilder extends HandlerValues implements Builder, X87Handler {
  private readonly callees: Callees;
  private readonly endings: Endings;
  private readonly helperNumber: (name: string) => number;
  private readonly inline: boolean;
  /** Labels open inside the handler. */
  private depth = 0;
  /** `CARRIED`: operands that are in `CARRIED_LOCAL`. */
  private readonly carried: number;
  private leavesCarried = false;
  /** What has been emitted stores to guest memory. */
  writesMemory = false;
  private cells: (MemoryCell | undefined)[] = [];
  readonly x87: HandlerX87 = new HandlerX87(this);
  /** Labels open in front of the one that `giveUp` branches to. */
  private attemptDepth = 0;

  constructor(
    { form, carried }: Step,
    code: Code,
    callees: Callees,
    endings: Endings,
    helperNumber: (name: string) => number,
    inline: boolean,
  ) {
    super(form, code);
    this.carried = carried;
    this.callees = callees;
    this.endings = endings;
    this.helperNumber = helperNumber;
    this.inline = inline;
  }

  /** Emits the whole handler. Returns how many i32 locals it needs. */
  emit(): number {
    const { row } = this.form;
    if (row.unit) this.checkUnit(row.unit);
    row.semantics(this);
    if (this.inline) this.carry();
    if (row.ends) this.endings.nextBlock(this.code, this.depth);
    else this.endings.nextRecord(this.code, this.depth);
    return this.narrowUsed;
  }

  /** What the next instruction finds carried is what this one has written, or nothing (which need not be kept). */
  private carry(): void {
    if (this.form.row.ends) return;
    const carrier = carrierOf(this.form);
    if (carrier >= 0 !== this.leavesCarried) throw new Error(`${this.form.row.name} does not write a register always`);
    if (this.leavesCarried) return;
    this.code.constant(0);
    this.code.localSet(CARRIED_LOCAL);
  }

  // --- record and state -----------------------------------------------------------------------

  /** Leaves a u16 of the record on the wasm stack. */
  private field16(offset: number): void {
    this.code.localGet(RECORD_LOCAL);
    this.code.memory(OP.i32_load16_u, offset);
  }
  private field32(offset: number): void {
    this.code.localGet(RECORD_LOCAL);
    this.code.memory(OP.i32_load, offset);
  }

  private loadState(offset: number): void {
    this.code.constant(0);
    this.code.memory(OP.i32_load, offset);
  }

  private loadOpcode(size: Size): number {
    return size === 8 ? OP.i32_load8_u : size === 16 ? OP.i32_load16_u : OP.i32_load;
  }
  private storeOpcode(size: Size): number {
    return size === 8 ? OP.i32_store8 : size === 16 ? OP.i32_store16 : OP.i32_store;
  }

  state(field: StateField): Value {
    this.loadState(STATE[field]);
    return this.pop();
  }
  setState(field: StateField, value: Value): void {
    this.storeState(STATE[field], value);
  }
  private storeState(offset: number, value: Value): void {
    this.code.constant(0);
    this.push(value);
    this.code.memory(OP.i32_store, offset);
  }

  private registerOffset(index: number, size: Size): number {
    return size === 8 && index >= 4 ? (index - 4) * 4 + 1 : index * 4;
  }
  selector(index: Value): Value {
    this.push(index);
    this.code.constant(SEGMENT.stride);
    this.code.byte(OP.i32_mul);
    this.code.memory(OP.i32_load, STATE.segments + SEGMENT.selector);
    return this.pop();
  }
  register(index: number, size: Size): Value {
    this.code.constant(0);
    this.code.memory(this.loadOpcode(size), STATE.registers + this.registerOffset(index, size));
    return this.pop();
  }
  setRegister(index: number, size: Size, value: Value): void {
    this.code.constant(0);
    this.push(value);
    this.code.memory(this.storeOpcode(size), STATE.registers + this.registerOffset(index, size));
  }

  // --- x87 ------------------------------------------------------------------------------------

  attempt(body: () => void): void {
    this.attemptDepth = this.depth;
    this.open(OP.block);
    body();
    this.endings.nextRecord(this.code, this.depth);
    this.close();
  }
  giveUp(condition: Value): void {
    this.push(condition);
    this.code.branch(OP.br_if, this.depth - 1 - this.attemptDepth);
  }
  loadAt(base: Value, offset: number, size: 16 | 64): Value {
    this.push(base);
    this.code.memory(size === 64 ? OP.i64_load : OP.i32_load16_u, offset);
    return this.pop(size === 64);
  }
  storeAt(base: Value, offset: number, size: 16 | 32 | 64, value: Value): void {
    this.push(base);
    this.push(value);
    this.code.memory(size === 64 ? OP.i64_store : this.storeOpcode(size), offset);
  }
  routine(name: X87RoutineName, args: readonly Value[], wide: readonly boolean[]): Value[] {
    for (const arg of args) this.push(arg);
    this.code.call(this.callees.x87[name]);
    return wide
      .toReversed()
      .map((isWide) => this.pop(isWide))
      .reverse();
  }

  // --- operands -------------------------------------------------------------------------------

  private operand(n: number): Operand {
    const operand = this.form.encoding.operands[n];
    if (!operand) throw new Error(`${this.form.row.name} has no operand ${n}`);
    return operand;
  }
  private operandSize(operand: Operand): Size {
    if (operand.size === 'v') return this.form.size;
    if (operand.size === 64 || operand.size === 128 || operand.size === 0) return 32;
    return operand.size;
  }
  private registerField(operand: Operand): number {
    return FIELD_OF_REG.has(operand.kind) ? RECORD.reg : RECORD.rm;
  }
  /** Immediates come in order: the second one lives in the displacement field. */
  private immediateField(n: number): number {
    const earlier = this.form.encoding.operands.slice(0, n).some((o) => o.kind === 'immediate');
    return earlier ? RECORD.displacement : RECORD.immediate;
  }

  read(n: number): Value {
    const operand = this.operand(n);
    const size = this.operandSize(operand);
    switch (operand.kind) {
      case 'one':
        return this.const(1);
      case 'fixed':
        return this.isCarried(operand) ? this.carriedValue() : this.register(operand.number, size);
      case 'immediate':
      case 'relative':
        this.field32(this.immediateField(n));
        return this.pop();
      case 'farPointer':
        this.field32(RECORD.immediate);
        return this.pop();
      case 'segment':
      case 'control':
      case 'debug':
      case 'st':
        return this.number(n);
    }
    if (!this.form.isMemory(n)) {
      if (this.isCarried(operand)) return this.carriedValue();
      this.field16(this.registerField(operand));
      this.code.memory(this.loadOpcode(size), 0);
      return this.pop();
    }
    if (operand.access === 'rw') {
      const cell = this.linearCell(this.linear(n, size / 8, true), size);
      this.cells[n] = cell;
      return cell.read();
    }
    return this.readLinear(this.linear(n, size / 8, false), size);
  }

  write(n: number, value: Value): void {
    const operand = this.operand(n);
    const size = this.operandSize(operand);
    if (operand.kind === 'fixed') {
      this.setRegister(operand.number, size, value);
      this.leave(n, value);
    } else if (!this.form.isMemory(n)) {
      this.field16(this.registerField(operand));
      this.push(value);
      this.code.memory(this.storeOpcode(size), 0);
      this.leave(n, value);
    } else {
      const cell = this.cells[n];
      if (cell) cell.write(value);
      else this.writeLinear(this.linear(n, size / 8, true), size, value);
    }
  }

  /** Whether an operand that is a register is the carried one. */
  private isCarried(operand: Operand): boolean {
    return (this.carried & (FIELD_OF_REG.has(operand.kind) ? CARRIED.reg : CARRIED.rm)) !== 0;
  }
  private carriedValue(): Value {
    this.code.localGet(CARRIED_LOCAL);
    return this.pop();
  }
  /** Operand n has become `value`: carries it to the next instruction. */
  private leave(n: number, value: Value): void {
    if (!this.inline || this.depth > 0 || carrierOf(this.form) !== n) return;
    this.push(value);
    this.code.localSet(CARRIED_LOCAL);
    this.leavesCarried = true;
  }

  read64(n: number): Value {
    const operand = this.operand(n);
    if (!this.form.isMemory(n)) {
      this.field16(this.registerField(operand));
      this.code.memory(OP.i64_load, 0);
      return this.pop(true);
    }
    this.push(this.linear(n, 8, false));
    this.code.localGet(RECORD_LOCAL);
    this.code.call(this.callees.read64);
    const value = this.pop(true);
    this.leaveIfStatus();
    return value;
  }

  readLowest(n: number, width: 32 | 64): Value {
    return this.withLane(this.vectorConst(0n, 0n), width, 0, width === 64 ? this.read64(n) : this.read(n));
  }

  write64(n: number, value: Value): void {
    const operand = this.operand(n);
    if (!this.form.isMemory(n)) {
      this.field16(this.registerField(operand));
      this.push(value);
      this.code.memory(OP.i64_store, 0);
      if (operand.kind === 'xmmReg' || operand.kind === 'xmmRm') return;
      this.field16(this.registerField(operand));
      this.code.constant(0xffff);
      this.code.memory(OP.i32_store16, 8);
      return;
    }
    this.push(this.linear(n, 8, true));
    this.push(value);
    this.code.localGet(RECORD_LOCAL);
    this.code.call(this.callees.write64);
    this.leaveIfStatus();
  }

  read128(n: number, aligned: boolean): Value {
    const operand = this.operand(n);
    if (!this.form.isMemory(n)) {
      this.field16(this.registerField(operand));
      this.code.simdMemory(SIMD.v128_load, 0);
      return this.popVector();
    }
    this.push(this.linear128(n, aligned, false));
    this.code.localGet(RECORD_LOCAL);
    this.code.call(this.callees.read128);
    const value = this.popVector();
    this.leaveIfStatus();
    return value;
  }

  write128(n: number, value: Value, aligned: boolean): void {
    const operand = this.operand(n);
    if (!this.form.isMemory(n)) {
      this.field16(this.registerField(operand));
      this.push(value);
      this.code.simdMemory(SIMD.v128_store, 0);
      return;
    }
    this.push(this.linear128(n, aligned, true));
    this.push(value);
    this.code.localGet(RECORD_LOCAL);
    this.code.call(this.callees.write128);
    this.leaveIfStatus();
  }

  private linear128(n: number, aligned: boolean, write: boolean): Value {
    const linear = this.linear(n, 16, write);
    if (aligned) this.when(this.and(linear, this.const(15)), () => this.fault(GP));
    return linear;
  }

  number(n: number): Value {
    const operand = this.operand(n);
    if (operand.kind === 'farPointer') this.field32(RECORD.displacement);
    else if (operand.kind === 'st') return this.const(this.form.number);
    else this.field16(FIELD_OF_RM.has(operand.kind) ? RECORD.rm : RECORD.reg);
    return this.pop();
  }

  offset(_operand: number): Value {
    if ((this.carried & CARRIED.base) !== 0) this.code.localGet(CARRIED_LOCAL);
    else {
      this.field16(RECORD.base);
      this.code.memory(OP.i32_load, 0);
    }
    if (this.form.addressing === ADDRESSING.full) {
      this.field16(RECORD.index);
      this.code.memory(OP.i32_load, 0);
      this.code.localGet(RECORD_LOCAL);
      this.code.memory(OP.i32_load8_u, RECORD.scale);
      this.code.byte(OP.i32_shl);
      this.code.byte(OP.i32_add);
    }
    this.field32(RECORD.displacement);
    this.code.byte(OP.i32_add);
    if (this.form.checked) {
      this.field32(RECORD.addressMask);
      this.code.byte(OP.i32_and);
    }
    return this.pop();
  }

  address(n: number, bytes: number, write: boolean): Value {
    return this.linear(n, bytes, write);
  }

  /** Linear address of memory operand n, checked against its segment in checked forms. */
  private linear(n: number, bytes: number, write: boolean, displacement?: Value): Value {
    let offset = this.offset(n);
    if (displacement) {
      offset = this.add(offset, displacement);
      if (this.form.checked) {
        this.push(offset);
        this.field32(RECORD.addressMask);
        this.code.byte(OP.i32_and);
        offset = this.pop();
      }
    }
    return this.linearAt('default', offset, bytes, write);
  }

  private linearAt(segment: number | 'default', offset: Value, bytes: number, write: boolean): Value {
    if (!this.form.checked) return offset;
    if (segment === 'default') {
      this.code.localGet(RECORD_LOCAL);
      this.code.memory(OP.i32_load8_u, RECORD.segment);
    } else this.code.constant(segment);
    const number = this.pop();
    this.push(number);
    this.code.constant(2);
    this.code.byte(OP.i32_shl);
    this.code.memory(OP.i32_load, STATE.segmentFlat);
    // CS is never "flat" for a write.
    if (write) {
      this.push(number);
      this.code.constant(1);
      this.code.byte(OP.i32_ne);
      this.code.byte(OP.i32_and);
    }
    this.code.byte(OP.i32_eqz);
    this.open(OP.if);
    this.push(number);
    this.push(offset);
    this.code.constant(bytes | (write ? 0x100 : 0));
    this.code.localGet(RECORD_LOCAL);
    this.code.call(this.callees.checkSegment);
    this.leaveIfStatus();
    this.close();
    this.push(number);
    this.code.constant(SEGMENT.stride);
    this.code.byte(OP.i32_mul);
    this.code.memory(OP.i32_load, STATE.segments + SEGMENT.base);
    this.push(offset);
    this.code.byte(OP.i32_add);
    return this.pop();
  }

  readAt(n: number, displacement: Value, size: Size): Value {
    return this.readLinear(this.linear(n, size / 8, false, displacement), size);
  }
  cellAt(n: number, displacement: Value, size: Size): MemoryCell {
    return this.linearCell(this.linear(n, size / 8, true, displacement), size);
  }
  load(segment: number | 'default', offset: Value, size: Size): Value {
    return this.readLinear(this.linearAt(segment, offset, size / 8, false), size);
  }
  store(segment: number | 'default', offset: Value, size: Size, value: Value): void {
    this.writeLinear(this.linearAt(segment, offset, size / 8, true), size, value);
  }
  cell(segment: number | 'default', offset: Value, size: Size): MemoryCell {
    return this.linearCell(this.linearAt(segment, offset, size / 8, true), size);
  }

  // --- memory ---------------------------------------------------------------------------------

  /** Looks up the TLB. Leaves "the fast path will not do" on the wasm stack; returns the entry. */
  private lookUp(table: number, linear: Value, size: Size): Local {
    const entry = this.newLocal(false);
    emitLookUp(this.code, table, () => this.push(linear), entry.index, size);
    return entry;
  }

  private readLinear(linear: Value, size: Size): Value {
    if (!this.inline) {
      this.push(linear);
      this.code.localGet(RECORD_LOCAL);
      this.code.call(this.callees.read[size]);
      const value = this.pop();
      this.leaveIfStatus();
      return value;
    }
    const value = this.newLocal(false);
    const entry = this.lookUp(STATE.tlbRead, linear, size);
    this.open(OP.if);
    this.push(linear);
    this.code.localGet(RECORD_LOCAL);
    this.code.call(this.callees.slowRead[size]);
    this.code.localSet(value.index);
    this.leaveIfStatus();
    this.code.byte(OP.else);
    this.push(linear);
    this.push(entry);
    this.code.byte(OP.i32_add);
    this.code.memory(this.loadOpcode(size), TLB_BYTE);
    this.code.localSet(value.index);
    this.close();
    return value;
  }

  private writeLinear(linear: Value, size: Size, value: Value): void {
    this.writesMemory = true;
    if (!this.inline) {
      this.push(linear);
      this.push(value);
      this.code.localGet(RECORD_LOCAL);
      this.code.call(this.callees.write[size]);
      this.leaveIfStatus();
      return;
    }
    const entry = this.lookUp(STATE.tlbWrite, linear, size);
    this.open(OP.if);
    this.push(linear);
    this.push(value);
    this.code.localGet(RECORD_LOCAL);
    this.code.call(this.callees.slowWrite[size]);
    this.leaveIfStatus();
    this.code.byte(OP.else);
    this.push(linear);
    this.push(entry);
    this.code.byte(OP.i32_add);
    this.push(value);
    this.code.memory(this.storeOpcode(size), TLB_BYTE);
    this.close();
  }

  /** A place to read and then write: the host address less `TLB_BYTE` when the fast path will do, else 0. */
  private linearCell(linear: Value, size: Size): MemoryCell {
    this.writesMemory = true;
    const host = this.newLocal(false);
    const old = this.newLocal(false);
    const entry = this.lookUp(STATE.tlbWrite, linear, size);
    this.open(OP.if);
    this.push(linear);
    this.code.localGet(RECORD_LOCAL);
    this.code.call(this.callees.slowReadForWrite[size]);
    this.code.localSet(old.index);
    this.leaveIfStatus();
    this.code.constant(0);
    this.code.localSet(host.index);
    this.code.byte(OP.else);
    this.push(linear);
    this.push(entry);
    this.code.byte(OP.i32_add);
    this.code.localTee(host.index);
    this.code.memory(this.loadOpcode(size), TLB_BYTE);
    this.code.localSet(old.index);
    this.close();
    return {
      read: () => old,
      write: (value) => {
        this.push(host);
        this.open(OP.if);
        this.push(host);
        this.push(value);
        this.code.memory(this.storeOpcode(size), TLB_BYTE);
        this.code.byte(OP.else);
        this.push(linear);
        this.push(value);
        this.code.localGet(RECORD_LOCAL);
        this.code.call(this.callees.slowWrite[size]);
        this.leaveIfStatus();
        this.close();
      },
    };
  }

  // --- control --------------------------------------------------------------------------------

  private open(opcode: number): void {
    this.code.byte(opcode);
    this.code.byte(VOID_BLOCK);
    this.depth++;
  }
  private close(): void {
    this.code.byte(OP.end);
    this.depth--;
  }

  /** Leaves the interpreter when something below has set `state.status`. */
  private leaveIfStatus(): void {
    this.loadState(STATE.status);
    this.open(OP.if);
    this.endings.leave(this.code, this.depth);
    this.close();
  }

  when(condition: Value, then: () => void, otherwise?: () => void): void {
    this.push(condition);
    this.open(OP.if);
    then();
    if (otherwise) {
      this.code.byte(OP.else);
      otherwise();
    }
    this.close();
  }

  loop(body: (again: () => void) => void): void {
    this.open(OP.loop);
    const level = this.depth;
    body(() => this.code.branch(OP.br, this.depth - level));
    this.close();
  }

  fault(vector: number): void {
    this.code.constant(vector);
    this.code.localGet(RECORD_LOCAL);
    this.code.call(this.callees.raise);
    this.endings.leave(this.code, this.depth);
  }

  private eipPlus(field: number): Value {
    this.loadState(STATE.blockEip);
    this.field16(field);
    this.code.byte(OP.i32_add);
    return this.pop();
  }
  thisEip(): Value {
    return this.eipPlus(RECORD.start);
  }
  nextEip(): Value {
    return this.eipPlus(RECORD.next);
  }

  jump(target: Value): void {
    this.storeState(STATE.eip, target);
    if (!this.form.row.ends) this.refundRest();
    this.endBlock();
  }
  /** The instructions behind this one in the block have been paid for, but do not run now. */
  private refundRest(): void {
    this.loadState(STATE.budget);
    this.field16(RECORD.remaining);
    this.code.byte(OP.i32_add);
    this.code.constant(1);
    this.code.byte(OP.i32_sub);
    this.storeState(STATE.budget, this.pop());
  }
  endBlock(): void {
    this.endings.nextBlock(this.code, this.depth);
  }

  helper(name: string, ...args: Value[]): Value {
    const shortcut = shortcutOf(name);
    if (!shortcut) return this.callHelper(name, args);
    for (let i = 0; i < 2; i++) this.push(args[i] ?? this.const(0));
    this.code.call(this.callees.shortcuts[shortcut]);
    this.code.byte(OP.i32_eqz);
    this.open(OP.if);
    this.callHelper(name, args);
    this.close();
    return this.const(0);
  }
  private callHelper(name: string, args: readonly Value[]): Value {
    this.code.constant(this.helperNumber(name));
    this.code.localGet(RECORD_LOCAL);
    for (let i = 0; i < 3; i++) this.push(args[i] ?? this.const(0));
    this.code.call(this.callees.helper);
    const result = this.pop();
    this.leaveIfStatus();
    return result;
  }

  stringRun(operation: StringRun): Value | undefined {
    const { size, addressSize, checked, repeat } = this.form;
    if (addressSize !== 32 || checked) return undefined;
    const untilEqual = isComparing(operation) && repeat === 'repne' ? UNTIL_EQUAL : 0;
    this.code.constant(Math.log2(size / 8) + untilEqual);
    this.code.call(this.callees.stringRuns[operation]);
    return this.pop();
  }

  /** CR0.EM and TS, and pending x87 exceptions, before an instruction of a floating-point unit. */
  private checkUnit(unit: string): void {
    this.loadState(unit === 'sse' ? STATE.sseUnavailable : STATE.fpuUnavailable);
    if (unit === 'sse-mmx') {
      this.loadState(STATE.sseUnavailable);
      this.code.byte(OP.i32_or);
    }
    this.open(OP.if);
    this.helper('checkUnit', this.const(UNITS.indexOf(unit)));
    this.close();
  }
}
