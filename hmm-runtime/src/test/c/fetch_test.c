// fetch_test.c - hmm_fetch with every combination of flags on every state: what moves, what is pinned, what is counted, what is refused.
#include "heap.h"

#include <errno.h>
#include <string.h>

#define PAGES 12
enum { ALREADY = 1, MOVED = 2, NOTHING = 3 };

// Page by page: empty, read once, host, shared, device, claimed to read, claimed to write, claimed beside a sharer, device, and three that cannot be touched.
static struct heap *mixed(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  for (uint64_t page = 2; page < 9; page++) put(h, page, (unsigned char)(10 + page));
  expect(h, 1, 0);
  CHECK(move_to(h, 3, 0, false) && move_to(h, 4, 0, true) && move_to(h, 7, 0, false) && move_to(h, 8, 1, true));
  CHECK(claim_for(h, 5, 0, false) && claim_for(h, 6, 0, true) && claim_for(h, 7, 1, true));
  forbid_claimed(h, 5, false);
  forbid_claimed(h, 6, true);
  forbid_claimed(h, 7, true);
  fill_frame(h, 0, 4, 24);
  fill_frame(h, 1, 8, 28);
  set_word(h, 9, word_next(0, POISONED, 0, 0, 0));
  set_word(h, 10, word_next(0, UNMAPPED, 0, 0, 0));
  set_word(h, 11, word_next(0, HOST, 0, 0, 0));
  protect(h, 11, 0);
  count_from_now(h);
  return h;
}

static const unsigned char contents[] = {0, 0, 12, 13, 24, 15, 16, 17, 28};

static void check_page(struct heap *h, uint64_t page, uint64_t flags) {
  bool exclusive = flags & HMM_EXCLUSIVE;
  uint64_t w = word(h, page);
  if (exclusive && page > 1) CHECK_EQUAL(word_state(w), HOST);
  if (!exclusive && (page == 3 || page == 4 || page == 7 || page == 8)) CHECK_EQUAL(word_state(w), SHARED);
  if (!exclusive && page == 4) CHECK_EQUAL(word_sharers(w), 1);
  if (!exclusive && page == 8) CHECK_EQUAL(word_sharers(w), 2);
  if (page < 2) CHECK_EQUAL(word_state(w), exclusive && flags & HMM_PIN ? HOST : EMPTY); // a view that writes makes it the host's
  CHECK_EQUAL(word_pins(w, exclusive), flags & HMM_PIN ? 1 : 0);
  CHECK_EQUAL(word_pins(w, !exclusive), 0);
  CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], contents[page]);
}

static void every_combination_of_flags(const struct shape *shape) {
  for (uint64_t flags = 0; flags < 8; flags++) {
    struct heap *h = mixed(shape);
    uint8_t outcomes[9];
    memset(outcomes, 0xab, sizeof outcomes); // whatever was there does not matter
    struct hmm_moved moved = {0};
    struct hmm_failure failure;
    CHECK_EQUAL(hmm_fetch(h->pager, 0, 9, flags, outcomes, &moved, &failure), 0);
    CHECK_EQUAL(moved.copied, 2);
    uint64_t claimed = 0;
    for (uint64_t page = 0; page < 9; page++) {
      check_page(h, page, flags);
      CHECK(outcomes[page] == ALREADY || outcomes[page] == MOVED);
      claimed += outcomes[page] == MOVED;
      if (page == 4 || page == 8) CHECK_EQUAL(outcomes[page], MOVED);
    }
    CHECK_EQUAL(moved.claimed, claimed);
    count_from_now(h);
    if (flags & HMM_MAP) { // what has moved needs no fault
      expect(h, 4, 24);
      expect(h, 8, 28);
      CHECK_EQUAL(counted(h, HMM_FAULTS_READ), 0);
    }
    for (uint64_t page = 0; page < 9; page++) expect(h, page, contents[page]);
    for (uint64_t page = 0; page < 9; page++) put(h, page, (unsigned char)(page + 100));
    for (uint64_t page = 0; page < 9; page++) {
      CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], page + 100);
      if (flags & HMM_PIN) unpin(h, page, flags & HMM_EXCLUSIVE);
      CHECK_EQUAL(word_pins(word(h, page), true) + word_pins(word(h, page), false), 0);
    }
    close_heap(h);
  }
}

