// block_test.c - what is known of many pages at once: that it is used, that it is never wrong, and that every way of taking a page away ends it.
#include <errno.h>
#include <string.h>

#include "heap.h"

#define BLOCK (1ULL << (BLOCK_SHIFT - PAGE_SHIFT)) // pages
#define FIRST (BLOCK > 4 ? BLOCK : 4 / BLOCK * BLOCK) // where a block begins
#define PAGES (FIRST + 2 * BLOCK)

static bool enters(struct heap *h, uint64_t first, uint64_t end, bool write, uint64_t missing) {
  struct launching l = {0};
  CHECK_EQUAL(launch(h, &l, 0, first, end, write), 0);
  if (!l.request.event) CHECK_EQUAL(l.request.missing, missing);
  else fake_wait((void *)(uintptr_t)l.request.event);
  return l.request.event;
}

// The two blocks are on device 0 and a launch has found that.
static struct heap *known(const struct shape *shape, bool write) {
  struct heap *h = open_heap(shape, PAGES, 1);
  for (uint64_t page = FIRST; page < PAGES; page++) {
    put(h, page, (unsigned char)page);
    CHECK(move_to(h, page, 0, write));
  }
  CHECK(enters(h, FIRST, PAGES, write, 0));
  return h;
}

static void rights_are_what_a_launch_asks_for(const struct shape *shape) {
  uint64_t random = 1;
  for (int i = 0; i < (shape->quick ? 100000 : 1000000); i++) {
    uint64_t w = next_random(&random);
    if (i & 1) w &= ~(DENY_READ | DENY_WRITE | MAX_PINS << READ_PINS_SHIFT | MAX_PINS << WRITE_PINS_SHIFT);
    for (unsigned device = 0; device < 16; device++) {
      CHECK_EQUAL(word_rights(w) >> device & 1, usable_on(w, device, false) && !pinned_against(w, false));
      CHECK_EQUAL(word_rights(w) >> (16 + device) & 1, usable_on(w, device, true) && !pinned_against(w, true));
    }
  }
}

// A word that changes without a word of it is not looked at.
static void words_are_not_looked_at_again(const struct shape *shape) {
  struct heap *h = known(shape, true);
  uint64_t w = word(h, FIRST + BLOCK);
  h->words[FIRST + BLOCK] = word_next(w, HOST, 0, 0, 0);
  CHECK(enters(h, FIRST, PAGES, true, 0));
  CHECK(enters(h, FIRST, PAGES, false, 0)); // who may write may read
  if (BLOCK > 1) CHECK(!enters(h, FIRST + 1, PAGES - 1, true, FIRST + BLOCK)); // not all of the block: page by page
  h->words[FIRST + BLOCK] = w;
  h->changes[(FIRST + BLOCK) / BLOCK]++; // somebody is about to change one
  CHECK(enters(h, FIRST, PAGES, true, 0));
  h->words[FIRST + BLOCK] = word_next(w, HOST, 0, 0, 0);
  CHECK(!enters(h, FIRST, PAGES, true, FIRST + BLOCK));
  h->words[FIRST + BLOCK] = w;
  CHECK(enters(h, FIRST, PAGES, true, 0)); // and nothing was noted meanwhile:
  h->words[FIRST + BLOCK] = word_next(w, HOST, 0, 0, 0);
  CHECK(!enters(h, FIRST, PAGES, true, FIRST + BLOCK));
  h->words[FIRST + BLOCK] = w;
  h->changes[(FIRST + BLOCK) / BLOCK]--;
  close_heap(h);
}

static void reads_are_no_writes(const struct shape *shape) {
  struct heap *h = known(shape, false);
  CHECK(!enters(h, FIRST, PAGES, true, FIRST));
  for (uint64_t page = FIRST; page < PAGES; page++) CHECK(move_to(h, page, 0, true));
  CHECK(enters(h, FIRST, PAGES, true, 0));
  expect(h, PAGES - 1, (unsigned char)(PAGES - 1)); // shared now
  CHECK(!enters(h, FIRST, PAGES, true, PAGES - 1));
  CHECK(enters(h, FIRST, PAGES, false, 0));
  close_heap(h);
}

static void fail_kernel(struct heap *h, uint64_t page) {
  struct launching l = {.kernel.status = -5};
  CHECK_EQUAL(launch(h, &l, 0, page, page + 1, true), 0);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), -5);
  CHECK_EQUAL(hmm_await(h->pager, 0, page, page + 1, 0), 0);
}

