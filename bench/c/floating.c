/* Floating point; compiled twice, for the x87 and for SSE2. */
#include <math.h>
#include "programs.h"

struct body {
  double x, y, z, vx, vy, vz, mass;
};
static void nbody(char **unused) {
  static struct body b[5] = {
    {0, 0, 0, 0, 0, 0, 39.47},
    {4.84, -1.16, -0.10, 0.606, 2.81, -0.02, 0.037},
    {8.34, 4.12, -0.40, -1.01, 1.82, 0.008, 0.011},
    {12.89, -15.11, -0.22, 1.08, 0.868, -0.01, 0.0017},
    {15.37, -25.91, 0.179, 0.979, 0.594, -0.034, 0.002},
  };
  for (int step = 0; step < 150000; step++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
        double square = dx * dx + dy * dy + dz * dz, magnitude = 0.001 / (square * sqrt(square));
        b[i].vx -= dx * b[j].mass * magnitude, b[i].vy -= dy * b[j].mass * magnitude, b[i].vz -= dz * b[j].mass * magnitude;
        b[j].vx += dx * b[i].mass * magnitude, b[j].vy += dy * b[i].mass * magnitude, b[j].vz += dz * b[i].mass * magnitude;
      }
    for (int i = 0; i < 5; i++) b[i].x += 0.001 * b[i].vx, b[i].y += 0.001 * b[i].vy, b[i].z += 0.001 * b[i].vz;
  }
  printf("%.4f %.4f\n", b[1].x, b[4].z);
}

static void mandelbrot(char **unused) {
  u32 inside = 0, total = 0;
  for (int py = 0; py < 300; py++)
    for (int px = 0; px < 300; px++) {
      double cx = px / 120.0 - 2.003, cy = py / 150.0 - 1.001, x = 0, y = 0;
      u32 n = 0;
      for (; n < 200 && x * x + y * y < 4.0; n++) {
        double t = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = t;
      }
      total += n;
      inside += n == 200;
    }
  /* Points on the edge fall to either side with the last bit. */
  printf("%u %u\n", inside / 100, total / 100000);
}

static void dgemm(char **unused) {
  enum { N = 160 };
  static double a[N][N], b[N][N], c[N][N];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) a[i][j] = 1.0 / (i + j + 1), b[i][j] = i - j * 0.5, c[i][j] = 0;
  for (int round = 0; round < 5; round++)
    for (int i = 0; i < N; i++)
      for (int k = 0; k < N; k++)
        for (int j = 0; j < N; j++) c[i][j] += a[i][k] * b[k][j];
  double trace = 0;
  for (int i = 0; i < N; i++) trace += c[i][i];
  printf("%.6f\n", trace);
}

static void spectral(char **unused) {
  enum { N = 300 };
  static double u[N], v[N], w[N];
  for (int i = 0; i < N; i++) u[i] = 1;
  for (int round = 0; round < 60; round++) {
    const double *in = round & 1 ? v : u;
    double *out = round & 1 ? u : v;
    for (int i = 0; i < N; i++) {
      double s = 0;
      for (int j = 0; j < N; j++) s += in[j] / ((i + j) * (i + j + 1) / 2 + i + 1);
      w[i] = s;
    }
    for (int i = 0; i < N; i++) {
      double s = 0;
      for (int j = 0; j < N; j++) s += w[j] / ((i + j) * (i + j + 1) / 2 + j + 1);
      out[i] = s;
    }
  }
  double uv = 0, vv = 0;
  for (int i = 0; i < N; i++) uv += u[i] * v[i], vv += v[i] * v[i];
  printf("%.7f\n", sqrt(uv / vv));
}

/* Single precision, and conversions from and to integers. */
static void single(char **unused) {
  static float wave[4096];
  u32 total = 0;
  for (int i = 0; i < 4096; i++) wave[i] = (float)((i * 37) % 4096) / 4096 - 0.5f;
  for (int round = 0; round < 1500; round++) {
    float low = 0;
    for (int i = 0; i < 4096; i++) {
      low += 0.25f * (wave[i] - low);
      total += abs((int)(low * 1024.0f));
    }
  }
  /* The x87 keeps more digits in between, how many depends on the compiler. */
  printf("%u\n", total / 10000000);
}

