// copies.c - several copies of libhmm.so in one process, as several class loaders bring them, beside signal handlers of
// others.
//
// Usage: copies LIBRARY LIBRARY: two copies of one file. Opens heaps of both in turns; in between a fault of the
// program's own must reach the program's handler, once, and touches of all heaps must be served. Exit status 1 and a
// line on stderr if not. NativePartTest builds and runs it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hmm_pager.h"

#define PAGES 16
#define PAGE 4096
#define PATIENCE_SECONDS 60

#define CHECK(condition)                                                         \
  do {                                                                           \
    if (!(condition)) {                                                          \
      fprintf(stderr, "failed: %s:%d: %s\n", __FILE__, __LINE__, #condition);    \
      _exit(1);                                                                  \
    }                                                                            \
  } while (0)

struct copy {
  void *library;
  int (*open)(const struct hmm_config *, struct hmm_pager **);
  int (*close)(struct hmm_pager *);
};

struct heap {
  const struct copy *copy;
  struct hmm_pager *pager;
  volatile char *app;
  char *alias;
  int next;
};

static sigjmp_buf back;
static int reached, passed;
static struct sigaction before_other;

// The program's own handler, which was there first, as that of the JVM is.
static void own_handler(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info, (void)context;
  reached++;
  siglongjmp(back, 1);
}

// That of another library, which knows nothing of ours and passes on what is not its own: to whom it found.
static void other_handler(int signal, siginfo_t *info, void *context) {
  passed++;
  before_other.sa_sigaction(signal, info, context);
}

static void install(void (*handler)(int, siginfo_t *, void *), struct sigaction *before) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
  CHECK(!sigaction(SIGSEGV, &action, before));
}

static struct copy load(const char *file) {
  struct copy c = {.library = dlopen(file, RTLD_NOW | RTLD_LOCAL)};
  CHECK(c.library);
  c.open = (int (*)(const struct hmm_config *, struct hmm_pager **))dlsym(c.library, "hmm_open");
  c.close = (int (*)(struct hmm_pager *))dlsym(c.library, "hmm_close");
  CHECK(c.open && c.close);
  return c;
}

static struct heap open_heap(const struct copy *copy) {
  struct heap h = {.copy = copy};
  int memfd = memfd_create("copies", MFD_CLOEXEC);
  CHECK(memfd >= 0 && !ftruncate(memfd, PAGES * PAGE));
  h.app = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  h.alias = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
  CHECK(h.app != MAP_FAILED && h.alias != MAP_FAILED);
#define ADDRESS(of) (uint64_t)(uintptr_t)(of)
  struct hmm_config config = {.abi = HMM_ABI, .rung = HMM_SIGSEGV, .page_shift = 12, .page_count = PAGES,
                              .app = ADDRESS(h.app), .alias = ADDRESS(h.alias), .memfd = (uint64_t)memfd,
                              .words = ADDRESS(calloc(PAGES, 8)), .changes = ADDRESS(calloc(PAGES, 8)),
                              .region_starts = ADDRESS(calloc(PAGES, 1)),
                              .backed = ADDRESS(calloc(PAGES / 64 + 1, 8))};
  CHECK(!copy->open(&config, &h.pager));
  return h;
}

static void touch(struct heap *h) { // a page that was never touched
  int at = h->next++ * PAGE;
  CHECK(h->next <= PAGES);
  h->app[at] = 7;
  CHECK(h->alias[at] == 7);
}

static void own_fault(void) {
  static char *volatile nowhere;
  for (int i = 0; i < 2; i++) { // the handler jumps away: the second one must find no trace of the first
    int before = reached;
    if (!sigsetjmp(back, 1)) *nowhere = 1;
    CHECK(reached == before + 1);
  }
}

static void touch_all(struct heap *heaps, int n) {
  for (int i = 0; i < n; i++) touch(&heaps[i]);
  own_fault();
}

int main(int argc, char **argv) {
  CHECK(argc == 3);
  alarm(PATIENCE_SECONDS);
  install(own_handler, NULL);
  const struct copy a = load(argv[1]), b = load(argv[2]);
  CHECK(a.open != b.open);
  struct heap heaps[7];
  for (int i = 0; i < 4; i++) { // A, B, A, B
    heaps[i] = open_heap(i % 2 ? &b : &a);
    touch_all(heaps, i + 1);
  }
  install(other_handler, &before_other);
  own_fault();
  CHECK(passed);
  for (int i = 4; i < 6; i++) { // A and B come on top again, over a handler that passes on to where it came from
    heaps[i] = open_heap(i % 2 ? &b : &a);
    touch_all(heaps, i + 1);
  }
  install(own_handler, NULL); // one that passes nothing on: whoever opens a heap is reached again
  heaps[6] = open_heap(&a);
  touch(&heaps[6]);
  touch(&heaps[0]);
  own_fault();
  heaps[6].copy->close(heaps[6].pager);
  for (int i = 0; i < 6; i += 2) a.close(heaps[i].pager);
  CHECK(!dlclose(a.library)); // its handler stays in the chain, and must stay in memory
  struct heap last = open_heap(&b);
  touch(&last);
  touch(&heaps[1]);
  own_fault();
  b.close(heaps[1].pager);
  b.close(last.pager);
  own_fault();
  return 0;
}
