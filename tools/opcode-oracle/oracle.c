/*
 * Tells which opcodes the processor of this machine does not know (64-bit Linux).
 *
 * stdin: instructions, 16 bytes each: length, bytes. stdout: a byte each, 1 for #UD, 0 for anything else.
 * Registers point into memory that anything may be done to; behind the instruction are INT3s.
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

enum { CODE_BYTES = 0x1000, DATA_BYTES = 0x20000 };
#define CODE ((uint8_t *)0x10000000)
#define DATA ((uint8_t *)0x20000000)

static sigjmp_buf escape;
static volatile int vector;

static void handle(int signal, siginfo_t *info, void *context)
{
    (void)info;
    const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    /* What lies behind an instruction without ModRM is not meant. */
    vector = signal == SIGALRM || r[REG_RIP] != (greg_t)(uintptr_t)CODE ? 255 : (int)r[REG_TRAPNO];
    siglongjmp(escape, 1);
}

static void run(void)
{
    /* All general registers, RSP among them: as a selector a segment of the kernel. */
    __asm__ volatile(
        "fninit\n\tmov $0x20010010, %%eax\n\tmov %%rax, %%rcx\n\tmov %%rax, %%rdx\n\tmov %%rax, %%rbx\n\t"
        "mov %%rax, %%rsp\n\tmov %%rax, %%rbp\n\tmov %%rax, %%rsi\n\tmov %%rax, %%rdi\n\t"
        "mov $0x10000000, %%r8d\n\tjmp *%%r8" : : : "memory");
}

int main(void)
{
    static uint8_t stack[0x10000];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    const int signals[] = { SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGALRM };
    const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (mmap(CODE, CODE_BYTES, 7, fixed, -1, 0) != CODE || mmap(DATA, DATA_BYTES, 3, fixed, -1, 0) != DATA) return 1;
    sigaltstack(&alternate, 0);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
    uint8_t question[16];
    while (fread(question, sizeof question, 1, stdin) == 1) {
        memset(CODE, 0xcc, 64);
        memset(DATA + 0xf000, 0xcc, 0x2000);
        memcpy(CODE, question + 1, question[0]);
        struct itimerval soon = { { 0, 0 }, { 0, 200000 } };
        setitimer(ITIMER_REAL, &soon, 0);
        vector = 0;
        if (sigsetjmp(escape, 0) == 0) run();
        __asm__ volatile("cld\n\tfninit" : : : "memory");
        putchar(vector == 6);
    }
    return 0;
}
