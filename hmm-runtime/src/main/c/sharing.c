// sharing.c - what has come over the bus goes to its pages by several threads: one alone copies more slowly than a fast bus carries.
//
// Whoever copies does his share and waits for those who help, so a copy needs no helper to come to its end. One copy at a time is shared; a second one meanwhile is its owner's alone.
#include <string.h>

#include "internal.h"

#ifndef COPY_SHARE // bytes for which it is worth to wake somebody; tests have less
#define COPY_SHARE (256UL << 10)
#endif

void sharing_open(struct hmm_pager *p) {
  pthread_mutex_init(&p->sharing.lock, NULL);
  pthread_cond_init(&p->sharing.begun, NULL);
  pthread_cond_init(&p->sharing.over, NULL);
}

static void copy_between(const struct part *parts, unsigned count, const char *from, size_t begin, size_t end) {
  size_t at = 0;
  for (unsigned i = 0; i < count && at < end; at += parts[i++].bytes) {
    size_t first = begin > at ? begin - at : 0, last = end - at < parts[i].bytes ? end - at : parts[i].bytes;
    if (first < last) memcpy(parts[i].host + first, from + at + first, last - first);
  }
}

static void copy_shares(struct sharing *s) {
  size_t at;
  while ((at = atomic_fetch_add(&s->taken, COPY_SHARE)) < s->bytes) {
    copy_between(s->parts, s->part_count, s->from, at, s->bytes - at < COPY_SHARE ? s->bytes : at + COPY_SHARE);
  }
}

static void *help(void *arg) {
  struct sharing *s = &((struct hmm_pager *)arg)->sharing;
  uint64_t seen = 0;
  pthread_mutex_lock(&s->lock);
  while (true) {
    while (!s->stopping && !(s->open && s->number != seen)) pthread_cond_wait(&s->begun, &s->lock);
    if (s->stopping) break;
    seen = s->number;
    s->working++;
    pthread_mutex_unlock(&s->lock);
    copy_shares(s);
    pthread_mutex_lock(&s->lock);
    if (!--s->working) pthread_cond_signal(&s->over);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

// Whether there is somebody to share with. The lock is held.
static bool has_helpers(struct hmm_pager *p, size_t bytes) {
  struct sharing *s = &p->sharing;
  size_t wanted = bytes / COPY_SHARE, most = p->config.copy_threads > MOST_HELPERS ? MOST_HELPERS : (size_t)p->config.copy_threads;
  if (wanted > most) wanted = most;
  while (s->count + 1 < wanted && !start_own_thread(&s->helpers[s->count], NULL, help, p)) s->count++;
  return wanted > 1 && s->count;
}

void share_out(struct hmm_pager *p, const struct part *parts, unsigned count, const char *from) {
  struct sharing *s = &p->sharing;
  size_t bytes = 0;
  for (unsigned i = 0; i < count; i++) bytes += parts[i].bytes;
  pthread_mutex_lock(&s->lock);
  bool shared = !s->open && !s->working && has_helpers(p, bytes);
  if (shared) {
    s->parts = parts;
    s->part_count = count;
    s->from = from;
    s->bytes = bytes;
    atomic_store(&s->taken, 0);
    s->open = true;
    s->number++;
    pthread_cond_broadcast(&s->begun);
  }
  pthread_mutex_unlock(&s->lock);
  if (!shared) {
    copy_between(parts, count, from, 0, bytes);
    return;
  }
  copy_shares(s);
  pthread_mutex_lock(&s->lock);
  s->open = false; // who has not come by now is not needed
  while (s->working) pthread_cond_wait(&s->over, &s->lock);
  pthread_mutex_unlock(&s->lock);
}

void sharing_close(struct hmm_pager *p) {
  struct sharing *s = &p->sharing;
  pthread_mutex_lock(&s->lock);
  s->stopping = true;
  pthread_cond_broadcast(&s->begun);
  pthread_mutex_unlock(&s->lock);
  for (unsigned i = 0; i < s->count; i++) pthread_join(s->helpers[i], NULL);
}
