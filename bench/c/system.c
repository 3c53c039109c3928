/* What an operating system does for programs. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "programs.h"

static void check(int good, const char *what) {
  if (good) return;
  perror(what);
  exit(1);
}

static void syscalls(char **unused) {
  u32 sum = 0;
  for (int i = 0; i < 300000; i++) sum += syscall(SYS_getppid) > 0;
  printf("%u\n", sum);
}

/* One byte to and fro between two processes. */
static void pipes(char **unused) {
  int there[2], back[2];
  check(pipe(there) == 0 && pipe(back) == 0, "pipe");
  char byte = 0;
  pid_t child = fork();
  if (child == 0) {
    close(there[1]);
    while (read(there[0], &byte, 1) == 1) {
      byte++;
      if (write(back[1], &byte, 1) != 1) break;
    }
    _exit(0);
  }
  close(there[0]);
  for (int i = 0; i < 8000; i++) check(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "pipe");
  close(there[1]);
  waitpid(child, NULL, 0);
  printf("%u\n", (u8)byte);
}

/* 64 KB at a time through a pipe. */
static void stream(char **unused) {
  static char buffer[1 << 16];
  int ends[2];
  check(pipe(ends) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 3000; i++) check(write(ends[1], buffer, sizeof buffer) == sizeof buffer, "write");
    _exit(0);
  }
  close(ends[1]);
  u32 total = 0;
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;) total += got;
  waitpid(child, NULL, 0);
  printf("%u\n", total);
}

static void forks(char **unused) {
  u32 sum = 0;
  for (int i = 0; i < 300; i++) {
    pid_t child = fork();
    if (child == 0) _exit(i & 63);
    int status;
    waitpid(child, &status, 0);
    sum += WEXITSTATUS(status);
  }
  printf("%u\n", sum);
}

/* exec COUNT WORD…: starts a program so many times. */
static void exec(char **words) {
  u32 sum = 0;
  for (int i = atoi(words[0]); i > 0; i--) {
    pid_t child = vfork();
    if (child == 0) {
      execv(words[1], words + 1);
      _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    sum += status == 0;
  }
  printf("%u\n", sum);
}

static void nothing(char **unused) {}

/* Pages touched for the first time. */
static void faults(char **unused) {
  u32 sum = 0;
  for (int round = 0; round < 12; round++) {
    u8 *p = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(p != MAP_FAILED, "mmap");
    /* Without huge pages, which only some machines have. */
    madvise(p, 8 << 20, MADV_NOHUGEPAGE);
    for (u32 at = 0; at < 8 << 20; at += 4096) sum += p[at] + 1, p[at] = round;
    munmap(p, 8 << 20);
  }
  printf("%u\n", sum);
}

/* Copies of pages that a child writes to. */
static void copies(char **unused) {
  enum { BYTES = 2 << 20 };
  u8 *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  check(p != MAP_FAILED, "mmap");
  madvise(p, BYTES, MADV_NOHUGEPAGE);
  for (u32 at = 0; at < BYTES; at += 4096) p[at] = at >> 12;
  u32 sum = 0;
  for (int i = 0; i < 30; i++) {
    pid_t child = fork();
    if (child == 0) {
      for (u32 at = 0; at < BYTES; at += 4096) p[at]++;
      _exit(p[4096 * 5]);
    }
    int status;
    waitpid(child, &status, 0);
    sum += WEXITSTATUS(status);
  }
  printf("%u\n", sum);
}

static void mappings(char **unused) {
  int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0644);
  check(fd >= 0 && ftruncate(fd, 1 << 18) == 0, "mapped");
  u32 sum = 0;
  for (int i = 0; i < 2000; i++) {
    u8 *p = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(p != MAP_FAILED, "mmap");
    u32 at = i * 4096 & 0x3ffff;
    sum += p[at];
    p[at] = i;
    check(mprotect(p, 4096, PROT_READ) == 0, "mprotect");
    munmap(p, 1 << 18);
  }
  close(fd);
  unlink("mapped");
  printf("%u\n", sum);
}

static void files(char **unused) {
  char name[40], buffer[1000];
  u32 sum = 0;
  memset(buffer, 'x', sizeof buffer);
  mkdir("small", 0755);
  for (int round = 0; round < 6; round++) {
    for (int i = 0; i < 1000; i++) {
      sprintf(name, "small/%d", i);
      int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
      check(fd >= 0 && write(fd, buffer, 100 + i % 900) > 0, name);
      close(fd);
    }
    for (int i = 0; i < 1000; i++) {
      sprintf(name, "small/%d", i);
      struct stat s;
      check(stat(name, &s) == 0, name);
      int fd = open(name, O_RDONLY);
      check(fd >= 0, name);
      sum += s.st_size + read(fd, buffer, sizeof buffer);
      close(fd);
      unlink(name);
    }
  }
  rmdir("small");
  printf("%u\n", sum);
}

static void reads(char **unused) {
  static char buffer[4096];
  int fd = open("blocks", O_RDWR | O_CREAT | O_TRUNC, 0644);
  check(fd >= 0, "blocks");
  for (int i = 0; i < 256; i++) buffer[i] = i, check(write(fd, buffer, sizeof buffer) == sizeof buffer, "write");
  u32 x = 1, sum = 0;
  for (int i = 0; i < 150000; i++) {
    check(pread(fd, buffer, sizeof buffer, (next_random(&x) >> 24) * 4096) == sizeof buffer, "pread");
    sum += (u8)buffer[x >> 16 & 255];
  }
  close(fd);
  unlink("blocks");
  printf("%u\n", sum);
}

static volatile u32 caught;
static void count_signal(int number) { caught += number; }
static void signals(char **unused) {
  struct sigaction action = {.sa_handler = count_signal};
  sigaction(SIGUSR1, &action, NULL);
  for (int i = 0; i < 50000; i++) raise(SIGUSR1);
  printf("%u\n", caught / SIGUSR1);
}

/* Accesses to a page that may not be accessed, mended by the handler. */
static u8 *guarded;
static void mend(int number) {
  caught++;
  mprotect(guarded, 4096, PROT_READ | PROT_WRITE);
}
static void protection(char **unused) {
  struct sigaction action = {.sa_handler = mend};
  sigaction(SIGSEGV, &action, NULL);
  guarded = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 8000; i++) {
    mprotect(guarded, 4096, PROT_READ);
    *(volatile u8 *)guarded = i;
  }
  printf("%u\n", caught);
}

int main(int argc, char **argv) {
  static const struct program programs[] = {
    {"syscalls", syscalls}, {"pipes", pipes}, {"stream", stream}, {"forks", forks}, {"exec", exec}, {"nothing", nothing},
    {"faults", faults}, {"copies", copies}, {"mappings", mappings}, {"files", files}, {"reads", reads},
    {"signals", signals}, {"protection", protection}, {0},
  };
  return run_program(programs, argc, argv);
}
