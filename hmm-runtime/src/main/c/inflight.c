// inflight.c - launches in flight: the table that both halves of the handshake go through.
//
//   launch (gate.c)                            whoever takes pages away
//   1 publish {pages, modes}                   1 claim the page word
//   2 check all page words                     2 look for published launches that conflict
//   3 enqueue, or withdraw if a word is gone   3 wait for them, then move the page
//
// Each side writes before it reads, both reads of the table are under its lock, so whoever comes second sees the other. How many are in flight is one number beside the table, so that whoever finds it 0
// behind his claim takes no lock.
//
// In flight is what somebody may have to wait for: from its publication until its kernel has ended, or it is withdrawn, and then until somebody has waited for its event. Their places are listed in the
// order in which they were published, so a table that was full once costs nothing later.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cl.h"
#include "claim.h"
#include "crew.h"
#include "device_fault.h"
#include "dma.h"
#include "inflight.h"
#include "notice.h"
#include "pager.h"

#define FIRST_LOOK_NANOS 200000ULL // of those who wait for a kernel, at its event: a driver may never call back
#define LONGEST_LOOK_NANOS 5000000ULL

static pthread_mutex_t callback_lock = PTHREAD_MUTEX_INITIALIZER; // held while a callback uses a pager
static _Atomic uint64_t launches_begun;

// A driver may call back late, when the place of the launch belongs to another one, or its pager is gone: so it is given a number and no address.
static uint64_t next_number(const struct hmm_pager *p, unsigned place) { return (atomic_fetch_add(&launches_begun, 1) + 1) << 16 | p->place << 8 | place; }
static unsigned pager_of(uint64_t number) { return (unsigned)(number >> 8) % HMM_MAX_PAGERS; }
static unsigned place_of(uint64_t number) { return (unsigned)number % MAX_LAUNCHES; }
_Static_assert(HMM_MAX_PAGERS == 256 && MAX_LAUNCHES == 256, "a number has a byte for each");

static bool under_way(const struct launch *l) { return l->state == PUBLISHED || l->state == INSISTING || l->state == RUNNING || l->state == ENDING; }

// The callback of an event tells that the kernel has ended; only who has waited for the event may rely on what it wrote, or overwrite it from another queue.
static bool unsynchronised(const struct launch *l) { return l->state == ENDED && l->event && !l->synchronised; }

static struct launch *in_flight(struct hmm_pager *p, unsigned i) { return &p->inflight.launches[p->inflight.places[i]]; }

// The first that was published behind number `order`, or null: where a loop goes on that has let the lock go.
static struct launch *in_flight_behind(struct hmm_pager *p, uint64_t order) {
  unsigned from = 0, to = p->inflight.count;
  while (from < to) {
    unsigned middle = (from + to) / 2;
    if (in_flight(p, middle)->order > order) to = middle;
    else from = middle + 1;
  }
  return from < p->inflight.count ? in_flight(p, from) : NULL;
}

// Takes it off the list, if nobody has to wait for it any more. The lock is held, here and above.
static void forget_if_over(struct hmm_pager *p, const struct launch *l) {
  unsigned i = 0, left = p->inflight.count;
  if (under_way(l) || unsynchronised(l)) return;
  while (i < left && in_flight(p, i) != l) i++;
  if (i == left) return;
  memmove(&p->inflight.places[i], &p->inflight.places[i + 1], left - i - 1);
  p->inflight.count = left - 1;
}

static bool uses_any(const struct launch *l, struct page_range range, bool writers_only) {
  for (uint64_t i = 0; i < l->use_count; i++) {
    const struct hmm_use *u = &l->uses[i];
    if ((u->writes || !writers_only) && u->first < range.end && range.first < u->end) return true;
  }
  return false;
}

// Whoever takes pages away from a launch whose kernel faults need not wait for it.
static bool conflicts(const struct launch *l, struct page_range range, bool writers_only) { return !l->faults && uses_any(l, range, writers_only); }

// Waits for nobody, since it runs where the driver calls back.
static void poison_written(struct hmm_pager *p, const struct launch *l) {
  uint64_t lost = 0;
  for (uint64_t i = 0; i < l->use_count; i++) {
    if (!l->uses[i].writes || l->uses[i].in_place) continue; // what it has written in place the host could see all along
    for (uint64_t page = l->uses[i].first; page < l->uses[i].end; page++) lost += poison_page(p, page, l->device);
    forget_dead(p, l->uses[i].first, l->uses[i].end); // where kernels fault, the next one is told only of what it does not find
  }
  count(p, HMM_POISONED, lost);
}

