/*
 * Runs single instructions on the processor of this machine, at full width: registers, flags, memory,
 * exceptions, and segments that are not flat.
 *
 *     oracle CASES ANSWERS
 *
 * Freestanding 32-bit program for Linux on x86 (gcc -m32 -static -nostdlib). The layout of memory, cases,
 * answers and segments is that of `layout.ts`.
 *
 * There is no main loop. The whole run happens in the handler of the signals that tests end in: each
 * instruction is followed by INT3, whose SIGTRAP (or the SIGSEGV, SIGFPE … of an instruction that faults)
 * brings the registers in the signal frame. The handler notes them, writes the next test's registers into
 * the same frame and returns: the kernel loads all of them at once, segments, EFLAGS and x87 included.
 */
#include <emmintrin.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

enum { PAGE = 0x1000, WINDOW = 0x2000 };
enum { CODE_LOW = 0x4000, CODE_HIGH = 0x10000000, DATA_LOW = 0x8000, DATA_HIGH = 0x20000000, READ_ONLY = DATA_HIGH + WINDOW };

struct patch { u32 address; u8 bytes[16]; };
struct question {
  u8 code_length, mode, patch_length[2];
  u32 eip, eflags, code_address, registers[8];
  u8 code[16];
  struct patch patch[2];
  /* Bit 0 of `fpu`: load the x87 registers too. `tags`: bit n clear means physical register n is empty. */
  u8 fpu, top, tags, pad[5];
  u64 mm[8];
};
struct answer {
  u8 vector, pad[3];
  u32 error, cr2, eip, eflags, registers[8];
  u16 status, tag;
  u8 st[8][10];
  /* Bytes of the two data windows, taken as one array of 2 × WINDOW, that the instruction changed. */
  u16 start, length;
  /* ES CS SS DS FS GS */
  u16 selectors[6];
};

struct fpstate { u32 control, status, tag, ip, cs, dp, ds; u8 st[8][10]; };
struct context {
  u32 flags, link, stack[3];
  u16 gs, gsh, fs, fsh, es, esh, ds, dsh;
  /* EDI ESI EBP ESP EBX EDX ECX EAX */
  u32 registers[8], trap, error, eip;
  u16 cs, csh;
  u32 eflags, esp_at_signal;
  u16 ss, ssh;
  struct fpstate *fpu;
  u32 mask, cr2;
};

/* ES CS SS DS FS GS of each mode; LDT selectors are index × 8 + 7. */
static const u16 selectors[][6] = {
  { 0x2b, 0x23, 0x2b, 0x2b, 0x07, 0x0f },
  { 0x57, 0x17, 0x27, 0x1f, 0x2f, 0x00 },
  { 0x47, 0x37, 0x3f, 0x3f, 0x0f, 0x2f },
  { 0x2b, 0x23, 0x3f, 0x2b, 0x07, 0x0f },
};

enum { BITS32 = 1, EXPAND_DOWN = 2, CODE = 4, CONFORMING = 6, READ_EXECUTE_ONLY = 8, PAGES = 16, NOT_PRESENT = 32 };
struct descriptor { u32 number, base, limit, bits; };
static struct descriptor descriptors[] = {
  { 0, 0x3000, 0xfffff, BITS32 | PAGES },
  { 1, DATA_HIGH, 0x17ff, BITS32 },
  { 2, CODE_HIGH, 0xfff, BITS32 | CODE },
  { 3, DATA_HIGH, 0x1fff, BITS32 },
  { 4, DATA_HIGH + WINDOW, 0xffffe, BITS32 | PAGES | EXPAND_DOWN },
  { 5, DATA_HIGH, 0xfffff, BITS32 | PAGES | READ_EXECUTE_ONLY },
  { 6, 0x3000, 0xffff, CODE },
  { 7, 0, 0xffff, 0 },
  { 8, DATA_HIGH, 0xffff, 0 },
  { 9, DATA_HIGH, 0xfffff, BITS32 | PAGES | CODE | READ_EXECUTE_ONLY },
  { 10, DATA_HIGH - PAGE, 0x2fff, BITS32 },
  { 11, DATA_HIGH, 0xfffff, BITS32 | PAGES | NOT_PRESENT },
  { 12, CODE_HIGH, 0xfff, BITS32 | CONFORMING | NOT_PRESENT },
};

static long call(long number, long a, long b, long c, long d) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
  return result;
}
enum { SYS_exit = 1, SYS_read = 3, SYS_write = 4, SYS_open = 5, SYS_mmap = 90, SYS_setitimer = 104, SYS_modify_ldt = 123,
       SYS_rt_sigaction = 174, SYS_sigaltstack = 186 };

static void fail(const char *what) {
  u32 length = 0;
  while (what[length]) length++;
  call(SYS_write, 2, (long)what, length, 0);
  call(SYS_exit, 1, 0, 0, 0);
}

