/*H:220
 * LGUEST_INIT, the handshake.
 *
 * The first hypercall of every guest says where its `lguest_data` is. By then the guest has run only code that needs
 * nothing from us. Here it becomes known what it is, it gets its answers (how fast the time-stamp counter ticks, how
 * much of the address space it must leave alone, where its first page tables are), and from here on it may ask.
 */

import { SYSCALL_VECTOR } from '../cpu/interpreter/gates.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import type { Clock } from './clock.js';
import {
  type DetectedGeneration,
  describeUnsupported,
  detectGeneration,
  type GenerationOverride,
  hasPaeTables,
  type InitCall,
} from './generation.js';
import { type GuestData, LAYOUTS } from './guest-data.js';
import { buildInitialTables } from './initial-tables.js';
import type { Interrupts } from './interrupts.js';
import { hex, killGuest } from './kill.js';
import type { PageTables } from './page-tables.js';

export interface InitParts {
  readonly memory: GuestMemory;
  readonly ramBytes: number;
  readonly initrdBytes: number;
  readonly override: GenerationOverride;
  readonly data: GuestData;
  readonly clock: Clock;
  readonly interrupts: Interrupts;
  readonly pageTables: PageTables;
  /** Told before anything can go wrong. */
  readonly initialised: (generation: DetectedGeneration) => void;
}

/** Bytes at the top of the address space that the original's Host kept for itself (lguest-abi.md §2.6). */
const RESERVED_BYTES = 0x40_0000;
const RESERVED_BYTES_PAE = 0x20_0000;
/** EBX: where every supported generation has its first argument. */
const FIRST_ARGUMENT = 3;

/** Serves the first LGUEST_INIT, in the order of §4.4. Kills guests that are nothing we know. */
export function initialiseGuest(parts: InitParts, call: InitCall): DetectedGeneration {
  const { memory, ramBytes, data, clock, interrupts, pageTables } = parts;
  const detected = detectGeneration(memory, ramBytes, call, parts.override);
  if (detected === undefined) killGuest(`bad guest page ${hex(call.registers[FIRST_ARGUMENT]!)}`);
  const { generation } = detected;
  const layout = LAYOUTS[generation.layout];
  const field = (offset: number): number => memory.read32(detected.dataGpa + offset);
  const kernelAddress = layout.kernelAddress < 0 ? call.eip : field(layout.kernelAddress);
  if (detected.pae === undefined && generation.initialTables !== 'linear') {
    detected.pae = generation.mayUsePae && hasPaeTables(memory, ramBytes, detected.dataGpa, kernelAddress);
  }
  parts.initialised(detected);
  if (!generation.supported) killGuest(describeUnsupported(generation));

  data.attach(detected.dataGpa, layout);
  data.write(layout.tscKhz, clock.tscKhz);
  if (field(layout.syscallVector) !== SYSCALL_VECTOR) killGuest('bad syscall vector');
  interrupts.noInterruptStart = field(layout.noInterruptStart);
  interrupts.noInterruptEnd =
    layout.noInterruptEnd < 0 ? interrupts.noInterruptStart + 1 : field(layout.noInterruptEnd);
  clock.refresh();
  const reserved = detected.pae === true ? RESERVED_BYTES_PAE : RESERVED_BYTES;
  data.write(layout.reserveMemory, reserved);
  pageTables.kernelAddress = kernelAddress;
  pageTables.pae = detected.pae;
  if (kernelAddress >= 0x1_0000_0000 - reserved) killGuest(`bad kernel address ${hex(kernelAddress)}`);

  if (generation.initialTables === 'linear') {
    pageTables.enterLinearMode();
  } else {
    const { initrdBytes } = parts;
    const pae = detected.pae === true;
    const directory = buildInitialTables(memory, { ramBytes, initrdBytes, kernelAddress, pae });
    data.write(layout.pageDirectory, directory);
    pageTables.enterTables(directory, pae);
  }
  return detected;
}
/*:*/
