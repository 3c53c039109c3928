/*
 * The other end of `npm run bench`: runs the programs it is told and reports. As /init of a guest it talks on its console;
 * on the computer itself (`runner FOLDER`) on its standard streams, with FOLDER as root directory, so that the same
 * words run the same files in both.
 *
 * A request is one line, `ID<tab>WORD<tab>WORD…`; without a word it is answered at once. The answer:
 *
 *     @@bench ID STATUS MICROSECONDS BYTES      status as a shell has it, processor time, length of the output
 *     (output)
 *     @@end ID
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { MOST_WORDS = 64, LONGEST_LINE = 4096, LONGEST_OUTPUT = 1 << 14 };

static void fail(const char *what) {
  fprintf(stderr, "runner: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void become_init(void) {
  mount("dev", "/dev", "devtmpfs", 0, "");
  mount("proc", "/proc", "proc", 0, "");
  /* The root file system takes half of the memory at most, which is too little for all data. */
  mount("work", "/work", "tmpfs", 0, "size=90%");
  int console = open("/dev/console", O_RDWR);
  if (console < 0) fail("/dev/console");
  struct termios raw;
  tcgetattr(console, &raw);
  cfmakeraw(&raw);
  tcsetattr(console, TCSANOW, &raw);
  for (int fd = 0; fd < 3; fd++) dup2(console, fd);
  if (console > 2) close(console);
}

/* Only root may change the root directory; everybody is root of a name space of their own, where the system lets them. */
static void enter(const char *folder) {
  if (geteuid() != 0 && unshare(CLONE_NEWUSER) != 0) fail("a user name space");
  if (chroot(folder) != 0) fail(folder);
}

static void put(const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(1, bytes, count);
    if (written < 0) {
      if (errno == EINTR) continue;
      exit(1);
    }
    bytes += written;
    count -= written;
  }
}

static char output[LONGEST_OUTPUT];
static size_t output_bytes;

/* Collects what comes from `fd` until nobody can write to it any more; what is too long is cut. */
static void collect(int fd) {
  char rest[4096];
  for (;;) {
    size_t room = LONGEST_OUTPUT - output_bytes;
    ssize_t got = room > 0 ? read(fd, output + output_bytes, room) : read(fd, rest, sizeof rest);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    if (room > 0) output_bytes += got;
  }
}

static int run(char **words, long long *microseconds) {
  int ends[2];
  if (pipe(ends) != 0) fail("pipe");
  pid_t child = fork();
  if (child == 0) {
    int empty = open("/empty", O_RDONLY);
    dup2(empty, 0);
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    for (int fd = 3; fd < 10; fd++) close(fd);
    if (chdir("/work") == 0) execv(words[0], words);
    printf("%s: %s\n", words[0], strerror(errno));
    fflush(stdout);
    _exit(127);
  }
  close(ends[1]);
  output_bytes = 0;
  collect(ends[0]);
  close(ends[0]);
  int status = 0;
  struct rusage used;
  memset(&used, 0, sizeof used);
  while (wait4(child, &status, 0, &used) < 0 && errno == EINTR) continue;
  *microseconds = (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void serve(char *line) {
  char *words[MOST_WORDS];
  int count = 0;
  for (char *word = strtok(line, "\t"); word != NULL && count < MOST_WORDS - 1; word = strtok(NULL, "\t")) words[count++] = word;
  words[count] = NULL;
  if (count == 0) return;
  int status = 0;
  long long microseconds = 0;
  output_bytes = 0;
  if (count > 1) status = run(words + 1, &microseconds);
  char text[200];
  int length = sprintf(text, "\n@@bench %s %d %lld %u\n", words[0], status, microseconds, (unsigned)output_bytes);
  put(text, length);
  put(output, output_bytes);
  length = sprintf(text, "\n@@end %s\n", words[0]);
  put(text, length);
}

int main(int argc, char **argv) {
  if (getpid() == 1) become_init();
  else if (argc > 1) enter(argv[1]);
  setenv("PATH", "/bin:/usr/bin", 1);
  setenv("HOME", "/work", 1);
  setenv("LC_ALL", "C", 1);
  put("\n@@ready\n", 9);
  static char line[LONGEST_LINE];
  size_t length = 0;
  for (;;) {
    char byte;
    ssize_t got = read(0, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    if (byte != '\n') {
      if (length < sizeof line - 1) line[length++] = byte;
      continue;
    }
    line[length] = 0;
    length = 0;
    serve(line);
  }
}
