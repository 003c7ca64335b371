// mapping_test.c - the kernel's mappings: how many a heap takes, what happens when there is no room for more, and how few calls a touch needs.
#define _GNU_SOURCE
#include "heap.h"
#include "answers.h"
#include "mappings.h"
#include "system.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FEW 64 // mappings that heaps may take, where a test says so

static bool by_signal(const struct shape *shape) { return shape->rung == HMM_SIGSEGV; }
static bool serves_system_calls(const struct shape *shape) { return shape->rung == HMM_UFFD_SYSCALL || shape->rung == HMM_UFFD_DEVICE; }

static uint64_t mappings_of(const struct heap *h) {
  uint64_t n = 0, start, end;
  char line[4096];
  FILE *f = fopen("/proc/self/maps", "r");
  CHECK(f);
  while (fgets(line, sizeof line, f)) {
    if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2) n += start < (uintptr_t)h->app + h->pages * PAGE && end > (uintptr_t)h->app;
  }
  fclose(f);
  return n;
}

static void check_few(const struct heap *h) {
  uint64_t used, most;
  hmm_mappings(&used, &most);
  CHECK(used <= most);
  if (by_signal(h->shape)) CHECK_EQUAL(mappings_of(h), used + 1);
  else CHECK(mappings_of(h) <= 2 * ANSWERS + 1);
}

// ---- how many

static void every_second_page_is_written(const struct shape *shape) {
  uint64_t before = limit_mappings(FEW);
  struct heap *h = open_heap(shape, 2000, 1);
  for (int round = 0; round < 2; round++) {
    for (uint64_t page = 0; page < h->pages; page += 2) put(h, page, (unsigned char)(page % 251));
    check_few(h);
    for (uint64_t page = 0; page < h->pages; page++) expect(h, page, page % 2 ? 0 : (unsigned char)(page % 251));
    check_few(h);
  }
  close_heap(h);
  limit_mappings(before);
}

static void every_second_page_is_protected(const struct shape *shape) {
  uint64_t before = limit_mappings(FEW);
  struct heap *h = open_heap(shape, 1000, 1);
  unsigned char value;
  for (uint64_t page = 0; page < h->pages; page++) put(h, page, 1);
  for (uint64_t page = 0; page < h->pages; page += 2) protect(h, page, page % 4 ? 1 : 0);
  check_few(h);
  for (uint64_t page = 0; page < h->pages; page++) {
    CHECK_EQUAL(touch_read(h, page, &value) != 0, page % 4 == 0);
    CHECK_EQUAL(touch_write(h, page, 2) != 0, page % 2 == 0);
  }
  check_few(h);
  for (uint64_t page = 0; page < h->pages; page += 2) protect(h, page, 2);
  for (uint64_t page = 0; page < h->pages; page++) expect(h, page, page % 2 ? 2 : 1);
  for (uint64_t page = 0; page < h->pages; page++) put(h, page, 3);
  check_few(h);
  close_heap(h);
  limit_mappings(before);
}

static void every_second_page_is_an_error(const struct shape *shape) {
  uint64_t before = limit_mappings(FEW);
  struct heap *h = open_heap(shape, 1000, 1);
  unsigned char value;
  for (uint64_t page = 0; page < h->pages; page += 2) set_word(h, page, word_next(0, page % 4 ? POISONED : UNMAPPED, 0, 0, 0));
  for (uint64_t page = 0; page < h->pages; page++) CHECK_EQUAL(touch_read(h, page, &value) != 0, page % 2 == 0);
  check_few(h);
  close_heap(h);
  limit_mappings(before);
}

