/*
 * Code made and changed while it runs. Only instructions that mean the same to a 32- and a 64-bit processor; EAX is
 * argument and result, ECX a count.
 */
#define _GNU_SOURCE
#include <sys/mman.h>
#include "programs.h"

static u8 *code;
static u8 *at;

static void allocate(u32 count) {
  code = mmap(NULL, count, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
}
static void byte(u8 b) { *at++ = b; }
static void word(u32 w) {
  memcpy(at, &w, 4);
  at += 4;
}
static void add(u32 n) { byte(0x05), word(n); }
static void exclusive_or(u32 n) { byte(0x35), word(n); }
static void multiply(u32 n) { byte(0x69), byte(0xc0), word(n); }
static void roll(u32 n) { byte(0xc1), byte(0xc0), byte(n); }
static void finish(void) { byte(0xc3); }
/* dec ecx; jnz `back` */
static void repeat_from(const u8 *back) { byte(0xff), byte(0xc9), byte(0x0f), byte(0x85), word(back - (at + 4)); }

static u32 call(const u8 *function, u32 argument, u32 count) {
  unsigned long c = count;
  __asm__ volatile("call *%2" : "+a"(argument), "+c"(c) : "r"(function) : "memory", "cc");
  return argument;
}

static void operation(u32 r) {
  switch (r >> 29) {
    case 0: case 1: add(r); break;
    case 2: case 3: exclusive_or(r); break;
    case 4: case 5: multiply(r | 1); break;
    default: roll((r & 15) + 1);
  }
}

/* Makes a function, calls it a few times, makes another in its place. */
static void make(char **unused) {
  allocate(4096);
  u32 x = 1, value = 1;
  for (int i = 0; i < 60000; i++) {
    at = code;
    for (int k = 0; k < 20; k++) operation(next_random(&x));
    finish();
    for (int k = 0; k < 3; k++) value = call(code, value, 0);
  }
  printf("%08x\n", value);
}

/* Changes a constant inside a loop between two runs of it. */
static void patch(char **unused) {
  allocate(4096);
  at = code;
  const u8 *loop = at;
  add(1);
  u8 *constant = at - 4;
  exclusive_or(0x5555);
  roll(3);
  repeat_from(loop);
  finish();
  u32 x = 1, value = 1;
  for (int i = 0; i < 40000; i++) {
    u32 r = next_random(&x);
    memcpy(constant, &r, 4);
    value = call(code, value, 500);
  }
  printf("%08x\n", value);
}

/* As a compiler for a script: many functions, each made once and run long. */
static void compile(char **unused) {
  allocate(1 << 20);
  at = code;
  u32 x = 1, value = 1;
  for (int i = 0; i < 1500; i++) {
    const u8 *function = at;
    for (int k = 0; k < 24; k++) operation(next_random(&x));
    repeat_from(function);
    finish();
    value = call(function, value, 4000);
  }
  printf("%08x\n", value);
}

/* Data and code on one page: every call writes next to the code it runs. */
static void beside(char **unused) {
  allocate(4096);
  at = code + 64;
  const u8 *function = at;
  for (u32 k = 1; k <= 16; k++) operation(k * 0x9e3779b9u);
  repeat_from(function);
  finish();
  u32 value = 1;
  for (int i = 0; i < 100000; i++) {
    value = call(function, value, 20);
    *(volatile u32 *)code = value;
  }
  printf("%08x\n", value);
}

int main(int argc, char **argv) {
  static const struct program programs[] = {{"make", make}, {"patch", patch}, {"compile", compile}, {"beside", beside}, {0}};
  return run_program(programs, argc, argv);
}
