// probe.c - tries a rung on a small heap of its own before a program's memory depends on it. First what can be asked
// without a touch: each way to change a mapping. Then touches: of a page that was never touched, of memory without a
// mapping, a write to memory that was protected, and, where the rung promises it, a touch from within a system call, or
// that the thread has served its touches itself.
//
// A rung that fails must not take the process along. So a touch that becomes an error comes back here (`on_error`), and
// all of it happens on a thread of its own: if that is stuck, it is left behind with all that it uses, since nothing of
// a heap can be taken away while somebody sleeps in it.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crew.h"
#include "kernel_page.h"
#include "pager.h"

enum { NEVER_TOUCHED, UNMAPPED_PAGE, ASKED, HOLE, WRITTEN_BY_CALL, ONLY_READ, PAGES };
#define PATIENCE_SECONDS 5

struct probe {
  struct hmm_config config;
  struct hmm_pager *pager;
  volatile char *app;
  char *alias;
  int memfd;
  bool system_calls;
  _Atomic(const char *) at; // what is being tried
  const char *failed;       // how that failed, or null
  int result;
  sigjmp_buf on_error;
  pthread_mutex_t lock;
  struct condition changed;
  bool done;
  _Atomic uint64_t words[PAGES], changes[PAGES];
  uint8_t region_starts[PAGES];
  _Atomic uint64_t backed[PAGES / 64 + 1];
};

static void now(struct probe *t, const char *what) { atomic_store(&t->at, what); }

// Whether a call has succeeded.
static bool accepted(struct probe *t, int result) {
  t->result = result;
  if (result) t->failed = "refused";
  return !result;
}

// Whether a touch has found what it should have.
static bool found(struct probe *t, bool right) {
  t->result = right ? 0 : -ENOTSUP;
  if (!right) t->failed = "not what was written";
  return right;
}

// Without a touch. A kernel that does not know one of these says so.
static bool may_map(struct probe *t) {
  struct hmm_pager *p = t->pager;
  const uint64_t page = ASKED, end = page + 1;
  t->alias[page * KERNEL_PAGE] = 1;
  now(t, "mapping a page for reading only (UFFDIO_CONTINUE_MODE_WP, Linux 6.4)");
  if (!accepted(t, p->trap->install(p, page, end, false))) return false;
  now(t, "allowing writes to a page");
  if (!accepted(t, p->trap->upgrade(p, page, end))) return false;
  now(t, "protecting a page against writes");
  if (!accepted(t, p->trap->forbid(p, page, end, true))) return false;
  now(t, "dropping a mapping");
  if (!accepted(t, p->trap->forbid(p, page, end, false))) return false;
  now(t, "mapping zeros");
  return accepted(t, p->trap->install_empty(p, HOLE, HOLE + 1));
}

static bool touch_all(struct probe *t) {
  volatile char *page = t->app + NEVER_TOUCHED * KERNEL_PAGE;
  const char *alias = t->alias + NEVER_TOUCHED * KERNEL_PAGE;
  now(t, "first touch");
  *page = 1;
  if (!found(t, *alias == 1)) return false;
  now(t, "touch of a page without a mapping");
  t->alias[UNMAPPED_PAGE * KERNEL_PAGE] = 2;
  if (!found(t, t->app[UNMAPPED_PAGE * KERNEL_PAGE] == 2)) return false;
  now(t, "write to a protected page");
  if (!accepted(t, hmm_forbid(t->pager, NEVER_TOUCHED, NEVER_TOUCHED + 1, 1))) return false;
  *page = 3;
  if (!found(t, *alias == 3)) return false;
  now(t, "touch of a dropped page");
  if (!accepted(t, hmm_forbid(t->pager, NEVER_TOUCHED, NEVER_TOUCHED + 1, 0))) return false;
  if (t->system_calls) {
    now(t, "touch from within a system call");
    bool written = pwrite(t->memfd, (const void *)page, 1, (off_t)(WRITTEN_BY_CALL * KERNEL_PAGE)) == 1;
    if (!found(t, written && t->alias[WRITTEN_BY_CALL * KERNEL_PAGE] == 3)) return false;
  }
  if (!found(t, *page == 3)) return false;
  now(t, "telling a read from a write");
  if (!found(t, t->app[ONLY_READ * KERNEL_PAGE] == 0 && word_state(load_word(t->pager, ONLY_READ)) == EMPTY)) return false;
  if (t->config.rung != HMM_UFFD_SIGBUS) return true;
  now(t, "serving a touch in its own thread");
  return accepted(t, atomic_load(&t->pager->counts[HMM_IN_THREAD]) ? 0 : -ENOTSUP);
}