// Bringing home asks for no permission: what has nothing to bring is told, what is closed moves, and stays closed.
static void what_has_nothing_to_bring_is_told(const struct shape *shape) {
  const uint64_t each[] = {0, HMM_EXCLUSIVE, HMM_MAP, HMM_EXCLUSIVE | HMM_MAP};
  for (int i = 0; i < 4; i++) {
    uint64_t flags = each[i];
    struct heap *h = mixed(shape);
    uint8_t outcomes[3] = {0};
    unsigned char value;
    CHECK(move_to(h, 0, 0, true));
    protect(h, 0, 0);
    CHECK_EQUAL(hmm_fetch(h->pager, 9, 12, flags, outcomes, NULL, NULL), 0);
    CHECK_EQUAL(outcomes[0], NOTHING);
    CHECK_EQUAL(outcomes[1], NOTHING);
    CHECK_EQUAL(outcomes[2], ALREADY);
    CHECK_EQUAL(fetch(h, 0, 1, flags), 0);
    CHECK_EQUAL(state(h, 0), flags & HMM_EXCLUSIVE ? HOST : SHARED);
    CHECK(touch_read(h, 0, &value));
    CHECK(touch_read(h, 11, &value));
    close_heap(h);
  }
}

// A view over pages of which one is refused gets none: no pin stays, and contents are where they can be had.
static void a_refused_view_pins_nothing(const struct shape *shape) {
  for (uint64_t refused = 9; refused < 12; refused++) {
    for (uint64_t flags = HMM_PIN; flags < 8; flags += flags & HMM_EXCLUSIVE ? 3 : 1) {
      struct heap *h = mixed(shape);
      struct hmm_failure failure = {0};
      set_word(h, 8, word(h, refused)); // last of the range
      if (refused == 11) protect(h, 8, 0);
      CHECK_EQUAL(hmm_fetch(h->pager, 0, 9, flags, NULL, NULL, &failure), -EACCES);
      CHECK_EQUAL(failure.reason, HMM_REFUSED);
      CHECK_EQUAL(failure.page, 8);
      CHECK_EQUAL(failure.word, word(h, 8));
      for (uint64_t page = 0; page < 8; page++) {
        CHECK_EQUAL(word_pins(word(h, page), true) + word_pins(word(h, page), false), 0);
        expect(h, page, contents[page]);
      }
      close_heap(h);
    }
  }
}

static void pins_have_a_limit(const struct shape *shape) {
  for (int writes = 0; writes < 2; writes++) {
    for (uint64_t map = 0; map <= HMM_MAP; map += HMM_MAP) {
      struct heap *h = open_heap(shape, 4, 1);
      uint64_t flags = HMM_PIN | map | (writes ? HMM_EXCLUSIVE : 0);
      for (uint64_t page = 0; page < 3; page++) put(h, page, 5);
      for (uint64_t i = 0; i < MAX_PINS; i++) CHECK_EQUAL(fetch(h, 1, 2, flags), 0);
      CHECK_EQUAL(word_pins(word(h, 1), writes), MAX_PINS);
      struct hmm_failure failure = {0};
      CHECK_EQUAL(hmm_fetch(h->pager, 0, 3, flags, NULL, NULL, &failure), -EOVERFLOW);
      CHECK_EQUAL(failure.reason, HMM_TOO_MANY_PINS);
      CHECK_EQUAL(failure.page, 1);
      CHECK_EQUAL(word_pins(word(h, 0), writes), 0);
      CHECK_EQUAL(word_pins(word(h, 1), writes), MAX_PINS);
      CHECK_EQUAL(word_pins(word(h, 2), writes), 0);
      unpin(h, 1, writes);
      CHECK_EQUAL(fetch(h, 0, 3, flags), 0);
      close_heap(h);
    }
  }
}

