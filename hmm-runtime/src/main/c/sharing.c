// sharing.c - bulk moves are carried between slots and pages by several threads: one alone copies more slowly than a fast bus carries.
//
// The owner of a copy takes shares of it until none is left and then waits for helpers that are in the middle of one: so no copy needs a helper that sleeps. One copy at a time is shared, until its owner has left; a second
// one meanwhile is its owner's alone. So what helpers work at is always that copy, and one thread at most waits for them.
#define _GNU_SOURCE
#include <string.h>

#include "crew.h"
#include "pager.h"
#include "sharing.h"
#include "staging.h"
#include "turns.h"

#ifndef COPY_SHARE // bytes for which it is worth to wake somebody; tests have less
#define COPY_SHARE (256UL << 10)
#endif

static void copy_between(const struct part *parts, unsigned count, const char *from, size_t begin, size_t end) {
  size_t at = 0;
  for (unsigned i = 0; i < count && at < end; at += parts[i++].bytes) {
    size_t first = begin > at ? begin - at : 0, last = end - at < parts[i].bytes ? end - at : parts[i].bytes;
    if (first < last) memcpy(parts[i].host + first, from + at + first, last - first);
  }
}

static bool has_shares(struct sharing *s) { return atomic_load(&s->taken) < s->bytes; }

static void copy_shares(struct sharing *s) {
  size_t at;
  while ((at = atomic_fetch_add(&s->taken, COPY_SHARE)) < s->bytes) copy_between(s->parts, s->part_count, s->from, at, s->bytes - at < COPY_SHARE ? s->bytes : at + COPY_SHARE);
}

static void *help(void *arg) {
  struct sharing *s = &((struct hmm_pager *)arg)->sharing;
  ask_for_short_turns();
  pthread_mutex_lock(&s->lock);
  while (true) {
    while (!s->stopping && !has_shares(s)) condition_wait(&s->begun, &s->lock, 0);
    if (s->stopping) break;
    s->working++;
    pthread_mutex_unlock(&s->lock);
    copy_shares(s);
    pthread_mutex_lock(&s->lock);
    if (!--s->working) condition_signal(&s->over);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

// Whether there is somebody to share with. The lock is held.
static bool has_helpers(struct hmm_pager *p, size_t bytes) {
  struct sharing *s = &p->sharing;
  size_t wanted = bytes / COPY_SHARE;
  if (wanted > p->config.copy_threads) wanted = (size_t)p->config.copy_threads;
  if (wanted > MOST_HELPERS + 1) wanted = MOST_HELPERS + 1;
  while (s->count + 1 < wanted && !start_own_thread(&s->helpers[s->count], NULL, help, p)) s->count++;
  return wanted > 1 && s->count;
}

static bool begin_sharing(struct hmm_pager *p, const struct part *parts, unsigned count, const char *from, size_t bytes) {
  struct sharing *s = &p->sharing;
  if (p->config.copy_threads < 2 || bytes / COPY_SHARE < 2) return false;
  pthread_mutex_lock(&s->lock);
  bool shared = !s->owned && has_helpers(p, bytes);
  if (shared) {
    s->owned = true;
    s->parts = parts;
    s->part_count = count;
    s->from = from;
    s->bytes = bytes;
    atomic_store(&s->taken, 0);
    condition_broadcast(&s->begun);
  }
  pthread_mutex_unlock(&s->lock);
  return shared;
}

void share_out(struct hmm_pager *p, const struct part *parts, unsigned count, const char *from) {
  struct sharing *s = &p->sharing;
  size_t bytes = 0;
  for (unsigned i = 0; i < count; i++) bytes += parts[i].bytes;
  if (!begin_sharing(p, parts, count, from, bytes)) {
    copy_between(parts, count, from, 0, bytes);
    return;
  }
  copy_shares(s); // from here on there are none, and who has not come by now does not come
  pthread_mutex_lock(&s->lock);
  while (s->working) condition_wait(&s->over, &s->lock, 0);
  s->owned = false;
  pthread_mutex_unlock(&s->lock);
}

void sharing_close(struct hmm_pager *p) {
  struct sharing *s = &p->sharing;
  pthread_mutex_lock(&s->lock);
  s->stopping = true;
  condition_broadcast(&s->begun);
  pthread_mutex_unlock(&s->lock);
  for (unsigned i = 0; i < s->count; i++) pthread_join(s->helpers[i], NULL);
}
