/* Times the programs natively: name, milliseconds, result. */
#include <stdio.h>
#include <time.h>
#define PROGRAMS(X) X(sieve) X(crc32) X(sha256) X(fib) X(qsort) X(list) X(copy) X(interpreter) X(matrix) X(strings)
#define DECLARE(name) unsigned run_##name(void);
PROGRAMS(DECLARE)
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}
int main(void) {
#define RUN(name) { double best = 1e9; unsigned r = 0; for (int i = 0; i < 3; i++) { double s = now(); r = run_##name(); double d = now() - s; if (d < best) best = d; } printf("%s %.3f %u\n", #name, best, r); }
  PROGRAMS(RUN)
  return 0;
}