// Everything that takes a page away, or a right to it.
static void whatever_takes_a_page_away_is_seen(const struct shape *shape) {
  for (int i = 0; i < 9; i++) {
    struct heap *h = known(shape, i != 8);
    uint64_t page = FIRST + BLOCK;
    if (i == 0) put(h, page, 1);
    if (i == 1) CHECK_EQUAL(fetch(h, page, page + 1, HMM_EXCLUSIVE), 0);
    if (i == 2) CHECK_EQUAL(hmm_discard(h->pager, page, page + 1, NULL), 0);
    if (i == 3) protect(h, page, 0);
    if (i == 4) fail_kernel(h, page);
    if (i == 5) set_word(h, page, word_next(word(h, page), UNMAPPED, 0, 0, 0));
    if (i == 6) set_word(h, page, word_pin(word(h, page), true));
    if (i == 7) protect(h, page, 1);
    if (i == 8) {
      uint64_t claim = claim_for(h, page, 1, true); // what device 0 has may be read until somebody else writes
      CHECK(claim && enters(h, FIRST, PAGES, false, 0) && commit(h, page, 1, claim));
    }
    CHECK(!enters(h, FIRST, PAGES, i != 8, page));
    if (i == 7) CHECK(enters(h, FIRST, PAGES, false, 0));
    if (i == 6) unpin(h, page, true);
    close_heap(h);
  }
}

static void a_use_of_a_block_is_noted(const struct shape *shape) {
  struct heap *h = known(shape, true);
  struct launching l = {.request.clock = 77};
  CHECK_EQUAL(launch(h, &l, 0, FIRST, FIRST + BLOCK, true), 0);
  fake_wait((void *)(uintptr_t)l.request.event);
  CHECK_EQUAL(last_use(h, 0, FIRST), 77);
  CHECK_EQUAL(last_use(h, 0, FIRST + BLOCK - 1), 77);
  CHECK_EQUAL(last_use(h, 0, FIRST + BLOCK), 0);
  // So it stays when what was moved before it is to go back.
  uint64_t page = FIRST, committed = word(h, page), before = word_next(committed, HOST, 0, 0, 0);
  CHECK_EQUAL(hmm_undo(h->pager, 0, 0, 76, 1, &page, &committed, &before), 0);
  CHECK_EQUAL(state(h, page), DEVICE);
  committed = word(h, page);
  CHECK_EQUAL(hmm_undo(h->pager, 0, 0, 77, 1, &page, &committed, &before), 1);
  close_heap(h);
}

// Kernels on whole blocks and touches of single pages add to the same bytes: what a launch relies on without looking is there.
struct adders {
  struct heap *h;
  int rounds;
  _Atomic bool stop;
  _Atomic uint64_t launched;
  uint64_t seed;
};

static void add_to_all(void *arg) {
  struct heap *h = arg;
  for (uint64_t page = FIRST; page < PAGES; page++) {
    enum state s = word_state(word(h, page));
    CHECK(s == DEVICE || s == TO_HOST); // claimed by somebody who waits for us
    frame(h, 0, page)[MIDDLE]++;
  }
}

static void *launch_on_all(void *arg) {
  struct adders *a = arg;
  while (!a->stop) {
    for (uint64_t page = FIRST; page < PAGES; page++) move_to(a->h, page, 0, true);
    for (int again = 0; again < 3; again++) {
      struct launching l = {.kernel = {add_to_all, a->h, 0}};
      CHECK_EQUAL(launch(a->h, &l, 0, FIRST, PAGES, true), 0);
      if (l.request.event && !fake_wait((void *)(uintptr_t)l.request.event)) a->launched++;
    }
  }
  return NULL;
}

static void touches_come_between_launches(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct adders a = {.h = h, .rounds = shape->quick ? 300 : 2000, .seed = 5};
  unsigned char touched[PAGES] = {0};
  pthread_t thread = start_thread(launch_on_all, &a);
  for (int i = 0; i < a.rounds || !a.launched; i++) {
    uint64_t page = FIRST + next_random(&a.seed) % (PAGES - FIRST);
    __atomic_fetch_add(h->app + page * PAGE + MIDDLE, 1, __ATOMIC_SEQ_CST);
    touched[page]++;
  }
  a.stop = true;
  pthread_join(thread, NULL);
  for (uint64_t page = FIRST; page < PAGES; page++) expect(h, page, (unsigned char)(touched[page] + a.launched));
  close_heap(h);
}

// ---- blocks of which no page was touched yet

