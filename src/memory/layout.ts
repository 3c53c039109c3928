/**
 * Where everything lives in the one linear memory (design.md, decision 1).
 *
 * Invariants
 * - Offsets come from this file alone; interpreter, translator and TypeScript helpers share them.
 * - Page 0 is the architectural state of the processor ("state"); its field offsets are `STATE`.
 * - Everything below `RAM_BASE` is ours, everything from it on is guest-physical memory.
 */

/** Field offsets (bytes) of the architectural state, which starts at linear-memory offset 0. */
export const STATE = {
  /** EAX ECX EDX EBX ESP EBP ESI EDI, u32 each, in encoding order. */
  registers: 0x000,
  /** Always zero: what "no base" and "no index" point at. */
  zero: 0x020,
  /** Effective address computed by an address micro-operation (16-bit addressing). */
  effectiveAddress: 0x024,
  /** EIP, offset in CS. Exact whenever TypeScript code runs between instructions. */
  eip: 0x028,
  /** Lazy arithmetic flags, see `isa/flags.ts`. */
  flagsResult: 0x02c,
  flagsAux: 0x030,
  /** EFLAGS without the six arithmetic flags (bit 1 set). */
  eflags: 0x034,
  /** Current privilege level 0…3. */
  cpl: 0x038,
  /** Linear-memory address of the TLB tables for the current privilege. */
  tlbRead: 0x03c,
  tlbWrite: 0x040,
  /** What a jump-cache entry must carry to be valid: translation epoch, mode and privilege. */
  codeKey: 0x044,
  /** Instructions the interpreter may still run before it leaves. */
  budget: 0x048,
  /** EIP at the start of the running block. */
  blockEip: 0x04c,
  /** Linear-memory address of the running block's header. */
  block: 0x050,
  /** Why the interpreter is to leave: 0 = go on, else `STATUS`. */
  status: 0x054,
  /** Record of the instruction that asked to leave. */
  record: 0x058,
  /** +1 or −1: EFLAGS.DF as a factor for string instructions. */
  direction: 0x05c,
  cr0: 0x060,
  cr2: 0x064,
  cr3: 0x068,
  cr4: 0x06c,
  /** Non-zero: x87/MMX/SSE instructions must go through the slow check (CR0.TS, CR0.EM). */
  fpuUnavailable: 0x070,
  /** What the last iteration of a repeated comparison has compared (`interpreter/string-runs.ts`). */
  comparedX: 0x074,
  comparedY: 0x078,
  /** ES CS SS DS FS GS LDTR TR, `SEGMENT.stride` bytes each. */
  segments: 0x080,
  gdtBase: 0x100,
  gdtLimit: 0x104,
  idtBase: 0x108,
  idtLimit: 0x10c,
  sysenterCs: 0x110,
  sysenterEsp: 0x114,
  sysenterEip: 0x118,
  /** Non-zero: descriptors come from `hostGdt` (the lguest board keeps the GDT outside the guest). */
  gdtInHost: 0x11c,
  /** DR0…DR7. */
  debug: 0x120,
  /** Instructions retired, as an f64 (exact to 2^53). */
  retired: 0x140,
  /** Non-zero: an interrupt waits for EFLAGS.IF. Whoever sets IF then makes the processor leave. */
  interruptRequested: 0x148,
  /** `budget` + 1 behind the last STI that translated or interpreted code has done by itself; 0: none in this run. */
  shadowBudget: 0x14c,
  /** Instructions retired when the board last delivered a trap between two of them, as an f64. */
  trappedAt: 0x150,
  /** x87: control, status (without TOP), TOP, tag (2 bits per physical register), each u32. */
  fpuControl: 0x160,
  fpuStatus: 0x164,
  fpuTop: 0x168,
  fpuTag: 0x16c,
  fpuOpcode: 0x170,
  fpuIp: 0x174,
  fpuCs: 0x178,
  fpuDp: 0x17c,
  fpuDs: 0x180,
  mxcsr: 0x184,
  /** Non-zero: SSE instructions must go through the slow check (CR0.TS, CR0.EM, CR4.OSFXSR). */
  sseUnavailable: 0x188,
  /** Eight physical x87 registers, 16 bytes each: significand u64, sign+exponent u16. MMX shares them. */
  fpuRegisters: 0x1c0,
  /** XMM0…XMM7, 16 bytes each. */
  xmm: 0x240,
  /** Per segment register (u32 × 8): 1 when any offset may be read and, but for CS, written without a check. */
  segmentFlat: 0x2c0,
  /** Where a row leaves a v128 for a helper, 16 bytes. */
  vectorScratch: 0x2e0,
  /** 32 descriptors of 8 bytes: the GDT as the lguest Host keeps it. */
  hostGdt: 0x400,
} as const;

