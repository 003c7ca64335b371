// signals.c - the handlers of SIGSEGV and SIGBUS: whose fault it is, who comes next, and how a touch becomes an error of its
// thread. Each is installed when a heap opens whose touches are that signal.
//
// The handler is installed below libjsig, so it comes first; whatever is not ours goes on to the handler that was
// there, which in a JVM is the JVM's. A process may have several copies of this library (each class loader brings its
// own) and other libraries with handlers of their own, so the handlers form a chain, and one that comes to the top
// again makes the chain a ring. Therefore a copy remembers two handlers: the first one that it ever displaced, for
// good, and the newest. A signal that comes to a copy goes on to the newest; one that comes again on its way goes on to
// the first. Who was first was there before the copy, so the way along the firsts ends with the handler that was there
// before all copies.
//
// Nothing can tell whether a handler of somebody else would pass a fault of ours on: one that does not ends the
// process, so it can't be tried. But as no ring does harm, whoever opens a heap just makes sure to be on top.
//
// An error (protection, lost contents, no region) is told as SIGBUS to the handler that was there: the JVM makes it an
// InternalError of the Java code that touched. Where touches are SIGBUS themselves that is the next in the chain.
//
// In the handler of SIGBUS a thread serves its touch by itself (sigbus.c), with claims and locks of its own. So no other handler may run on top of it, and touch the same page: all signals
// that others send are blocked there until the thread waits or passes the signal on.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "crew.h"
#include "faulting.h"
#include "pager.h"
#include "requests.h"
#include "signals.h"
#include "trap.h"

typedef int (*sigaction_call)(int, const struct sigaction *, struct sigaction *);

static sigaction_call libc_sigaction;
static pthread_mutex_t install_lock = PTHREAD_MUTEX_INITIALIZER;
// Of one signal. What they point to never changes and is never freed. The newest is null while we are on our way to the top.
struct chain {
  _Atomic(const struct sigaction *) first_before_us, newest_before_us;
};
static struct chain of_segv, of_bus;
static _Atomic int looking; // handlers that may have found a heap and are not counted in it yet

static struct chain *chain_of(int signal) { return signal == SIGBUS ? &of_bus : &of_segv; }

// ---- one signal's way along the chain

#define VISIT 0x686d6d2076697369ULL // says that it is one

// A signal carries its visits with it, since a variable of the thread would outlive a handler that jumps away, and the
// first use of one in a thread may allocate memory. All copies of the library read this structure.
struct visit {
  uint64_t mark;       // VISIT
  const void *copy;    // which copy of the library was visited: its chain of this signal
  const void *context; // of the signal
  struct visit *outer; // the visit before, whose handler has not returned
};

// The end of the 128 bytes that the kernel hands out as siginfo_t, of which it uses 48.
static struct visit **last_visit(siginfo_t *info) {
  return (struct visit **)(void *)((char *)info + sizeof *info - sizeof(struct visit *));
}

// Before Linux 4.20 the end of siginfo_t is whatever lay on the stack: a visit lies between our frame and the frame of
// the signal, and knows the signal.
static bool is_visit(const struct visit *outer, const struct visit *ours, const void *context) {
  uintptr_t at = (uintptr_t)outer;
  if (at <= (uintptr_t)ours || at >= (uintptr_t)context || at % sizeof(uint64_t)) return false;
  return outer->mark == VISIT && outer->context == context;
}

// Notes a visit. Returns how often this signal has been here before.
static int enter(struct visit *v, const struct chain *chain, siginfo_t *info, const void *context) {
  struct visit *outer = *last_visit(info);
  *v = (struct visit){VISIT, chain, context, is_visit(outer, v, context) ? outer : NULL};
  *last_visit(info) = v;
  int before = 0;
  for (const struct visit *o = v->outer; o; o = o->outer) before += o->copy == v->copy;
  return before;
}

