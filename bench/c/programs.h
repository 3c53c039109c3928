/* What the programs of `npm run bench` have in common: a file has several, and the first word says which is to run. */
#ifndef PROGRAMS_H
#define PROGRAMS_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define NOINLINE __attribute__((noinline))
/* The compiler may assume nothing about memory across it. */
#define BARRIER() __asm__ volatile("" ::: "memory")

/* A program: prints a checksum that the work decides, the same on every machine. `words` are what follows its name. */
struct program {
  const char *name;
  void (*run)(char **words);
};

static inline u32 next_random(u32 *state) { return *state = *state * 1664525u + 1013904223u; }

static inline int run_program(const struct program *programs, int argc, char **argv) {
  for (const struct program *p = programs; argc > 1 && p->name != NULL; p++) {
    if (strcmp(p->name, argv[1]) != 0) continue;
    p->run(argv + 2);
    return 0;
  }
  fprintf(stderr, "%s: which program?\n", argv[0]);
  return 1;
}
#endif
