// launch.c - launches in flight, and the gate.
//
//   launch                                     whoever takes pages away
//   1 publish {pages, modes}                   1 claim the page word
//   2 check all page words                     2 look for published launches that conflict
//   3 enqueue, or withdraw if a word is gone   3 wait for them, then move the page
//
// Each side writes before it reads, both reads of the table of launches are under its lock, so whoever comes second sees the other.
//
// A launch that lost its pages to the host several times insists: it publishes, and then moves what is missing itself, page by page, under claims. Only one thing could
// stand in its way: a claim that waits for this very launch on a page not moved yet. Such a claim is given back (`-EAGAIN`).
// While it waits for a launch of another device it holds up whoever touches the page that it has claimed. So it waits as long as a touch may, and is then withdrawn.
//
// What a kernel reads must be as it was at one moment. A page that held once is not safe until the launch is enqueued: the host waits for the launch, but another device that
// takes a page to write it does not wait for a launch that reads its own copy. So all words are checked after the last page has come, and what is gone is moved anew. A check that
// passes sees one moment, although it looks page by page: the caller holds the device's lock, so nobody else brings pages here, and whatever held at its end did so from its
// beginning.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define CL_COMPLETE 0
#define CL_EVENT_STATUS 0x11D3
#define ROUNDS 16                // of an insistent launch, before it lets go of everything and is made again
#define FIRST_LOOK_NANOS 200000ULL // of those who wait for a kernel, at its event: a driver may never call back
#define LONGEST_LOOK_NANOS 5000000ULL

typedef int (*enqueue_kernel)(void *queue, void *kernel, unsigned dims, const size_t *offset, const size_t *global, const size_t *local, unsigned waits, void *const *wait, void **event);
typedef int (*enqueue_copy)(void *queue, void *from, void *to, size_t from_offset, size_t to_offset, size_t bytes, unsigned waits, void *const *wait, void **event);
typedef int (*set_callback)(void *event, int on, void (*callback)(void *, int, void *), void *user);
typedef int (*of_object)(void *object);
typedef int (*event_info)(void *event, unsigned name, size_t bytes, void *value, size_t *got);

#define CL(p, type, which) ((type)(uintptr_t)(p)->config.cl[which])

static pthread_mutex_t callback_lock = PTHREAD_MUTEX_INITIALIZER; // held while a callback uses a pager
static _Atomic uint64_t launches_begun;

// A driver may call back late, when the place of the launch belongs to another one, or its pager is gone: so it is given a number and no address.
static uint64_t next_number(const struct hmm_pager *p, unsigned place) { return (atomic_fetch_add(&launches_begun, 1) + 1) << 16 | p->place << 8 | place; }
static unsigned pager_of(uint64_t number) { return (unsigned)(number >> 8) % MAX_PAGERS; }
static unsigned place_of(uint64_t number) { return (unsigned)number % MAX_LAUNCHES; }
_Static_assert(MAX_PAGERS == 256 && MAX_LAUNCHES == 256, "a number has a byte for each");

static bool under_way(const struct launch *l) { return l->state == PUBLISHED || l->state == INSISTING || l->state == RUNNING || l->state == ENDING; }

// The callback of an event tells that the kernel has ended; only who has waited for the event may rely on what it wrote, or overwrite it from another queue.
static bool unsynchronised(const struct launch *l) { return l->state == ENDED && l->event && !l->synchronised; }

static bool uses_any(const struct launch *l, struct page_range range, bool writers_only) {
  for (uint64_t i = 0; i < l->use_count; i++) {
    const struct hmm_use *u = &l->uses[i];
    if ((u->writes || !writers_only) && u->first < range.end && range.first < u->end) return true;
  }
  return false;
}

// Whoever takes pages away from a launch whose kernel faults need not wait for it.
static bool conflicts(const struct launch *l, struct page_range range, bool writers_only) { return !l->faults && uses_any(l, range, writers_only); }

