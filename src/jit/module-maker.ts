import type { Forms } from '../cpu/interpreter/forms.js';
import { SHORTCUTS } from '../cpu/interpreter/shortcuts.js';
import { STRING_RUNS } from '../cpu/interpreter/string-runs.js';
import { X87_ROUTINES } from '../cpu/x87-unit/routines.js';
import { RAM_BASE, TRANSLATED } from '../memory/layout.js';
import { Code, I32, OP } from '../wasm/code.js';
import { ModuleBuilder } from '../wasm/module.js';
import { BlockBuilder } from './block-builder.js';
import { draftRegion } from './draft.js';
import { LeaveReasons } from './leave-reasons.js';
import type { Piece } from './blocks.js';
import type { RegionTraits } from './region.js';
import { RegionEmitter, type Surroundings } from './region-emitter.js';
import { HUB, type RequestedRegion, readRequest } from './requests.js';
import { SMALLEST_SPAN } from './steps.js';
import { WordReader, WordWriter } from './words.js';

/** What is the same for all modules of a machine; a structured-cloneable value. */
export interface MakerSetup {
  /** By name of the helper. */
  readonly helperNumbers: ReadonlyMap<string, number>;
}

/** Pages of linear memory, 64 KiB each, that modules want at least: all but the guest's own memory. */
export const LOWEST_MEMORY_PAGES = RAM_BASE / 0x1_0000;

/** A module, and what has become of each requested region, in words (`readReport`). */
export interface MadeModule {
  /** Undefined: none of the regions could be made. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
  readonly report: Int32Array<ArrayBuffer>;
}

/** What has become of a requested region. */
export interface MadeRegion {
  /** Bytes of its function. */
  readonly bytes: number;
  readonly instructions: number;
  /** Where the code is that it was made from. */
  readonly pieces: readonly Piece[];
}

/** Name of the export that enters region number `region` of the request at a slot. */
export function exportName(region: number, slot: number): string {
  return `${region} ${slot}`;
}

/** Where all regions' functions stand: what they import. */
type Imports = Pick<Surroundings, 'regionType' | 'callHelper' | 'stringRuns' | 'shortcuts' | 'routines'>;

/**
 * Makes modules of WebAssembly from requests. It knows nothing of the guest but what they say, so it does the same in
 * any thread.
 */
export class ModuleMaker {
  private readonly newBuilder: (traits: RegionTraits) => BlockBuilder;

  constructor(
    setup: MakerSetup,
    private readonly forms: Forms,
  ) {
    const reasons = new LeaveReasons(forms.encodings);
    const helperNumber = (name: string): number => setup.helperNumbers.get(name)!;
    this.newBuilder = ({ narrow, anyNumbers }) =>
      new BlockBuilder(helperNumber, reasons, narrow ? SMALLEST_SPAN : undefined, anyNumbers);
  }

  make(request: Int32Array): MadeModule {
    const module = new ModuleBuilder();
    const regions = [...readRequest(request, this.forms.list)];
    const imports = importAll(module, regions.some(usesX87));
    const report = new WordWriter();
    let made = 0;
    for (const [number, region] of regions.entries()) {
      if (this.addRegion(module, imports, region, number, report)) made++;
      else report.push(0);
    }
    return { bytes: made > 0 ? module.build() : undefined, report: report.take() };
  }

  /** False: nothing can be translated there. */
  private addRegion(
    module: ModuleBuilder,
    imports: Imports,
    region: RequestedRegion,
    number: number,
    report: WordWriter,
  ): boolean {
    const { slots, profiles } = region;
    const draft = draftRegion(region.code, region.callees, region.room, region.narrow, () => this.newBuilder(region));
    if (!draft) return false;
    const { code, locals } = new RegionEmitter(draft.blocks, {
      ...imports,
      user: region.user,
      self: module.nextFunction,
      slot: region.slot,
      profileOf: (jump) => profiles.get(jump === 'hub' ? HUB : jump),
      slotOf: (linear) => slots.get(linear),
    }).emit();
    const index = module.addFunction([I32], [I32], locals, code);
    const hub = draft.blocks[0]!.hub ? draft.blocks[0]! : undefined;
    if (hub) {
      for (const { block } of hub.edges()) {
        const slot = slots.get(block!.eip)!;
        module.exportFunction(
          exportName(number, slot),
          module.addFunction([I32], [I32], [], enterHub(index, block!.eip)),
        );
      }
    } else module.exportFunction(exportName(number, region.slot), index);
    report.push(code.length);
    report.push(draft.instructions);
    report.push(draft.pieces.length);
    for (const { eip, length } of draft.pieces) {
      report.push(eip);
      report.push(length);
    }
    return true;
  }
}

/** Every import makes every module a little more expensive. */
function importAll(module: ModuleBuilder, x87: boolean): Imports {
  module.importMemory('m', 'm', LOWEST_MEMORY_PAGES);
  module.importTable('m', 't');
  return {
    regionType: module.type([I32], [I32]),
    callHelper: module.importFunction('m', 'h', new Array<number>(7).fill(I32), [I32]),
    stringRuns: new Map(STRING_RUNS.map((name) => [name, module.importFunction('m', name, [I32], [I32])])),
    shortcuts: new Map(SHORTCUTS.map((name) => [name, module.importFunction('m', name, [I32, I32], [I32])])),
    routines: new Map(
      (x87 ? X87_ROUTINES : []).map(({ name, parameters, results }) => [
        name,
        module.importFunction('x', name, parameters, results),
      ]),
    ),
  };
}

function usesX87({ code, callees }: RequestedRegion): boolean {
  for (const { instructions } of [code, ...callees.values()])
    for (const { handler } of instructions.values()) if (handler.row.unit?.startsWith('x87')) return true;
  return false;
}

/** Reads the report of a module: of each region in the request what was made, undefined if nothing could be. */
export function* readReport(report: Int32Array, regions: number): Generator<MadeRegion | undefined> {
  const words = new WordReader(report);
  for (let region = 0; region < regions; region++) {
    const bytes = words.unsigned();
    if (bytes === 0) {
      yield undefined;
      continue;
    }
    const instructions = words.unsigned();
    const pieces = Array.from({ length: words.unsigned() }, () => ({
      eip: words.unsigned(),
      length: words.unsigned(),
    }));
    yield { bytes, instructions, pieces };
  }
}

/** A function (depth) → eip that enters a region with a hub at `linear`. */
function enterHub(region: number, linear: number): Uint8Array {
  const code = new Code();
  code.constant(0);
  code.constant(linear);
  code.memory(OP.i32_store, TRANSLATED.entry);
  code.localGet(0);
  code.byte(OP.return_call);
  code.u32(region);
  return code.bytes();
}