// Whether it was passed on from here and has come again: then it is not ours, or was judged already.
static bool comes_again(const struct chain *chain, siginfo_t *info, const void *context) {
  struct visit here;
  const struct visit *outer = *last_visit(info);
  for (const struct visit *o = is_visit(outer, &here, context) ? outer : NULL; o; o = o->outer) {
    if (o->copy == chain) return true;
  }
  return false;
}

static void leave(const struct visit *v, siginfo_t *info) { *last_visit(info) = v->outer; }

static void hand_to(const struct sigaction *to, int signal, siginfo_t *info, void *context) {
  bool sent = info->si_code <= 0; // by kill and the like: nothing is touched again
  if (to->sa_flags & SA_SIGINFO) {
    to->sa_sigaction(signal, info, context);
  } else if (to->sa_handler == SIG_DFL || (to->sa_handler == SIG_IGN && !sent)) { // a fault cannot be ignored
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    libc_sigaction(signal, &by_default, NULL); // the touch is made again, and ends the process as it would have
    if (sent) raise(signal);
  } else if (to->sa_handler != SIG_IGN) {
    to->sa_handler(signal);
  }
}

void take_signals(const void *context) { pthread_sigmask(SIG_SETMASK, &((const ucontext_t *)context)->uc_sigmask, NULL); }

static void pass_on(int signal, siginfo_t *info, void *context) {
  static const struct sigaction by_default = {.sa_handler = SIG_DFL};
  struct chain *chain = chain_of(signal);
  struct visit v;
  int before = enter(&v, chain, info, context);
  const struct sigaction *first = atomic_load(&chain->first_before_us), *newest = atomic_load(&chain->newest_before_us);
  const struct sigaction *to = before == 0 ? newest : before == 1 ? first : &by_default;
  if (!to && info->si_code <= 0) to = first ? first : &by_default; // a signal that was sent does not come again
  if (signal == SIGBUS) {
    take_signals(context);
    if (to) pthread_sigmask(SIG_BLOCK, &to->sa_mask, NULL);
  }
  if (to) hand_to(to, signal, info, context); // else the touch is made again, until we know whom we have displaced
  leave(&v, info);
}

// ---- ours

// What the processor says of the touch.
#if defined(__x86_64__)
static struct touch touch_of(uint64_t page, const void *context) {
  greg_t error = ((const ucontext_t *)context)->uc_mcontext.gregs[REG_ERR];
  bool write = error & 2;
  return (struct touch){.page = page, .write = write, .mapped = write && error & 1};
}
#else // aarch64 (build.sh)
// One of the records behind the registers is the processor's own word on the fault (ESR_EL1), whose bit 6 (WnR) is set for writes, and which says in bits 2 to 5 whether it is one of
// permission. Where it is left out, as by some emulators, the probe finds that a read is taken for a write.
static struct touch touch_of(uint64_t page, const void *context) {
  const mcontext_t *m = &((const ucontext_t *)context)->uc_mcontext;
  const unsigned char *at = m->__reserved, *end = at + sizeof m->__reserved;
  for (struct _aarch64_ctx head; at + sizeof head <= end; at += head.size) {
    memcpy(&head, at, sizeof head);
    if (!head.magic || head.size < sizeof head) break;
    if (head.magic != ESR_MAGIC) continue;
    struct esr_context fault;
    memcpy(&fault, at, sizeof fault);
    bool write = fault.esr & 1 << 6;
    return (struct touch){.page = page, .write = write, .mapped = write && (fault.esr & 0x3c) == 0x0c};
  }
  return (struct touch){.page = page, .write = true};
}
#endif