// For those who find such pages. The lock is held.
static void note_failure(struct hmm_pager *p, const struct launch *l, int status) {
  for (uint64_t i = 0; i < l->use_count; i++) {
    if (!l->uses[i].writes) continue;
    struct hmm_failed_launch *failed = &p->inflight.failed[p->inflight.failed_turn++ % FAILED_LAUNCHES];
    *failed = (struct hmm_failed_launch){.first = l->uses[i].first, .end = l->uses[i].end, .status = status, .device = l->device};
    memcpy(failed->name, l->name, sizeof failed->name);
  }
}

static void decide(struct hmm_pager *p, struct launch *l, enum launch_state state) {
  pthread_mutex_lock(&p->inflight.lock);
  l->state = state;
  forget_if_over(p, l);
  condition_broadcast(&p->inflight.changed);
  pthread_mutex_unlock(&p->inflight.lock);
}

bool ask(struct hmm_pager *p, void *event, int *outcome) {
  return !p->cl.event_info(event, CL_EVENT_STATUS, sizeof *outcome, outcome, NULL);
}

void end_launch(struct hmm_pager *p, struct launch *l, uint64_t number, int status) {
  pthread_mutex_lock(&p->inflight.lock);
  bool ends = l->number == number && l->state == RUNNING;
  if (ends) l->state = ENDING; // which still counts as running: nobody takes its pages meanwhile, or its place
  if (ends && status < 0) note_failure(p, l, status); // before the first page says so
  pthread_mutex_unlock(&p->inflight.lock);
  if (ends && l->faults) device_ends(p, l);
  if (ends && status < 0) poison_written(p, l);
  if (ends) decide(p, l, ENDED);
}

// Looks whether a kernel has ended. The lock is held, but not over that; its place is still its own afterwards. A driver that gives no answer for long has lost its device: nothing runs there again, and nothing that it has is
// used again, so the launch has failed.
static void look(struct hmm_pager *p, struct launch *l) {
  void *event = l->event;
  uint64_t number = l->number;
  l->users++; // its place stays its own
  pthread_mutex_unlock(&p->inflight.lock);
  int outcome = CL_COMPLETE + 1;
  bool answered = ask(p, event, &outcome);
  pthread_mutex_lock(&p->inflight.lock);
  if (answered) {
    l->silent_since = 0;
  } else if (!l->silent_since) {
    l->silent_since = nanos();
  } else if (nanos() - l->silent_since > STUCK_NANOS) {
    outcome = DEVICE_NOT_AVAILABLE;
    l->synchronised = true; // nobody can, nor relies on it
    forget_if_over(p, l);
    atomic_store(&p->devices[l->device].lost, true);
  }
  pthread_mutex_unlock(&p->inflight.lock);
  if (outcome <= CL_COMPLETE) end_launch(p, l, number, outcome);
  pthread_mutex_lock(&p->inflight.lock);
  if (!--l->users) condition_broadcast(&p->inflight.changed);
}

// Waits for the event of a launch that has ended, which is over at once. The lock is held, but not over the wait.
static void synchronise(struct hmm_pager *p, struct launch *l) {
  l->users++; // its place stays its own
  pthread_mutex_unlock(&p->inflight.lock);
  await_command(p, l->event); // how it ended has been seen
  pthread_mutex_lock(&p->inflight.lock);
  l->synchronised = true;
  forget_if_over(p, l);
  if (!--l->users) condition_broadcast(&p->inflight.changed);
}

static bool may_have_ended(const struct launch *l) { return l->state == RUNNING && l->event; }

// Most launches are never waited for, so their driver is not asked to call back, and that their kernels have ended is found out here, by whoever wants to know: of those that use pages of a range,
// or of all. The lock is held, but not over looking and waiting for what has ended. As a rule the kernels of a device end in their order, so behind one that runs nobody is
// asked: who waits for a launch asks its own event.
static void look_for_ends(struct hmm_pager *p, const struct page_range *range) {
  const uint64_t last = p->inflight.published;
  uint64_t order = 0;
  unsigned busy = 0; // devices
  for (struct launch *l; (l = in_flight_behind(p, order)) && l->order <= last;) {
    order = l->order;
    if (!may_have_ended(l) || l->faults || busy >> l->device & 1 || (range && !uses_any(l, *range, false))) continue;
    look(p, l);
    if (unsynchronised(l)) synchronise(p, l);
    else if (l->state == RUNNING) busy |= 1u << l->device;
  }
}

