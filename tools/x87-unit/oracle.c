/*
 * Runs x87 instructions on the processor of this machine, from a complete FSAVE image to another (32-bit Linux).
 *
 * stdin: questions; stdout: answers; layouts as in layout.ts. The code of a question is run with EDI = its memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define MEMORY 112

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
static uint8_t *at;

static void byte(uint8_t value) { *at++ = value; }
static void address(const void *p)
{
    uint32_t value = (uint32_t)p;
    memcpy(at, &value, 4);
    at += 4;
}

static void assemble(uint8_t *page)
{
    at = page;
    byte(0x60);                                 /* pusha */
    byte(0xbf); address(a.memory);              /* mov edi, memory */
    byte(0x31); byte(0xc0);                     /* xor eax, eax */
    byte(0xff); byte(0x35); address(&q.flags);  /* push [flags] */
    byte(0xdd); byte(0x25); address(q.image);   /* frstor [image] */
    byte(0x9d);                                 /* popf */
    memcpy(at, q.code, q.length);
    at += q.length;
    byte(0x9c);                                 /* pushf */
    byte(0xdd); byte(0x35); address(a.image);   /* fnsave [image] */
    byte(0x8f); byte(0x05); address(&a.flags);  /* pop [flags] */
    byte(0xa3); address(&a.eax);                /* mov [eax], eax */
    byte(0x61); byte(0xc3);                     /* popa; ret */
}

int main(void)
{
    uint8_t *page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return 1;
    while (fread(&q, sizeof q, 1, stdin) == 1) {
        memset(&a, 0, sizeof a);
        memcpy(a.memory, q.memory, MEMORY);
        assemble(page);
        __asm__ volatile("call *%0\n\tfninit" : : "r"(page) : "memory", "cc");
        if (fwrite(&a, sizeof a, 1, stdout) != 1)
            return 1;
    }
    return 0;
}