// Pages that devices read stay readable here, those that they write go, and neither takes mappings without end.
static void every_second_page_moves(const struct shape *shape) {
  uint64_t before = limit_mappings(FEW);
  struct heap *h = open_heap(shape, 400, 1);
  for (uint64_t page = 0; page < h->pages; page++) put(h, page, (unsigned char)(page % 251));
  for (uint64_t page = 0; page < h->pages; page += 2) CHECK(move_to(h, page, 0, page % 4));
  check_few(h);
  for (uint64_t page = 0; page < h->pages; page++) expect(h, page, (unsigned char)(page % 251));
  for (uint64_t page = 0; page < h->pages; page++) CHECK_EQUAL(state(h, page), page % 2 ? HOST : SHARED);
  for (uint64_t page = 0; page < h->pages; page += 2) put(h, page, 7);
  for (uint64_t page = 0; page < h->pages; page += 2) CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], 7);
  check_few(h);
  close_heap(h);
  limit_mappings(before);
}

// ---- pins

static bool system_call_reads(struct heap *h, uint64_t page, unsigned char value) {
  off_t spare = (off_t)(h->pages - 1) * (off_t)PAGE;
  if (pwrite(h->memfd, (const void *)(uintptr_t)(h->app + page * PAGE + MIDDLE), 1, spare) != 1) return false;
  CHECK_EQUAL(h->alias[spare], value);
  return true;
}
static bool system_call_writes(struct heap *h, uint64_t page, unsigned char value) {
  off_t spare = (off_t)(h->pages - 1) * (off_t)PAGE;
  h->alias[spare] = value;
  return pread(h->memfd, (void *)(uintptr_t)(h->app + page * PAGE + MIDDLE), 1, spare) == 1 && h->alias[page * PAGE + MIDDLE] == value;
}

static void pins_outlast_a_lack_of_mappings(const struct shape *shape) {
  uint64_t before = limit_mappings(FEW);
  struct heap *h = open_heap(shape, 1001, 1);
  for (uint64_t page = 0; page < 1000; page++) put(h, page, (unsigned char)(page % 251));
  for (uint64_t page = 100; page < 110; page += 2) CHECK_EQUAL(fetch(h, page, page + 1, HMM_PIN | HMM_MAP | (page % 4 ? HMM_EXCLUSIVE : 0)), 0);
  for (uint64_t page = 1; page < 1000; page += 2) CHECK(move_to(h, page, 0, true));
  for (uint64_t page = 1; page < 1000; page += 2) expect(h, page, (unsigned char)(page % 251));
  CHECK(move_to(h, 100, 0, false)); // pinned for reading: a device may read it, too
  for (uint64_t page = 100; page < 110; page += 2) {
    CHECK(system_call_reads(h, page, (unsigned char)(page % 251)));
    if (page % 4) CHECK(system_call_writes(h, page, 9));
    unpin(h, page, page % 4);
  }
  check_few(h);
  close_heap(h);
  limit_mappings(before);
}

static void pins_leave_mappings_for_others(const struct shape *shape) {
  if (!by_signal(shape)) return; // a pin takes none elsewhere
  uint64_t before = limit_mappings(FEW), pinned = 0;
  struct heap *h = open_heap(shape, 1001, 1), *other = open_heap(shape, 100, 1);
  struct hmm_failure failure = {0};
  int result = 0;
  while (!result && pinned < 500) {
    result = hmm_fetch(h->pager, 2 * pinned, 2 * pinned + 1, HMM_PIN | HMM_MAP, NULL, NULL, &failure);
    pinned += !result;
  }
  CHECK_EQUAL(result, -ENOMEM);
  CHECK(failure.reason == HMM_SYSTEM && failure.status == ENOMEM && failure.call == HMM_CALL_MAP && failure.page == (int64_t)(2 * pinned));
  CHECK(pinned > FEW / 8 && pinned <= FEW / 4);
  CHECK_EQUAL(word_pins(word(h, 2 * pinned), false), 0);
  for (uint64_t page = 1; page < 1000; page += 2) put(h, page, 5);
  for (uint64_t page = 1; page < 100; page += 2) put(other, page, 6);
  uint64_t used, most;
  hmm_mappings(&used, &most);
  CHECK(used <= most && mappings_of(h) + mappings_of(other) == used + 2);
  for (uint64_t i = 0; i < pinned; i++) {
    CHECK(system_call_reads(h, 2 * i, 0));
    unpin(h, 2 * i, false);
  }
  CHECK_EQUAL(fetch(h, 2 * pinned, 2 * pinned + 1, HMM_PIN | HMM_MAP), 0);
  unpin(h, 2 * pinned, false);
  CHECK_EQUAL(hmm_close(other->pager), 0);
  free_heap(other);
  close_heap(h);
  limit_mappings(before);
}