// More pages than one batch takes, in frames that are not in order, so that commands are many.
static void a_long_range_comes_home_whole(const struct shape *shape) {
  const uint64_t pages = 4500;
  struct heap *h = open_heap(shape, pages, 1);
  struct fake_device *d = &h->devices[0];
  for (uint64_t page = 0; page + 8 < pages; page += 16) { // every other run of 8 lies behind its successor
    for (uint64_t i = 0; i < 8; i++) extents_set(&d->frame_of_page, page + i, (int32_t)(pages + page + i) + 1);
  }
  for (uint64_t page = 0; page < pages; page++) {
    if (page % 100 == 99) continue;
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page % 253 + 1));
  }
  struct hmm_moved moved = {0};
  CHECK_EQUAL(hmm_fetch(h->pager, 0, pages, HMM_EXCLUSIVE, NULL, &moved, NULL), 0);
  CHECK_EQUAL(moved.copied, pages - pages / 100);
  for (uint64_t page = 0; page < pages; page++) CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], page % 100 == 99 ? 0 : page % 253 + 1);
  close_heap(h);
}

// Two that fetch the same pages, and touches beside them: each page is copied once.
struct fetcher {
  struct heap *heap;
  uint64_t flags;
  struct hmm_moved moved;
};

static void *fetch_all(void *arg) {
  struct fetcher *f = arg;
  CHECK_EQUAL(hmm_fetch(f->heap->pager, 0, f->heap->pages, f->flags, NULL, &f->moved, NULL), 0);
  return NULL;
}

static void fetching_at_once_copies_once(const struct shape *shape) {
  struct heap *h = open_heap(shape, 2500, 8);
  for (uint64_t page = 0; page < h->pages; page++) {
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page % 253 + 1));
  }
  struct fetcher a = {h, HMM_EXCLUSIVE, {0}}, b = {h, HMM_EXCLUSIVE | HMM_MAP, {0}};
  pthread_t first = start_thread(fetch_all, &a), second = start_thread(fetch_all, &b);
  for (uint64_t page = 0; page < h->pages; page += 3) expect(h, page, (unsigned char)(page % 253 + 1));
  pthread_join(first, NULL);
  pthread_join(second, NULL);
  CHECK_EQUAL(a.moved.copied + b.moved.copied + (uint64_t)counted(h, HMM_FETCHED), h->pages);
  for (uint64_t page = 0; page < h->pages; page++) CHECK_EQUAL(state(h, page), HOST);
  close_heap(h);
}

// A view that was mapped is used through the program's own addresses: nothing of it may fault, whatever state its pages had.
static void a_mapped_view_does_not_fault(const struct shape *shape) {
  for (uint64_t flags = HMM_PIN | HMM_MAP; flags < 8; flags++) {
    struct heap *h = mixed(shape);
    for (uint64_t page = 0; page < 9; page++) CHECK_EQUAL(hmm_forbid(h->pager, page, page + 1, 0), 0);
    CHECK_EQUAL(fetch(h, 0, 9, flags), 0);
    count_from_now(h);
    for (uint64_t page = 0; page < 9; page++) {
      expect(h, page, contents[page]);
      if (flags & HMM_EXCLUSIVE) put(h, page, 1);
    }
    CHECK_EQUAL(counted(h, HMM_FAULTS_MESSAGES), 0);
    close_heap(h);
  }
}

// While a fetch waits for a launch on some of its pages, the others come home and are nobody's to wait for.
struct range_fetcher {
  struct heap *heap;
  uint64_t first, end, flags;
};

static void *fetch_range(void *arg) {
  struct range_fetcher *f = arg;
  CHECK_EQUAL(fetch(f->heap, f->first, f->end, f->flags), 0);
  return NULL;
}

