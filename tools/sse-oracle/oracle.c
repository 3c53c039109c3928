/*
 * Runs SSE and MMX instructions on the processor of this machine (64-bit Linux).
 *
 * stdin: questions; stdout: answers; layouts as in layout.ts. In 64-bit mode the tested encodings mean what they mean in
 * 32-bit mode: registers 0 to 7, addresses below 2 GiB.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 0x1000, MEMORY = 64 };
#define CODE ((uint8_t *)0x10000000)
#define DATA ((uint8_t *)0x20000000)
#define OPERAND (DATA + PAGE - MEMORY)

struct question {
    uint8_t xmm[8][16];
    uint64_t mm[8]; /* by physical register */
    uint8_t memory[MEMORY];
    uint32_t registers[8];
    uint32_t mxcsr, eflags;
    uint8_t length, code[15];
};
struct answer {
    uint8_t xmm[8][16];
    uint64_t mm[8];
    uint8_t memory[MEMORY];
    uint32_t registers[8];
    uint32_t mxcsr, eflags, cr2;
    uint16_t exponents; /* bit n: physical register n has an exponent of ones */
    uint8_t vector, error, top, tags, pad[2];
};
struct image {
    uint16_t control, status;
    uint8_t tags, reserved;
    uint16_t opcode;
    uint64_t ip, dp;
    uint32_t mxcsr, mask;
    struct { uint64_t significand; uint16_t exponent; uint8_t pad[6]; } st[8];
    uint8_t xmm[8][16];
    uint8_t rest[224];
} __attribute__((aligned(16)));

enum { TOP = 5 };

struct question q;
struct answer a;
struct image before, after;
uint64_t saved_stack, flags_after;
static sigjmp_buf escape;

void run(void);
extern uint8_t finish[];
__asm__(
    "run: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "mov %rsp, saved_stack\n"
    "fxrstor before\n"
    "mov q+292, %eax; push %rax; popfq\n"
    "mov q+256, %eax; mov q+260, %ecx; mov q+264, %edx; mov q+268, %ebx\n"
    "mov q+276, %ebp; mov q+280, %esi; mov q+284, %edi\n"
    "mov $0x10000000, %r8d; jmp *%r8\n"
    "finish: mov %eax, a+256; mov %ecx, a+260; mov %edx, a+264; mov %ebx, a+268\n"
    "mov %ebp, a+276; mov %esi, a+280; mov %edi, a+284\n"
    "pushfq; pop flags_after\n"
    "fxsave after\n"
    "mov saved_stack, %rsp; cld; fninit\n"
    "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");

static void handle(int signal, siginfo_t *info, void *context)
{
    const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    static const int order[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };
    (void)signal;
    (void)info;
    for (int i = 0; i < 8; i++) a.registers[i] = r[order[i]];
    a.vector = r[REG_TRAPNO];
    a.error = r[REG_ERR];
    a.cr2 = a.vector == 14 ? r[REG_CR2] : 0;
    flags_after = r[REG_EFL];
    memcpy(&after, ((ucontext_t *)context)->uc_mcontext.fpregs, sizeof after);
    siglongjmp(escape, 1);
}

static void prepare(void)
{
    memset(&a, 0, sizeof a);
    memset(&before, 0, sizeof before);
    before.control = 0x37f;
    before.status = TOP << 11;
    before.tags = 0x0f;
    before.mxcsr = q.mxcsr;
    memcpy(before.xmm, q.xmm, sizeof q.xmm);
    for (int i = 0; i < 8; i++) {
        before.st[(i - TOP) & 7].significand = q.mm[i];
        before.st[(i - TOP) & 7].exponent = 0x3fff;
    }
    memcpy(OPERAND, q.memory, MEMORY);
    uint8_t *at = CODE;
    memcpy(at, q.code, q.length);
    at += q.length;
    memcpy(at, "\xff\x25\0\0\0\0", 6); /* jmp [rip] */
    uint64_t target = (uint64_t)finish;
    memcpy(at + 6, &target, 8);
}

static void report(void)
{
    a.registers[4] = q.registers[4];
    a.mxcsr = after.mxcsr;
    a.eflags = flags_after;
    a.top = after.status >> 11 & 7;
    a.tags = after.tags;
    memcpy(a.xmm, after.xmm, sizeof a.xmm);
    for (int i = 0; i < 8; i++) {
        a.mm[i] = after.st[(i - a.top) & 7].significand;
        if (after.st[(i - a.top) & 7].exponent == 0xffff) a.exponents |= 1 << i;
    }
    memcpy(a.memory, OPERAND, MEMORY);
    fwrite(&a, sizeof a, 1, stdout);
}

int main(void)
{
    static uint8_t stack[0x10000];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    const int signals[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV };
    const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (mmap(CODE, PAGE, 7, fixed, -1, 0) != CODE || mmap(DATA, PAGE, 3, fixed, -1, 0) != DATA) return 1;
    if (sizeof q != 312 || sizeof a != 312) return 2;
    sigaltstack(&alternate, 0);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
    while (fread(&q, sizeof q, 1, stdin) == 1) {
        prepare();
        if (sigsetjmp(escape, 0) == 0) run();
        report();
    }
    return 0;
}