// Somebody else's attempt to map the page fails on its neighbour.
static void a_pin_outlasts_the_failure_of_others(const struct shape *shape) {
  for (uint64_t i = 0; i < (by_signal(shape) ? 4 : 2); i++) {
    bool write = i % 2, without_room = i / 2; // to put back what was there; then all is closed, and there is some
    struct heap *h = open_heap(shape, 16, 1);
    put(h, 1, 10);
    put(h, 2, 20);
    put(h, 5, 50);
    CHECK_EQUAL(fetch(h, 5, 6, HMM_PIN | HMM_MAP), 0);
    if (!write) CHECK(move_to(h, 1, 0, false));
    CHECK_EQUAL(fetch(h, 1, 2, HMM_PIN | HMM_MAP | (write ? HMM_EXCLUSIVE : 0)), 0);
    CHECK_EQUAL(hmm_forbid(h->pager, 2, 3, 0), 0);
    enum failing refusal = by_signal(shape) ? PROTECTING_A_SECOND_PAGE : MAPPINGS_AFTER_THE_FIRST;
    system_fails(without_room ? OPENING_UNTIL_ALL_IS_CLOSED : refusal);
    CHECK_EQUAL(fetch(h, 1, 3, HMM_PIN | HMM_MAP | HMM_EXCLUSIVE), without_room ? 0 : -EINVAL);
    CHECK(system_call_reads(h, 5, 50));
    CHECK(system_call_reads(h, 1, 10));
    if (write) CHECK(system_call_writes(h, 1, 11));
    system_fails(NOTHING);
    unpin(h, 1, write);
    unpin(h, 5, false);
    for (uint64_t page = 1; page < 3 && without_room; page++) unpin(h, page, true);
    put(h, 1, 12);
    expect(h, 2, 20);
    CHECK_EQUAL(state(h, 1), HOST);
    close_heap(h);
  }
}

static void write_to_the_first(void *heap) {
  const struct heap *h = heap;
  *(volatile char *)(h->app + PAGE + MIDDLE) = 11;
}

// A page was mapped to be written, and was, before the mapping of its neighbour fails: what a device has of it is old.
static void what_is_written_before_a_failure_stays(const struct shape *shape) {
  for (int owned = 0; owned < 2; owned++) {
    struct heap *h = open_heap(shape, 16, 1);
    put(h, 1, 10);
    put(h, 2, 20);
    CHECK(move_to(h, 1, 0, owned));
    if (!owned) CHECK_EQUAL(hmm_forbid(h->pager, 1, 2, 0), 0);
    when_refused(write_to_the_first, h);
    system_fails(by_signal(shape) ? PROTECTING_A_SECOND_PAGE : MAPPINGS_AFTER_THE_FIRST);
    CHECK_EQUAL(fetch(h, 1, 3, HMM_PIN | HMM_MAP | HMM_EXCLUSIVE), -EINVAL);
    system_fails(NOTHING);
    CHECK_EQUAL(state(h, 1), HOST);
    expect(h, 1, 11);
    expect(h, 2, 20);
    CHECK(move_to(h, 1, 0, true));
    expect(h, 1, 11);
    close_heap(h);
  }
}

// The mapping of a page that was to be read cannot be taken away either when that of another fails: the host reads what the device writes next, so a write there has to take it first.
static void what_cannot_be_closed_is_shared(const struct shape *shape) {
  struct heap *h = open_heap(shape, 16, 1);
  for (uint64_t page = 1; page < 4; page++) put(h, page, (unsigned char)(10 * page));
  for (uint64_t page = 1; page < 4; page += 2) CHECK(move_to(h, page, 0, true));
  system_fails(MAPPINGS_AND_CLOSING);
  CHECK(fetch(h, 1, 4, HMM_MAP) < 0);
  system_fails(NOTHING);
  expect(h, 1, 10);
  CHECK_EQUAL(state(h, 1), SHARED);
  CHECK(move_to(h, 1, 0, true)); // closes it
  fill_frame(h, 0, 1, 11);
  expect(h, 1, 11);
  expect(h, 3, 30);
  close_heap(h);
}