// As the kernel says that a mapped page has no memory.
static void tell_error(int signal, siginfo_t *info, void *context) {
  struct sigaction bus;
  siginfo_t told = *info;
  told.si_signo = SIGBUS;
  told.si_code = BUS_ADRERR;
  if (signal == SIGBUS) {
    pass_on(SIGBUS, &told, context);
    return;
  }
  libc_sigaction(SIGBUS, NULL, &bus);
  if (!(bus.sa_flags & SA_SIGINFO) && bus.sa_handler == SIG_DFL) pass_on(SIGSEGV, info, context);
  else hand_to(&bus, SIGBUS, &told, context);
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  int saved = errno;
  atomic_fetch_add(&looking, 1);
  bool touched = info->si_code > 0 && (signal != SIGBUS || info->si_code == BUS_ADRERR) && !comes_again(chain_of(signal), info, context);
  struct hmm_pager *p = touched ? pager_at((uintptr_t)info->si_addr) : NULL;
  // A forked child has neither the mapping nor the crew: an ordinary stray touch.
  if (p && (p->trap->signal != signal || p->signals.process != getpid())) p = NULL;
  if (p) atomic_fetch_add(&p->signals.inside, 1);
  atomic_fetch_sub(&looking, 1);
  if (!p) {
    pass_on(signal, info, context);
  } else {
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr, at = address - p->config.app;
    struct faulting *device = at >> p->config.page_shift < p->config.page_count ? NULL : device_at(p, address, &at);
    struct touch touch = touch_of(at >> p->config.page_shift, context);
    touch.device = device;
    touch.offset = (uint32_t)(at & (p->page_bytes - 1));
    bool again = p->trap->touched(p, touch, context);
    sigjmp_buf *on_error = p->signals.on_error;
    atomic_fetch_sub(&p->signals.inside, 1); // before telling: a handler may jump away
    if (!again && on_error) siglongjmp(*on_error, 1);
    if (!again) tell_error(signal, info, context);
  }
  errno = saved;
}

// ---- installing

static bool same_handler(const struct sigaction *a, const struct sigaction *b) {
  if ((a->sa_flags & SA_SIGINFO) != (b->sa_flags & SA_SIGINFO)) return false;
  return a->sa_flags & SA_SIGINFO ? a->sa_sigaction == b->sa_sigaction : a->sa_handler == b->sa_handler;
}

// Between displacing a handler and knowing which it was, no fault may be handed to another one: it is made again.
static int rise(int signal, struct sigaction *ours) {
  struct chain *chain = chain_of(signal);
  struct sigaction *displaced = malloc(sizeof *displaced);
  if (!displaced) return -ENOMEM;
  const struct sigaction *known = atomic_exchange(&chain->newest_before_us, NULL);
  if (libc_sigaction(signal, ours, displaced)) {
    int error = errno;
    atomic_store(&chain->newest_before_us, known);
    free(displaced);
    return -error;
  }
  bool again = known && same_handler(known, displaced);
  if (!known) atomic_store(&chain->first_before_us, displaced);
  atomic_store(&chain->newest_before_us, again ? known : displaced);
  if (again) free(displaced);
  return 0;
}

int install_signal_handler(int signal) {
  struct sigaction now, ours = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  int result = 0;
  pthread_mutex_lock(&install_lock);
  if (!libc_sigaction) {
    // libjsig would take ours for one to be called after the JVM's
    void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    sigaction_call real = libc ? (sigaction_call)(uintptr_t)dlsym(libc, "sigaction") : sigaction;
    libc_sigaction = real ? real : sigaction;
  }
  if (libc_sigaction(signal, NULL, &now)) result = -errno;
  ours.sa_mask = now.sa_mask;
  if (signal == SIGBUS) ours.sa_mask = sent_by_others();
  if (!result && !same_handler(&now, &ours)) result = rise(signal, &ours); // not yet, or somebody came after us
  pthread_mutex_unlock(&install_lock);
  return result;
}

void await_handlers(struct hmm_pager *p) {
  while (atomic_load(&looking)) sched_yield();
  while (atomic_load(&p->signals.inside)) {
    let_requests_go(p);
    sched_yield();
  }
}
