/**
 * The paravirtual interface of KVM, which stock kernels carry (Linux Documentation/virt/kvm/x86/cpuid.rst and msr.rst):
 * it spares the guest the calibration of its clocks, a timer chip to read the time from, and delays after port
 * accesses.
 *
 * The time-stamp counter of this board ticks once per nanosecond of machine time, from 0 on, for ever. So the structure
 * that tells a guest how to make nanoseconds of it never changes: it is written once, when the guest names its place.
 */
import { type CpuidResult, PC_MODEL, type ProcessorModel } from '../cpu/cpuid.js';
import type { GuestMemory } from '../memory/guest-memory.js';

/** Time-stamp counter ticks per millisecond. */
export const TSC_KHZ = 1_000_000;

const SIGNATURE_LEAF = 0x4000_0000;
const FEATURES_LEAF = 0x4000_0001;
/** "KVMKVMKVM" in EBX, ECX, EDX. */
const SIGNATURE: CpuidResult = [FEATURES_LEAF, 0x4b4d_564b, 0x564b_4d56, 0x0000_004d];
const FEATURE = { clockOld: 1 << 0, noIoDelay: 1 << 1, clock: 1 << 3, clockStable: 1 << 24 } as const;
/** Leaf 1, ECX: there is a hypervisor. */
const HYPERVISOR = 0x8000_0000;

export const KVM_MSR = {
  wallClockOld: 0x11,
  systemTimeOld: 0x12,
  wallClock: 0x4b56_4d00,
  systemTime: 0x4b56_4d01,
} as const;

/** struct pvclock_vcpu_time_info and struct pvclock_wall_clock (Linux arch/x86/include/asm/pvclock-abi.h). */
const TIME_INFO_BYTES = 32;
const WALL_CLOCK_BYTES = 12;
/** nanoseconds = ((ticks << shift) × multiplier) >> 32: together one. */
const MULTIPLIER = 0x8000_0000;
const SHIFT = 1;
/** The counter is the same on all processors and never jumps. */
const TSC_STABLE = 1;

/** The processor of the pc board: the plain one and, behind its leaves, those of KVM. */
export function makePcModel(): ProcessorModel {
  const leaves = new Map(PC_MODEL.leaves);
  const [eax, ebx, ecx, edx] = leaves.get(1)!;
  leaves.set(1, [eax, ebx, (ecx | HYPERVISOR) >>> 0, edx]);
  leaves.set(SIGNATURE_LEAF, SIGNATURE);
  leaves.set(FEATURES_LEAF, [FEATURE.clockOld | FEATURE.noIoDelay | FEATURE.clock | FEATURE.clockStable, 0, 0, 0]);
  return { name: 'pc', leaves };
}

export interface KvmClockState {
  readonly systemTime: readonly [number, number];
  readonly wallClock: readonly [number, number];
}

export interface KvmClockOptions {
  readonly memory: GuestMemory;
  nowNs(): number;
  wallClock(): readonly [number, number];
}

export class KvmClock {
  private readonly options: KvmClockOptions;
  private systemTime: readonly [number, number] = [0, 0];
  private wallClock: readonly [number, number] = [0, 0];

  constructor(options: KvmClockOptions) {
    this.options = options;
  }

  readMsr(index: number): readonly [number, number] | undefined {
    if (index === KVM_MSR.systemTime || index === KVM_MSR.systemTimeOld) return this.systemTime;
    if (index === KVM_MSR.wallClock || index === KVM_MSR.wallClockOld) return this.wallClock;
    return undefined;
  }

  /** False: no such register, or a place outside memory. */
  writeMsr(index: number, low: number, high: number): boolean {
    low >>>= 0;
    if (index === KVM_MSR.systemTime || index === KVM_MSR.systemTimeOld) {
      if ((low & 1) !== 0 && !this.writeTimeInfo((low & ~3) >>> 0, high)) return false;
      this.systemTime = [low, high];
      return true;
    }
    if (index === KVM_MSR.wallClock || index === KVM_MSR.wallClockOld) {
      if (!this.writeWallClock(low, high)) return false;
      this.wallClock = [low, high];
      return true;
    }
    return false;
  }

  private writeTimeInfo(gpa: number, high: number): boolean {
    const { memory } = this.options;
    if (high !== 0 || !memory.contains(gpa, TIME_INFO_BYTES)) return false;
    const info = new DataView(new ArrayBuffer(TIME_INFO_BYTES));
    // Version (even: consistent) @0; counter u64 @8 and nanoseconds u64 @16 at the same moment: both 0.
    info.setUint32(0, 2, true);
    info.setUint32(24, MULTIPLIER, true);
    info.setInt8(28, SHIFT);
    info.setUint8(29, TSC_STABLE);
    memory.writeBytes(gpa, new Uint8Array(info.buffer));
    return true;
  }

  /** The time of day at machine time 0: the guest adds what has passed since. */
  private writeWallClock(gpa: number, high: number): boolean {
    const { memory, nowNs, wallClock } = this.options;
    if (high !== 0 || !memory.contains(gpa, WALL_CLOCK_BYTES)) return false;
    const [seconds, nanoseconds] = wallClock();
    const sinceStart = nowNs();
    const wholeSeconds = Math.floor(sinceStart / 1e9);
    let startSeconds = seconds - wholeSeconds;
    let startNanoseconds = nanoseconds - (sinceStart - wholeSeconds * 1e9);
    if (startNanoseconds < 0) {
      startSeconds--;
      startNanoseconds += 1e9;
    }
    const clock = new DataView(new ArrayBuffer(WALL_CLOCK_BYTES));
    clock.setUint32(0, 2, true);
    clock.setUint32(4, startSeconds, true);
    clock.setUint32(8, startNanoseconds, true);
    memory.writeBytes(gpa, new Uint8Array(clock.buffer));
    return true;
  }

  save(): KvmClockState {
    return { systemTime: this.systemTime, wallClock: this.wallClock };
  }
  load(state: KvmClockState): void {
    this.systemTime = state.systemTime;
    this.wallClock = state.wallClock;
  }
}
