// requests.c - touches that a signal handler hands to the crew, for the traps whose touches are signals (sigsegv.c, sigbus.c): it writes down what it wants and sleeps; the crew serves it,
// and the touch is made again.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faulting.h"
#include "pager.h"
#include "requests.h"
#include "trap.h"

enum { WAITING, SERVED, REFUSED };

struct request { // on the stack of the handler that waits for it, which goes on as soon as it is answered
  struct request *next;
  struct touch touch;
  uint32_t thread;
  _Atomic uint32_t state;
};

// However many wait: the list has no end, and nobody looks at all of it.
struct requests {
  _Atomic(struct request *) newest; // who asks puts itself here, the leader takes all of them at once
  struct request *taken;            // of the leader: those not served yet, the oldest first
  _Atomic uint32_t rings;           // the leader sleeps on it
  uint32_t heard;                   // of the leader: how many rings it knows of
  pthread_mutex_t parked_lock;
  struct request *parked;           // of kernels, until somebody wakes them
  _Atomic int parked_count;
};

static void futex_wait(_Atomic uint32_t *at, uint32_t value) { syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0); }
static void futex_wake(_Atomic uint32_t *at) { syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0); }

int open_requests(struct hmm_pager *p) {
  struct requests *q = p->requests = calloc(1, sizeof *q);
  if (!q) return -ENOMEM;
  pthread_mutex_init(&q->parked_lock, NULL);
  return 0;
}

void close_requests(struct hmm_pager *p) { free(p->requests); }

void ring_for_requests(struct hmm_pager *p) {
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
  if (!older) ring_for_requests(p);
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

bool ask_crew(struct hmm_pager *p, struct touch touch) {
  struct request r = {.touch = touch, .thread = (uint32_t)syscall(SYS_gettid), .state = WAITING};
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
  for (const struct faulting *f = p->faulting.first; f; f = f->next) wake_parked(p, f, 0, p->config.page_count);
}

int wait_for_requests(struct hmm_pager *p, struct fault *faults, int capacity) {
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
    faults[n] = (struct fault){r->touch.page, r->touch.write, r->touch.mapped, r->thread, r, r->touch.device, r->touch.offset, r->touch.device ? tick(p) : 0};
  }
  return n;
}

void put_request_back(struct hmm_pager *p, const struct fault *f) { put(p, f->slot); }

void answer_request(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged) {
  (void)p, (void)judged;
  reply(f->slot, result ? REFUSED : SERVED);
}

// Parks before it looks at the page's word, while others change the word before they look who is parked.
void park_request(struct hmm_pager *p, const struct fault *f) {
  struct requests *q = p->requests;
  struct request *r = f->slot;
  pthread_mutex_lock(&q->parked_lock);
  r->next = q->parked;
  q->parked = r;
  atomic_fetch_add(&q->parked_count, 1);
  pthread_mutex_unlock(&q->parked_lock);
}

void wake_parked(struct hmm_pager *p, const struct faulting *device, uint64_t first, uint64_t end) {
  struct requests *q = p->requests;
  if (!atomic_load(&q->parked_count)) return;
  pthread_mutex_lock(&q->parked_lock);
  for (struct request **at = &q->parked; *at;) {
    struct request *r = *at;
    if (r->touch.device != device || r->touch.page < first || r->touch.page >= end) {
      at = &r->next;
      continue;
    }
    *at = r->next;
    atomic_fetch_sub(&q->parked_count, 1);
    reply(r, SERVED);
  }
  pthread_mutex_unlock(&q->parked_lock);
}
