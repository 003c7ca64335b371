// notice.c - tells of touches that wait long for a launch, and of those that become errors.
//
// No Java code can run where a touch is served, and nobody there may wait for it: so a thread of Java sleeps in hmm_await_notice, in native state, where no safepoint waits for it.
#include <string.h>

#include "internal.h"

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
  pthread_mutex_lock(&p->notice_lock);
  if (kind == HMM_NOTICE_WAITS) p->waits_told++;
  if (kind == HMM_NOTICE_ENDED || kind == HMM_NOTICE_GIVEN_UP) p->waits_told--;
  if (p->notice_count < NOTICES) p->notices[(p->notice_first + p->notice_count++) % NOTICES] = patience->notice;
  condition_signal(&p->notice_changed);
  pthread_mutex_unlock(&p->notice_lock);
}

void tell_refused(struct hmm_pager *p, struct patience *patience, const struct hmm_failure *failure) {
  patience->notice.failure = *failure;
  tell(p, patience, HMM_NOTICE_REFUSED);
}

HMM_API int hmm_await_notice(struct hmm_pager *p, struct hmm_notice *notice) {
  pthread_mutex_lock(&p->notice_lock);
  // Whoever has heard of a wait hears of its end, also after the end of all: it may be told a moment after the thread has gone on.
  while (!p->notice_count && (!p->notices_ended || p->waits_told)) condition_wait(&p->notice_changed, &p->notice_lock, 0);
  bool any = p->notice_count;
  if (any) {
    *notice = p->notices[p->notice_first];
    p->notice_first = (p->notice_first + 1) % NOTICES;
    p->notice_count--;
  }
  pthread_mutex_unlock(&p->notice_lock);
  return any;
}

HMM_API int hmm_end_notices(struct hmm_pager *p) {
  pthread_mutex_lock(&p->notice_lock);
  p->notices_ended = true;
  condition_broadcast(&p->notice_changed);
  pthread_mutex_unlock(&p->notice_lock);
  return 0;
}