/** Bytes of state that a snapshot carries (everything behind is a cache). */
export const STATE_BYTES = 0x1000;

/** Layout of one segment register in `STATE.segments`. */
export const SEGMENT = {
  stride: 16,
  base: 0,
  /** Highest valid offset, in bytes (already scaled by G). For expand-down: lowest valid offset − 1. */
  limit: 4,
  /**
   * Bits 8–15 and 20–23 of the descriptor's high word, in place (so type is bits 8–11, S 12, DPL 13–14, P 15,
   * AVL 20, L 21, D/B 22, G 23). 0 for a null selector: nothing may be accessed through it.
   */
  access: 8,
  selector: 12,
} as const;

/** Index of each segment register, in encoding order; LDTR and TR follow. */
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;
export const LDTR = 6;
export const TR = 7;

/** Values of `STATE.status`. */
export const STATUS = {
  none: 0,
  /** An exception is described in `Processor.exit`. */
  trap: 1,
  /** Leave for another reason described in `Processor.exit`; the instruction has completed. */
  leave: 2,
  /** An exception has been delivered; the processor goes on at `STATE.eip`. Not seen outside the interpreter. */
  delivered: 3,
} as const;

/** What translated code and the interpreter tell each other; no part of the architectural state. */
export const TRANSLATED = {
  /** EIP at which translated code gave up: there the interpreter runs one block even if a region begins. */
  slowEip: 0x1000,
  /** Set by a helper that translated code has called: one of `LEAVE_REGION`. */
  leave: 0x1004,
  /** EIP at which a region with several entries is entered. */
  entry: 0x1008,
  /** Regions left, by reason (`LeaveCounts` of the translator), u32 each. */
  exits: 0x1048,
  end: 0x1e00,
} as const;

/**
 * Whether a region is to be left because of a helper. `behind`: when the instruction is complete, at `STATE.eip`;
 * `now`: with everything in the state as it is, the instruction has not run or is complete.
 */
export const LEAVE_REGION = { no: 0, behind: 1, now: 2 } as const;

/**
 * What a region returns instead of an EIP when the guest goes on at `STATE.eip` in a way that its callers know nothing
 * of: other code, another privilege, a trap. No region goes on behind a call that returns to this address.
 * `TRANSLATED.leave` tells it from a jump of the guest to its last byte.
 */
export const ELSEWHERE = -1;

/** Where routines of the x87 unit leave operands for the exact arithmetic in TypeScript, and find its result. */
export const X87_EXCHANGE = {
  /** Significand (u64), sign and exponent (u32) of each operand; an operand that is no register value is a u64. */
  a: 0x1010,
  b: 0x1020,
  /** The result's significand, or all of it. */
  result: 0x1030,
  /** A second result: significand (u64), sign and exponent (u32). */
  second: 0x1038,
} as const;

/** Tables of the x87's transcendental functions (`cpu/x87-unit/tables.ts`): u32 1 if they are there, and from where on. */
export const X87_TABLES = { ready: 0x2200, first: 0x2400 } as const;

/** `STATE.codeKey` without the mode, for code of rings 0 to 2 and of ring 3. */
export const KEYS = { supervisor: 0x1e00, user: 0x1e04 } as const;

/** The call of the interpreter under way. */
export const RUN = {
  /** Its budget, instructions; 0: there is none. What is left of it is in `STATE.budget`. */
  chunk: 0x1e38,
} as const;

