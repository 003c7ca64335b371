// table_test.c - the page table of a device: what its entries say, what of it travels, and who waits for a kernel that goes through it.
#include "heap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGES 3000
#define FRAMES 2500 // of these, that are the paged memory object's
#define NOTHING 0u
#define READ 1u
#define WRITE 3u

struct shown {
  uint32_t image[PAGES];
  void *memory;
  struct hmm_use use, cleared;
  struct hmm_table table;
  struct launching launching;
};

static struct shown *new_table(const struct shape *shape) {
  struct shown *s = calloc(1, sizeof *s);
  s->memory = fake_memory(64 + PAGES * sizeof(uint32_t));
  memset(fake_bytes(s->memory), 0, 64 + PAGES * sizeof(uint32_t));
  s->table = (struct hmm_table){.image = (uint64_t)(uintptr_t)s->image, .memory = (uint64_t)(uintptr_t)s->memory, .offset = 64, .frames = FRAMES,
                                .host = shape->way == REACHABLE ? (uint64_t)(uintptr_t)(fake_bytes(s->memory) + 64) : 0};
  return s;
}

static void free_table(struct shown *s) {
  fake_free(s->memory);
  free(s);
}

static uint32_t entry(struct shown *s, uint64_t page) {
  uint32_t e;
  memcpy(&e, fake_bytes(s->memory) + 64 + page * sizeof e, sizeof e);
  return e;
}

static int start(struct heap *h, struct shown *s, uint64_t first, uint64_t end, bool write) {
  s->use = (struct hmm_use){first, end, write, 0};
  s->table.shown = (uint64_t)(uintptr_t)&s->use;
  s->table.shown_count = 1;
  s->table.cleared = (uint64_t)(uintptr_t)&s->cleared;
  s->table.cleared_count = s->cleared.first < s->cleared.end;
  s->launching.request.paged = 1;
  s->launching.request.table = (uint64_t)(uintptr_t)&s->table;
  return launch(h, &s->launching, 0, first, end, write);
}

static void run(struct heap *h, struct shown *s, uint64_t first, uint64_t end, bool write) {
  CHECK_EQUAL(start(h, s, first, end, write), 0);
  CHECK(s->launching.request.event);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)s->launching.request.event), 0);
}

static void entries_say_what_the_words_allow(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct shown *s = new_table(shape);
  for (uint64_t page = 0; page < 8; page++) put(h, page, 7);
  put(h, FRAMES, 7);
  CHECK(move_to(h, 1, 0, false));
  CHECK(move_to(h, 2, 0, true));
  CHECK(move_to(h, 3, 0, true));
  protect(h, 3, 1);
  CHECK(move_to(h, 4, 0, true));
  protect(h, 4, 0);
  CHECK(move_to(h, 5, 1, true)); // another device's
  CHECK(move_to(h, 6, 0, false));
  CHECK(claim_for(h, 6, 1, true)); // about to be
  CHECK(move_to(h, 7, 0, true));
  set_word(h, 7, word_pin(word(h, 7), true));
  CHECK(move_to(h, FRAMES, 0, true)); // in a window
  run(h, s, 0, FRAMES + 1, true);
  const uint32_t allowed[8] = {NOTHING, READ, WRITE, READ, NOTHING, NOTHING, READ, NOTHING};
  for (uint64_t page = 0; page < 8; page++) CHECK_EQUAL(entry(s, page), allowed[page] ? (uint32_t)page << 2 | allowed[page] : 0);
  CHECK_EQUAL(entry(s, FRAMES), 0);
  run(h, s, 0, FRAMES + 1, false); // says that it only reads
  CHECK_EQUAL(entry(s, 2), 2u << 2 | READ);
  unpin(h, 7, true);
  CHECK_EQUAL(fetch(h, 6, 7, HMM_EXCLUSIVE), 0); // ends the claim
  s->cleared = (struct hmm_use){0, 2, 0, 0};
  run(h, s, 2, 8, true);
  CHECK_EQUAL(entry(s, 1), 0);
  CHECK_EQUAL(entry(s, 6), 0);
  CHECK_EQUAL(entry(s, 7), 7u << 2 | WRITE);
  close_heap(h);
  free_table(s);
}

