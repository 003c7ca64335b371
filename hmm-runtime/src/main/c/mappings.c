// mappings.c - the protection of every page under the SIGSEGV trap, in fewer mappings than the process may have.
//
// Each stretch of pages that are protected alike is one mapping of the kernel's, and a process may have 65,530 of these (vm.max_map_count): threads, files and the JVM's heap need
// them, too. All heaps together keep to a half. A mapping is only a cache of the page words and may always allow less, so where there are too many, a part of a heap is closed, which
// makes one of many, and its pages fault again. What is pinned stays as it is, since system calls rely on it, and what is claimed, since it is about to be pinned, perhaps.
// So that pins leave room for the others, they get a half of the half, and the next is refused.
//
// Here is known, too, which pages are mapped: protecting those that are writable closes no others, and opens none.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "internal.h"

#define USUAL_MAX_MAP_COUNT 65530

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // over `mprotect` as well: the kernel does one at a time anyway
static struct hmm_pager *heaps;
static int64_t used, most; // boundaries between pages that are protected differently, in all heaps

static int64_t share(void) {
  long limit = 0;
  FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
  if (f && fscanf(f, "%ld", &limit) != 1) limit = 0;
  if (f) fclose(f);
  return (limit > 0 ? limit : USUAL_MAX_MAP_COUNT) / 2;
}

int open_mappings(struct hmm_pager *p) {
  p->mappings.access = calloc((size_t)p->config.page_count, 1);
  if (!p->mappings.access) return -ENOMEM;
  int result = map_app(p, PROT_NONE);
  if (result) {
    unmap_app(p);
    free(p->mappings.access);
    return result;
  }
  pthread_mutex_lock(&lock);
  if (!most) most = share();
  p->mappings.next = heaps;
  heaps = p;
  pthread_mutex_unlock(&lock);
  return 0;
}

// Of pages first - 1 to end.
static int64_t boundaries(const struct hmm_pager *p, uint64_t first, uint64_t end) {
  const uint8_t *access = p->mappings.access;
  int64_t n = 0;
  for (uint64_t page = first ? first : 1; page <= end && page < p->config.page_count; page++) n += access[page] != access[page - 1];
  return n;
}

void close_mappings(struct hmm_pager *p) {
  pthread_mutex_lock(&lock);
  struct hmm_pager **at = &heaps;
  while (*at != p) at = &(*at)->mappings.next;
  *at = p->mappings.next;
  used -= boundaries(p, 0, p->config.page_count);
  pthread_mutex_unlock(&lock);
  free(p->mappings.access);
}

static bool is_all(const struct hmm_pager *p, uint64_t first, uint64_t end, uint8_t access) {
  const uint8_t *at = p->mappings.access + first;
  return *at == access && !memcmp(at, at + 1, (size_t)(end - first - 1));
}

static bool is_kept(const struct hmm_pager *p, uint64_t page) {
  if (p->mappings.access[page] == CLOSED) return false;
  uint64_t w = load_word(p, page);
  return word_state(w) == TO_HOST || word_pins(w, false) || word_pins(w, true);
}

// The lock is held by whoever calls this and what follows.
static bool protect(const struct hmm_pager *p, uint64_t first, uint64_t end, uint8_t access) {
  static const int protections[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};
  return !mprotect(app_of(p, first), (size_t)((end - first) << p->config.page_shift), protections[access]);
}

static uint64_t stretch_end(const struct hmm_pager *p, uint64_t first, uint64_t end) {
  uint64_t until = first + 1;
  while (until < end && p->mappings.access[until] == p->mappings.access[first]) until++;
  return until;
}

// To close all of a heap takes no mapping more. What must stay as it is gets open again, with those that this frees.
static void close_all_but_kept(struct hmm_pager *p) {
  uint64_t count = p->config.page_count;
  uint8_t *access = p->mappings.access;
  used -= boundaries(p, 0, count);
  protect(p, 0, count, CLOSED);
  for (uint64_t page = 0; page < count; page++) {
    if (!is_kept(p, page) || !protect(p, page, page + 1, access[page])) access[page] = CLOSED;
  }
  used += boundaries(p, 0, count);
}

// If the kernel refuses in the middle of a stretch, what it has done before is more than the words allow, perhaps, or less
// than pins rely on.
static void put_back(struct hmm_pager *p, uint64_t first, uint64_t end) {
  for (uint64_t at = first; at < end;) {
    uint64_t until = stretch_end(p, at, end);
    if (!protect(p, at, until, p->mappings.access[at])) {
      close_all_but_kept(p); // others have taken the mappings that this needs
      return;
    }
    at = until;
  }
}

static int change(struct hmm_pager *p, uint64_t first, uint64_t end, uint8_t access) {
  if (is_all(p, first, end, access)) return 0;
  if (!protect(p, first, end, access)) {
    int error = errno;
    put_back(p, first, end);
    return -error;
  }
  used -= boundaries(p, first, end);
  memset(p->mappings.access + first, access, (size_t)(end - first));
  used += boundaries(p, first, end);
  return 0;
}

// Closes what may be closed, stretch by stretch from where it last ended, until no more than `goal` are left or it has been everywhere.
static void close_some(struct hmm_pager *p, int64_t goal) {
  uint64_t count = p->config.page_count;
  if (!goal) p->mappings.hand = 0; // all at once takes no mapping more, not even for a moment
  for (uint64_t seen = 0; seen < count && used > goal;) {
    uint64_t first = p->mappings.hand, end = first;
    int64_t fewer = 0;
    while (end < count && used - fewer > goal && !is_kept(p, end)) {
      fewer += end > first && p->mappings.access[end] != p->mappings.access[end - 1];
      end++;
    }
    if (fewer) change(p, first, end, CLOSED); // if the kernel has no room even for that, the next stretch may do
    if (end == first) end++; // kept
    seen += end - first;
    p->mappings.hand = end < count ? end : 0;
  }
}

static void make_room(struct hmm_pager *p, int64_t goal) {
  close_some(p, goal);
  for (struct hmm_pager *other = heaps; other && used > goal; other = other->mappings.next) {
    if (other != p) close_some(other, goal);
  }
}

static int set_locked(struct hmm_pager *p, uint64_t first, uint64_t end, uint8_t access) {
  if (used + 2 > most) make_room(p, most - most / 8);
  int result = change(p, first, end, access);
  if (result == -ENOMEM) { // others have used up what is not ours
    make_room(p, 0);
    result = change(p, first, end, access);
  }
  return result;
}

int set_mapping(struct hmm_pager *p, uint64_t first, uint64_t end, uint8_t access) {
  pthread_mutex_lock(&lock);
  int result = set_locked(p, first, end, access);
  pthread_mutex_unlock(&lock);
  return result;
}

int lower_mapping(struct hmm_pager *p, uint64_t first, uint64_t end) {
  int result = 0;
  pthread_mutex_lock(&lock);
  for (uint64_t at = first; at < end && !result;) {
    uint64_t until = stretch_end(p, at, end);
    if (p->mappings.access[at] == WRITABLE) result = set_locked(p, at, until, READABLE);
    at = until;
  }
  pthread_mutex_unlock(&lock);
  return result;
}

int mappings_for_pins(struct hmm_pager *p) {
  pthread_mutex_lock(&lock);
  if (used + 2 > most / 2) make_room(p, most / 4);
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