static u8 baseline[2 * WINDOW + PAGE] __attribute__((aligned(16)));
static u8 expected[2 * WINDOW] __attribute__((aligned(16)));
static u8 alternate_stack[0x10000] __attribute__((aligned(16)));
static u8 output[1 << 20];
static u32 output_used;
static int input_file, output_file;

enum { BATCH = 4096 };
static struct question batch[BATCH];
static u32 batch_count, batch_index;
static u32 ran, ran_at_alarm;
static const struct question *current;

static u8 *window(u32 index) { return (u8 *)(index < WINDOW ? DATA_LOW + index : DATA_HIGH + index - WINDOW); }

static void flush(void) {
  for (u32 done = 0; done < output_used;) {
    long count = call(SYS_write, output_file, (long)(output + done), output_used - done, 0);
    if (count <= 0) fail("oracle: cannot write\n");
    done += count;
  }
  output_used = 0;
}

static void next_question(void) {
  if (batch_index == batch_count) {
    u32 filled = 0;
    long count;
    while (filled < sizeof batch && (count = call(SYS_read, input_file, (long)((u8 *)batch + filled), sizeof batch - filled, 0)) > 0)
      filled += count;
    batch_count = filled / sizeof(struct question);
    batch_index = 0;
    if (batch_count == 0) {
      flush();
      call(SYS_exit, 0, 0, 0, 0);
    }
  }
  current = &batch[batch_index++];
}

/* Frame order from encoding order and back: EDI ESI EBP ESP EBX EDX ECX EAX against EAX … EDI. */
static void swap_registers(u32 *to, const u32 *from) { for (int i = 0; i < 8; i++) to[i] = from[7 - i]; }

static void copy_bytes(u8 *to, const u8 *from, u32 count) { while (count--) *to++ = *from++; }

/* First and last+1 byte of the windows that is not as expected. */
static void find_changes(u32 *start, u32 *end) {
  *start = *end = 0;
  int found = 0;
  for (u32 i = 0; i < 2 * WINDOW; i += 64) {
    const __m128i *a = (const __m128i *)window(i), *b = (const __m128i *)(expected + i);
    __m128i same = _mm_and_si128(_mm_and_si128(_mm_cmpeq_epi8(a[0], b[0]), _mm_cmpeq_epi8(a[1], b[1])),
                                 _mm_and_si128(_mm_cmpeq_epi8(a[2], b[2]), _mm_cmpeq_epi8(a[3], b[3])));
    if (_mm_movemask_epi8(same) == 0xffff) continue;
    for (u32 j = i; j < i + 64; j++)
      if (*window(j) != expected[j]) {
        if (!found) *start = j;
        found = 1;
        *end = j + 1;
      }
  }
}

static void restore(u32 start, u32 end) {
  for (u32 i = start; i < end; i++) *window(i) = expected[i] = baseline[i];
}

static u32 index_of(u32 address) { return address < DATA_HIGH ? address - DATA_LOW : address - DATA_HIGH + WINDOW; }

static void note(struct context *frame, u32 vector) {
  if (output_used + sizeof(struct answer) + 2 * WINDOW + 4 > sizeof output) flush();
  struct answer *answer = (struct answer *)(output + output_used);
  answer->vector = vector;
  answer->error = frame->error;
  answer->cr2 = frame->cr2;
  answer->eip = frame->eip;
  answer->eflags = frame->eflags;
  swap_registers(answer->registers, frame->registers);
  struct fpstate *fpu = frame->fpu;
  answer->status = fpu->status;
  answer->tag = fpu->tag;
  copy_bytes(answer->st[0], fpu->st[0], 80);
  const u16 selectors[6] = { frame->es, frame->cs, frame->ss, frame->ds, frame->fs, frame->gs };
  for (int i = 0; i < 6; i++) answer->selectors[i] = selectors[i];
  u32 start, end;
  find_changes(&start, &end);
  answer->start = start;
  answer->length = end - start;
  u8 *bytes = (u8 *)(answer + 1);
  for (u32 i = start; i < end; i++) *bytes++ = *window(i);
  output_used += (sizeof *answer + end - start + 3) & ~3u;
  restore(start, end);
  for (int i = 0; i < 2; i++) {
    u32 at = index_of(current->patch[i].address);
    restore(at, at + current->patch_length[i]);
  }
  u8 *code = (u8 *)current->code_address;
  for (int i = 0; i < current->code_length; i++) code[i] = 0xcc;
}