void note_ends(struct hmm_pager *p, struct page_range range) {
  if (!p->inflight.count) return;
  pthread_mutex_lock(&p->inflight.lock);
  look_for_ends(p, &range);
  pthread_mutex_unlock(&p->inflight.lock);
}

// Somebody is going to wait for a kernel. A driver need not call back for what has ended before it was asked to, so the event is asked once more.
static void ask_to_be_told(struct hmm_pager *p, struct launch *l) {
  void *event = l->event;
  uint64_t number = l->number;
  l->awaited = true;
  l->users++;
  pthread_mutex_unlock(&p->inflight.lock);
  ask_for_a_call(p, event, number); // a driver that refuses is looked at instead
  pthread_mutex_lock(&p->inflight.lock);
  if (may_have_ended(l)) look(p, l);
  if (!--l->users) condition_broadcast(&p->inflight.changed);
}

// Waits for a change of a launch, or of the table if it is null, which is locked, until a time (0: as long as it takes), and looks at the event of a kernel from time to time: nothing may depend
// on a driver that calls back.
static void watch(struct hmm_pager *p, struct launch *l, uint64_t until) {
  for (unsigned i = 0; i < p->inflight.count && !l; i++) {
    if (may_have_ended(in_flight(p, i))) l = in_flight(p, i);
  }
  bool runs = l && may_have_ended(l);
  if (runs && nanos() >= l->look_at) {
    l->look_at = nanos() + l->look_pause;
    if (l->look_pause < LONGEST_LOOK_NANOS) l->look_pause *= 2;
    look(p, l);
    if (may_have_ended(l) && !l->awaited) ask_to_be_told(p, l);
    return;
  }
  if (runs && (!until || l->look_at < until)) until = l->look_at;
  condition_wait(&p->inflight.changed, &p->inflight.lock, until);
}

// The same because of a launch in it. Afterwards the caller looks again.
static int await_change(struct hmm_pager *p, struct launch *l, struct patience *patience) {
  uint64_t until = 0;
  if (patience) {
    begin_to_wait(p, patience);
    uint64_t now = nanos();
    until = patience->deadline;
    if (until && now >= until) return -ETIMEDOUT;
    if (patience->notice.thread && !patience->told) {
      uint64_t then = patience->notice.started + HMM_LONG_WAIT_NANOS;
      if (!until || then < until) until = then;
      if (now >= then) {
        patience->notice.device = l->device;
        memcpy(patience->notice.kernel, l->name, sizeof l->name);
        pthread_mutex_unlock(&p->inflight.lock);
        tell(p, patience, HMM_NOTICE_WAITS);
        pthread_mutex_lock(&p->inflight.lock);
        return 0;
      }
    }
  }
  watch(p, l, until);
  return 0;
}

int await_conflicts(struct hmm_pager *p, struct page_range range, bool writers_only, int device, uint64_t except) {
  return await_patiently(p, range, writers_only, device, except, NULL);
}

int await_patiently(struct hmm_pager *p, struct page_range range, bool writers_only, int device, uint64_t except, struct patience *patience) {
  int result = 0;
  bool waited = false;
  uint64_t order = 0;
  if (!p->inflight.count) return 0;
  pthread_mutex_lock(&p->inflight.lock);
  const uint64_t last = p->inflight.published; // those behind it see the caller's claim
  for (struct launch *l; (l = in_flight_behind(p, order)) && l->order <= last;) {
    uint64_t number = l->number;
    order = l->order;
    while (l->number == number && (under_way(l) || unsynchronised(l)) && number != except && (device < 0 || l->device == (unsigned)device) && conflicts(l, range, writers_only)) {
      if (l->state == INSISTING) {
        result = -EAGAIN;
        goto out;
      }
      if (l->state == ENDED) {
        synchronise(p, l);
        continue;
      }
      if (!waited) {
        waited = true;
        pthread_mutex_unlock(&p->inflight.lock);
        promote(p); // other faults must not wait for this launch
        pthread_mutex_lock(&p->inflight.lock);
        continue;
      }
      if ((result = await_change(p, l, patience))) goto out;
    }
  }
out:
  pthread_mutex_unlock(&p->inflight.lock);
  return result;
}