// As RegionChanges does it: all words at once, if none was written yet; else each.
static void say(struct heap *h, uint64_t block, uint64_t kind) {
  uint64_t count = atomic_load(&h->changes[block]);
  while (!(count & (BLOCK_WRITTEN | BLOCK_IN_WRITING))) {
    if (atomic_compare_exchange_strong(&h->changes[block], &count, (count & ~BLOCK_KIND) | kind)) return;
  }
  for (uint64_t page = block * BLOCK; page < (block + 1) * BLOCK; page++) {
    uint64_t w, next;
    do {
      AWAIT(word_state(w = word(h, page)) != TO_HOST);
      next = word_next(w & ~(DENY_READ | DENY_WRITE), kind == BLOCK_WITHOUT_REGION ? UNMAPPED : EMPTY, 0, 0, 0);
    } while (!change(h, page, &w, next));
  }
}

static uint64_t raw_words(const struct heap *h, uint64_t block) {
  uint64_t all = 0;
  for (uint64_t i = 0; i < BLOCK; i++) all |= atomic_load(&h->words[block * BLOCK + i]);
  return all;
}

// Three pages of it are touched, in the middle of a stream as well.
static void expect_refused(struct heap *h, uint64_t block, bool reads, bool writes) {
  unsigned char value;
  for (uint64_t page = block * BLOCK; page < (block + 1) * BLOCK; page += BLOCK > 2 ? BLOCK / 2 : 1) {
    CHECK_EQUAL(!touch_write(h, page, 1), !writes);
    CHECK_EQUAL(!touch_read(h, page, &value), !reads);
  }
}

static void a_block_says_what_its_words_are(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 8);
  const uint64_t block = FIRST / BLOCK;
  say(h, block, BLOCK_WITHOUT_REGION);
  CHECK_EQUAL(word_state(word(h, FIRST)), UNMAPPED);
  expect_refused(h, block, true, true);
  CHECK_EQUAL(hmm_fetch(h->pager, FIRST, FIRST + BLOCK, HMM_EXCLUSIVE | HMM_PIN, 0, NULL, NULL), -EACCES);
  CHECK(!claim_for(h, FIRST, 0, true));
  say(h, block, BLOCK_WITHOUT_ACCESS);
  CHECK_EQUAL(word_state(word(h, FIRST)), EMPTY);
  expect_refused(h, block, true, true);
  CHECK_EQUAL(raw_words(h, block), 0); // nobody has written it out for that
  CHECK(!(h->changes[block] & BLOCK_WRITTEN));
  say(h, block, BLOCK_READ_ONLY);
  expect(h, FIRST + BLOCK - 1, 0);
  CHECK(h->changes[block] & BLOCK_WRITTEN);
  for (uint64_t page = FIRST; page < FIRST + BLOCK; page++) CHECK(!word_writable(word(h, page)) && word_readable(word(h, page)));
  expect_refused(h, block, false, true);
  say(h, block + 1, BLOCK_WITHOUT_REGION);
  say(h, block + 1, 0);
  put(h, FIRST + BLOCK, 9);
  expect(h, FIRST + BLOCK, 9);
  close_heap(h);
}

// A part of it is allocated.
static void a_page_of_a_closed_block_is_opened_alone(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 8);
  say(h, FIRST / BLOCK, BLOCK_WITHOUT_REGION);
  set_word(h, FIRST, word_next(word(h, FIRST), EMPTY, 0, 0, 0));
  CHECK_EQUAL(hmm_set_access(h->pager, FIRST, FIRST + 1, 2), 0);
  put(h, FIRST, 3);
  for (uint64_t page = FIRST + 1; page < FIRST + BLOCK; page++) {
    CHECK_EQUAL(word_state(word(h, page)), UNMAPPED);
    CHECK(touch_write(h, page, 1));
  }
  expect(h, FIRST, 3);
  close_heap(h);
}

// What is taken away from a block that nobody has touched: only what a page of it could have.
static void rights_are_taken_from_written_blocks(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  put(h, PAGES - 1, 5);
  for (uint64_t page = FIRST; page < FIRST + BLOCK; page++) CHECK_EQUAL(atomic_load(&h->words[page]), 0);
  say(h, FIRST / BLOCK, BLOCK_READ_ONLY);
  for (uint64_t page = FIRST + BLOCK; page < PAGES; page++) {
    uint64_t w = word(h, page);
    CHECK(change(h, page, &w, (w | DENY_WRITE) + (1ULL << VERSION_SHIFT)));
  }
  CHECK_EQUAL(hmm_set_access(h->pager, FIRST, PAGES, 1), 0);
  expect(h, PAGES - 1, 5);
  CHECK(touch_write(h, PAGES - 1, 6));
  CHECK(touch_write(h, FIRST, 6));
  CHECK_EQUAL(hmm_forbid(h->pager, FIRST, PAGES, false), 0);
  expect(h, PAGES - 1, 5);
  close_heap(h);
}

