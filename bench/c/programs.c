/* Integer programs for `npm run bench:jit`: compiled for this computer and for the guest. */
typedef unsigned u32;
typedef unsigned char u8;

static u8 bytes[1 << 20];
static u32 words[1 << 16];

u32 run_sieve(void) {
  u32 count = 0;
  for (int round = 0; round < 10; round++) {
    for (u32 i = 0; i < 400000; i++) bytes[i] = 0;
    count = 0;
    for (u32 i = 2; i < 400000; i++) {
      if (bytes[i]) continue;
      count++;
      for (u32 j = 2 * i; j < 400000; j += i) bytes[j] = 1;
    }
  }
  return count;
}

u32 run_crc32(void) {
  static u32 table[256];
  for (u32 i = 0; i < 256; i++) {
    u32 c = i;
    for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  for (u32 i = 0; i < sizeof bytes; i++) bytes[i] = i * 7 + (i >> 8);
  u32 crc = ~0u;
  for (int round = 0; round < 12; round++)
    for (u32 i = 0; i < sizeof bytes; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >> 8);
  return crc;
}

static u32 rotate(u32 x, int n) { return (x >> n) | (x << (32 - n)); }
u32 run_sha256(void) {
  static u32 k[64], h[8];
  u32 x = 0x6a09e667;
  for (int i = 0; i < 64; i++) k[i] = x = x * 1664525 + 1013904223;
  for (int i = 0; i < 8; i++) h[i] = k[i] ^ 0x5be0cd19;
  for (int block = 0; block < 40000; block++) {
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
  return h[0] ^ h[7];
}

__attribute__((noinline)) static u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
u32 run_fib(void) { return fib(33); }

typedef int (*compare)(u32, u32);
__attribute__((noinline)) static int less(u32 a, u32 b) { return a < b; }
__attribute__((noinline)) static void sort(u32 *v, int n, compare before) {
  while (n > 1) {
    u32 pivot = v[n / 2];
    int i = 0, j = n - 1;
    for (;;) {
      while (before(v[i], pivot)) i++;
      while (before(pivot, v[j])) j--;
      if (i >= j) break;
      u32 t = v[i];
      v[i++] = v[j];
      v[j--] = t;
    }
    sort(v, i, before);
    v += i;
    n -= i;
  }
}
compare volatile chosen = less;
u32 run_qsort(void) {
  u32 x = 1, sum = 0;
  for (int round = 0; round < 6; round++) {
    for (int i = 0; i < 1 << 16; i++) words[i] = x = x * 1664525 + 1013904223;
    sort(words, 1 << 16, chosen);
    sum += words[1000] + words[60000];
  }
  return sum;
}

struct node { struct node *next; u32 value; };
u32 run_list(void) {
  struct node *nodes = (struct node *)words;
  u32 n = 1 << 14;
  for (u32 i = 0; i < n; i++) {
    nodes[i].next = &nodes[(i * 5 + 1) & (n - 1)];
    nodes[i].value = i;
  }
  u32 sum = 0;
  struct node *p = nodes;
  for (u32 i = 0; i < 20000000; i++) sum += p->value, p = p->next;
  return sum;
}

u32 run_copy(void) {
  for (u32 i = 0; i < 1 << 16; i++) words[i] = i;
  u32 *to = (u32 *)bytes;
  for (int round = 0; round < 400; round++) {
    for (u32 i = 0; i < 1 << 16; i++) to[i] = words[i];
    __asm__ volatile("" ::: "memory");
  }
  return to[77];
}

/* A small interpreter: a switch on byte codes. */
u32 run_interpreter(void) {
  static const u8 program[] = {0, 1, 2, 3, 1, 4, 2, 5, 6, 1, 0, 2, 7};
  u32 a = 1, b = 2, left = 3000000;
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
        if (--left == 0) return a ^ b;
        pc = 0;
    }
  }
}

u32 run_matrix(void) {
  static u32 a[64][64], b[64][64], c[64][64];
  for (int i = 0; i < 64; i++)
    for (int j = 0; j < 64; j++) a[i][j] = i * j + 1, b[i][j] = i - j;
  for (int round = 0; round < 60; round++)
    for (int i = 0; i < 64; i++)
      for (int j = 0; j < 64; j++) {
        u32 sum = 0;
        for (int k = 0; k < 64; k++) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
  return c[13][57];
}

static u32 length(const char *s) {
  u32 n = 0;
  while (s[n]) n++;
  return n;
}
u32 run_strings(void) {
  u32 sum = 0;
  for (u32 i = 0; i < 1 << 20; i++) bytes[i] = i % 61 == 60 ? 0 : 'a' + i % 26;
  for (int round = 0; round < 30; round++)
    for (u32 at = 0; at < (1 << 20) - 100;) {
      u32 n = length((char *)bytes + at);
      sum = sum * 31 + n;
      at += n + 1;
    }
  return sum;
}