static void a_fetch_waits_for_a_launch_with_its_pages_alone(const struct shape *shape) {
  for (uint64_t flags = HMM_EXCLUSIVE; flags < 8; flags += 2) { // with and without pin and mapping
    struct heap *h = open_heap(shape, 2600, 1);
    for (uint64_t page = 0; page < h->pages; page++) {
      CHECK(move_to(h, page, 0, true));
      fill_frame(h, 0, page, (unsigned char)(page % 253 + 1));
    }
    struct stopped_kernel k;
    launch_stopped(h, &k, 0, 5, 8, true); // in the middle of the first of three batches
    struct range_fetcher f = {h, 0, h->pages, flags};
    pthread_t thread = start_thread(fetch_range, &f);
    AWAIT(word_state(word(h, 7)) == TO_HOST && word_state(word(h, h->pages - 1)) != DEVICE); // the last that the kernel uses
    for (uint64_t page = 0; page < h->pages; page += page < 20 ? 1 : 100) {
      if (page >= 5 && page < 8) continue;
      expect(h, page, (unsigned char)(page % 253 + 1)); // would not return before the kernel ends, which waits for us
    }
    for (uint64_t page = 5; page < 8; page++) CHECK_EQUAL(word_state(word(h, page)), TO_HOST);
    let_go(&k);
    pthread_join(thread, NULL);
    for (uint64_t page = 0; page < h->pages; page++) {
      CHECK_EQUAL(state(h, page), HOST);
      CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], page % 253 + 1);
      CHECK_EQUAL(word_pins(word(h, page), true), flags & HMM_PIN ? 1 : 0);
      if (flags & HMM_PIN) unpin(h, page, true);
    }
    close_heap(h);
  }
}

// One after the other: two launches that are not told apart by a fetch of all their pages.
static void a_fetch_outlasts_several_launches(const struct shape *shape) {
  struct heap *h = open_heap(shape, 40, 1);
  for (uint64_t page = 0; page < 40; page++) {
    CHECK(move_to(h, page, page < 20 ? 0 : 1, true));
    fill_frame(h, page < 20 ? 0 : 1, page, (unsigned char)(page + 1));
  }
  struct stopped_kernel a, b;
  launch_stopped(h, &a, 0, 3, 9, true);
  launch_stopped(h, &b, 1, 25, 30, false);
  struct range_fetcher f = {h, 0, 40, HMM_EXCLUSIVE};
  pthread_t thread = start_thread(fetch_range, &f);
  AWAIT(word_state(word(h, 3)) == TO_HOST);
  CHECK_EQUAL(state(h, 39), HOST);
  let_go(&a);
  AWAIT(word_state(word(h, 25)) == TO_HOST);
  CHECK_EQUAL(state(h, 3), HOST);
  let_go(&b);
  pthread_join(thread, NULL);
  for (uint64_t page = 0; page < 40; page++) expect(h, page, (unsigned char)(page + 1));
  close_heap(h);
}

// Who copies through the staging memory holds it while the device works; who waits for it must not be the one who reads faults.
static void faults_are_read_while_the_staging_memory_is_taken(const struct shape *shape) {
  if (shape->way != STAGED && shape->way != BY_COPIES) return;
  struct heap *h = open_heap(shape, 32, 1);
  CHECK(move_to(h, 1, 0, true) && move_to(h, 2, 0, true));
  fill_frame(h, 0, 1, 11);
  fill_frame(h, 0, 2, 12);
  fake_hold(true);
  struct toucher first, second;
  start_toucher(&first, h, 1, false, 0);
  fake_await_held();
  start_toucher(&second, h, 2, false, 0);
  AWAIT(word_state(word(h, 2)) == TO_HOST);
  put(h, 9, 7); // needs no device; would not return before the hold ends
  fake_hold(false);
  join_toucher(&first);
  join_toucher(&second);
  CHECK_EQUAL(first.value, 11);
  CHECK_EQUAL(second.value, 12);
  close_heap(h);
}

