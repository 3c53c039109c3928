/* Integer work and calls. */
#include "programs.h"

static u8 bytes[1 << 20];
static u32 words[1 << 16];

static void sieve(char **unused) {
  u32 count = 0;
  for (int round = 0; round < 100; round++) {
    for (u32 i = 0; i < 400000; i++) bytes[i] = 0;
    count = 0;
    for (u32 i = 2; i < 400000; i++) {
      if (bytes[i]) continue;
      count++;
      for (u32 j = 2 * i; j < 400000; j += i) bytes[j] = 1;
    }
  }
  printf("%u\n", count);
}

static void crc32(char **unused) {
  static u32 table[256];
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  for (u32 i = 0; i < sizeof bytes; i++) bytes[i] = i * 7 + (i >> 8);
  u32 crc = ~0u;
  for (int round = 0; round < 60; round++)
    for (u32 i = 0; i < sizeof bytes; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >> 8);
  printf("%08x\n", crc);
}

static u32 rotate(u32 x, int n) { return (x >> n) | (x << (32 - n)); }

static void sha256(char **unused) {
  static u32 k[64], h[8];
  u32 x = 0x6a09e667;
  for (int i = 0; i < 64; i++) k[i] = x = x * 1664525 + 1013904223;
  for (int i = 0; i < 8; i++) h[i] = k[i] ^ 0x5be0cd19;
  for (int block = 0; block < 500000; block++) {
    u32 w[64];
    for (int i = 0; i < 16; i++) w[i] = k[i] + block * i;
    for (int i = 16; i < 64; i++) {
      u32 s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3);
      u32 s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    u32 a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], hh = h[7];
    for (int i = 0; i < 64; i++) {
      u32 t1 = hh + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];
      u32 t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      hh = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += hh;
  }
  printf("%08x %08x\n", h[0], h[7]);
}

