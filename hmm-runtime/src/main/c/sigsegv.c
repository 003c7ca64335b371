// sigsegv.c - the trap that memory protection and a signal make, and how a touch becomes an error of its thread.
//
// The thread that touches stops in the signal handler, which only writes down what it wants and sleeps; the crew serves it, and the touch is made again. The handler is
// installed below libjsig, so it comes first; whatever is not ours goes on to the handler that was there, which in a JVM is the JVM's.
//
// An error (protection, lost contents, no region) is told as SIGBUS to the handler that was there: the JVM makes it an InternalError of the Java code that touched.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "internal.h"

#define REQUESTS 1024

enum { NONE, WRITING, WAITING, TAKEN, SERVED, REFUSED };

struct request {
  _Atomic uint32_t state;
  uint64_t page;
  bool write;
};

typedef int (*sigaction_call)(int, const struct sigaction *, struct sigaction *);

static sigaction_call libc_sigaction;
static struct sigaction before_us;
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int looking; // handlers that may have found a heap and are not counted in it yet

static void futex_wait(_Atomic uint32_t *at, uint32_t value) { syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0); }
static void futex_wake(_Atomic uint32_t *at) { syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }

static bool is_write(const ucontext_t *context, uint64_t word) {
#if defined(__x86_64__)
  (void)word;
  return context->uc_mcontext.gregs[REG_ERR] & 2;
#else
  (void)context; // no word about it here: a page that can be read already was written to
  return word_state(word) == SHARED || (word_state(word) == EMPTY && word & MARKED_READ);
#endif
}

// Asks the crew and sleeps. Only calls that a signal handler may make. Returns whether the touch may be made again.
static bool ask(struct hmm_pager *p, uint64_t page, bool writing) {
  struct request *requests = p->requests, *r = NULL;
  while (!r) {
    for (int i = 0; i < REQUESTS && !r; i++) {
      uint32_t none = NONE;
      if (atomic_compare_exchange_strong(&requests[i].state, &none, WRITING)) r = &requests[i];
    }
  }
  r->page = page;
  r->write = writing;
  atomic_store(&r->state, WAITING);
  uint64_t one = 1;
  while (write(p->doorbell_event, &one, sizeof one) < 0 && errno == EINTR) {
  }
  uint32_t state;
  while ((state = atomic_load(&r->state)) == WAITING || state == TAKEN) futex_wait(&r->state, state);
  atomic_store(&r->state, NONE);
  return state == SERVED;
}

static void pass_on(const struct sigaction *to, int signal, siginfo_t *info, void *context) {
  if (to->sa_flags & SA_SIGINFO) {
    to->sa_sigaction(signal, info, context);
  } else if (to->sa_handler == SIG_DFL) {
    libc_sigaction(signal, to, NULL); // the touch is made again, and ends the process as it would have
  } else if (to->sa_handler != SIG_IGN) {
    to->sa_handler(signal);
  }
}

// As the kernel says that a mapped page has no memory.
static void tell_error(siginfo_t *info, void *context) {
  struct sigaction bus;
  siginfo_t told = *info;
  told.si_signo = SIGBUS;
  told.si_code = BUS_ADRERR;
  libc_sigaction(SIGBUS, NULL, &bus);
  if (!(bus.sa_flags & SA_SIGINFO) && bus.sa_handler == SIG_DFL) pass_on(&before_us, SIGSEGV, info, context);
  else pass_on(&bus, SIGBUS, &told, context);
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  int saved = errno;
  atomic_fetch_add(&looking, 1);
  struct hmm_pager *p = info->si_code > 0 ? pager_at((uintptr_t)info->si_addr) : NULL;
  if (p) atomic_fetch_add(&p->inside, 1);
  atomic_fetch_sub(&looking, 1);
  if (!p) {
    pass_on(&before_us, signal, info, context);
  } else {
    uint64_t page = ((uint64_t)(uintptr_t)info->si_addr - p->config.app) >> p->config.page_shift;
    uint64_t word = load_word(p, page);
    bool write = is_write(context, word);
    bool again = p->trap == &sigsegv_trap ? ask(p, page, write) : !hear_answer(p, page, write);
    atomic_fetch_sub(&p->inside, 1); // before telling: a handler may jump away
    if (!again) tell_error(info, context);
  }
  errno = saved;
}

