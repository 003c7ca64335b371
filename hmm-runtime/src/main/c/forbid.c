// forbid.c - keeping the host out of pages that Java has claimed for a device.
//
// Java forbids what it has claimed, and may come late: the claim is lost, somebody has brought the page home and pinned it, and system calls rely on its mapping. So what is pinned, or is being
// brought home, is left alone; and who brings pages home to pin them waits for those who looked at the words before it had claimed them (claim first, wait then).
#include "device_fault.h"
#include "forbid.h"
#include "pager.h"

struct forbidding {
  struct page_range pages;
  struct forbidding *next;
};

static void begin_forbidding(struct hmm_pager *p, struct forbidding *f) {
  pthread_mutex_lock(&p->forbiddings.lock);
  f->next = p->forbiddings.first;
  p->forbiddings.first = f;
  atomic_fetch_add(&p->forbiddings.count, 1);
  pthread_mutex_unlock(&p->forbiddings.lock);
}

static void end_forbidding(struct hmm_pager *p, struct forbidding *f) {
  pthread_mutex_lock(&p->forbiddings.lock);
  struct forbidding **at = &p->forbiddings.first;
  while (*at != f) at = &(*at)->next;
  *at = f->next;
  atomic_fetch_sub(&p->forbiddings.count, 1);
  condition_broadcast(&p->forbiddings.changed);
  pthread_mutex_unlock(&p->forbiddings.lock);
}

static bool is_being_forbidden(const struct hmm_pager *p, struct page_range pages) {
  for (const struct forbidding *f = p->forbiddings.first; f; f = f->next) {
    if (f->pages.first < pages.end && pages.first < f->pages.end) return true;
  }
  return false;
}

void await_forbidden(struct hmm_pager *p, struct page_range pages) {
  if (!atomic_load(&p->forbiddings.count)) return;
  pthread_mutex_lock(&p->forbiddings.lock);
  while (is_being_forbidden(p, pages)) condition_wait(&p->forbiddings.changed, &p->forbiddings.lock, 0);
  pthread_mutex_unlock(&p->forbiddings.lock);
}

static bool may_be_forbidden(uint64_t w, bool keep_reading) { return word_state(w) != TO_HOST && !pinned_against(w, !keep_reading); }

// The first page from `at` on that is to be left alone, or `end`.
static uint64_t forbidden_until(const struct hmm_pager *p, uint64_t at, uint64_t end, bool keep_reading) {
  while (at < end) {
    if (!is_written(p, at)) at = next_block(p, at); // nobody has anything of it
    else if (may_be_forbidden(load_word(p, at), keep_reading)) at++;
    else return at;
  }
  return end;
}

HMM_API int hmm_forbid(struct hmm_pager *p, uint64_t first, uint64_t end, uint64_t keep_reading) {
  if (p->faulting.first && !keep_reading) forget_dead(p, first, end);
  struct forbidding f = {.pages = {first, end}};
  int result = 0;
  begin_forbidding(p, &f);
  for (uint64_t from = first, at; from < end && !result; from = at + 1) {
    at = forbidden_until(p, from, end, keep_reading);
    if (at == from) continue;
    step(p, HMM_STEP_FORBIDS);
    result = p->trap->forbid(p, from, at, keep_reading);
  }
  end_forbidding(p, &f);
  return result;
}
