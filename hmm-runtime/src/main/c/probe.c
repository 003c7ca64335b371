// probe.c - tries a rung on a small heap of its own before a program's memory depends on it: a first touch, a touch of memory without a mapping, a write to memory that
// was protected, and, where the rung promises it, a touch from within a system call.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define PAGES 4
#define PAGE 4096
#define PATIENCE_SECONDS 5

struct probe {
  struct hmm_pager *pager;
  volatile char *app;
  char *alias;
  int memfd;
  bool system_calls;
  const char *failed;
};

static const char *touch_all(struct probe *t) {
  t->app[0] = 1;
  if (t->alias[0] != 1) return "first touch";
  t->alias[PAGE] = 2;
  if (t->app[PAGE] != 2) return "touch of a page without a mapping";
  hmm_forbid(t->pager, 0, 1, 1);
  t->app[0] = 3;
  if (t->alias[0] != 3) return "write to a protected page";
  hmm_forbid(t->pager, 0, 1, 0);
  if (t->system_calls && (pwrite(t->memfd, (const void *)t->app, 1, 3 * PAGE) != 1 || t->alias[3 * PAGE] != 3)) return "touch from within a system call";
  if (t->app[0] != 3) return "touch of a dropped page";
  return NULL;
}

static void *probe_main(void *arg) {
  struct probe *t = arg;
  t->failed = touch_all(t);
  return NULL;
}

static int run(struct probe *t, const struct hmm_config *config) {
  int result = hmm_open(config, &t->pager);
  if (result) {
    t->failed = config->rung == HMM_UFFD_DEVICE ? "/dev/userfaultfd" : config->rung == HMM_SIGSEGV ? "mprotect" : "userfaultfd";
    return result;
  }
  pthread_t thread;
  result = -pthread_create(&thread, NULL, probe_main, t);
  if (result) {
    t->failed = "thread";
  } else {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    bool stuck = pthread_timedjoin_np(thread, NULL, &until);
    if (stuck) t->failed = "answer to a touch";
    result = t->failed ? -ENOTSUP : 0;
    if (stuck) pthread_detach(thread); // closing lets it go
  }
  hmm_close(t->pager);
  return result;
}

HMM_API int hmm_probe(uint64_t rung, char *what, uint64_t what_bytes) {
  static _Atomic uint64_t words[PAGES];
  static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
  static const uint8_t region_starts[PAGES];
  static _Atomic uint8_t backed[PAGES];
  struct probe t = {.system_calls = rung == HMM_UFFD_SYSCALL || rung == HMM_UFFD_DEVICE, .failed = "memory"};
  int result = -ENOMEM;
  pthread_mutex_lock(&one_at_a_time);
  for (int i = 0; i < PAGES; i++) {
    atomic_store(&words[i], (uint64_t)EMPTY);
    atomic_store(&backed[i], 0);
  }
  t.memfd = (int)syscall(SYS_memfd_create, "hmm-probe", 1);
  if (t.memfd < 0 || ftruncate(t.memfd, PAGES * PAGE)) goto out;
  t.app = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  t.alias = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, t.memfd, 0);
  if (t.app != MAP_FAILED && t.alias != MAP_FAILED) {
    struct hmm_config config = {.abi = HMM_ABI, .rung = rung, .page_shift = 12, .page_count = PAGES, .app = (uint64_t)(uintptr_t)t.app, .alias = (uint64_t)(uintptr_t)t.alias,
                                .memfd = (uint64_t)t.memfd, .words = (uint64_t)(uintptr_t)words, .region_starts = (uint64_t)(uintptr_t)region_starts,
                                .backed = (uint64_t)(uintptr_t)backed};
    t.failed = NULL;
    result = run(&t, &config);
  }
  if (t.app != MAP_FAILED) munmap((void *)t.app, PAGES * PAGE);
  if (t.alias != MAP_FAILED) munmap(t.alias, PAGES * PAGE);
out:
  if (t.memfd >= 0) close(t.memfd);
  pthread_mutex_unlock(&one_at_a_time);
  if (what_bytes) snprintf(what, (size_t)what_bytes, "%s", t.failed ? t.failed : "");
  return result;
}