static void prepare(struct context *frame) {
  next_question();
  for (int i = 0; i < 2; i++) {
    u32 at = index_of(current->patch[i].address);
    for (int j = 0; j < current->patch_length[i]; j++) *window(at + j) = expected[at + j] = current->patch[i].bytes[j];
  }
  copy_bytes((u8 *)current->code_address, current->code, current->code_length);
  swap_registers(frame->registers, current->registers);
  frame->eip = current->eip;
  frame->eflags = (frame->eflags & ~0x244cd5u) | current->eflags | 0x202;
  const u16 *s = selectors[current->mode];
  frame->es = s[0];
  frame->cs = s[1];
  frame->ss = s[2];
  frame->ds = s[3];
  frame->fs = s[4];
  frame->gs = s[5];
  if (!(current->fpu & 1)) return;
  struct fpstate *fpu = frame->fpu;
  u32 tag = 0;
  for (int physical = 0; physical < 8; physical++) {
    if (!(current->tags & 1 << physical)) tag |= 3u << 2 * physical;
    u8 *st = fpu->st[(physical - current->top) & 7];
    copy_bytes(st, (const u8 *)&current->mm[physical], 8);
    /* Registers that an x87 instruction loaded: whatever MMX does to the exponent shows. */
    st[8] = 0xff;
    st[9] = 0x3f;
  }
  fpu->control = 0xffff037f;
  fpu->status = 0xffff0000u | current->top << 11;
  fpu->tag = 0xffff0000u | tag;
}

enum { SIGALRM = 14 };
enum { VECTOR_ENDLESS = 255 };

static void handle(int signal, void *info, struct context *frame) {
  (void)info;
  /* POPF may have set AC, NT or ID; the first would hurt here, the others survive the return. */
  __asm__ volatile("pushfl\n\tandl $~0x244000, (%%esp)\n\tpopfl" ::: "cc", "memory");
  if (signal == SIGALRM) {
    if (ran != ran_at_alarm || !current) {
      ran_at_alarm = ran;
      return;
    }
    note(frame, VECTOR_ENDLESS);
  } else if (current) note(frame, frame->trap);
  ran++;
  prepare(frame);
}

__asm__("restorer: movl $173, %eax\n\tint $0x80\n");
extern void restorer(void);

static void map(u32 address, u32 length, int protection) {
  /* MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED */
  u32 arguments[6] = { address, length, protection, 0x32, -1, 0 };
  if (call(SYS_mmap, (long)arguments, 0, 0, 0) != (long)address) fail("oracle: cannot map memory (low addresses need privilege)\n");
}

static void fill(u32 address, u8 byte) { for (u32 i = 0; i < PAGE; i++) ((u8 *)address)[i] = byte; }

__attribute__((used)) static void start(char **arguments) {
  input_file = call(SYS_open, (long)arguments[1], 0, 0, 0);
  output_file = call(SYS_open, (long)arguments[2], 01 | 0100 | 01000, 0644, 0);
  if (input_file < 0 || output_file < 0) fail("oracle: cannot open the files of cases and answers\n");
  map(CODE_LOW, PAGE, 7);
  map(CODE_HIGH, PAGE, 7);
  fill(CODE_LOW, 0xcc);
  fill(CODE_HIGH, 0xcc);
  map(DATA_LOW, WINDOW, 3);
  map(DATA_HIGH, WINDOW, 3);
  map(READ_ONLY, PAGE, 3);
  /* xorshift32, one byte from each step */
  u32 x = 0x12345678;
  for (u32 i = 0; i < sizeof baseline; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    baseline[i] = x >> 24;
  }
  restore(0, 2 * WINDOW);
  copy_bytes((u8 *)READ_ONLY, baseline + 2 * WINDOW, PAGE);
  map(READ_ONLY + PAGE, PAGE, 0);
  if (call(125, READ_ONLY, PAGE, 1, 0) != 0) fail("oracle: mprotect\n");
  for (u32 i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
    if (call(SYS_modify_ldt, 0x11, (long)&descriptors[i], sizeof *descriptors, 0) != 0) fail("oracle: the kernel has no LDT\n");
  u32 stack[3] = { (u32)alternate_stack, 0, sizeof alternate_stack };
  call(SYS_sigaltstack, (long)stack, 0, 0, 0);
  /* SA_SIGINFO | SA_ONSTACK | SA_RESTORER, all signals blocked meanwhile */
  struct { void *handler; u32 flags; void *restorer; u32 mask[2]; } action = { handle, 0x0c000004, restorer, { ~0u, ~0u } };
  static const u8 signals[] = { 4, 5, 7, 8, 11, SIGALRM };
  for (u32 i = 0; i < sizeof signals; i++) call(SYS_rt_sigaction, signals[i], (long)&action, 0, 8);
  long interval[4] = { 0, 200000, 0, 200000 };
  call(SYS_setitimer, 0, (long)interval, 0, 0);
  __asm__ volatile("int3");
  fail("oracle: the first trap came back\n");
}

__asm__(".globl _start\n_start: leal 4(%esp), %eax\n\tandl $-16, %esp\n\tsubl $12, %esp\n\tpushl %eax\n\tcall start\n");