/** Settings of the page walker (`page-walk.ts`), a word each: it is in TypeScript, and for the usual cases in WebAssembly. */
export const WALKER = {
  mode: 0x1e10,
  root: 0x1e14,
  writeProtect: 0x1e18,
  noExecute: 0x1e1c,
  largePages: 0x1e20,
  globalPages: 0x1e24,
  strict: 0x1e28,
  accessedInDirectories: 0x1e2c,
  frameLimit: 0x1e30,
  globalBehind: 0x1e34,
} as const;

/** Where FXSAVE and FXRSTOR put their image together, 512 bytes. */
export const FX_IMAGE = 0x2000;

/** Jump cache: entries of {linear address, codeKey, first record, instruction count | heat or region}. */
export const JUMP_CACHE = 0x10_0000;
/** A boot runs 64,000 blocks; with a quarter as many entries they drive each other out. */
export const JUMP_CACHE_ENTRIES = 0x1_0000;
export const JUMP_CACHE_ENTRY_BYTES = 16;
/**
 * The offset of the entry for a linear address is (address × factor >>> shift) & mask. What runs together has to stand
 * together, or the host's caches miss for every block: one entry for four bytes of code. A page takes 967 entries, no
 * power of two, since code that belongs together often stands at like places of different pages.
 */
export const JUMP_HASH = { factor: 0x3c6f, shift: 12, mask: 0xf_fff0 } as const;
/** In the last word of a jump-cache entry: a region begins here. Its slot is in the bits from `REGION_SHIFT` on. */
export const REGION_FLAG = 0x4000_0000;
export const REGION_SHIFT = 8;
export const BLOCK_COUNT_MASK = 0xff;

/**
 * Otherwise, from this bit on: how often the block may still run before the translator hears of it, and below 0 how
 * often it has run since, as far as `MOST_HEAT` goes.
 */
export const HEAT_SHIFT = 8;
export const MOST_HEAT = -0x2000_0000;

/** Entries that others have driven out of the jump cache, in the same form, found by another hash of that kind. */
export const VICTIMS = 0x20_0000;
export const VICTIM_ENTRIES = 0x8000;
export const VICTIM_HASH = { factor: 0x5a17, shift: 13, mask: 0x7_fff0 } as const;

/** One u32 for each slot of the region table: the codeKey under which the region was last found valid, or 0. */
export const REGION_KEYS = 0x3_0000;
export const REGION_SLOTS = 0x1_0000;
/** One u32 for each slot: how often its regions were left for code that they lack, at a known address. */
export const REGION_EXITS = 0x7_0000;
/** One u32 for each slot: how often its regions were left for an access. */
export const REGION_LEAVES = 0xc_0000;
/** One u32 for each slot: how often its regions were left for floating-point numbers. */
export const REGION_NUMBERS = 0x2c_0000;

/** One u32 for each slot: where the list of the pages is that its region was made from (`jit/page-lists.ts`), or 0. */
export const REGION_LISTS = 0x34_0000;
export const REGION_PAGES = 0x38_0000;
export const REGION_PAGES_BYTES = 0x8_0000;

/** By vector, u32 each: traps that the board has delivered. */
export const TRAP_COUNTS = 0x28_0000;
/** Non-zero: page faults and software interrupts may be delivered without the board (`cpu/interpreter/gates.ts`). */
export const DIRECT_TRAPS = 0x28_0400;
/** What that takes on the lguest board, where the Host keeps the guest's gates. */
export const HOST_TRAPS = {
  /** By vector, u32: the handler. */
  handlers: 0x28_0800,
  /** By vector, u8: bits 8–15 of the gate's high word, or 0 for an absent gate. */
  attributes: 0x28_0c00,
  /** By vector, u32: traps that went on to the guest. */
  reflected: 0x28_1000,
  /** Selector of the kernel's code; that of the stack for traps from ring 3, and its end. */
  code: 0x28_1400,
  stack: 0x28_1404,
  stackPointer: 0x28_1408,
  /** Where in linear memory the guest keeps its interrupt flag, and is told of page faults; 0: it has not said. */
  interruptFlag: 0x28_140c,
  faultAddress: 0x28_1410,
} as const;

