// offences.c - what a program may not do: told in one line, and the end of it.
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu.h"

#define WATCHED 8192
#define REPORTS 200 // lines at most, where the program goes on

// Read by the signal handler: an entry is there while `end` is not 0, which is written last and cleared first.
static struct watched {
  _Atomic uintptr_t first, end;
  char whose[80];
} watched[WATCHED];
static struct sigaction before;
static _Atomic unsigned reports;

static void print(const char *line) {
  size_t bytes = strlen(line);
  while (bytes) {
    ssize_t n = write(STDERR_FILENO, line, bytes);
    if (n <= 0) return;
    line += n;
    bytes -= (size_t)n;
  }
}

void offend(const char *what, const char *format, ...) {
  char line[600];
  int n = snprintf(line, sizeof line, "hmm-emulated-gpu: offence: %s: ", what);
  va_list list;
  va_start(list, format);
  n += vsnprintf(line + n, sizeof line - 1 - (size_t)n, format, list);
  va_end(list);
  if (n > (int)sizeof line - 2) n = (int)sizeof line - 2;
  line[n] = '\n';
  line[n + 1] = 0;
  if (options.offences == ABORT || atomic_fetch_add(&reports, 1) < REPORTS) print(line);
  if (options.offences == ABORT) abort();
}

// Only what is safe in a signal handler. A touch of anything else goes where it went before.
static void on_touch(int signal, siginfo_t *info, void *context) {
  uintptr_t address = (uintptr_t)info->si_addr;
  for (unsigned i = 0; i < WATCHED; i++) {
    uintptr_t end = atomic_load(&watched[i].end);
    if (!end || address >= end || address < atomic_load(&watched[i].first)) continue;
    char line[256] = "hmm-emulated-gpu: offence: host access while unmapped: a thread touches memory of ";
    print(strcat(strcat(line, watched[i].whose), " that is not mapped, or not for writing\n"));
    struct sigaction none = {.sa_handler = SIG_DFL};
    sigaction(SIGABRT, &none, NULL);
    abort();
  }
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
    sigaction(signal, &before, NULL); // the touch is made again, and ends as it would have without us
  } else {
    before.sa_handler(signal);
  }
}

static void catch_touches(void) {
  struct sigaction ours = {.sa_sigaction = on_touch, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigaction(SIGSEGV, &ours, &before);
}

bool watch_memory(const void *first, size_t room, const char *what, size_t bytes, const struct context *c) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, catch_touches);
  for (unsigned i = 0; i < WATCHED; i++) {
    uintptr_t nobodys = 0; // threads make buffers at the same time
    if (!atomic_compare_exchange_strong(&watched[i].first, &nobodys, (uintptr_t)first)) continue;
    snprintf(watched[i].whose, sizeof watched[i].whose, "%s of %zu bytes of context %u", what, bytes, c->number);
    atomic_store(&watched[i].end, (uintptr_t)first + room);
    return true;
  }
  return false;
}

void unwatch_memory(const void *first) {
  for (unsigned i = 0; i < WATCHED; i++) {
    if (atomic_load(&watched[i].first) != (uintptr_t)first) continue;
    atomic_store(&watched[i].end, 0);
    atomic_store(&watched[i].first, 0);
    return;
  }
}