bool in_use(struct hmm_pager *p, struct page_range range, bool writers_only, uint64_t except) {
  bool used = false;
  if (!p->inflight.count) return false;
  pthread_mutex_lock(&p->inflight.lock);
  for (unsigned i = 0; i < p->inflight.count && !used; i++) {
    const struct launch *l = in_flight(p, i);
    used = l->number != except && under_way(l) && conflicts(l, range, writers_only);
  }
  pthread_mutex_unlock(&p->inflight.lock);
  return used;
}

bool has_launches(struct hmm_pager *p, unsigned device) {
  bool any = false;
  pthread_mutex_lock(&p->inflight.lock);
  look_for_ends(p, NULL);
  for (unsigned i = 0; i < p->inflight.count && !any; i++) any = under_way(in_flight(p, i)) && in_flight(p, i)->device == device;
  pthread_mutex_unlock(&p->inflight.lock);
  return any;
}

bool is_over(struct hmm_pager *p, struct page_range range, bool writers_only) {
  bool over = true;
  if (!p->inflight.count) return true;
  pthread_mutex_lock(&p->inflight.lock);
  for (unsigned i = 0; i < p->inflight.count && over; i++) over = !conflicts(in_flight(p, i), range, writers_only);
  pthread_mutex_unlock(&p->inflight.lock);
  return over;
}

uint64_t used_until(struct hmm_pager *p, uint64_t page, bool writers_only) {
  uint64_t until = page;
  pthread_mutex_lock(&p->inflight.lock);
  for (unsigned i = 0; i < p->inflight.count && until == page; i++) {
    const struct launch *l = in_flight(p, i);
    for (uint64_t u = 0; u < l->use_count && under_way(l) && !l->faults; u++) {
      const struct hmm_use *use = &l->uses[u];
      if ((use->writes || !writers_only) && use->first <= page && page < use->end && use->end > until) until = use->end;
    }
  }
  pthread_mutex_unlock(&p->inflight.lock);
  return until;
}

int await_decided(struct hmm_pager *p, struct patience *patience) {
  int result = 0;
  promote(p);
  pthread_mutex_lock(&p->inflight.lock);
  const uint64_t last = p->inflight.published;
  uint64_t order = 0;
  for (struct launch *l; !result && (l = in_flight_behind(p, order)) && l->order <= last;) {
    order = l->order;
    while (l->order == order && l->state == INSISTING && !result) result = await_change(p, l, patience);
  }
  pthread_mutex_unlock(&p->inflight.lock);
  return result;
}

// For launches whose kernels fault: whoever asks by name does wait for them.
static void await_faulting(struct hmm_pager *p, struct page_range range, bool writers_only, int device) {
  if (!p->faulting.first) return;
  pthread_mutex_lock(&p->inflight.lock);
  const uint64_t last = p->inflight.published;
  uint64_t order = 0;
  for (struct launch *l; (l = in_flight_behind(p, order)) && l->order <= last;) {
    uint64_t number = l->number;
    order = l->order;
    while (l->number == number && l->faults && under_way(l) && (device < 0 || l->device == (unsigned)device) && uses_any(l, range, writers_only)) watch(p, l, 0);
  }
  pthread_mutex_unlock(&p->inflight.lock);
}

HMM_API int hmm_violation_of(struct hmm_pager *p, uint64_t launch, struct hmm_violation *violation) {
  if (!p->faulting.first) return 0;
  pthread_mutex_lock(&p->inflight.lock);
  struct launch *l = launch_of(p, launch);
  while (l->number == launch && under_way(l)) watch(p, l, 0);
  pthread_mutex_unlock(&p->inflight.lock);
  return violation_of(p, launch, violation);
}

HMM_API int hmm_await(struct hmm_pager *p, int64_t device, uint64_t first, uint64_t end, uint64_t writers_only) {
  await_faulting(p, (struct page_range){first, end}, writers_only, (int)device);
  while (await_conflicts(p, (struct page_range){first, end}, writers_only, (int)device, 0) == -EAGAIN) await_decided(p, NULL);
  return 0;
}

HMM_API int hmm_await_all(struct hmm_pager *p) { return hmm_await(p, -1, 0, p->config.page_count, 0); }