// What a failed kernel was to write is lost. A page that somebody has claimed for the host becomes so when that claim ends: its owner waits for this launch. Waits for nobody, since
// it runs where the driver calls back.
static void poison(struct hmm_pager *p, const struct launch *l) {
  uint64_t poisoned = 0;
  for (uint64_t i = 0; i < l->use_count; i++) {
    if (!l->uses[i].writes) continue;
    for (uint64_t page = l->uses[i].first; page < l->uses[i].end; page++) {
      uint64_t w = load_word(p, page);
      while (true) {
        bool here = word_state(w) == DEVICE && word_device(w) == l->device;
        bool claimed = word_state(w) == TO_HOST && word_device(w) == l->device && !(w & DOOMED);
        if (!here && !claimed) break; // its contents are given up, or lost already
        if (!change_word(p, page, &w, here ? word_next(w, POISONED, 0, 0, 0) : w | DOOMED)) continue;
        poisoned += here;
        break;
      }
    }
  }
  count(p, HMM_POISONED, poisoned);
}

// For those who find such pages. The lock is held.
static void note_failure(struct hmm_pager *p, const struct launch *l, int status) {
  for (uint64_t i = 0; i < l->use_count; i++) {
    if (!l->uses[i].writes) continue;
    struct hmm_failed_launch *failed = &p->failed_launches[p->failed_launch_turn++ % FAILED_LAUNCHES];
    *failed = (struct hmm_failed_launch){.first = l->uses[i].first, .end = l->uses[i].end, .status = status, .device = l->device};
    memcpy(failed->name, l->name, sizeof failed->name);
  }
}

static void decide(struct hmm_pager *p, struct launch *l, enum launch_state state) {
  pthread_mutex_lock(&p->launch_lock);
  l->state = state;
  pthread_cond_broadcast(&p->launch_changed);
  pthread_mutex_unlock(&p->launch_lock);
}

// How a command ended, or how it is getting on if that is above CL_COMPLETE; false if the driver does not say.
static bool ask(struct hmm_pager *p, void *event, int *outcome) {
  return !CL(p, event_info, HMM_CL_EVENT_INFO)(event, CL_EVENT_STATUS, sizeof *outcome, outcome, NULL);
}

// Notes the end of a kernel, if nobody has: a callback and all who look at its event may come at once.
static void end(struct hmm_pager *p, struct launch *l, uint64_t number, int status) {
  pthread_mutex_lock(&p->launch_lock);
  bool ends = l->number == number && l->state == RUNNING;
  if (ends) l->state = ENDING; // which still counts as running: nobody takes its pages meanwhile, or its place
  if (ends && status < 0) note_failure(p, l, status); // before the first page says so
  pthread_mutex_unlock(&p->launch_lock);
  if (ends && l->faults) device_ends(p, l);
  if (ends && status < 0) poison(p, l);
  if (ends) decide(p, l, ENDED);
}

// Looks whether a kernel has ended. The lock is held, but not over that. A driver that gives no answer for long has lost its device: nothing runs there again, and nothing that it has is
// used again, so the launch has failed.
static void look(struct hmm_pager *p, struct launch *l) {
  void *event = l->event;
  uint64_t number = l->number;
  l->look_at = nanos() + l->look_pause;
  if (l->look_pause < LONGEST_LOOK_NANOS) l->look_pause *= 2;
  l->users++;
  pthread_mutex_unlock(&p->launch_lock);
  int outcome = CL_COMPLETE + 1;
  bool answered = ask(p, event, &outcome);
  pthread_mutex_lock(&p->launch_lock);
  if (answered) {
    l->silent_since = 0;
  } else if (!l->silent_since) {
    l->silent_since = nanos();
  } else if (nanos() - l->silent_since > STUCK_NANOS) {
    outcome = DEVICE_NOT_AVAILABLE;
    l->synchronised = true; // nobody can, nor relies on it
    atomic_store(&p->devices[l->device].lost, true);
  }
  pthread_mutex_unlock(&p->launch_lock);
  if (outcome <= CL_COMPLETE) end(p, l, number, outcome);
  pthread_mutex_lock(&p->launch_lock);
  if (!--l->users) pthread_cond_broadcast(&p->launch_changed);
}

// Waits for a change of the table, which is locked, until a time (0: as long as it takes), and looks at the events of kernels from time to time: nothing may depend on a driver
// that calls back.
static void watch(struct hmm_pager *p, uint64_t until) {
  struct launch *first = NULL; // to be looked at
  for (unsigned i = 0; i < p->launches_used; i++) {
    struct launch *l = &p->launches[i];
    if (l->state == RUNNING && l->event && (!first || l->look_at < first->look_at)) first = l;
  }
  if (first && nanos() >= first->look_at) {
    look(p, first);
    return;
  }
  if (first && (!until || first->look_at < until)) until = first->look_at;
  if (!until) {
    pthread_cond_wait(&p->launch_changed, &p->launch_lock);
  } else {
    struct timespec at = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
    pthread_cond_timedwait(&p->launch_changed, &p->launch_lock, &at);
  }
}

