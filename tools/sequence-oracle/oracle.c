/*
 * Runs programs of integer, x87, MMX and SSE instructions on the processor of this machine (64-bit Linux).
 *
 * stdin: questions; stdout: answers; layouts as in layout.ts. In 64-bit mode the programs mean what they mean in 32-bit
 * mode. This program itself lies above 4 GiB (it is position-independent), so that whatever they do hits nothing of it.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { CODE_BYTES = 0x3000, DATA_BYTES = 0x5000, IMAGE_BYTES = 288, NO_END = 255 };
#define CODE ((uint8_t *)0x20003000)
#define DATA ((uint8_t *)0x2000f000)
/* Milliseconds of processor time; programs take less than one. */
#define PATIENCE 500

struct question {
    uint32_t registers[8];
    uint32_t eflags, start;
    uint8_t xmm[8][16];
    uint8_t code[CODE_BYTES];
    uint8_t data[DATA_BYTES];
};
struct answer {
    uint32_t registers[8];
    uint32_t eflags, eip, vector, error;
    uint64_t cr2;
    uint8_t fpu[IMAGE_BYTES]; /* the start of an FXSAVE image */
    uint8_t data[DATA_BYTES];
};
struct image {
    uint16_t control, status;
    uint8_t tags, reserved;
    uint16_t opcode;
    uint64_t ip, dp;
    uint32_t mxcsr, mask;
    uint8_t st[8][16];
    uint8_t xmm[8][16];
    uint8_t rest[224];
} __attribute__((aligned(16)));

static struct question q;
static struct answer a;
struct image before;
struct entry { uint64_t registers[8], flags, target, stack; } entry;
static sigjmp_buf escape;
static uint8_t *writable_code;

void enter(void);
/* registers: EAX ECX EDX EBX ESP EBP ESI EDI, as the instruction set numbers them */
__asm__(
    "enter: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "fxrstor before(%rip)\n"
    "lea entry(%rip), %r8\n"
    "push 64(%r8); mov 72(%r8), %r9\n"
    "mov (%r8), %rax; mov 8(%r8), %rcx; mov 16(%r8), %rdx; mov 24(%r8), %rbx\n"
    "mov 40(%r8), %rbp; mov 48(%r8), %rsi; mov 56(%r8), %rdi\n"
    "popfq; mov 32(%r8), %rsp; jmp *%r9\n");

static void handle(int signal, siginfo_t *info, void *context)
{
    const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    static const int order[8] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI };
    (void)info;
    for (int i = 0; i < 8; i++) a.registers[i] = r[order[i]];
    a.vector = signal == SIGVTALRM ? NO_END : r[REG_TRAPNO];
    a.error = r[REG_ERR];
    a.cr2 = a.vector == 14 ? r[REG_CR2] : 0;
    a.eflags = r[REG_EFL];
    /* INT3 is a trap: what is wanted is where it stands. */
    a.eip = r[REG_RIP] - (a.vector == 3);
    memcpy(a.fpu, ((ucontext_t *)context)->uc_mcontext.fpregs, IMAGE_BYTES);
    siglongjmp(escape, 1);
}

static void prepare(void)
{
    memset(&a, 0, sizeof a);
    memset(&before, 0, sizeof before);
    before.control = 0x37f;
    before.mxcsr = 0x1f80;
    memcpy(before.xmm, q.xmm, sizeof q.xmm);
    for (int i = 0; i < 8; i++) entry.registers[i] = q.registers[i];
    entry.flags = q.eflags;
    entry.target = q.start;
    memcpy(writable_code, q.code, CODE_BYTES);
    memcpy(DATA, q.data, DATA_BYTES);
}

static void limit(int milliseconds)
{
    struct itimerval timer = { .it_value = { .tv_usec = milliseconds * 1000 } };
    setitimer(ITIMER_VIRTUAL, &timer, 0);
}

int main(void)
{
    static uint8_t stack[0x10000];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    const int signals[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGVTALRM };
    const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    int code = memfd_create("code", 0);
    if (code < 0 || ftruncate(code, CODE_BYTES) != 0) return 1;
    writable_code = mmap(0, CODE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, code, 0);
    if (writable_code == MAP_FAILED) return 1;
    if (mmap(CODE, CODE_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, code, 0) != CODE) return 1;
    if (mmap(DATA, DATA_BYTES, PROT_READ | PROT_WRITE, fixed, -1, 0) != DATA) return 1;
    sigaltstack(&alternate, 0);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
    while (fread(&q, sizeof q, 1, stdin) == 1) {
        prepare();
        if (sigsetjmp(escape, 0) == 0) {
            limit(PATIENCE);
            enter();
        }
        limit(0);
        memcpy(a.data, DATA, DATA_BYTES);
        fwrite(&a, sizeof a, 1, stdout);
    }
    return 0;
}
