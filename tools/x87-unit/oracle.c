/*
 * Runs x87 instructions on the processor of this machine, from a complete FSAVE image to another (64-bit Linux, where
 * images of 32-bit protected mode are the same; everything lies below 2 GiB).
 *
 * stdin: questions; stdout: answers; layouts as in layout.ts. The code of a question is run with EDI = its memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY 512

struct question {
    uint8_t image[108];
    uint8_t memory[MEMORY];
    uint32_t flags;
    uint8_t length;
    uint8_t code[11];
};
struct answer {
    uint8_t image[108];
    uint8_t memory[MEMORY];
    uint32_t flags;
    uint32_t eax;
};

static struct question q;
static struct answer a;
/* FXSAVE wants it aligned. */
static uint8_t memory[MEMORY] __attribute__((aligned(16)));
static uint64_t flags;
static uint8_t *at;

static void byte(uint8_t value) { *at++ = value; }
static void address(const void *p)
{
    uint32_t value = (uint32_t)(uintptr_t)p;
    memcpy(at, &value, 4);
    at += 4;
}

/* ModRM /digit of an absolute address */
static void absolute(uint8_t digit, const void *p) { byte(digit << 3 | 4); byte(0x25); address(p); }

static void assemble(uint8_t *page)
{
    at = page;
    byte(0x57);                                 /* push rdi */
    byte(0xbf); address(memory);                /* mov edi, memory */
    byte(0x31); byte(0xc0);                     /* xor eax, eax */
    byte(0xff); absolute(6, &flags);            /* push [flags] */
    byte(0xdd); absolute(4, q.image);           /* frstor [image] */
    byte(0x9d);                                 /* popf */
    memcpy(at, q.code, q.length);
    at += q.length;
    byte(0x9c);                                 /* pushf */
    byte(0xdd); absolute(6, a.image);           /* fnsave [image] */
    byte(0x8f); absolute(0, &flags);            /* pop [flags] */
    byte(0x89); absolute(0, &a.eax);            /* mov [eax], eax */
    byte(0x5f); byte(0xc3);                     /* pop rdi; ret */
}

int main(void)
{
    uint8_t *page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 1;
    while (fread(&q, sizeof q, 1, stdin) == 1) {
        memset(&a, 0, sizeof a);
        memcpy(memory, q.memory, MEMORY);
        flags = q.flags;
        assemble(page);
        __asm__ volatile("call *%0\n\tfninit" : : "r"(page) : "memory", "cc", "rax");
        a.flags = flags;
        memcpy(a.memory, memory, MEMORY);
        if (fwrite(&a, sizeof a, 1, stdout) != 1)
            return 1;
    }
    return 0;
}