// The same because of a launch in it. Afterwards the caller looks again.
static int await_change(struct hmm_pager *p, const struct launch *l, struct patience *patience) {
  uint64_t until = 0;
  if (patience) {
    uint64_t now = nanos();
    until = patience->deadline;
    if (until && now >= until) return -ETIMEDOUT;
    if (patience->notice.thread && !patience->told) {
      uint64_t then = patience->notice.started + HMM_LONG_WAIT_NANOS;
      if (!until || then < until) until = then;
      if (now >= then) {
        patience->notice.device = l->device;
        memcpy(patience->notice.kernel, l->name, sizeof l->name);
        pthread_mutex_unlock(&p->launch_lock);
        tell(p, patience, HMM_NOTICE_WAITS);
        pthread_mutex_lock(&p->launch_lock);
        return 0;
      }
    }
  }
  watch(p, until);
  return 0;
}

// Waits for the event of a launch that has ended, which is over at once. The lock is held, but not over the wait.
static void synchronise(struct hmm_pager *p, struct launch *l) {
  l->users++; // its place stays its own
  pthread_mutex_unlock(&p->launch_lock);
  await_command(p, l->event); // how it ended has been seen by the callback
  pthread_mutex_lock(&p->launch_lock);
  l->synchronised = true;
  if (!--l->users) pthread_cond_broadcast(&p->launch_changed);
}

int await_conflicts(struct hmm_pager *p, struct page_range range, bool writers_only, int device, uint64_t except) {
  return await_patiently(p, range, writers_only, device, except, NULL);
}

int await_patiently(struct hmm_pager *p, struct page_range range, bool writers_only, int device, uint64_t except, struct patience *patience) {
  int result = 0;
  bool waited = false;
  pthread_mutex_lock(&p->launch_lock);
  for (unsigned i = 0; i < p->launches_used; i++) {
    struct launch *l = &p->launches[i];
    uint64_t number = l->number;
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
        pthread_mutex_unlock(&p->launch_lock);
        promote(p); // other faults must not wait for this launch
        pthread_mutex_lock(&p->launch_lock);
        continue;
      }
      if ((result = await_change(p, l, patience))) goto out;
    }
  }
out:
  pthread_mutex_unlock(&p->launch_lock);
  return result;
}

bool in_use(struct hmm_pager *p, struct page_range range, bool writers_only) {
  bool used = false;
  pthread_mutex_lock(&p->launch_lock);
  for (unsigned i = 0; i < p->launches_used && !used; i++) used = under_way(&p->launches[i]) && conflicts(&p->launches[i], range, writers_only);
  pthread_mutex_unlock(&p->launch_lock);
  return used;
}

uint64_t used_until(struct hmm_pager *p, uint64_t page, bool writers_only) {
  uint64_t until = page;
  pthread_mutex_lock(&p->launch_lock);
  for (unsigned i = 0; i < p->launches_used && until == page; i++) {
    const struct launch *l = &p->launches[i];
    for (uint64_t u = 0; u < l->use_count && under_way(l) && !l->faults; u++) {
      const struct hmm_use *use = &l->uses[u];
      if ((use->writes || !writers_only) && use->first <= page && page < use->end && use->end > until) until = use->end;
    }
  }
  pthread_mutex_unlock(&p->launch_lock);
  return until;
}

int await_decided(struct hmm_pager *p, struct patience *patience) {
  int result = 0;
  promote(p);
  pthread_mutex_lock(&p->launch_lock);
  for (unsigned i = 0; i < p->launches_used && !result; i++) {
    while (p->launches[i].state == INSISTING && !result) result = await_change(p, &p->launches[i], patience);
  }
  pthread_mutex_unlock(&p->launch_lock);
  return result;
}

// For launches whose kernels fault: whoever asks by name does wait for them.
static void await_faulting(struct hmm_pager *p, struct page_range range, bool writers_only) {
  pthread_mutex_lock(&p->launch_lock);
  for (unsigned i = 0; i < p->launches_used && p->faulting; i++) {
    struct launch *l = &p->launches[i];
    uint64_t number = l->number;
    while (l->number == number && l->faults && under_way(l) && uses_any(l, range, writers_only)) watch(p, 0);
  }
  pthread_mutex_unlock(&p->launch_lock);
}

