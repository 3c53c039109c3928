/*
 * Runs x87 instructions on the processor of this machine.
 *
 * A filter: reads cases of 24 bytes on standard input, writes answers of
 * 36 bytes on standard output. It uses no library header, so it builds with a
 * bare compiler for 32-bit as well as 64-bit hosts.
 *
 *   case    u8 operation, u8 condition codes before (C0 C1 C2 C3 = bits 0-3),
 *           u16 control word, 10 bytes ST(0), 10 bytes ST(1); memory operands
 *           are loaded from and stored over a copy of the ST(1) bytes
 *   answer  10 bytes memory, u16 status word, u16 tag word, 10 bytes ST(0),
 *           10 bytes ST(1), u16 arithmetic flags of the processor
 *
 * Every case starts from FRSTOR of a complete image and ends with FNSAVE,
 * which does not wait, so pending unmasked exceptions never become signals.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
extern long read(int, void *, unsigned long);
extern long write(int, const void *, unsigned long);

struct image { u32 control, status, tag, pointers[4]; u8 registers[80]; } __attribute__((packed));
struct question { u8 operation, conditions; u16 control; u8 st0[10], st1[10]; } __attribute__((packed));
struct answer { u8 memory[10]; u16 status, tag; u8 st0[10], st1[10]; u16 flags; } __attribute__((packed));

static struct image before, after;
static u8 memory[16];
static unsigned long flags;

/* The order of this list is the numbering of operations (see replay.ts). */
#define OPERATIONS(X) \
  X(0, "fadd %%st(1), %%st") X(1, "fsub %%st(1), %%st") X(2, "fsubr %%st(1), %%st") \
  X(3, "fmul %%st(1), %%st") X(4, "fdiv %%st(1), %%st") X(5, "fdivr %%st(1), %%st") \
  X(6, "fsqrt") X(7, "fprem") X(8, "fprem1") X(9, "frndint") X(10, "fscale") X(11, "fxtract") \
  X(12, "fcom %%st(1)") X(13, "fucom %%st(1)") X(14, "fcomi %%st(1), %%st") X(15, "fucomi %%st(1), %%st") \
  X(16, "ftst") X(17, "fxam") X(18, "fabs") X(19, "fchs") \
  X(20, "flds %0") X(21, "fldl %0") X(22, "filds %0") X(23, "fildl %0") X(24, "fildq %0") X(25, "fbld %0") \
  X(26, "fsts %0") X(27, "fstl %0") X(28, "fists %0") X(29, "fistl %0") X(30, "fistpq %0") \
  X(31, "fisttps %0") X(32, "fisttpl %0") X(33, "fisttpq %0") X(34, "fbstp %0") \
  X(35, "fld1") X(36, "fldl2t") X(37, "fldl2e") X(38, "fldpi") X(39, "fldlg2") X(40, "fldln2") X(41, "fldz") \
  X(42, "f2xm1") X(43, "fyl2x") X(44, "fyl2xp1") X(45, "fptan") X(46, "fpatan") \
  X(47, "fsin") X(48, "fcos") X(49, "fsincos") \
  X(50, "fadds %0") X(51, "faddl %0") X(52, "fsubrs %0") X(53, "fmull %0") X(54, "fdivs %0") X(55, "fdivrl %0") \
  X(56, "fcoms %0") X(57, "fcoml %0") X(58, "fiadds %0") X(59, "fimull %0") X(60, "fidivl %0") X(61, "ficoms %0") \
  X(62, "fstpt %0") X(63, "fldt %0")

#if __x86_64__
#define READ_FLAGS "pushfq\n\tpopq %1"
#else
#define READ_FLAGS "pushfl\n\tpopl %1"
#endif
#define RUN(number, text) case number: \
  __asm__ volatile("frstor %3\n\t" text "\n\t" READ_FLAGS "\n\tfnsave %2" \
    : "+m"(memory), "=r"(flags), "=m"(after) : "m"(before) \
    : "cc", "memory", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)"); break;

static void copy(u8 *to, const u8 *from, int count) { for (int i = 0; i < count; i++) to[i] = from[i]; }

static void run(const struct question *question, struct answer *answer) {
  int codes = question->conditions;
  before.control = 0xffff0000u | question->control;
  /* TOP = 6: ST(0) is register 6, ST(1) register 7, the rest are empty. */
  before.status = 0xffff0000u | 6 << 11 | (codes & 7) << 8 | (codes & 8) << 11;
  before.tag = 0xffff0fffu;
  copy(before.registers, question->st0, 10);
  copy(before.registers + 10, question->st1, 10);
  copy(memory, question->st1, 10);
  switch (question->operation) { OPERATIONS(RUN) }
  copy(answer->memory, memory, 10);
  answer->status = after.status;
  answer->tag = after.tag;
  copy(answer->st0, after.registers, 10);
  copy(answer->st1, after.registers + 10, 10);
  answer->flags = flags & 0x8d5;
}

enum { BATCH = 1024 };
static struct question questions[BATCH];
static struct answer answers[BATCH];

int main(void) {
  for (;;) {
    unsigned long filled = 0;
    long count;
    while (filled < sizeof questions && (count = read(0, (u8 *)questions + filled, sizeof questions - filled)) > 0) filled += count;
    unsigned long cases = filled / sizeof(struct question);
    if (!cases) return 0;
    for (unsigned long i = 0; i < cases; i++) run(&questions[i], &answers[i]);
    for (unsigned long done = 0; done < cases * sizeof(struct answer); done += count)
      if ((count = write(1, (u8 *)answers + done, cases * sizeof(struct answer) - done)) <= 0) return 1;
  }
}