// Threads that need more mappings than there are, all at once, while devices take pages away.
struct scattering {
  struct heap *heap;
  uint64_t seed;
};

static void *scatter(void *arg) {
  struct scattering *s = arg;
  for (int i = 0; i < 3000; i++) {
    uint64_t r = next_random(&s->seed), page = r % s->heap->pages;
    if (r >> 20 & 1) put(s->heap, page, (unsigned char)(page % 251));
    else if (r >> 21 & 1) expect(s->heap, page, (unsigned char)(page % 251));
    else move_to(s->heap, page, 0, r >> 22 & 1);
  }
  return NULL;
}

static void many_threads_lack_mappings(const struct shape *shape) {
  uint64_t before = limit_mappings(16);
  struct heap *h = open_heap(shape, 300, 1);
  struct scattering s[4];
  pthread_t threads[4];
  for (uint64_t page = 0; page < h->pages; page++) put(h, page, (unsigned char)(page % 251));
  for (uint64_t i = 0; i < 4; i++) {
    s[i] = (struct scattering){h, i + 1};
    threads[i] = start_thread(scatter, &s[i]);
  }
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  for (uint64_t page = 0; page < h->pages; page++) expect(h, page, (unsigned char)(page % 251));
  close_heap(h);
  limit_mappings(before);
}

// ---- the process has no mapping left

static char *use_up(size_t bytes) {
  char *all = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(all != MAP_FAILED);
  for (size_t at = PAGE; at < bytes; at += 2 * PAGE) {
    if (mprotect(all + at, PAGE, PROT_READ)) return all;
  }
  CHECK(!"there is no limit");
  return NULL;
}

// Good pages are served and bad ones are errors, although others have used up all mappings.
static void others_use_up_all_mappings(const struct shape *shape) {
  if (shape->quick) return; // sanitizers need mappings themselves
  enum { SCATTERED = 40, PAGES = 200 };
  struct heap *h = open_heap(shape, PAGES, 1);
  unsigned char value;
  for (uint64_t page = 0; page < PAGES; page++) put(h, page, (unsigned char)page);
  for (uint64_t page = 0; page < SCATTERED; page += 2) CHECK(move_to(h, page, 0, true));
  CHECK(move_to(h, 61, 0, false) && move_to(h, 61, 0, true)); // leaves a mark of its protection
  set_word(h, 61, word_next(word(h, 61), POISONED, 0, 0, 0));
  set_word(h, 71, word_next(word(h, 71), UNMAPPED, 0, 0, 0));
  CHECK_EQUAL(hmm_forbid(h->pager, 71, 72, 0), 0);
  protect(h, 81, 1);
  size_t bytes = (1 << 20) * PAGE;
  char *others = use_up(bytes);
  for (int round = 0; round < 3; round++) {
    for (uint64_t page = 0; page < SCATTERED; page++) expect(h, page, (unsigned char)page);
    CHECK(touch_read(h, 61, &value));
    CHECK(touch_write(h, 61, 1));
    CHECK(touch_read(h, 71, &value));
    expect(h, 81, 81);
    CHECK(touch_write(h, 81, 1));
    expect(h, 81, 81);
    CHECK(move_to(h, 101, 0, round % 2));
    expect(h, 101, 101);
    put(h, 103, 103);
  }
  munmap(others, bytes);
  set_word(h, 71, word_next(word(h, 71), EMPTY, 0, 0, 0));
  CHECK_EQUAL(hmm_discard(h->pager, 61, 72, NULL), 0);
  CHECK_EQUAL(fetch(h, 0, PAGES, HMM_PIN | HMM_MAP), 0); // nothing is left closed
  for (uint64_t page = 0; page + 1 < PAGES; page++) {
    CHECK(system_call_reads(h, page, page >= 61 && page < 72 ? 0 : (unsigned char)page));
    unpin(h, page, false);
  }
  unpin(h, PAGES - 1, false);
  close_heap(h);
}