HMM_API int hmm_violation_of(struct hmm_pager *p, uint64_t launch, struct hmm_violation *violation) {
  if (!p->faulting) return 0;
  pthread_mutex_lock(&p->launch_lock);
  const struct launch *l = &p->launches[place_of(launch)];
  while (l->number == launch && under_way(l)) watch(p, 0);
  pthread_mutex_unlock(&p->launch_lock);
  return violation_of(p, launch, violation);
}

HMM_API int hmm_await(struct hmm_pager *p, int64_t device, uint64_t first, uint64_t end, uint64_t writers_only) {
  await_faulting(p, (struct page_range){first, end}, writers_only);
  while (await_conflicts(p, (struct page_range){first, end}, writers_only, (int)device, 0) == -EAGAIN) await_decided(p, NULL);
  return 0;
}

HMM_API int hmm_await_all(struct hmm_pager *p) { return hmm_await(p, -1, 0, p->config.page_count, 0); }

HMM_API uint64_t hmm_launched(struct hmm_pager *p, uint64_t device) {
  pthread_mutex_lock(&p->launch_lock);
  uint64_t launched = p->launched[device];
  pthread_mutex_unlock(&p->launch_lock);
  return launched;
}

HMM_API uint64_t hmm_used(struct hmm_pager *p, uint64_t device, struct hmm_use *uses, uint64_t capacity) {
  uint64_t n = 0;
  pthread_mutex_lock(&p->launch_lock);
  for (unsigned i = 0; i < p->launches_used; i++) {
    const struct launch *l = &p->launches[i];
    if (!under_way(l) || l->device != device) continue;
    for (uint64_t u = 0; u < l->use_count; u++, n++) {
      if (n < capacity) uses[n] = l->uses[u];
    }
  }
  pthread_mutex_unlock(&p->launch_lock);
  return n;
}

HMM_API int hmm_failed_launch_of(struct hmm_pager *p, uint64_t page, struct hmm_failed_launch *failed) {
  int found = 0;
  pthread_mutex_lock(&p->launch_lock);
  for (unsigned back = 1; back <= FAILED_LAUNCHES && !found; back++) {
    const struct hmm_failed_launch *it = &p->failed_launches[(p->failed_launch_turn - back) % FAILED_LAUNCHES];
    found = it->first <= page && page < it->end;
    if (found) *failed = *it;
  }
  pthread_mutex_unlock(&p->launch_lock);
  return found;
}

// Runs on a thread of the driver, or in the middle of a call of ours; a second time does nothing.
static void on_complete(void *event, int status, void *user) {
  (void)event;
  uint64_t number = (uint64_t)(uintptr_t)user;
  pthread_mutex_lock(&callback_lock);
  struct hmm_pager *p = pager_in(pager_of(number));
  if (p) end(p, &p->launches[place_of(number)], number, status);
  pthread_mutex_unlock(&callback_lock);
}

void await_callbacks(void) {
  pthread_mutex_lock(&callback_lock);
  pthread_mutex_unlock(&callback_lock);
}

// A free place; if there is none, waits for one. The lock is held, but not over releasing an event.
static struct launch *take_place(struct hmm_pager *p) {
  while (true) {
    for (unsigned i = 0; i < MAX_LAUNCHES; i++) {
      struct launch *l = &p->launches[i];
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
      if (p->launches_used <= i) p->launches_used = i + 1;
      if (event) {
        pthread_mutex_unlock(&p->launch_lock);
        CL(p, of_object, HMM_CL_RELEASE_EVENT)(event);
        pthread_mutex_lock(&p->launch_lock);
      }
      return l;
    }
    watch(p, 0);
  }
}

static struct launch *publish(struct hmm_pager *p, const struct hmm_launch *request) {
  const struct hmm_use *uses = (const struct hmm_use *)(uintptr_t)request->uses;
  pthread_mutex_lock(&p->launch_lock);
  struct launch *l = take_place(p);
  if (request->use_count > USES_INLINE) {
    struct hmm_use *more = malloc(request->use_count * sizeof *more);
    if (!more) {
      l->state = FREE;
      pthread_cond_broadcast(&p->launch_changed);
      pthread_mutex_unlock(&p->launch_lock);
      return NULL;
    }
    l->uses = more;
  }
  if (request->use_count) memcpy(l->uses, uses, request->use_count * sizeof *uses);
  l->device = (unsigned)request->device;
  l->faults = p->devices[request->device].range;
  l->use_count = request->use_count;
  snprintf(l->name, sizeof l->name, "%s", request->name ? (const char *)(uintptr_t)request->name : "");
  if (request->insist) l->state = INSISTING;
  pthread_mutex_unlock(&p->launch_lock);
  return l;
}