// Faults have slots and a queue of their own.
static void a_fault_does_not_wait_behind_a_bulk_move(const struct shape *shape) {
  if (shape->way != STAGED && shape->way != BY_COPIES) return;
  struct heap *h = open_heap(shape, 32, 1);
  for (uint64_t page = 0; page < 12; page++) {
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page + 1));
  }
  fake_hold(true);
  struct range_fetcher f = {h, 0, 8, HMM_EXCLUSIVE};
  pthread_t thread = start_thread(fetch_range, &f);
  fake_await_held();
  struct toucher t;
  start_toucher(&t, h, 10, false, 0);
  AWAIT(fake_held_queues() == 2); // its command is at the head of another queue
  fake_hold(false);
  join_toucher(&t);
  CHECK_EQUAL(t.value, 11);
  pthread_join(thread, NULL);
  for (uint64_t page = 0; page < 12; page++) expect(h, page, (unsigned char)(page + 1));
  close_heap(h);
}

// Pages that lie apart are a command each, and none of them has ended when the next one begins; a slot is mapped once for all that it takes.
static void a_bulk_move_has_several_commands_under_way(const struct shape *shape) {
  if (shape->way != STAGED && shape->way != BY_COPIES) return;
  struct heap *h = open_heap(shape, 32, 1);
  for (uint64_t page = 0; page < 32; page += 2) {
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page + 1));
  }
  int before = fake_calls_of(READS(shape)), maps = fake_calls_of(HMM_CL_MAP);
  fake_hold(true);
  struct range_fetcher f = {h, 0, 32, HMM_EXCLUSIVE};
  pthread_t thread = start_thread(fetch_range, &f);
  AWAIT(fake_calls_of(READS(shape)) - before == HMM_BULK_SLOTS * HMM_BULK_SHARES);
  fake_hold(false);
  pthread_join(thread, NULL);
  if (shape->way == BY_COPIES) CHECK_EQUAL(fake_calls_of(HMM_CL_MAP) - maps, 16 / HMM_BULK_SHARES);
  for (uint64_t page = 0; page < 32; page += 2) expect(h, page, (unsigned char)(page + 1));
  close_heap(h);
}

// Of a range only the pages that are asked for; pages between them stay where they are, and cost no round of a slot.
static void a_masked_fetch_takes_what_is_asked_for(const struct shape *shape) {
  struct heap *h = open_heap(shape, 64, 1);
  uint8_t outcomes[64];
  struct hmm_moved moved = {0};
  for (uint64_t page = 0; page < 64; page++) {
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page + 1));
    outcomes[page] = page % 5 == 3 ? 0 : HMM_UNASKED;
  }
  int maps = fake_calls_of(HMM_CL_MAP);
  CHECK_EQUAL(hmm_fetch(h->pager, 0, 64, HMM_EXCLUSIVE | HMM_MASKED, outcomes, &moved, NULL), 0);
  CHECK(moved.claimed == 13 && moved.copied == 13);
  if (shape->way == BY_COPIES) CHECK_EQUAL(fake_calls_of(HMM_CL_MAP) - maps, (13 + HMM_BULK_SHARES - 1) / HMM_BULK_SHARES);
  for (uint64_t page = 0; page < 64; page++) {
    CHECK_EQUAL(state(h, page), page % 5 == 3 ? HOST : DEVICE);
    CHECK_EQUAL(outcomes[page], page % 5 == 3 ? 2 : HMM_UNASKED);
  }
  for (uint64_t page = 0; page < 64; page++) expect(h, page, (unsigned char)(page + 1));
  close_heap(h);
}

struct asker {
  struct heap *h;
  uint64_t first, end;
  int result;
};

static void *fetch_and_tell(void *arg) {
  struct asker *a = arg;
  a->result = hmm_fetch(a->h->pager, a->first, a->end, HMM_EXCLUSIVE, NULL, NULL, NULL);
  return NULL;
}