// ---- how few calls

#define OTHER 15 // a page that only this uses

// Until the touch of the page is told of, which is when all is done for it: the thread may have gone on before, in the middle of a fault even, where it finds the page opened before it has gone to sleep.
static void await_served(struct heap *h, uint64_t page) {
  struct hmm_record r;
  AWAIT(hmm_take_records(h->pager, &r, 1, NULL) == 1 && r.first == page);
}

static int calls_of_a_write(struct heap *h, uint64_t page) {
  CHECK_EQUAL(hmm_forbid(h->pager, OTHER, OTHER + 1, 0), 0);
  CHECK_EQUAL(hmm_record(h->pager, 1), 0);
  put(h, OTHER, 1);
  await_served(h, OTHER); // and so is what came before
  int before = ioctl_calls();
  put(h, page, 3);
  await_served(h, page);
  CHECK_EQUAL(hmm_record(h->pager, 0), 0);
  return ioctl_calls() - before;
}

// The page has memory and a mapping: one call lifts the protection, and one wakes who sleeps in the kernel.
static void a_write_after_a_read_only_lifts_the_protection(const struct shape *shape) {
  if (by_signal(shape)) return;
  const int calls = shape->rung == HMM_UFFD_SIGBUS ? 1 : 2;
  struct heap *h = open_heap(shape, 16, 1);
  expect(h, 1, 0);
  CHECK_EQUAL(calls_of_a_write(h, 1), calls); // of a page that was empty
  CHECK(move_to(h, 1, 0, false));
  CHECK_EQUAL(calls_of_a_write(h, 1), calls); // of one that a device has, too
  CHECK(move_to(h, 1, 0, false));
  set_word(h, 1, word_next(word(h, 1), HOST, 0, 0, 0));
  CHECK_EQUAL(calls_of_a_write(h, 1), calls); // of one that a device had
  protect(h, 1, 1);
  protect(h, 1, 2);
  CHECK_EQUAL(calls_of_a_write(h, 1), calls); // of one that was protected
  CHECK_EQUAL(claim_for(h, 1, 0, false) != 0, true);
  forbid_claimed(h, 1, false);
  CHECK_EQUAL(calls_of_a_write(h, 1), calls); // of one that is on its way
  expect(h, 1, 3);
  // Marked by a view only: there is neither memory nor a mapping.
  CHECK_EQUAL(fetch(h, 2, 3, HMM_PIN), 0);
  unpin(h, 2, false);
  put(h, 2, 4);
  CHECK_EQUAL(h->alias[2 * PAGE + MIDDLE], 4);
  // Read, and its mapping gone again.
  expect(h, 3, 0);
  CHECK_EQUAL(hmm_forbid(h->pager, 3, 4, 0), 0);
  put(h, 3, 5);
  CHECK_EQUAL(h->alias[3 * PAGE + MIDDLE], 5);
  // Read, and given up meanwhile.
  expect(h, 4, 0);
  CHECK_EQUAL(hmm_discard(h->pager, 4, 5, NULL), 0);
  put(h, 4, 6);
  CHECK_EQUAL(h->alias[4 * PAGE + MIDDLE], 6);
  close_heap(h);
}

// ---- answers end with their reasons

// A copy that fails, within a system call or not, then a pin: what the pin promises holds at once.
static void a_pin_outranks_an_error(const struct shape *shape) {
  if (shape->way == REACHABLE) return;
  for (int by_system_call = 0; by_system_call <= serves_system_calls(shape); by_system_call++) {
    struct heap *h = open_heap(shape, 32, 1);
    unsigned char value;
    CHECK(move_to(h, 1, 0, true));
    fill_frame(h, 0, 1, 77);
    fake_fail(READS(shape), -5, 0, 1000);
    if (by_system_call) CHECK(!system_call_reads(h, 1, 77));
    else CHECK(touch_read(h, 1, &value));
    fake_reset();
    CHECK_EQUAL(fetch(h, 1, 2, HMM_PIN | HMM_MAP | HMM_EXCLUSIVE), 0);
    CHECK(system_call_reads(h, 1, 77));
    CHECK(system_call_writes(h, 1, 78));
    unpin(h, 1, true);
    expect(h, 1, 78);
    close_heap(h);
  }
}