// One kernel that faults at a time: what it does wrong is known to be its own. 0, or -ETIMEDOUT if the one before takes longer than a touch may wait.
static int await_turn(struct hmm_pager *p, struct launch *l) {
  struct patience patience = new_patience(p, 0, false, 0);
  int result = 0;
  pthread_mutex_lock(&p->launch_lock);
  for (unsigned i = 0; i < p->launches_used && !result; i++) {
    struct launch *it = &p->launches[i];
    if (!it->turn || !under_way(it)) continue;
    result = await_change(p, it, &patience);
    i = UINT_MAX; // from the beginning: places are taken anew
  }
  if (!result) l->turn = true;
  pthread_mutex_unlock(&p->launch_lock);
  if (!result) device_begins(p, l);
  return result;
}

static uint64_t present(const struct hmm_launch *request) { return request->use_count - request->paged; }

// The first page that does not hold, or page_count. All words, also after insisting: what held once may be another device's by now.
static uint64_t first_missing(const struct hmm_pager *p, const struct hmm_launch *request) {
  const struct hmm_use *uses = (const struct hmm_use *)(uintptr_t)request->uses;
  for (uint64_t i = 0; i < present(request); i++) {
    for (uint64_t page = uses[i].first; page < uses[i].end; page++) {
      uint64_t w = load_word(p, page);
      if (!usable_on(w, (unsigned)request->device, uses[i].writes) || pinned_against(w, uses[i].writes)) return page;
    }
  }
  return p->config.page_count;
}

// The first page at which a window does not lie in one piece, or page_count. After the words were checked: from then on whoever changes frames waits for this launch.
static uint64_t first_apart(const struct hmm_pager *p, const struct hmm_launch *request) {
  const struct hmm_use *windows = (const struct hmm_use *)(uintptr_t)request->windows;
  const struct device *d = &p->devices[request->device];
  for (uint64_t i = 0; i < request->window_count; i++) {
    int32_t before = -1;
    for (uint64_t page = windows[i].first; page < windows[i].end; page++) {
      int32_t frame = frame_of(d, page);
      if (frame < 0 || (before >= 0 && !dma_contiguous(d, before, frame))) return page;
      before = frame;
    }
  }
  return p->config.page_count;
}

static void touch(const struct hmm_pager *p, const struct hmm_launch *request) {
  const struct hmm_use *uses = (const struct hmm_use *)(uintptr_t)request->uses;
  const struct device *d = &p->devices[request->device];
  _Atomic int32_t *last_use = (_Atomic int32_t *)(uintptr_t)d->config.last_use;
  for (uint64_t i = 0; i < present(request); i++) {
    for (uint64_t page = uses[i].first; page < uses[i].end; page++) {
      int32_t frame = frame_of(d, page);
      if (frame >= 0) atomic_store_explicit(&last_use[frame], (int32_t)request->clock, memory_order_relaxed);
    }
  }
}

// What a claimed page's contents are worth to the device, brought into its frame. The page may be on another device, on the host, or nowhere.
static int bring(struct hmm_pager *p, unsigned device, uint64_t page, uint64_t before, uint64_t number, struct hmm_failure *failure) {
  struct patience patience = new_patience(p, page, true, 0); // a touch behind our claim ends in time, too
  int waited = await_patiently(p, (struct page_range){page, page + 1}, false, -1, number, &patience);
  if (waited) return waited == -EAGAIN ? -EDEADLK : waited; // only one insists at a time: a mistake of ours
  bool on_device = word_sharers(before) >> device & 1;
  if (word_state(before) != EMPTY && !on_device) {
    int result = back(p, page, page + 1);
    if (result) return fail_errno(failure, page, result, HMM_CALL_NONE);
  }
  if (word_state(before) == DEVICE) {
    int status = dma_to_host(p, word_device(before), page, 1, NULL);
    if (status) return fail(failure, HMM_OPENCL, page, before, status, HMM_CALL_READ, word_device(before));
  }
  if (on_device) return 0;
  int status = dma_to_device(p, device, page, word_state(before) == EMPTY);
  return status ? fail(failure, HMM_OPENCL, page, before, status, HMM_CALL_WRITE, device) : 0;
}