#define ROUNDS 64

struct race {
  struct heap *h;
  _Atomic uint64_t round; // of the block that is touched
  _Atomic bool stop;
};

static void *touch_blocks(void *arg) {
  struct race *r = arg;
  uint64_t random = (uint64_t)(uintptr_t)&random;
  while (!r->stop) touch_write(r->h, r->round * BLOCK + next_random(&random) % BLOCK, 7);
  return NULL;
}

// Each block is closed while it is touched for the first time, or opened, as a whole or in part.
static void closing_meets_the_first_touch(const struct shape *shape) {
  const uint64_t rounds = shape->quick ? ROUNDS : 4 * ROUNDS;
  struct heap *h = open_heap(shape, (rounds + 1) * BLOCK, 1);
  struct race race = {.h = h, .round = 0};
  pthread_t threads[2];
  uint64_t random = 77;
  for (int i = 0; i < 2; i++) threads[i] = start_thread(touch_blocks, &race);
  for (uint64_t block = 1; block <= rounds; block++) {
    if (block & 1) say(h, block, BLOCK_WITHOUT_REGION); // and it is opened when they come
    race.round = block;
    for (uint64_t n = next_random(&random) % 3000; n > 0; n--) atomic_signal_fence(memory_order_seq_cst);
    if (block & 1) {
      if (block & 2) say(h, block, 0);
      else set_word(h, block * BLOCK, word_next(word(h, block * BLOCK), EMPTY, 0, 0, 0));
      CHECK_EQUAL(hmm_set_access(h->pager, block * BLOCK, (block + 1) * BLOCK, 2), 0);
      CHECK_EQUAL(touch_write(h, block * BLOCK, 7), 0);
    }
    say(h, block, BLOCK_WITHOUT_REGION);
    CHECK_EQUAL(hmm_forbid(h->pager, block * BLOCK, (block + 1) * BLOCK, false), 0);
    for (uint64_t page = block * BLOCK; page < (block + 1) * BLOCK; page++) CHECK_EQUAL(word_state(word(h, page)), UNMAPPED);
    expect_refused(h, block, true, true);
  }
  race.stop = true;
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  close_heap(h);
}

// Pages that nobody has touched have no contents to give up: their blocks stay as they are, and what lies between them is given up.
static void what_nobody_has_touched_is_not_discarded(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  CHECK(BLOCK > 1 || FIRST > 1);
  put(h, FIRST, 7);
  put(h, FIRST + BLOCK - 1, 8);
  CHECK_EQUAL(hmm_discard(h->pager, 1, PAGES, NULL), 0);
  for (uint64_t block = 0; block < (PAGES + BLOCK - 1) / BLOCK; block++) {
    CHECK_EQUAL(h->changes[block] & BLOCK_WRITTEN, block == FIRST / BLOCK || block == (FIRST + BLOCK - 1) / BLOCK ? BLOCK_WRITTEN : 0);
  }
  CHECK(state(h, FIRST) == EMPTY && state(h, FIRST + BLOCK - 1) == EMPTY);
  for (uint64_t page = 0; page < PAGES; page++) expect(h, page, 0);
  put(h, PAGES - 1, 9);
  CHECK_EQUAL(hmm_discard(h->pager, 0, PAGES, NULL), 0);
  expect(h, PAGES - 1, 0);
  close_heap(h);
}

const struct test block_tests[] = {
    {"what_nobody_has_touched_is_not_discarded", what_nobody_has_touched_is_not_discarded, ONE_WAY},
    {"rights_are_what_a_launch_asks_for", rights_are_what_a_launch_asks_for, ONE_WAY},
    {"words_are_not_looked_at_again", words_are_not_looked_at_again, ONE_WAY},
    {"reads_are_no_writes", reads_are_no_writes, 0},
    {"whatever_takes_a_page_away_is_seen", whatever_takes_a_page_away_is_seen, 0},
    {"a_use_of_a_block_is_noted", a_use_of_a_block_is_noted, ONE_WAY},
    {"touches_come_between_launches", touches_come_between_launches, NEEDS_TRAP},
    {"a_block_says_what_its_words_are", a_block_says_what_its_words_are, 0},
    {"a_page_of_a_closed_block_is_opened_alone", a_page_of_a_closed_block_is_opened_alone, 0},
    {"rights_are_taken_from_written_blocks", rights_are_taken_from_written_blocks, 0},
    {"closing_meets_the_first_touch", closing_meets_the_first_touch, 0},
    {0},
};