static void try_out(struct probe *t) {
  static const char *const opening[] = {"opening userfaultfd", "opening /dev/userfaultfd",
                                        "opening userfaultfd for user mode", "mapping without permissions",
                                        "opening userfaultfd with a signal (UFFD_FEATURE_SIGBUS)"};
  now(t, opening[t->config.rung]);
  if (!accepted(t, hmm_open(&t->config, &t->pager))) return;
  if (sigsetjmp(t->on_error, 1)) {
    t->failed = "an error";
    t->result = -ENOTSUP;
  } else {
    t->pager->signals.on_error = &t->on_error;
    if (may_map(t)) touch_all(t);
  }
  if (!t->result) now(t, "closing");
  hmm_close(t->pager);
}

static void *probe_main(void *arg) {
  struct probe *t = arg;
  try_out(t);
  pthread_mutex_lock(&t->lock);
  t->done = true;
  condition_signal(&t->changed);
  pthread_mutex_unlock(&t->lock);
  return NULL;
}

static bool await_done(struct probe *t) {
  uint64_t until = nanos() + PATIENCE_SECONDS * 1000000000ULL;
  pthread_mutex_lock(&t->lock);
  bool over = false;
  while (!t->done && !over) over = condition_wait(&t->changed, &t->lock, until);
  bool done = t->done;
  pthread_mutex_unlock(&t->lock);
  return done;
}

static void init(struct probe *t, uint64_t rung) {
  pthread_mutex_init(&t->lock, NULL);
  t->system_calls = rung == HMM_UFFD_SYSCALL || rung == HMM_UFFD_DEVICE;
#define ADDRESS(name) .name = (uint64_t)(uintptr_t)t->name
  t->config = (struct hmm_config){.abi = HMM_ABI, .rung = rung, .page_shift = (uint64_t)__builtin_ctzll(KERNEL_PAGE), .page_count = PAGES, ADDRESS(app),
                                  ADDRESS(alias), .memfd = (uint64_t)t->memfd, ADDRESS(words), ADDRESS(changes),
                                  ADDRESS(region_starts), ADDRESS(backed)};
}

static int reserve(struct probe *t) {
  t->memfd = (int)syscall(SYS_memfd_create, "hmm-probe", 1);
  if (t->memfd < 0 || ftruncate(t->memfd, (off_t)(PAGES * KERNEL_PAGE))) return -errno;
  t->app = mmap(NULL, PAGES * KERNEL_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  t->alias = mmap(NULL, PAGES * KERNEL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, t->memfd, 0);
  return t->app == MAP_FAILED || t->alias == MAP_FAILED ? -errno : 0;
}

static void release(struct probe *t) {
  if (t->app && t->app != MAP_FAILED) munmap((void *)t->app, PAGES * KERNEL_PAGE);
  if (t->alias && t->alias != MAP_FAILED) munmap(t->alias, PAGES * KERNEL_PAGE);
  if (t->memfd >= 0) close(t->memfd);
  free(t);
}

HMM_API int hmm_probe(uint64_t rung, char *what, uint64_t what_bytes) {
  if (rung >= HMM_CHECKED) return -EINVAL; // there is nothing to try
  struct probe *t = calloc(1, sizeof *t);
  if (!t) return -ENOMEM;
  pthread_t thread;
  now(t, "memory");
  bool started = accepted(t, reserve(t));
  if (started) {
    init(t, rung);
    now(t, "starting a thread");
    int error = start_own_thread(&thread, NULL, probe_main, t);
    started = !error; // then all of it is the thread's
    if (error) accepted(t, error);
  }
  if (started) pthread_detach(thread);
  bool stuck = started && !await_done(t);
  int result = stuck ? -ETIMEDOUT : t->result;
  if (what_bytes) what[0] = 0;
  const char *failed = stuck ? "no answer" : t->failed;
  if (result && what_bytes) snprintf(what, (size_t)what_bytes, "%s: %s", atomic_load(&t->at), failed);
  if (!stuck) release(t);
  return result;
}