// Whose bytes the frame of a moved page holds.
static void note_region(const struct hmm_pager *p, const struct hmm_launch *request, uint64_t page) {
  const struct hmm_use *windows = (const struct hmm_use *)(uintptr_t)request->windows;
  const struct device *d = &p->devices[request->device];
  for (uint64_t i = 0; i < request->window_count && request->region_ids; i++) {
    if (page < windows[i].first || page >= windows[i].end) continue;
    atomic_store(&((_Atomic int32_t *)(uintptr_t)d->config.region_of_frame)[frame_of(d, page)], ((const int32_t *)(uintptr_t)request->region_ids)[i]);
  }
}

// Returns the word that it leaves.
static uint64_t settle_insisted(struct hmm_pager *p, uint64_t page, uint64_t before, uint64_t next_of_claim) {
  const uint64_t placed = PLACE_MASK | ~0ULL << VERSION_SHIFT;
  uint64_t w = load_word(p, page), next;
  do next = is_doomed(w, before) ? word_next(w, POISONED, 0, 0, 0) : (w & ~placed) | (next_of_claim & placed);
  while (!change_word(p, page, &w, next)); // only pins can have changed, or the page is doomed
  if (word_state(next) == POISONED) count(p, HMM_POISONED, 1);
  settled(p);
  p->trap->wake(p, page, page + 1);
  return next;
}

// A page that was moved, for its record.
static void describe(struct hmm_record *r, uint64_t before, unsigned device, int result) {
  bool copied = !result && word_state(before) != EMPTY && !(word_sharers(before) >> device & 1);
  r->pages = 1;
  r->found = word_state(before);
  r->copied_pages = copied;
  r->device = copied ? (int64_t)device : -1;
  r->copied = nanos(); // claiming and waiting are a part of it here
}

// Makes one page hold, and keep holding. 0, 1 if it cannot (a view, the protection, lost, or a launch that uses it took too long), or -errno.
static int insist_on(struct hmm_pager *p, struct launch *l, uint64_t page, bool writes, struct hmm_launch *request, struct hmm_move *move, struct hmm_failure *failure) {
  while (true) {
    uint64_t w = load_word(p, page);
    if (pinned_against(w, writes)) return 1;
    if (usable_on(w, l->device, writes)) return 0;
    switch (word_state(w)) {
    case POISONED:
    case UNMAPPED: return 1;
    case TO_HOST: wait_settled(p, page); continue;
    default: break;
    }
    if (writes ? !word_writable(w) : !word_readable(w)) return 1;
    if (frame_of(&p->devices[l->device], page) < 0) return 1;
    uint64_t claim = word_claim(w, true), expected = w;
    if (!change_word(p, page, &expected, claim)) continue;
    struct hmm_record space, *record = new_record(p, &space, HMM_RECORD_INSIST, page, writes);
    int result = p->trap->forbid(p, page, page + 1, !writes);
    if (result) result = fail_errno(failure, page, result, HMM_CALL_FORBID);
    if (!result) result = bring(p, l->device, page, w, l->number, failure);
    unsigned sharers = word_sharers(w);
    if (word_state(w) == DEVICE && !result) sharers |= 1u << word_device(w); // its copy stays valid, and so is the host's now
    if (!result) note_region(p, request, page);
    uint64_t next;
    if (!result) next = writes ? word_next(claim, DEVICE, l->device, 0, 0) : word_next(claim, SHARED, 0, sharers | 1u << l->device, 0);
    else if (word_state(w) == TO_DEVICE) next = word_shared(claim, sharers);
    else next = word_next(claim, word_state(w), word_device(w), sharers, w & MARKED_READ);
    uint64_t committed = settle_insisted(p, page, w, next);
    if (record) describe(record, w, l->device, result);
    end_record(p, record, result);
    if (result == -ETIMEDOUT) return 1; // the caller comes again, and waits without claims first
    if (result) return result;
    if (word_state(committed) == POISONED) return 1; // by a launch that was waited for
    request->moved++;
    if (move) *move = (struct hmm_move){committed, w};
    return 0;
  }
}

