// mappings.c - the protection of every page under the SIGSEGV trap, in fewer mappings than the process may have.
//
// Each stretch of pages that are protected alike is one mapping of the kernel's, and a process may have 65,530 of these (vm.max_map_count): threads, files and the JVM's heap need
// them, too. All heaps together keep to a half. A mapping is only a cache of the page words and may always allow less, so where there are too many, a part of a heap is closed, which
// makes one of many, and its pages fault again. What is pinned stays as it is, since system calls rely on it, and what is claimed, since it is about to be pinned, perhaps.
// So that pins leave room for the others, they get a half of the half, and the next is refused.
//
// The range of a device whose kernels fault is protected in the same way (range_sigsegv.c), and counted with the heaps: of it what a thread was just given stays open.
//
// Here is known, too, which pages are mapped: protecting those that are writable closes no others, and opens none.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mappings.h"
#include "memory.h"
#include "pager.h"

#define USUAL_MAX_MAP_COUNT 65530

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // over `mprotect` as well: the kernel does one at a time anyway
static struct mappings *all;
static int64_t used, most; // boundaries between pages that are protected differently, in all of them

static int64_t share(void) {
  long limit = 0;
  FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
  if (f && fscanf(f, "%ld", &limit) != 1) limit = 0;
  if (f) fclose(f);
  return (limit > 0 ? limit : USUAL_MAX_MAP_COUNT) / 2;
}

int begin_mappings(struct mappings *m, char *at, uint64_t count, unsigned shift, bool (*is_kept)(const void *of, uint64_t page), const void *of) {
  *m = (struct mappings){.at = at, .count = count, .shift = shift, .is_kept = is_kept, .of = of, .access = calloc((size_t)count, 1)};
  if (!m->access) return -ENOMEM;
  pthread_mutex_lock(&lock);
  if (!most) most = share();
  m->next = all;
  all = m;
  pthread_mutex_unlock(&lock);
  return 0;
}

// System calls rely on what is pinned, and what is claimed is about to be pinned, perhaps.
static bool is_relied_on(const void *of, uint64_t page) {
  uint64_t w = load_word(of, page);
  return word_state(w) == TO_HOST || word_pins(w, false) || word_pins(w, true);
}

int open_mappings(struct hmm_pager *p) {
  int result = map_app(p, PROT_NONE);
  if (!result) result = begin_mappings(&p->mappings, app_of(p, 0), p->config.page_count, (unsigned)p->config.page_shift, is_relied_on, p);
  if (result) unmap_app(p);
  return result;
}

// Of pages first - 1 to end.
static int64_t boundaries(const struct mappings *m, uint64_t first, uint64_t end) {
  const uint8_t *access = m->access;
  int64_t n = 0;
  for (uint64_t page = first ? first : 1; page <= end && page < m->count; page++) n += access[page] != access[page - 1];
  return n;
}

void end_mappings(struct mappings *m) {
  pthread_mutex_lock(&lock);
  struct mappings **at = &all;
  while (*at != m) at = &(*at)->next;
  *at = m->next;
  used -= boundaries(m, 0, m->count);
  pthread_mutex_unlock(&lock);
  free(m->access);
}

static bool is_all(const struct mappings *m, uint64_t first, uint64_t end, uint8_t access) {
  const uint8_t *at = m->access + first;
  return *at == access && !memcmp(at, at + 1, (size_t)(end - first - 1));
}

static bool is_kept(const struct mappings *m, uint64_t page) { return m->access[page] != CLOSED && m->is_kept(m->of, page); }

// The lock is held by whoever calls this and what follows.
static bool protect(const struct mappings *m, uint64_t first, uint64_t end, uint8_t access) {
  static const int protections[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};
  return !mprotect(m->at + (first << m->shift), (size_t)((end - first) << m->shift), protections[access]);
}

static uint64_t stretch_end(const struct mappings *m, uint64_t first, uint64_t end) {
  uint64_t until = first + 1;
  while (until < end && m->access[until] == m->access[first]) until++;
  return until;
}

// To close all of a heap takes no mapping more. What must stay as it is gets open again, with those that this frees.
static void close_all_but_kept(struct mappings *m) {
  uint64_t count = m->count;
  uint8_t *access = m->access;
  used -= boundaries(m, 0, count);
  protect(m, 0, count, CLOSED);
  for (uint64_t page = 0; page < count; page++) {
    if (!is_kept(m, page) || !protect(m, page, page + 1, access[page])) access[page] = CLOSED;
  }
  used += boundaries(m, 0, count);
}

