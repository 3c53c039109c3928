/* Moving and reading memory. */
#include "programs.h"

enum { MEGABYTE = 1 << 20 };
static u8 from[4 * MEGABYTE] __attribute__((aligned(4096))), to[4 * MEGABYTE] __attribute__((aligned(4096)));

static void fill(void) {
  u32 x = 1;
  for (u32 i = 0; i < sizeof from; i += 4) *(u32 *)(from + i) = next_random(&x);
}
static u32 checksum(const u8 *p, u32 count) {
  u32 sum = 0;
  for (u32 i = 0; i + 4 <= count; i += 4) sum = sum * 33 + *(const u32 *)(p + i);
  return sum;
}

/* The library's memcpy, of 1 byte to 64 KB, most of them small. */
static void copy_library(char **unused) {
  fill();
  u32 x = 7;
  for (u32 i = 0; i < 300000; i++) {
    u32 r = next_random(&x), size = r >> 8 & (r & 0x80000000u ? 0xff : r & 0x40000000u ? 0xfff : 0xffff);
    memcpy(to + (r >> 3 & 0xfffff), from + (r >> 5 & 0x1fffff), size + 1);
  }
  printf("%08x\n", checksum(to, sizeof to));
}

static void copy_large(char **unused) {
  fill();
  for (u32 i = 0; i < 300; i++) {
    memcpy(to, from + (i & 15), MEGABYTE);
    memmove(to + 2 * MEGABYTE + (i & 63), to + 2 * MEGABYTE, MEGABYTE);
    BARRIER();
  }
  printf("%08x\n", checksum(to, sizeof to));
}

static void fill_library(char **unused) {
  for (u32 i = 0; i < 3000; i++) {
    memset(to + (i & 0xffff), i, MEGABYTE / 2);
    BARRIER();
  }
  printf("%08x\n", checksum(to, sizeof to));
}

static void rep_movs(char **unused) {
  fill();
  for (u32 i = 0; i < 25000; i++) {
    void *d = to + (i & 0xff) * 4096, *s = from + (i & 0x3f) * 4096;
    long n = 2048;
    __asm__ volatile("rep movsl" : "+D"(d), "+S"(s), "+c"(n)::"memory");
  }
  for (u32 i = 0; i < 40000; i++) {
    void *d = to + 2 * MEGABYTE + (i & 0x3f) * 5000 + 1;
    long n = 5000;
    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(i) : "memory");
  }
  printf("%08x\n", checksum(to, sizeof to));
}

static void copy_bytes(char **unused) {
  fill();
  for (u32 round = 0; round < 200; round++) {
    for (u32 i = 0; i < MEGABYTE / 2; i++) {
      to[i] = from[i + (round & 3)];
      __asm__ volatile("");
    }
    BARRIER();
  }
  printf("%08x\n", checksum(to, MEGABYTE / 2));
}

static void copy_words(char **unused) {
  fill();
  const u32 *s = (const u32 *)from;
  u32 *d = (u32 *)to;
  for (u32 round = 0; round < 400; round++) {
    for (u32 i = 0; i < MEGABYTE / 4; i++) {
      d[i] = s[i];
      __asm__ volatile("");
    }
    BARRIER();
  }
  printf("%08x\n", checksum(to, MEGABYTE));
}

static void sum(char **unused) {
  fill();
  const u32 *s = (const u32 *)from;
  u32 total = 0;
  for (u32 round = 0; round < 600; round++) {
    for (u32 i = 0; i < MEGABYTE / 4; i++) total += s[i];
    BARRIER();
  }
  printf("%08x\n", total);
}

/* One access on each of many pages. */
static void stride(char **unused) {
  fill();
  u32 total = 0;
  for (u32 round = 0; round < 10000; round++)
    for (u32 page = 0; page < 1024; page++) total += from[page * 4096 + (round & 4095)]++;
  printf("%08x\n", total);
}

static void random_reads(char **unused) {
  fill();
  const u32 *s = (const u32 *)from;
  u32 x = 1, total = 0;
  for (u32 i = 0; i < 25000000; i++) total += s[next_random(&x) >> 12];
  printf("%08x\n", total);
}

int main(int argc, char **argv) {
  static const struct program programs[] = {
    {"memcpy", copy_library}, {"memcpy-large", copy_large}, {"memset", fill_library}, {"rep-movs", rep_movs},
    {"copy-bytes", copy_bytes}, {"copy-words", copy_words}, {"sum", sum}, {"stride", stride}, {"random", random_reads}, {0},
  };
  return run_program(programs, argc, argv);
}