#ifdef __SSE2_MATH__
#include <emmintrin.h>
/* Vectors of integers: saturating sums, differences, shuffles, comparisons. */
static void integer_vectors(char **unused) {
  static u8 a[65536] __attribute__((aligned(16))), b[65536] __attribute__((aligned(16)));
  u32 x = 1;
  for (u32 i = 0; i < sizeof a; i++) a[i] = next_random(&x) >> 24, b[i] = next_random(&x) >> 24;
  __m128i total = _mm_setzero_si128(), zero = _mm_setzero_si128();
  for (int round = 0; round < 2000; round++)
    for (u32 i = 0; i < sizeof a; i += 16) {
      __m128i p = _mm_load_si128((const __m128i *)(a + i)), q = _mm_load_si128((const __m128i *)(b + i));
      __m128i low = _mm_unpacklo_epi8(p, zero), high = _mm_unpackhi_epi8(q, zero);
      total = _mm_add_epi64(total, _mm_sad_epu8(p, q));
      total = _mm_xor_si128(total, _mm_madd_epi16(low, high));
      total = _mm_add_epi32(total, _mm_and_si128(_mm_cmpgt_epi8(p, q), _mm_adds_epu8(p, q)));
      _mm_store_si128((__m128i *)(a + i), _mm_avg_epu8(p, _mm_shuffle_epi32(q, 0x1b)));
    }
  u32 out[4];
  _mm_storeu_si128((__m128i *)out, total);
  printf("%08x %08x\n", out[0] ^ out[1], out[2] ^ out[3]);
}

static void double_vectors(char **unused) {
  static double a[8192] __attribute__((aligned(16))), b[8192] __attribute__((aligned(16)));
  for (int i = 0; i < 8192; i++) a[i] = i * 0.001, b[i] = 1.0 / (i + 1);
  __m128d total = _mm_setzero_pd();
  for (int round = 0; round < 5000; round++)
    for (int i = 0; i < 8192; i += 2) {
      __m128d p = _mm_load_pd(a + i), q = _mm_load_pd(b + i);
      total = _mm_add_pd(total, _mm_mul_pd(p, q));
      _mm_store_pd(a + i, _mm_max_pd(_mm_sub_pd(p, q), _mm_shuffle_pd(q, p, 1)));
    }
  double out[2];
  _mm_storeu_pd(out, total);
  printf("%.4f %.4f\n", out[0], out[1]);
}
#else
/* The mathematical functions of the C library, which on i386 use the x87 in any case. */
static void libm(char **unused) {
  double total = 0;
  for (int i = 1; i < 250000; i++) {
    double x = i * 0.0001;
    total += sin(x) * cos(x * 0.5) + exp(-x) + log(x) + atan2(x, 3.0) + pow(x, 0.3);
  }
  printf("%.5f\n", total);
}

/* The x87's own functions. Processors differ in their last bits. */
static void instructions(char **unused) {
  long double total = 0;
  for (int i = 1; i < 350000; i++) {
    long double x = i * 0.00001L, s, c, t, y = x;
    __asm__("fsincos" : "=t"(c), "=u"(s) : "0"(x));
    __asm__("fpatan" : "=t"(t) : "0"(1.0L), "u"(x) : "st(1)");
    __asm__("fyl2x" : "=t"(y) : "0"(x), "u"(1.0L) : "st(1)");
    total += s * c + t + y + x * x;
    total -= __builtin_sqrtl(x);
  }
  printf("%.5Lf\n", total);
}
#endif

int main(int argc, char **argv) {
  static const struct program programs[] = {
    {"nbody", nbody}, {"mandelbrot", mandelbrot}, {"dgemm", dgemm}, {"spectral", spectral}, {"single", single},
#ifdef __SSE2_MATH__
    {"integer-vectors", integer_vectors}, {"double-vectors", double_vectors},
#else
    {"libm", libm}, {"instructions", instructions},
#endif
    {0},
  };
  return run_program(programs, argc, argv);
}
