/* data text|binary|tree NAME SIZE: makes what the programs work on, the same everywhere; SIZE in KB, or in files. */
#include <sys/stat.h>
#include "programs.h"

static FILE *create(const char *name) {
  FILE *file = fopen(name, "w");
  if (file == NULL) {
    perror(name);
    exit(1);
  }
  return file;
}

static void finish(FILE *file, const char *name) {
  if (!ferror(file) && fclose(file) == 0) return;
  perror(name);
  exit(1);
}

/* Lines of words of a made-up language, the short ones frequent. */
static void text(char **words) {
  FILE *file = create(words[0]);
  u32 x = 1;
  for (long left = atol(words[1]) * 1024; left > 0;) {
    char line[400];
    int length = 0;
    for (int count = 4 + (next_random(&x) >> 28); count > 0; count--) {
      u32 rank = next_random(&x) >> 18, spread = next_random(&x) >> 18, w = (rank * spread >> 14) * 2654435761u;
      for (int syllables = 1 + (rank * spread >> 14) % 4; syllables > 0; syllables--, w = w * 69069 + 1) {
        line[length++] = "bcdfghklmnprstvw"[w >> 28];
        line[length++] = "aeiouaei"[w >> 25 & 7];
      }
      line[length++] = ' ';
    }
    length += sprintf(line + length, "%u\n", next_random(&x) >> 12);
    fwrite(line, 1, length, file);
    left -= length;
  }
  finish(file, words[0]);
}

static void binary(char **words) {
  FILE *file = create(words[0]);
  u32 x = 12345;
  for (long left = atol(words[1]) * 256; left > 0; left--) {
    u32 r = next_random(&x);
    fwrite(&r, 4, 1, file);
  }
  finish(file, words[0]);
}

static void tree(char **words) {
  mkdir(words[0], 0755);
  for (int i = 0; i < atoi(words[1]); i++) {
    char name[100];
    sprintf(name, "%s/%02d", words[0], i % 40);
    mkdir(name, 0755);
    sprintf(name, "%s/%02d/file-%d.%s", words[0], i % 40, i, i % 3 ? "txt" : "dat");
    FILE *file = create(name);
    fprintf(file, "%d\n", i * i);
    finish(file, name);
  }
}

int main(int argc, char **argv) {
  static const struct program programs[] = {{"text", text}, {"binary", binary}, {"tree", tree}, {0}};
  if (argc < 4) return 1;
  return run_program(programs, argc, argv);
}