/**
 * Hypercalls of lguest guests: what is known both to the Host and to the interpreter's module, which serves the usual
 * ones (`cpu/interpreter/hypercalls.ts`). u32 each.
 */
export const HOST_CALLS = {
  /** Non-zero: the usual ones may be served without the Host. */
  direct: 0x28_1420,
  /** Bit n: interrupt n waits for the guest. */
  pendingInterrupts: 0x28_1424,
  /** The ring of postponed calls: where its status bytes and its entries are in linear memory, bytes of an entry. */
  ringStatus: 0x28_1428,
  ringEntries: 0x28_142c,
  ringEntryBytes: 0x28_1430,
  /** The slot to look at next. */
  ringNext: 0x28_1434,
  /** The last call that was begun: number, one of `CALLED`, EIP behind its instruction. */
  lastNumber: 0x28_1438,
  lastWay: 0x28_143c,
  lastEip: 0x28_1440,
  /** Pages of the stack for traps from ring 3. */
  stackPages: 0x28_1444,
  /** By number: how many calls there were, by instruction and through the ring. */
  counts: 0x28_1480,
  ringCounts: 0x28_1500,
} as const;

/** How a hypercall was made: not at all, by instruction, or through the ring. */
export const CALLED = { never: 0, byInstruction: 1, throughRing: 2 } as const;

/** Where computed jumps have gone: 256 profiles of 1 KiB (`jit/jump-profiles.ts`). */
export const JUMP_TARGETS = 0x30_0000;

/**
 * The four flat TLB tables, one u32 per virtual page (2^20): host address − linear address − `TLB_BYTE`, so that all low
 * 12 bits are set; or `TLB_INVALID`, as fresh memory is, so that only tables of pages in use take memory.
 */
export const TLB_TABLE_BYTES = 0x40_0000;
export const TLB_READ_SUPERVISOR = 0x40_0000;
export const TLB_WRITE_SUPERVISOR = 0x80_0000;
export const TLB_READ_USER = 0xc0_0000;
export const TLB_WRITE_USER = 0x100_0000;
/** A TLB entry that never matches. */
export const TLB_INVALID = 0;
/** How far behind the sum of a linear address and its entry the byte is. */
export const TLB_BYTE = 1;
/** One byte for each virtual page: bits of `TLB_PAGE`. */
export const TLB_PAGES = 0x240_0000;
export const TLB_PAGE = {
  /** Stays when CR3 is loaded. */
  global: 1,
  /** Code may not be fetched from it. */
  noExecute: 2,
  /** Since it was entered, code for rings 0 to 2, and for ring 3, has come from it. */
  supervisorCode: 4,
  userCode: 8,
} as const;

/** Decoded instructions: block headers and records, `RECORD_BYTES` each. */
export const ARENA = 0x140_0000;
export const ARENA_BYTES = 0x100_0000;
export const RECORD_BYTES = 32;

/** The tables by guest page have room for so many bytes of guest memory. */
export const MOST_GUEST_BYTES = 0x8000_0000;
/** One byte for each page of guest memory: `CODE_PAGE`. */
export const CODE_PAGES = 0x250_0000;
/** One byte for each page of guest memory: how often it was written to while code was on it, `MOST_CODE_WRITES` at most. */
export const CODE_WRITES = 0x258_0000;
export const MOST_CODE_WRITES = 255;
/** Linear pages that were entered into the TLB, u32 each, behind their number: local ones, and global ones. */
export const TLB_LISTS = { local: 0x260_0000, global: 0x270_0000 } as const;
/** More than this, and the TLB forgets everything. */
export const TLB_LIST_ENTRIES = 1 << 17;
/** For each page of guest memory, two u32: linear pages that it may be written through (`memory/write-mappings.ts`). */
export const WRITE_MAPPINGS = 0x280_0000;
/**
 * One bit for each 64 bytes of guest memory, from the lowest bit of a byte on. Set for all that decoded or
 * translated code came from, and perhaps for more on its page; clear on pages with 0 in `CODE_PAGES`.
 */
export const CODE_PIECES = 0x2c0_0000;
export const CODE_PIECE_SHIFT = 6;

/** Guest-physical address 0. */
export const RAM_BASE = 0x300_0000;
