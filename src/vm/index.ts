/**
 * lguest as a library.
 *
 * ```ts
 * import { VirtualMachine } from 'lguest';
 *
 * await using vm = await VirtualMachine.create({ memory: 64, kernel: 'vmlinux', append: 'console=hvc0' });
 * vm.on('output', (bytes) => process.stdout.write(bytes));
 * vm.run();
 * const { reason, text } = await vm.ended;
 * ```
 *
 * Everything that is not exported here may change without notice.
 */
export { BootError } from '../boot/boot-error.js';
export type { DetectedGeneration as GuestDescription } from '../host/host.js';
export type { Ending, EndingReason } from './ending.js';
export type { GuestTask } from './guest-console.js';
export { LaunchError } from './launch-error.js';
export {
  type ConsoleOutput,
  type GenerationName,
  type TaskOptions,
  type TortureOptions,
  type TraceOptions,
  type TraceTopic,
  TRACE_TOPICS,
  type VirtualMachineOptions,
} from './options.js';
export type { TerminalSize } from '../virtio/console-ports.js';
export type { ProfileRow } from '../debug/profile.js';
export type { Statistics } from './statistics.js';
export { type LastHypercall, type MachineEvents, type Snapshot, VirtualMachine } from './virtual-machine.js';