static void lose(struct heap *h, uint64_t page, enum state how) {
  set_word(h, page, word_next(word(h, page), how, 0, 0, 0));
  CHECK_EQUAL(hmm_forbid(h->pager, page, page + 1, 0), 0);
}
static void poison_and_discard(struct heap *h, uint64_t page, bool undo) {
  if (undo) CHECK_EQUAL(hmm_discard(h->pager, page, page + 1, NULL), 0);
  else lose(h, page, POISONED);
}
static void free_and_allocate(struct heap *h, uint64_t page, bool undo) {
  if (!undo) lose(h, page, UNMAPPED);
  else set_word(h, page, word_next(word(h, page), EMPTY, 0, 0, 0));
  if (undo) CHECK_EQUAL(hmm_set_access(h->pager, page, page + 1, 2), 0);
}
static void make_read_only_and_back(struct heap *h, uint64_t page, bool undo) { protect(h, page, undo ? 2 : 1); }
static void close_and_open(struct heap *h, uint64_t page, bool undo) { protect(h, page, undo ? 2 : 0); }

// Refused within a system call and outside; what made it wrong is undone; then system calls may use the page at once, pinned or (where that is served) not.
static void no_error_outlives_its_reason(const struct shape *shape) {
  void (*const reasons[])(struct heap *, uint64_t, bool) = {poison_and_discard, free_and_allocate, make_read_only_and_back, close_and_open};
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
    for (int pinned = !serves_system_calls(shape); pinned < 2; pinned++) {
      struct heap *h = open_heap(shape, 32, 1);
      for (int round = 0; round < 3; round++) {
        put(h, 1, 10);
        reasons[i](h, 1, false);
        if (round < 2) CHECK(touch_write(h, 1, 1));
        if (round > 0) CHECK(!system_call_writes(h, 1, 11));
        reasons[i](h, 1, true);
        if (pinned) CHECK_EQUAL(fetch(h, 1, 2, HMM_PIN | HMM_MAP | HMM_EXCLUSIVE), 0);
        CHECK(system_call_writes(h, 1, 12));
        CHECK(system_call_reads(h, 1, 12));
        if (pinned) unpin(h, 1, true);
      }
      close_heap(h);
    }
  }
}

// A system call does not say when it has heard of the error: that ends by itself, and the call may be made again.
static void a_system_call_that_failed_may_be_made_again(const struct shape *shape) {
  if (shape->way == REACHABLE || !serves_system_calls(shape)) return;
  struct heap *h = open_heap(shape, 32, 1);
  CHECK(move_to(h, 1, 0, true));
  fill_frame(h, 0, 1, 77);
  fake_fail(READS(shape), -5, 0, 1000);
  CHECK(!system_call_reads(h, 1, 77));
  fake_reset();
  AWAIT(system_call_reads(h, 1, 77));
  close_heap(h);
}

// A thread that is told of its error may be stopped before it opens the page that was closed for it.
struct hearer {
  struct heap *heap;
  struct stop stop;
};

static void *hear(void *arg) {
  struct hearer *hearer = arg;
  stop_when_opening(&hearer->stop);
  expect(hearer->heap, 1, 12); // by then it may
  return NULL;
}