NOINLINE static u32 fibonacci(u32 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
static void fib(char **unused) { printf("%u\n", fibonacci(38)); }

/* glibc's qsort through a comparator: indirect calls from library code. */
static int compare_words(const void *a, const void *b) {
  u32 x = *(const u32 *)a, y = *(const u32 *)b;
  return x < y ? -1 : x > y;
}
static void quicksort(char **unused) {
  u32 x = 1, sum = 0;
  for (int round = 0; round < 12; round++) {
    for (int i = 0; i < 1 << 16; i++) words[i] = next_random(&x);
    qsort(words, 1 << 16, sizeof words[0], compare_words);
    sum += words[1000] + words[60000];
  }
  printf("%08x\n", sum);
}

/* Calls through a table whose entry the data choose. */
#define STEP(name, expression) NOINLINE static u32 name(u32 a, u32 b) { return expression; }
STEP(step0, a + b)
STEP(step1, a ^ (b << 3))
STEP(step2, a * 5 - b)
STEP(step3, rotate(a, 7) + b)
STEP(step4, (a >> 1) ^ b)
STEP(step5, a - (b >> 2))
STEP(step6, a | (b & 0x55555555))
STEP(step7, ~a + b)
static u32 (*const volatile steps[8])(u32, u32) = {step0, step1, step2, step3, step4, step5, step6, step7};
static void indirect(char **unused) {
  u32 a = 1, x = 1;
  for (u32 i = 0; i < 12000000; i++) {
    x = x * 1664525 + 1013904223;
    a = steps[x >> 29](a, x);
  }
  printf("%08x\n", a);
}

/* Small functions on structures, called one by one. */
struct point {
  int x, y;
};
NOINLINE static void move(struct point *p, int dx, int dy) { p->x += dx, p->y -= dy; }
NOINLINE static int area(const struct point *a, const struct point *b) { return (a->x - b->x) * (a->y - b->y); }
NOINLINE static struct point *larger(struct point *a, struct point *b) { return a->x < b->x ? b : a; }
static void leaf(char **unused) {
  struct point points[16];
  u32 sum = 0;
  for (int i = 0; i < 16; i++) points[i].x = i * 3, points[i].y = i ^ 5;
  for (u32 i = 0; i < 25000000; i++) {
    struct point *a = &points[i & 15], *b = &points[i >> 4 & 15];
    move(a, i & 7, b->x & 3);
    sum += area(a, b);
    larger(a, b)->y ^= 9;
  }
  printf("%08x\n", sum);
}

/* A search tree, built and walked by recursion; children are indices. */
static u32 left_of[1 << 16], right_of[1 << 16], key_of[1 << 16];
NOINLINE static u32 insert(u32 tree, u32 node) {
  if (tree == 0) return node;
  if (key_of[node] < key_of[tree]) left_of[tree] = insert(left_of[tree], node);
  else right_of[tree] = insert(right_of[tree], node);
  return tree;
}
NOINLINE static u32 walk(u32 tree, u32 depth) {
  if (tree == 0) return depth;
  return walk(left_of[tree], depth + 1) * 3 + key_of[tree] + walk(right_of[tree], depth + 1);
}
static void tree(char **unused) {
  u32 x = 1, sum = 0;
  for (int round = 0; round < 6; round++) {
    u32 root = 0;
    for (u32 i = 1; i < 1 << 16; i++) left_of[i] = right_of[i] = 0, key_of[i] = next_random(&x);
    for (u32 i = 1; i < 1 << 16; i++) root = insert(root, i);
    for (int i = 0; i < 20; i++) sum = sum * 5 + walk(root, 0);
  }
  printf("%08x\n", sum);
}

/* Chases indices, so that a node is of the same size on every machine. */
struct node {
  u32 next, value;
};
static void list(char **unused) {
  struct node *nodes = (struct node *)words;
  u32 count = 1 << 14, sum = 0;
  for (u32 i = 0; i < count; i++) {
    nodes[i].next = (i * 5 + 1) & (count - 1);
    nodes[i].value = i;
  }
  const struct node *p = nodes;
  for (u32 i = 0; i < 30000000; i++) sum += p->value, p = nodes + p->next;
  printf("%08x\n", sum);
}

/* A small interpreter: a switch on byte codes. */
static void interpreter(char **unused) {
  static const u8 program[] = {0, 1, 2, 3, 1, 4, 2, 5, 6, 1, 0, 2, 7};
  u32 a = 1, b = 2, left = 12000000;
  for (u32 pc = 0;;) {
    switch (program[pc++]) {
      case 0: a += b; break;
      case 1: b ^= a << 3; break;
      case 2: a -= 7; break;
      case 3: b += a >> 5; break;
      case 4: a = a * 3 + 1; break;
      case 5: b = rotate(b, 9); break;
      case 6: a ^= b; break;
      default:
        if (--left == 0) {
          printf("%08x\n", a ^ b);
          return;
        }
        pc = 0;
    }
  }
}

static void matrix(char **unused) {
  static u32 a[128][128], b[128][128], c[128][128];
  for (int i = 0; i < 128; i++)
    for (int j = 0; j < 128; j++) a[i][j] = i * j + 1, b[i][j] = i - j;
  for (int round = 0; round < 60; round++) {
    for (int i = 0; i < 128; i++)
      for (int j = 0; j < 128; j++) {
        u32 sum = 0;
        for (int k = 0; k < 128; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    a[round][1] = c[round][7];
  }
  printf("%08x\n", c[13][57] ^ c[99][1]);
}

static u32 length(const char *s) {
  u32 n = 0;
  while (s[n]) n++;
  return n;
}
static void strings(char **unused) {
  u32 sum = 0;
  for (u32 i = 0; i < 1 << 20; i++) bytes[i] = i % 61 == 60 ? 0 : 'a' + i % 26;
  for (int round = 0; round < 200; round++)
    for (u32 at = 0; at < (1 << 20) - 100;) {
      u32 n = length((char *)bytes + at);
      sum = sum * 31 + n;
      at += n + 1;
    }
  printf("%08x\n", sum);
}

/* 64-bit arithmetic; a 32-bit processor divides in software. */
static void division(char **unused) {
  u64 a = 0x123456789abcdefull, sum = 0;
  for (u32 i = 1; i < 12000000; i++) {
    a = a * 6364136223846793005ull + 1442695040888963407ull;
    u64 d = (a >> 40) + i;
    sum += a / d + a % (d | 0x100000001ull);
  }
  printf("%016llx\n", (unsigned long long)sum);
}

/* A thousand functions, visited in an order the data decide: more code than fits in the nearest caches. */
#define F1(n) \
  NOINLINE static u32 large_##n(u32 x, u32 *p) { \
    x ^= p[(n * 7 + x) & 1023]; \
    if (x & (1u << (n % 31))) x = rotate(x, n % 29 + 1) + 0x##n##u; \
    else x = x * (2 * n + 3) - 0x1##n##u; \
    p[(x >> 7) & 1023] += x ^ n; \
    return x > 0x80000000u ? x - (n | 1) : x + (n ^ 77); \
  }
#define N1(n) large_##n,
#define X10(F, n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)
#define X100(F, n) \
  X10(F, n##0) X10(F, n##1) X10(F, n##2) X10(F, n##3) X10(F, n##4) X10(F, n##5) X10(F, n##6) X10(F, n##7) X10(F, n##8) X10(F, n##9)
#define X1000(F) \
  X100(F, 1) X100(F, 2) X100(F, 3) X100(F, 4) X100(F, 5) X100(F, 6) X100(F, 7) X100(F, 8) X100(F, 9) X100(F, 10)
X1000(F1)
static u32 (*const large_functions[])(u32, u32 *) = {X1000(N1)};
static void large(char **unused) {
  static u32 table[1024];
  u32 x = 1, seed = 1, count = sizeof large_functions / sizeof large_functions[0];
  for (u32 i = 0; i < 1024; i++) table[i] = next_random(&seed);
  for (u32 i = 0; i < 4000000; i++) x = large_functions[(next_random(&seed) >> 8) % count](x, table);
  printf("%08x\n", x);
}

/* Open addressing: loads and branches that depend on each other. */
static void hash(char **unused) {
  static u32 keys[1 << 16], values[1 << 16];
  u32 x = 1, found = 0;
  for (u32 i = 0; i < 30000000; i++) {
    u32 key = (next_random(&x) >> 12 & 0x7fff) + 1;
    u32 at = key * 2654435761u >> 16;
    while (keys[at] != key && keys[at] != 0) at = (at + 1) & 0xffff;
    if (keys[at] == key) found++;
    keys[at] = key;
    values[at] += i;
  }
  u32 sum = 0;
  for (u32 i = 0; i < 1 << 16; i++) sum = sum * 31 + values[i];
  printf("%u %08x\n", found, sum);
}

int main(int argc, char **argv) {
  static const struct program programs[] = {
    {"sieve", sieve}, {"crc32", crc32}, {"sha256", sha256}, {"fib", fib}, {"qsort", quicksort}, {"indirect", indirect},
    {"leaf", leaf}, {"tree", tree}, {"list", list}, {"interpreter", interpreter}, {"matrix", matrix}, {"strings", strings}, {"division", division},
    {"large", large}, {"hash", hash}, {0},
  };
  return run_program(programs, argc, argv);
}