int install_signal_handler(void) {
  int result = 0;
  pthread_mutex_lock(&install_lock);
  if (!libc_sigaction) {
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD); // libjsig would take ours for one to be called after the JVM's
    sigaction_call real = libc ? (sigaction_call)(uintptr_t)dlsym(libc, "sigaction") : sigaction;
    libc_sigaction = real ? real : sigaction;
  }
  struct sigaction now;
  if (libc_sigaction(SIGSEGV, NULL, &now)) {
    result = -errno;
  } else if (!(now.sa_flags & SA_SIGINFO) || now.sa_sigaction != on_signal) { // not yet, or somebody came after us
    struct sigaction ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    ours.sa_mask = now.sa_mask;
    before_us = now;
    if (libc_sigaction(SIGSEGV, &ours, NULL)) result = -errno;
  }
  pthread_mutex_unlock(&install_lock);
  return result;
}

void await_handlers(struct hmm_pager *p) {
  struct request *requests = p->requests;
  while (atomic_load(&looking)) sched_yield();
  while (atomic_load(&p->inside)) {
    for (int i = 0; requests && i < REQUESTS; i++) {
      uint32_t waiting = WAITING;
      if (atomic_compare_exchange_strong(&requests[i].state, &waiting, SERVED)) futex_wake(&requests[i].state);
    }
    sched_yield();
  }
}

static int segv_open(struct hmm_pager *p) {
  p->requests = calloc(REQUESTS, sizeof(struct request));
  if (!p->requests) return -ENOMEM;
  p->doorbell_event = eventfd(0, EFD_CLOEXEC);
  if (p->doorbell_event < 0) {
    int error = errno;
    free(p->requests);
    return -error;
  }
  int result = open_mappings(p);
  if (result) {
    close(p->doorbell_event);
    free(p->requests);
  }
  return result;
}

static int segv_close(struct hmm_pager *p) {
  close(p->doorbell_event);
  free(p->requests);
  close_mappings(p);
  return unmap_app(p);
}

static int segv_wait(struct hmm_pager *p, struct fault *faults, int capacity) {
  uint64_t rings;
  if (read(p->doorbell_event, &rings, sizeof rings) < 0) return 0;
  struct request *requests = p->requests;
  int n = 0;
  bool more = false;
  for (int i = 0; i < REQUESTS; i++) {
    uint32_t waiting = WAITING;
    if (n == capacity) {
      more |= atomic_load(&requests[i].state) == WAITING;
    } else if (atomic_compare_exchange_strong(&requests[i].state, &waiting, TAKEN)) {
      faults[n++] = (struct fault){requests[i].page, requests[i].write, false, &requests[i]};
    }
  }
  uint64_t one = 1;
  if (more && write(p->doorbell_event, &one, sizeof one) < 0) return n; // the next one who asks rings anyway
  return n;
}

static void segv_ring(struct hmm_pager *p) {
  uint64_t one = 1;
  while (write(p->doorbell_event, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

static int segv_install(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable) { return set_mapping(p, first, end, writable ? WRITABLE : READABLE); }
static int segv_upgrade(struct hmm_pager *p, uint64_t first, uint64_t end) { return set_mapping(p, first, end, WRITABLE); }
static int segv_install_empty(struct hmm_pager *p, uint64_t first, uint64_t end) { return set_mapping(p, first, end, WRITABLE); }

static int segv_forbid(struct hmm_pager *p, uint64_t first, uint64_t end, bool keep_reading) {
  return keep_reading ? lower_mapping(p, first, end) : set_mapping(p, first, end, CLOSED);
}

static int segv_set_access(struct hmm_pager *p, uint64_t first, uint64_t end, int access) {
  return access == 2 ? 0 : segv_forbid(p, first, end, access == 1); // what the words allow is mapped when it is touched
}

static void segv_wake(struct hmm_pager *p, uint64_t first, uint64_t end) { (void)p, (void)first, (void)end; }

static void segv_put_back(struct hmm_pager *p, const struct fault *f) {
  atomic_store(&((struct request *)f->slot)->state, WAITING);
  segv_ring(p);
}

static void segv_answer(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged) {
  (void)p, (void)judged;
  struct request *r = f->slot;
  atomic_store(&r->state, result ? REFUSED : SERVED);
  futex_wake(&r->state);
}

const struct trap sigsegv_trap = {
    .open = segv_open,
    .close = segv_close,
    .wait = segv_wait,
    .ring = segv_ring,
    .install = segv_install,
    .upgrade = segv_upgrade,
    .install_empty = segv_install_empty,
    .forbid = segv_forbid,
    .set_access = segv_set_access,
    .may_pin = mappings_for_pins,
    .wake = segv_wake,
    .put_back = segv_put_back,
    .answer = segv_answer,
    .waits_for_claims = true,
};
