// notice.c - tells of touches that wait long for a launch, and of those that become errors.
//
// No Java code can run where a touch is served, and nobody there may wait for it: so a thread of Java sleeps in hmm_await_notice, in native state, where no safepoint waits for it.
#include <string.h>

#include "notice.h"
#include "pager.h"

struct patience new_patience(uint64_t page, bool write, uint32_t thread) { return (struct patience){0, {.page = page, .write = write, .thread = thread}, false}; }

void begin_to_wait(const struct hmm_pager *p, struct patience *patience) {
  if (patience->notice.started) return;
  patience->notice.started = nanos();
  if (p->config.touch_nanos) patience->deadline = patience->notice.started + p->config.touch_nanos;
}

void tell(struct hmm_pager *p, struct patience *patience, enum hmm_notice_kind kind) {
  patience->told = true;
  patience->notice.kind = kind;
  patience->notice.now = nanos();
  if (!patience->notice.started) patience->notice.started = patience->notice.now;
  pthread_mutex_lock(&p->notices.lock);
  if (kind == HMM_NOTICE_WAITS) p->notices.waits_told++;
  if (kind == HMM_NOTICE_ENDED || kind == HMM_NOTICE_GIVEN_UP) p->notices.waits_told--;
  if (p->notices.count < NOTICES) p->notices.ring[(p->notices.first + p->notices.count++) % NOTICES] = patience->notice;
  condition_signal(&p->notices.changed);
  pthread_mutex_unlock(&p->notices.lock);
}

void tell_refused(struct hmm_pager *p, struct patience *patience, const struct hmm_failure *failure) {
  patience->notice.failure = *failure;
  tell(p, patience, HMM_NOTICE_REFUSED);
}

HMM_API int hmm_await_notice(struct hmm_pager *p, struct hmm_notice *notice) {
  pthread_mutex_lock(&p->notices.lock);
  // Whoever has heard of a wait hears of its end, also after the end of all: it may be told a moment after the thread has gone on.
  while (!p->notices.count && (!p->notices.ended || p->notices.waits_told)) condition_wait(&p->notices.changed, &p->notices.lock, 0);
  bool any = p->notices.count;
  if (any) {
    *notice = p->notices.ring[p->notices.first];
    p->notices.first = (p->notices.first + 1) % NOTICES;
    p->notices.count--;
  }
  pthread_mutex_unlock(&p->notices.lock);
  return any;
}

HMM_API int hmm_end_notices(struct hmm_pager *p) {
  pthread_mutex_lock(&p->notices.lock);
  p->notices.ended = true;
  condition_broadcast(&p->notices.changed);
  pthread_mutex_unlock(&p->notices.lock);
  return 0;
}