static int insist(struct hmm_pager *p, struct launch *l, struct hmm_launch *request, struct hmm_failure *failure) {
  struct hmm_move *moves = (struct hmm_move *)(uintptr_t)request->moves;
  for (int writing = 1; writing >= 0; writing--) { // a page that one use writes and another reads must end up written
    uint64_t pages_before = 0;
    for (uint64_t i = 0; i < present(request); i++) {
      const struct hmm_use *u = &l->uses[i];
      for (uint64_t page = u->first; page < u->end && (u->writes != 0) == writing; page++) {
        int result = insist_on(p, l, page, writing, request, moves ? &moves[pages_before + page - u->first] : NULL, failure);
        if (result > 0) request->missing = page;
        if (result) return result;
      }
      pages_before += u->end - u->first;
    }
  }
  return 0;
}

// The same for a driver that will not tell us: waited for here. If the end cannot be found out, the launch stays under way: nobody gets pages that a kernel may still write.
static int wait_for(struct hmm_pager *p, void *event) {
  int waited = await_command(p, event);
  if (waited >= 0) return waited;
  int outcome; // it has ended: perhaps only waiting has failed
  return ask(p, event, &outcome) && outcome <= CL_COMPLETE ? outcome : waited;
}

static void release_events(struct hmm_pager *p, void **events, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) CL(p, of_object, HMM_CL_RELEASE_EVENT)(events[i]);
}

// A command of ours on the kernel's queue, behind all that is there. One that fails must not be lost on those behind it.
static int copy_argument(struct hmm_pager *p, void *queue, const struct hmm_argument_copy *c, bool back, void **before, void **event) {
  void *frames = (void *)(uintptr_t)c->from, *copy = (void *)(uintptr_t)c->to;
  return CL(p, enqueue_copy, HMM_CL_ENQUEUE_COPY)(queue, back ? copy : frames, back ? frames : copy, back ? 0 : c->from_offset, back ? c->from_offset : 0, c->bytes,
                                                  before ? 1 : 0, before, event);
}

// The kernel between the copies of its arguments; `event` is that of the last command. With a status nothing of it is in the queue any more, unless there is an event: then the kernel has
// run, and what it wrote has not come back.
static int enqueue_commands(struct hmm_pager *p, struct hmm_launch *request, const struct table_writes *before, enum hmm_call *failed, void **event) {
  const struct hmm_argument_copy *copies = (const struct hmm_argument_copy *)(uintptr_t)request->copies;
  void *queue = (void *)(uintptr_t)request->queue;
  uint64_t count = 0;
  int status = 0;
  void **waits = before->events;
  if (request->copy_count) {
    if (!(waits = malloc((before->count + request->copy_count) * sizeof *waits))) return -6; // CL_OUT_OF_HOST_MEMORY
    if (before->count) memcpy(waits, before->events, before->count * sizeof *waits);
  }
  *failed = HMM_CALL_COPY;
  for (; count < request->copy_count && !status; count += !status) status = copy_argument(p, queue, &copies[count], false, NULL, &waits[before->count + count]);
  if (!status) {
    *failed = HMM_CALL_KERNEL;
    unsigned wait_count = before->count + (unsigned)count;
    status = CL(p, enqueue_kernel, HMM_CL_ENQUEUE_KERNEL)(queue, (void *)(uintptr_t)request->kernel, (unsigned)request->dimensions, NULL, (const size_t *)(uintptr_t)request->global,
                                                          (const size_t *)(uintptr_t)request->local, wait_count, wait_count ? waits : NULL, event);
  }
  if (status && count) CL(p, of_object, HMM_CL_FLUSH)(queue); // if that fails, waiting sets them going
  for (uint64_t i = 0; i < count && status; i++) await_command(p, waits[before->count + i]); // they read frames that are nobody's launch's from now on
  if (request->copy_count) {
    release_events(p, waits + before->count, count);
    free(waits);
  }
  for (uint64_t i = 0; i < request->copy_count && !status; i++) {
    if (!copies[i].back) continue;
    void *last = *event;
    status = copy_argument(p, queue, &copies[i], true, &last, event);
    *failed = HMM_CALL_COPY;
    if (status) *event = last;
    else release_events(p, &last, 1);
  }
  return status;
}