static void a_pin_does_not_wait_for_who_hears_of_an_error(const struct shape *shape) {
  if (shape->rung >= HMM_SIGSEGV) return; // nothing is closed to tell an error
  struct heap *h = open_heap(shape, 32, 1);
  struct hearer hearer = {.heap = h};
  put(h, 1, 10);
  protect(h, 1, 0);
  pthread_t thread = start_thread(hear, &hearer);
  AWAIT(hearer.stop.here);
  protect(h, 1, 2);
  CHECK_EQUAL(fetch(h, 1, 2, HMM_PIN | HMM_MAP | HMM_EXCLUSIVE), 0);
  CHECK(system_call_reads(h, 1, 10));
  CHECK(system_call_writes(h, 1, 12));
  hearer.stop.go = true;
  pthread_join(thread, NULL);
  CHECK(system_call_writes(h, 1, 13));
  unpin(h, 1, true);
  close_heap(h);
}

// A thread does what it must not, again and again; others' pins and permitted system calls know nothing of it.
struct offender {
  struct heap *heap;
  _Atomic bool over;
};

static void *offend(void *arg) {
  struct offender *o = arg;
  unsigned char value;
  while (!o->over) {
    CHECK(touch_write(o->heap, 1, 1)); // read-only
    touch_read(o->heap, 2, &value);    // comes and goes
  }
  return NULL;
}

static void errors_are_of_those_who_make_them(const struct shape *shape) {
  struct heap *h = open_heap(shape, 32, 1);
  struct offender o = {.heap = h};
  put(h, 1, 10);
  protect(h, 1, 1);
  expect(h, 1, 10);
  pthread_t thread = start_thread(offend, &o);
  for (int round = 0; round < (shape->quick ? 200 : 2000); round++) {
    bool pinned = round % 2 || !serves_system_calls(shape);
    if (pinned) CHECK_EQUAL(fetch(h, 1, 2, HMM_PIN | HMM_MAP), 0);
    CHECK(system_call_reads(h, 1, 10));
    if (pinned) unpin(h, 1, false);
    protect(h, 2, 0);
    protect(h, 2, 2);
    CHECK_EQUAL(fetch(h, 2, 3, HMM_PIN | HMM_MAP | HMM_EXCLUSIVE), 0);
    CHECK(system_call_writes(h, 2, 5));
    unpin(h, 2, true);
  }
  o.over = true;
  pthread_join(thread, NULL);
  close_heap(h);
}

const struct test mapping_tests[] = {
    {"every_second_page_is_written", every_second_page_is_written, ONE_WAY},
    {"every_second_page_is_protected", every_second_page_is_protected, ONE_WAY},
    {"every_second_page_is_an_error", every_second_page_is_an_error, ONE_WAY},
    {"every_second_page_moves", every_second_page_moves, ONE_WAY},
    {"pins_outlast_a_lack_of_mappings", pins_outlast_a_lack_of_mappings, NEEDS_TRAP | ONE_WAY},
    {"pins_leave_mappings_for_others", pins_leave_mappings_for_others, ONE_WAY},
    {"a_pin_outlasts_the_failure_of_others", a_pin_outlasts_the_failure_of_others, NEEDS_TRAP | ONE_WAY},
    {"what_is_written_before_a_failure_stays", what_is_written_before_a_failure_stays, NEEDS_TRAP | ONE_WAY},
    {"what_cannot_be_closed_is_shared", what_cannot_be_closed_is_shared, NEEDS_TRAP | ONE_WAY},
    {"many_threads_lack_mappings", many_threads_lack_mappings, ONE_WAY},
    {"others_use_up_all_mappings", others_use_up_all_mappings, NEEDS_TRAP | ONE_WAY},
    {"a_write_after_a_read_only_lifts_the_protection", a_write_after_a_read_only_lifts_the_protection, NEEDS_TRAP | ONE_WAY},
    {"a_pin_outranks_an_error", a_pin_outranks_an_error, NEEDS_TRAP},
    {"no_error_outlives_its_reason", no_error_outlives_its_reason, NEEDS_TRAP | ONE_WAY},
    {"a_system_call_that_failed_may_be_made_again", a_system_call_that_failed_may_be_made_again, 0},
    {"a_pin_does_not_wait_for_who_hears_of_an_error", a_pin_does_not_wait_for_who_hears_of_an_error, ONE_WAY},
    {"errors_are_of_those_who_make_them", errors_are_of_those_who_make_them, NEEDS_TRAP | ONE_WAY},
    {0},
};