static void only_what_has_changed_travels(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct shown *s = new_table(shape);
  for (uint64_t page = 0; page < 2200; page++) {
    put(h, page, 7);
    CHECK(move_to(h, page, 0, true));
  }
  run(h, s, 0, PAGES, true);
  CHECK_EQUAL(s->table.bytes, PAGES * sizeof(uint32_t));
  run(h, s, 0, PAGES, true);
  CHECK_EQUAL(s->table.bytes, 0);
  expect(h, 1500, 7); // the kernel may only read it now
  run(h, s, 0, PAGES, true);
  CHECK_EQUAL(s->table.bytes, 1024 * sizeof(uint32_t));
  CHECK_EQUAL(entry(s, 1500), 1500u << 2 | READ);
  if (!s->table.host) {
    expect(h, 3, 7);
    expect(h, 1100, 7);
    fake_fail(HMM_CL_ENQUEUE_WRITE, -5, 0, 1);
    CHECK(start(h, s, 0, PAGES, true) < 0);
    CHECK_EQUAL(s->launching.request.event, 0);
    CHECK_EQUAL(s->launching.failure.status, -5);
    CHECK_EQUAL(hmm_used(h->pager, 0, NULL, 0), 0);
    CHECK_EQUAL(s->image[3], 0xFFFFFFFFu); // nobody knows what the device has
    run(h, s, 0, PAGES, true);
    CHECK_EQUAL(entry(s, 3), 3u << 2 | READ);
    CHECK_EQUAL(entry(s, 1100), 1100u << 2 | READ);
  }
  close_heap(h);
  free_table(s);
}

static void must_not_run(void *arg) { *(bool *)arg = true; }

static void no_kernel_runs_with_entries_that_did_not_arrive(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct shown *s = new_table(shape);
  put(h, 1, 11);
  CHECK(move_to(h, 1, 0, true));
  bool ran = false;
  s->launching.kernel = (struct fake_kernel){.run = must_not_run, .arg = &ran};
  if (!s->table.host) {
    fake_fail_commands(-5, 1);
    CHECK_EQUAL(start(h, s, 0, PAGES, true), 0);
    CHECK_EQUAL(fake_wait((void *)(uintptr_t)s->launching.request.event), -14);
    CHECK(!ran);
    CHECK_EQUAL(hmm_await_all(h->pager), 0);
    CHECK_EQUAL(state(h, 1), POISONED); // it was to write there
  }
  close_heap(h);
  free_table(s);
}

struct gated {
  _Atomic bool running, go;
};

static void stay(void *arg) {
  struct gated *g = arg;
  g->running = true;
  AWAIT(g->go);
}

// A page that the kernel may find is its own until it has ended, and one that it cannot find is the host's.
static void touches_wait_for_what_the_kernel_may_find(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct shown *s = new_table(shape);
  struct gated gate = {false, false};
  put(h, 1, 11);
  put(h, 2, 22);
  CHECK(move_to(h, 1, 0, true));
  s->launching.kernel = (struct fake_kernel){.run = stay, .arg = &gate};
  CHECK_EQUAL(start(h, s, 0, 8, true), 0);
  AWAIT(gate.running);
  expect(h, 2, 22);
  struct toucher t = {0};
  start_toucher(&t, h, 1, false, 0);
  AWAIT(word_state(word(h, 1)) == TO_HOST);
  fill_frame(h, 0, 1, 99); // the kernel writes it
  CHECK(!t.done);
  gate.go = true;
  join_toucher(&t);
  CHECK_EQUAL(t.error, 0);
  CHECK_EQUAL(t.value, 99);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)s->launching.request.event), 0);
  close_heap(h);
  free_table(s);
}

const struct test table_tests[] = {
    {"entries_say_what_the_words_allow", entries_say_what_the_words_allow, 0},
    {"only_what_has_changed_travels", only_what_has_changed_travels, 0},
    {"no_kernel_runs_with_entries_that_did_not_arrive", no_kernel_runs_with_entries_that_did_not_arrive, 0},
    {"touches_wait_for_what_the_kernel_may_find", touches_wait_for_what_the_kernel_may_find, 0},
    {0},
};