HMM_API int hmm_note_ends(struct hmm_pager *p, uint64_t first, uint64_t end) {
  note_ends(p, (struct page_range){first, end});
  return 0;
}

HMM_API uint64_t hmm_launched(struct hmm_pager *p, uint64_t device) {
  pthread_mutex_lock(&p->inflight.lock);
  uint64_t launched = p->inflight.launched[device];
  pthread_mutex_unlock(&p->inflight.lock);
  return launched;
}

HMM_API uint64_t hmm_used(struct hmm_pager *p, uint64_t device, struct hmm_use *uses, uint64_t capacity) {
  uint64_t n = 0;
  pthread_mutex_lock(&p->inflight.lock);
  look_for_ends(p, NULL);
  for (unsigned i = 0; i < p->inflight.count; i++) {
    const struct launch *l = in_flight(p, i);
    if (!under_way(l) || l->device != device) continue;
    for (uint64_t u = 0; u < l->use_count; u++, n++) {
      if (n < capacity) uses[n] = l->uses[u];
    }
  }
  pthread_mutex_unlock(&p->inflight.lock);
  return n;
}

HMM_API int hmm_failed_launch_of(struct hmm_pager *p, uint64_t page, struct hmm_failed_launch *failed) {
  int found = 0;
  pthread_mutex_lock(&p->inflight.lock);
  for (unsigned back = 1; back <= FAILED_LAUNCHES && !found; back++) {
    const struct hmm_failed_launch *it = &p->inflight.failed[(p->inflight.failed_turn - back) % FAILED_LAUNCHES];
    found = it->first <= page && page < it->end;
    if (found) *failed = *it;
  }
  pthread_mutex_unlock(&p->inflight.lock);
  return found;
}

// Runs on a thread of the driver, or in the middle of a call of ours; a second time does nothing.
static void on_complete(void *event, int status, void *user) {
  (void)event;
  uint64_t number = (uint64_t)(uintptr_t)user;
  pthread_mutex_lock(&callback_lock);
  struct hmm_pager *p = pager_in(pager_of(number));
  if (p) end_launch(p, launch_of(p, number), number, status);
  pthread_mutex_unlock(&callback_lock);
}

void await_callbacks(void) {
  pthread_mutex_lock(&callback_lock);
  pthread_mutex_unlock(&callback_lock);
}

void forget_launches(struct hmm_pager *p) {
  for (unsigned i = 0; i < MAX_LAUNCHES; i++) {
    struct launch *l = &p->inflight.launches[i];
    if (l->event) p->cl.release_event(l->event);
    if (l->uses != l->inline_uses) free(l->uses);
  }
}

// A free place; if there is none, waits for one. The lock is held, but not over releasing an event.
static struct launch *take_place(struct hmm_pager *p) {
  while (true) {
    look_for_ends(p, NULL); // so that there are never many more than run
    for (unsigned i = 0; i < MAX_LAUNCHES; i++) {
      struct launch *l = &p->inflight.launches[i];
      while (unsynchronised(l)) synchronise(p, l); // afterwards nobody can
      if (under_way(l) || l->users) continue;
      void *event = l->event;
      l->event = NULL;
      l->state = PUBLISHED; // ours, with no pages yet
      l->use_count = 0;
      l->synchronised = false;
      l->turn = false;
      if (l->uses != l->inline_uses) free(l->uses);
      l->uses = l->inline_uses;
      l->number = next_number(p, i);
      if (event) {
        pthread_mutex_unlock(&p->inflight.lock);
        p->cl.release_event(event);
        pthread_mutex_lock(&p->inflight.lock);
      }
      return l;
    }
    watch(p, NULL, 0);
  }
}