// If the kernel refuses in the middle of a stretch, what it has done before is more than the words allow, perhaps, or less
// than pins rely on.
static void put_back(struct mappings *m, uint64_t first, uint64_t end) {
  for (uint64_t at = first; at < end;) {
    uint64_t until = stretch_end(m, at, end);
    if (!protect(m, at, until, m->access[at])) {
      close_all_but_kept(m); // others have taken the mappings that this needs
      return;
    }
    at = until;
  }
}

static int change(struct mappings *m, uint64_t first, uint64_t end, uint8_t access) {
  if (is_all(m, first, end, access)) return 0;
  if (!protect(m, first, end, access)) {
    int error = errno;
    put_back(m, first, end);
    return -error;
  }
  used -= boundaries(m, first, end);
  memset(m->access + first, access, (size_t)(end - first));
  used += boundaries(m, first, end);
  return 0;
}

// Closes what may be closed, stretch by stretch from where it last ended, until no more than `goal` are left or it has been everywhere.
static void close_some(struct mappings *m, int64_t goal) {
  uint64_t count = m->count;
  if (!goal) m->hand = 0; // all at once takes no mapping more, not even for a moment
  for (uint64_t seen = 0; seen < count && used > goal;) {
    uint64_t first = m->hand, end = first;
    int64_t fewer = 0;
    while (end < count && used - fewer > goal && !is_kept(m, end)) {
      fewer += end > first && m->access[end] != m->access[end - 1];
      end++;
    }
    if (fewer) change(m, first, end, CLOSED); // if the kernel has no room even for that, the next stretch may do
    if (end == first) end++; // kept
    seen += end - first;
    m->hand = end < count ? end : 0;
  }
}

static void make_room(struct mappings *m, int64_t goal) {
  close_some(m, goal);
  for (struct mappings *other = all; other && used > goal; other = other->next) {
    if (other != m) close_some(other, goal);
  }
}

static int set_locked(struct mappings *m, uint64_t first, uint64_t end, uint8_t access) {
  if (used + 2 > most) make_room(m, most - most / 8);
  int result = change(m, first, end, access);
  if (result == -ENOMEM) { // others have used up what is not ours
    make_room(m, 0);
    result = change(m, first, end, access);
  }
  return result;
}

int set_mapping(struct mappings *m, uint64_t first, uint64_t end, uint8_t access) {
  pthread_mutex_lock(&lock);
  int result = set_locked(m, first, end, access);
  pthread_mutex_unlock(&lock);
  return result;
}

int lower_mapping(struct mappings *m, uint64_t first, uint64_t end) {
  int result = 0;
  pthread_mutex_lock(&lock);
  for (uint64_t at = first; at < end && !result;) {
    uint64_t until = stretch_end(m, at, end);
    if (m->access[at] == WRITABLE) result = set_locked(m, at, until, READABLE);
    at = until;
  }
  pthread_mutex_unlock(&lock);
  return result;
}

void shut_mapping(struct mappings *m, uint64_t first, uint64_t end) {
  pthread_mutex_lock(&lock);
  if (set_locked(m, first, end, CLOSED)) { // to close all of it takes no mapping more
    used -= boundaries(m, 0, m->count);
    protect(m, 0, m->count, CLOSED);
    memset(m->access, CLOSED, (size_t)m->count);
  }
  pthread_mutex_unlock(&lock);
}

bool is_mapped(const struct mappings *m, uint64_t page, uint8_t access) {
  pthread_mutex_lock(&lock);
  bool mapped = m->access[page] >= access;
  pthread_mutex_unlock(&lock);
  return mapped;
}

int mappings_for_pins(struct hmm_pager *p) {
  pthread_mutex_lock(&lock);
  if (used + 2 > most / 2) make_room(&p->mappings, most / 4);
  int result = used + 2 > most / 2 ? -ENOMEM : 0;
  pthread_mutex_unlock(&lock);
  return result;
}

HMM_API int hmm_mappings(uint64_t *now, uint64_t *at_most) {
  pthread_mutex_lock(&lock);
  *now = (uint64_t)used;
  *at_most = (uint64_t)most;
  pthread_mutex_unlock(&lock);
  return 0;
}

uint64_t limit_mappings(uint64_t limit) {
  pthread_mutex_lock(&lock);
  int64_t before = most ? most : share();
  most = (int64_t)limit;
  pthread_mutex_unlock(&lock);
  return (uint64_t)before;
}