// Two share the slots, and each brings parts of the other to their end. One command fails: that is told to the one whose it was, and to nobody else.
static void a_failed_part_is_its_owners(const struct shape *shape) {
  if (shape->way != STAGED && shape->way != BY_COPIES) return;
  for (int after = 0; after < 10; after++) {
    struct heap *h = open_heap(shape, 32, 1);
    for (uint64_t page = 0; page < 32; page += 2) {
      CHECK(move_to(h, page, 0, true));
      fill_frame(h, 0, page, (unsigned char)(page + 1));
    }
    struct asker a = {h, 0, 16, 1}, b = {h, 16, 32, 1};
    fake_fail(HMM_CL_EVENT_INFO, -5, after, 1);
    pthread_t first = start_thread(fetch_and_tell, &a), second = start_thread(fetch_and_tell, &b);
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    CHECK((a.result == -EIO && !b.result) || (!a.result && b.result == -EIO));
    for (uint64_t page = 0; page < 32; page += 2) {
      bool failed = page < 16 ? a.result : b.result;
      CHECK_EQUAL(state(h, page), failed ? DEVICE : HOST);
      expect(h, page, (unsigned char)(page + 1));
    }
    close_heap(h);
  }
}

// The caller has told nobody that pages may move: what a device has stays there, and nothing is pinned.
static void what_is_not_to_move_stays(const struct shape *shape) {
  struct heap *h = open_heap(shape, 8, 1);
  struct hmm_failure failure;
  for (uint64_t page = 0; page < 4; page++) put(h, page, (unsigned char)(10 + page));
  CHECK(move_to(h, 1, 0, true) && move_to(h, 2, 0, false));
  CHECK_EQUAL(hmm_fetch(h->pager, 0, 4, HMM_PIN | HMM_STAY, NULL, NULL, &failure), -EIO);
  CHECK(failure.reason == HMM_WOULD_MOVE && failure.page == 1);
  CHECK_EQUAL(state(h, 1), DEVICE);
  for (uint64_t page = 0; page < 4; page++) CHECK_EQUAL(word_pins(word(h, page), false), 0);
  CHECK_EQUAL(hmm_fetch(h->pager, 2, 4, HMM_PIN | HMM_MAP | HMM_STAY, NULL, NULL, &failure), 0); // a device keeps its copy
  unpin(h, 2, false);
  unpin(h, 3, false);
  CHECK_EQUAL(hmm_fetch(h->pager, 2, 4, HMM_EXCLUSIVE | HMM_STAY, NULL, NULL, &failure), -EIO);
  CHECK(failure.reason == HMM_WOULD_MOVE && failure.page == 2);
  for (uint64_t page = 0; page < 4; page++) expect(h, page, (unsigned char)(10 + page));
  close_heap(h);
}

const struct test fetch_tests[] = {
    {"a_fetch_waits_for_a_launch_with_its_pages_alone", a_fetch_waits_for_a_launch_with_its_pages_alone, ONE_WAY},
    {"a_fetch_outlasts_several_launches", a_fetch_outlasts_several_launches, ONE_WAY},
    {"faults_are_read_while_the_staging_memory_is_taken", faults_are_read_while_the_staging_memory_is_taken, 0},
    {"a_fault_does_not_wait_behind_a_bulk_move", a_fault_does_not_wait_behind_a_bulk_move, NEEDS_TRAP},
    {"a_bulk_move_has_several_commands_under_way", a_bulk_move_has_several_commands_under_way, 0},
    {"a_masked_fetch_takes_what_is_asked_for", a_masked_fetch_takes_what_is_asked_for, 0},
    {"a_failed_part_is_its_owners", a_failed_part_is_its_owners, 0},
    {"what_is_not_to_move_stays", what_is_not_to_move_stays, ONE_WAY},
    {"every_combination_of_flags", every_combination_of_flags, 0},
    {"what_has_nothing_to_bring_is_told", what_has_nothing_to_bring_is_told, 0},
    {"a_refused_view_pins_nothing", a_refused_view_pins_nothing, ONE_WAY},
    {"pins_have_a_limit", pins_have_a_limit, ONE_WAY},
    {"a_long_range_comes_home_whole", a_long_range_comes_home_whole, 0},
    {"fetching_at_once_copies_once", fetching_at_once_copies_once, NEEDS_TRAP},
    {"a_mapped_view_does_not_fault", a_mapped_view_does_not_fault, 0},
    {0},
};