struct launch *publish(struct hmm_pager *p, const struct hmm_launch *request) {
  const struct hmm_use *uses = (const struct hmm_use *)(uintptr_t)request->uses;
  pthread_mutex_lock(&p->inflight.lock);
  struct launch *l = take_place(p);
  if (request->use_count > USES_INLINE) {
    struct hmm_use *more = malloc(request->use_count * sizeof *more);
    if (!more) {
      l->state = FREE;
      condition_broadcast(&p->inflight.changed);
      pthread_mutex_unlock(&p->inflight.lock);
      return NULL;
    }
    l->uses = more;
  }
  if (request->use_count) memcpy(l->uses, uses, request->use_count * sizeof *uses);
  for (uint64_t i = 0; i < request->use_count; i++) {
    if (uses[i].in_place) atomic_store(&p->inflight.in_place, true);
  }
  l->order = ++p->inflight.published; // with its pages, and under one hold of the lock: who comes later sees them
  l->device = (unsigned)request->device;
  l->faults = p->devices[request->device].range;
  l->awaited = l->faults; // by the gate
  l->use_count = request->use_count;
  const char *name = request->name ? (const char *)(uintptr_t)request->name : "";
  size_t length = strnlen(name, sizeof l->name - 1);
  memcpy(l->name, name, length);
  l->name[length] = 0;
  if (request->insist || request->overwrite_count) l->state = INSISTING;
  p->inflight.places[p->inflight.count] = (uint8_t)place_of(l->number);
  p->inflight.count++; // before the caller looks at the first word
  pthread_mutex_unlock(&p->inflight.lock);
  return l;
}

static bool clash(const struct launch *a, const struct launch *b) {
  for (uint64_t i = 0; i < a->use_count; i++) {
    for (uint64_t j = 0; j < b->use_count; j++) {
      const struct hmm_use *u = &a->uses[i], *v = &b->uses[j];
      if (u->in_place && v->in_place && (u->writes || v->writes) && u->first < v->end && v->first < u->end) return true;
    }
  }
  return false;
}

int await_those_before(struct hmm_pager *p, const struct launch *l) {
  if (p->device_count < 2 || !atomic_load(&p->inflight.in_place)) return 0;
  struct patience patience = new_patience(0, true, 0);
  int result = 0;
  pthread_mutex_lock(&p->inflight.lock);
  uint64_t order = 0;
  for (struct launch *it; !result && (it = in_flight_behind(p, order)) && it->order < l->order;) {
    order = it->order;
    while (!result && it->order == order && it->device != l->device && (under_way(it) || unsynchronised(it)) && clash(it, l)) {
      if (it->state == ENDED) synchronise(p, it);
      else result = it->state == INSISTING || await_change(p, it, &patience) ? 1 : 0;
    }
  }
  pthread_mutex_unlock(&p->inflight.lock);
  return result;
}

int await_turn(struct hmm_pager *p, struct launch *l) {
  struct patience patience = new_patience(0, false, 0);
  int result = 0;
  pthread_mutex_lock(&p->inflight.lock);
  for (unsigned i = 0; i < p->inflight.count && !result; i++) {
    struct launch *it = in_flight(p, i);
    if (!it->turn || it->device != l->device || !under_way(it)) continue;
    result = await_change(p, it, &patience);
    i = UINT_MAX; // from the beginning: the list is another one
  }
  if (!result) l->turn = true;
  pthread_mutex_unlock(&p->inflight.lock);
  if (!result) device_begins(p, l);
  return result;
}

struct launch *launch_of(struct hmm_pager *p, uint64_t number) { return &p->inflight.launches[place_of(number)]; }

bool is_undecided(struct hmm_pager *p, const struct launch *l, uint64_t number) {
  pthread_mutex_lock(&p->inflight.lock);
  bool undecided = l->number == number && (l->state == PUBLISHED || l->state == INSISTING);
  pthread_mutex_unlock(&p->inflight.lock);
  return undecided;
}

void withdraw(struct hmm_pager *p, struct launch *l) { decide(p, l, FREE); }

void attach(struct hmm_pager *p, struct launch *l, void *event) {
  pthread_mutex_lock(&p->inflight.lock);
  l->event = event;
  l->state = RUNNING;
  l->look_pause = FIRST_LOOK_NANOS;
  l->look_at = 0;
  l->silent_since = 0;
  p->inflight.launched[l->device]++;
  condition_broadcast(&p->inflight.changed);
  pthread_mutex_unlock(&p->inflight.lock);
}

bool ask_for_a_call(struct hmm_pager *p, void *event, uint64_t number) {
  return !p->cl.set_callback(event, CL_COMPLETE, on_complete, (void *)(uintptr_t)number);
}

int wait_for(struct hmm_pager *p, void *event) {
  int waited = await_command(p, event);
  if (waited >= 0) return waited;
  int outcome; // it has ended: perhaps only waiting has failed
  return ask(p, event, &outcome) && outcome <= CL_COMPLETE ? outcome : waited;
}
