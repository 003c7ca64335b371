// sigsegv.c - the trap that memory protection and a signal make.
//
// The thread that touches stops in the signal handler (signals.c), which only writes down what it wants and sleeps; the
// crew serves it, and the touch is made again.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "internal.h"

enum { WAITING, SERVED, REFUSED };

struct request { // on the stack of the handler that waits for it, which goes on as soon as it is answered
  struct request *next;
  uint64_t page;
  bool write;
  uint32_t thread;
  _Atomic uint32_t state;
};

// However many wait: the list has no end, and nobody looks at all of it.
struct requests {
  _Atomic(struct request *) newest; // who asks puts itself here, the leader takes all of them at once
  struct request *taken;            // of the leader: those not served yet, the oldest first
  _Atomic uint32_t rings;           // the leader sleeps on it
  uint32_t heard;                   // of the leader: how many rings it knows of
};

static void futex_wait(_Atomic uint32_t *at, uint32_t value) { syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0); }
static void futex_wake(_Atomic uint32_t *at) { syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }

#if defined(__x86_64__)
static bool is_write(const void *signal_context) {
  return ((const ucontext_t *)signal_context)->uc_mcontext.gregs[REG_ERR] & 2;
}
#else // aarch64 (build.sh)
// One of the records behind the registers is the processor's own word on the fault (ESR_EL1), whose bit 6 (WnR) is set for writes. Where it is left out, as by some emulators, the probe finds
// that a read is taken for a write.
static bool is_write(const void *signal_context) {
  const mcontext_t *m = &((const ucontext_t *)signal_context)->uc_mcontext;
  const unsigned char *at = m->__reserved, *end = at + sizeof m->__reserved;
  for (struct _aarch64_ctx head; at + sizeof head <= end; at += head.size) {
    memcpy(&head, at, sizeof head);
    if (!head.magic || head.size < sizeof head) break;
    if (head.magic != ESR_MAGIC) continue;
    struct esr_context fault;
    memcpy(&fault, at, sizeof fault);
    return fault.esr & 1 << 6;
  }
  return true;
}
#endif

static void segv_ring(struct hmm_pager *p) {
  struct requests *q = p->requests;
  atomic_fetch_add(&q->rings, 1);
  futex_wake(&q->rings);
}

// Whoever finds others there leaves ringing to the first of them.
static void put(struct hmm_pager *p, struct request *r) {
  struct requests *q = p->requests;
  struct request *older = atomic_load(&q->newest);
  do r->next = older;
  while (!atomic_compare_exchange_weak(&q->newest, &older, r)); // from here on `r` is the crew's
  if (!older) segv_ring(p);
}

static struct request *take_all(struct requests *q) {
  struct request *oldest = NULL, *r = atomic_exchange(&q->newest, NULL);
  while (r) {
    struct request *older = r->next;
    r->next = oldest;
    oldest = r;
    r = older;
  }
  return oldest;
}

// The last use of `r`: its memory is the handler's again. Waking may then find somebody else asleep there, and whoever
// sleeps on a futex looks again.
static void reply(struct request *r, uint32_t state) {
  atomic_store(&r->state, state);
  futex_wake(&r->state);
}

// Asks the crew and sleeps. Only calls that a signal handler may make. Returns whether the touch may be made again.
static bool ask(struct hmm_pager *p, uint64_t page, bool writing) {
  struct request r = {.page = page, .write = writing, .thread = (uint32_t)syscall(SYS_gettid), .state = WAITING};
  put(p, &r);
  uint32_t state;
  while ((state = atomic_load(&r.state)) == WAITING) futex_wait(&r.state, WAITING);
  return state == SERVED;
}

void let_requests_go(struct hmm_pager *p) {
  struct requests *q = p->requests;
  if (!q) return;
  while (q->taken || (q->taken = take_all(q))) {
    struct request *r = q->taken;
    q->taken = r->next;
    reply(r, SERVED);
  }
}

bool on_touch(struct hmm_pager *p, uint64_t page, const void *context) {
  bool write = is_write(context);
  return p->trap == &sigsegv_trap ? ask(p, page, write) : !hear_answer(p, page, write);
}

static int segv_open(struct hmm_pager *p) {
  p->requests = calloc(1, sizeof(struct requests));
  if (!p->requests) return -ENOMEM;
  int result = open_mappings(p);
  if (result) free(p->requests);
  return result;
}

static int segv_close(struct hmm_pager *p) {
  free(p->requests);
  close_mappings(p);
  return unmap_app(p);
}

static int segv_wait(struct hmm_pager *p, struct fault *faults, int capacity) {
  struct requests *q = p->requests;
  if (!q->taken) {
    futex_wait(&q->rings, q->heard); // unless somebody has rung since
    q->heard = atomic_load(&q->rings); // before taking: who comes later rings again
    q->taken = take_all(q);
  }
  int n = 0;
  for (; n < capacity && q->taken; n++) {
    struct request *r = q->taken;
    q->taken = r->next;
    faults[n] = (struct fault){r->page, r->write, false, r->thread, r, false, 0, 0};
  }
  return n;
}

static int segv_install(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable) { return set_mapping(p, first, end, writable ? WRITABLE : READABLE); }
static int segv_upgrade(struct hmm_pager *p, uint64_t first, uint64_t end) { return set_mapping(p, first, end, WRITABLE); }
static int segv_install_empty(struct hmm_pager *p, uint64_t first, uint64_t end) {
  int result = back(p, first, end); // the touch itself would be too late to learn that there is none
  return result ? result : set_mapping(p, first, end, WRITABLE);
}

static int segv_forbid(struct hmm_pager *p, uint64_t first, uint64_t end, bool keep_reading) {
  int result = 0;
  for (struct page_range r = {first, first}; !result && next_written(p, &r, end); r.first = r.end) {
    result = keep_reading ? lower_mapping(p, r.first, r.end) : set_mapping(p, r.first, r.end, CLOSED);
  }
  return result;
}

static int segv_set_access(struct hmm_pager *p, uint64_t first, uint64_t end, int access) {
  return access == 2 ? 0 : segv_forbid(p, first, end, access == 1); // what the words allow is mapped when it is touched
}

static void segv_wake(struct hmm_pager *p, uint64_t first, uint64_t end) { (void)p, (void)first, (void)end; }

static void segv_put_back(struct hmm_pager *p, const struct fault *f) { put(p, f->slot); }

static void segv_answer(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged) {
  (void)p, (void)judged;
  reply(f->slot, result ? REFUSED : SERVED);
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