static int enqueue(struct hmm_pager *p, struct launch *l, struct hmm_launch *request, const struct table_writes *before, struct hmm_failure *failure) {
  void *event = NULL, *queue = (void *)(uintptr_t)request->queue;
  enum hmm_call call = HMM_CALL_KERNEL;
  int status = enqueue_commands(p, request, before, &call, &event);
  if (!event) return fail(failure, HMM_OPENCL, 0, 0, status, call, l->device);
  // From here on the kernel is the driver's, and whatever fails must not look as if it were not: the launch is under way, and its end has to be found out.
  bool kept = !CL(p, of_object, HMM_CL_RETAIN_EVENT)(event); // one reference for the caller, one for the table
  uint64_t number = l->number;
  touch(p, request); // before the launch counts as decided: whoever waits for that sees the use
  pthread_mutex_lock(&p->launch_lock);
  l->event = kept ? event : NULL;
  l->state = RUNNING;
  l->look_pause = FIRST_LOOK_NANOS;
  l->look_at = nanos() + FIRST_LOOK_NANOS;
  l->silent_since = 0;
  p->launched[l->device]++;
  pthread_cond_broadcast(&p->launch_changed);
  pthread_mutex_unlock(&p->launch_lock);
  if (status) { // what the kernel has written is lost, however it ends
    CL(p, of_object, HMM_CL_FLUSH)(queue);
    wait_for(p, event);
    end(p, l, number, status);
    release_events(p, &event, 1);
    return fail(failure, HMM_OPENCL, 0, 0, status, call, l->device);
  }
  request->event = (uint64_t)(uintptr_t)event;
  // The caller's reference keeps the event alive here, whatever the callback leads to. Flushed afterwards: a driver need not call back for what has ended before it was asked to.
  bool told = !CL(p, set_callback, HMM_CL_SET_CALLBACK)(event, CL_COMPLETE, on_complete, (void *)(uintptr_t)number);
  bool flushed = !CL(p, of_object, HMM_CL_FLUSH)(queue);
  int outcome = CL_COMPLETE + 1;
  if (!kept || !told || !flushed) outcome = wait_for(p, event);
  else if (!ask(p, event, &outcome)) outcome = CL_COMPLETE + 1;
  if (outcome <= CL_COMPLETE) end(p, l, number, outcome);
  return 0;
}

HMM_API int hmm_launch_enter(struct hmm_pager *p, struct hmm_launch *request, struct hmm_failure *failure) {
  request->event = 0;
  request->moved = 0;
  request->missing = p->config.page_count;
  if (atomic_load(&p->devices[request->device].lost)) return fail(failure, HMM_OPENCL, 0, 0, DEVICE_NOT_AVAILABLE, HMM_CALL_KERNEL, (unsigned)request->device);
  if (request->insist) pthread_mutex_lock(&p->insist_lock);
  int result = -ENOMEM;
  struct launch *l = publish(p, request);
  if (!l) {
    result = fail_errno(failure, 0, result, HMM_CALL_NONE);
    goto out;
  }
  request->number = l->number;
  step(p, HMM_STEP_PUBLISHED);
  if (l->faults) {
    struct table_writes none = {NULL, 0, 0};
    result = await_turn(p, l);
    if (!result) result = enqueue(p, l, request, &none, failure);
    if (result && l->turn) device_ends(p, l);
    if (result) decide(p, l, FREE);
    if (result == -ETIMEDOUT) result = 0; // without an event
    goto out;
  }
  // Each further round is one in which another device has taken a page to write it. A launch there that loses its pages to us comes to insist itself, and waits for us with that.
  for (int round = 0; round < (request->insist ? ROUNDS : 1); round++) {
    result = request->insist ? insist(p, l, request, failure) : 0;
    if (result) break;
    request->missing = first_missing(p, request);
    result = request->missing < p->config.page_count;
    if (!result) break;
  }
  if (!result) {
    request->missing = first_apart(p, request);
    result = request->missing < p->config.page_count;
  }
  if (!result) {
    step(p, HMM_STEP_CHECKED);
    struct table_writes writes = {NULL, 0, 0};
    if (request->table) result = show_table(p, (struct hmm_table *)(uintptr_t)request->table, l->device, (void *)(uintptr_t)request->queue, &writes, failure);
    if (!result) result = enqueue(p, l, request, &writes, failure);
    end_table_writes(p, &writes);
  }
  if (result) decide(p, l, FREE);
  if (result > 0) result = 0;
out:
  if (request->insist) pthread_mutex_unlock(&p->insist_lock);
  return result;
}
