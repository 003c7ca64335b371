// peer_test.c - from device to device: what comes, what it leaves behind, whom it waits for, and what becomes of pages that could not go.
#include "heap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define PAGES 40

static bool goes_across(const struct shape *shape) { return shape->way != COMMANDS; } // else the host's page is the only way

// Pages [0, n) on device 0 alone, whose bytes are theirs; the host's are others.
static struct heap *on_device_0(const struct shape *shape, uint64_t n) {
  struct heap *h = open_heap_with_touch_timeout(shape, PAGES, 0);
  for (uint64_t page = 0; page < n; page++) {
    put(h, page, 1);
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(100 + page));
  }
  return h;
}

static void pages_go_to_their_new_owner(const struct shape *shape) {
  struct heap *h = on_device_0(shape, 33);
  for (uint64_t page = 0; page < PAGES; page++) extents_set(&h->devices[1].region_of_frame, page, 3);
  CHECK_EQUAL(relocate(h, 1, 5, 6, PAGES + 9, NULL), 0); // neither side is in one piece
  CHECK_EQUAL(relocate(h, 0, 20, 21, PAGES + 2, NULL), 1);
  extents_set(&h->devices[1].frame_of_page, 30, 0); // and one has no frame to come to
  if (!goes_across(shape)) {
    CHECK_EQUAL(cross(h, 0, PAGES, 1, true), -ENOTSUP);
    for (uint64_t page = 0; page < 33; page++) CHECK(state(h, page) == DEVICE && word_device(word(h, page)) == 0);
  } else {
    CHECK_EQUAL(cross(h, 0, PAGES, 1, true), 32);
    for (uint64_t page = 0; page < 33; page++) {
      CHECK(state(h, page) == DEVICE && word_device(word(h, page)) == (page != 30));
      CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], 1); // nothing came by here
      if (page == 30) continue;
      int32_t at = extents_get(&h->devices[1].frame_of_page, page) - 1;
      CHECK(extents_get(&h->devices[1].region_of_frame, (uint64_t)at) == 7 && h->devices[1].last_use[at] == 70);
      CHECK(frame(h, 1, page)[0] == 100 + page && frame(h, 1, page)[PAGE - 1] == 100 + page);
    }
    CHECK_EQUAL(extents_get(&h->devices[1].region_of_frame, 35), 3);
    CHECK_EQUAL(cross(h, 0, PAGES, 1, true), 0); // there already
  }
  for (uint64_t page = 0; page < 33; page++) expect(h, page, (unsigned char)(100 + page));
  close_heap(h);
}

struct reading {
  struct heap *heap;
  unsigned device;
  unsigned char value;
};

static void read_page(void *arg) {
  const struct reading *r = arg;
  for (size_t i = 0; i < PAGE; i++) CHECK_EQUAL(frame(r->heap, r->device, 0)[i], r->value);
}

static void run_reader(struct heap *h, unsigned device, unsigned char value) {
  struct reading reading = {h, device, value};
  struct launching l = {.kernel = {read_page, &reading, 0}};
  CHECK_EQUAL(launch(h, &l, device, 0, 1, false), 0);
  CHECK(l.request.event);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
}

static void both_may_read_what_the_host_has_not(const struct shape *shape) {
  if (!goes_across(shape)) return;
  for (int then = 0; then < 6; then++) {
    struct heap *h = on_device_0(shape, 1);
    CHECK_EQUAL(cross(h, 0, 1, 1, false), 1);
    CHECK(state(h, 0) == PEERS && word_sharers(word(h, 0)) == 3);
    run_reader(h, 0, 100);
    run_reader(h, 1, 100);
    struct launching writes = {0};
    CHECK_EQUAL(launch(h, &writes, 0, 0, 1, true), 0);
    CHECK_EQUAL(writes.request.event, 0); // the page is not its own
    switch (then) {
    case 0:
      expect(h, 0, 100);
      CHECK(state(h, 0) == SHARED && word_sharers(word(h, 0)) == 3);
      run_reader(h, 1, 100);
      break;
    case 1:
      put(h, 0, 55);
      CHECK_EQUAL(state(h, 0), HOST);
      CHECK_EQUAL(h->alias[MIDDLE - 1], 100); // the rest came home with it
      break;
    case 2: // one of them wants to write: nothing is copied
      fill_frame(h, 1, 0, 100);
      CHECK_EQUAL(cross(h, 0, 1, 1, true), 1);
      CHECK(state(h, 0) == DEVICE && word_device(word(h, 0)) == 1);
      fill_frame(h, 0, 0, 0);
      expect(h, 0, 100);
      break;
    case 3: // the other one gives its copy up, or this one
    case 4:
      drop_peer(h, 0, then == 3);
      CHECK(state(h, 0) == DEVICE && word_device(word(h, 0)) == (then != 3));
      run_reader(h, then != 3, 100);
      expect(h, 0, 100);
      break;
    default: // a view that reads pins it
      CHECK_EQUAL(fetch(h, 0, 1, HMM_PIN), 0);
      CHECK(state(h, 0) == SHARED && word_sharers(word(h, 0)) == 3);
      CHECK_EQUAL(h->alias[MIDDLE], 100);
      unpin(h, 0, false);
    }
    close_heap(h);
  }
}

struct crossing {
  struct heap *heap;
  bool write;
  _Atomic bool done;
  int came;
};

static void *cross_to_1(void *arg) {
  struct crossing *c = arg;
  c->came = cross(c->heap, 0, 1, 1, c->write);
  c->done = true;
  return NULL;
}

// The kernel runs on the device that has the page, or on the other, with a copy from before; `uses` is how.
static void crosses_beside(const struct shape *shape, bool elsewhere, bool uses_to_write, bool write, bool waits) {
  struct heap *h = on_device_0(shape, 1);
  struct stopped_kernel k;
  if (elsewhere) {
    CHECK_EQUAL(fetch(h, 0, 1, 0), 0);
    CHECK(move_to(h, 0, 1, false));
    launch_stopped(h, &k, 1, 0, 1, false);
    CHECK(move_to(h, 0, 0, true)); // which does not wait for who reads a copy of its own
    fill_frame(h, 0, 0, 90);
  } else {
    launch_stopped(h, &k, 0, 0, 1, uses_to_write);
    fill_frame(h, 0, 0, 90); // as if by the kernel
  }
  struct crossing c = {.heap = h, .write = write};
  pthread_t thread = start_thread(cross_to_1, &c);
  if (waits) {
    AWAIT(word_state(word(h, 0)) == TO_HOST);
    for (int i = 0; i < 100; i++) sched_yield();
    CHECK(!c.done && word_state(word(h, 0)) == TO_HOST);
    if (elsewhere) CHECK_EQUAL(frame(h, 1, 0)[MIDDLE], 100); // as its kernel began with it
  } else {
    AWAIT(c.done);
  }
  let_go(&k);
  pthread_join(thread, NULL);
  CHECK_EQUAL(c.came, 1);
  CHECK_EQUAL(frame(h, 1, 0)[MIDDLE], 90);
  expect(h, 0, 90);
  close_heap(h);
}

static void it_waits_for_whoever_is_in_the_way(const struct shape *shape) {
  if (!goes_across(shape)) return;
  crosses_beside(shape, false, true, false, true);
  crosses_beside(shape, false, true, true, true);
  crosses_beside(shape, false, false, true, true);
  crosses_beside(shape, false, false, false, false); // two may read
  crosses_beside(shape, true, false, false, true);
  crosses_beside(shape, true, false, true, true);
}

// A touch of a page on its way waits, and finds it where it has gone.
static void a_touch_waits_for_what_is_on_its_way(const struct shape *shape) {
  if (!goes_across(shape)) return;
  for (int write = 0; write < 2; write++) {
    struct heap *h = on_device_0(shape, 1);
    CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_CROSSING, 1), 0);
    struct crossing c = {.heap = h, .write = write};
    pthread_t thread = start_thread(cross_to_1, &c);
    CHECK_EQUAL(hmm_step_await(h->pager, HMM_STEP_CROSSING, 30000), 1);
    struct toucher toucher;
    start_toucher(&toucher, h, 0, false, 0);
    for (int i = 0; i < 100; i++) sched_yield();
    CHECK(!toucher.done && word_state(word(h, 0)) == TO_HOST);
    CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_CROSSING, 0), 0);
    pthread_join(thread, NULL);
    join_toucher(&toucher);
    CHECK(c.came == 1 && !toucher.error);
    CHECK_EQUAL(toucher.value, 100);
    CHECK(state(h, 0) == SHARED && word_sharers(word(h, 0)) == (write ? 2 : 3));
    close_heap(h);
  }
}

// Its claim ends in time for a touch behind it, and nothing has moved; when the kernel has ended, the page comes.
static void a_long_kernel_keeps_its_page(const struct shape *shape) {
  if (!goes_across(shape)) return;
  struct heap *h = open_heap_with_touch_timeout(shape, PAGES, 20000000);
  put(h, 0, 1);
  CHECK(move_to(h, 0, 0, true));
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 0, 1, true);
  struct toucher behind;
  start_toucher(&behind, h, 0, false, 0);
  CHECK_EQUAL(cross(h, 0, 1, 1, true), 0);
  join_toucher(&behind);
  CHECK_EQUAL(behind.error, SIGBUS);
  CHECK(state(h, 0) == DEVICE && word_device(word(h, 0)) == 0);
  let_go(&k);
  while (cross(h, 0, 1, 1, true) == 0) {} // the end may come late
  CHECK(state(h, 0) == DEVICE && word_device(word(h, 0)) == 1);
  expect(h, 0, 1);
  close_heap(h);
}

static void *cross_all_to_1(void *arg) {
  struct crossing *c = arg;
  c->came = cross(c->heap, 0, 12, 1, c->write);
  c->done = true;
  return NULL;
}

// Pages that come along with what a kernel uses do not wait for it, nor does who touches them.
static void only_what_a_kernel_uses_waits_for_it(const struct shape *shape) {
  if (!goes_across(shape)) return;
  for (uint64_t first = 0; first < 9; first += 4) { // at the beginning, in the middle and at the end
    for (int write = 0; write < 2; write++) {
      struct heap *h = on_device_0(shape, 12);
      struct stopped_kernel k;
      launch_stopped(h, &k, 0, first, first + 4, true);
      struct crossing c = {.heap = h, .write = write};
      pthread_t thread = start_thread(cross_all_to_1, &c);
      AWAIT(word_state(word(h, first)) == TO_HOST);
      for (uint64_t page = 0; page < first; page++) CHECK(state(h, page) == (write ? DEVICE : PEERS));
      for (uint64_t page = 0; page < 12; page++) {
        if (page < first || page >= first + 4) expect(h, page, (unsigned char)(100 + page)); // would not return before the kernel ends, which waits for us
      }
      let_go(&k);
      pthread_join(thread, NULL);
      CHECK_EQUAL(c.came, first + 4); // the host has had those behind it
      for (uint64_t page = 0; page < 12; page++) expect(h, page, (unsigned char)(100 + page));
      close_heap(h);
    }
  }
}

// What a failed kernel was to write is lost, and goes nowhere.
static void what_a_kernel_has_lost_does_not_cross(const struct shape *shape) {
  if (!goes_across(shape)) return;
  struct heap *h = on_device_0(shape, 1);
  struct stopped_kernel k;
  launch_stopped(h, &k, 0, 0, 1, true);
  struct crossing c = {.heap = h, .write = true};
  pthread_t thread = start_thread(cross_to_1, &c);
  AWAIT(word_state(word(h, 0)) == TO_HOST);
  k.launching.kernel.status = -5;
  let_go(&k);
  pthread_join(thread, NULL);
  CHECK_EQUAL(c.came, 0);
  CHECK_EQUAL(state(h, 0), POISONED);
  CHECK_EQUAL(hmm_discard(h->pager, 0, 1, NULL), 0);
  close_heap(h);
}

static void a_failed_copy_leaves_pages_where_they_are(const struct shape *shape) {
  if (!goes_across(shape) || shape->way == REACHABLE) return; // no commands there
  for (int lost = 0; lost < 2; lost++) {
    for (int side = 0; side < 2; side++) {
      struct heap *h = on_device_0(shape, 8);
      struct hmm_moved moved = {0};
      struct hmm_failure failure = {0};
      const struct hmm_crossing crossing = {.device = 1, .first = 0, .end = 8, .writes = 1, .region = 7, .clock = 70};
      int status = lost ? -36 : -5;
      if (side == 0) fake_fail(READS(shape), status, shape->way == BY_COPIES ? 0 : 1, 1);
      else fake_fail(WRITES(shape), status, shape->way == BY_COPIES ? 3 : 1, 1); // slots of two pages, three of them filled at once
      CHECK_EQUAL(hmm_cross(h->pager, &crossing, &moved, &failure), -EIO);
      CHECK(failure.reason == HMM_OPENCL && failure.status == status && failure.device == side);
      CHECK_EQUAL(failure.call, side ? HMM_CALL_WRITE : HMM_CALL_READ);
      for (uint64_t page = 0; page < 8; page++) {
        if (lost && side == 0) {
          CHECK_EQUAL(state(h, page), POISONED);
          continue;
        }
        CHECK(state(h, page) == DEVICE && word_device(word(h, page)) == 0);
      }
      if (!lost || side) CHECK_EQUAL(hmm_cross(h->pager, &crossing, &moved, &failure), 0); // the slots are whole again
      for (uint64_t page = 0; page < 8 && (!lost || side); page++) expect(h, page, (unsigned char)(100 + page));
      close_heap(h);
    }
  }
}

// A copy that cannot be read, as if its device were lost or had no room for the command, is given up for the other, which the next one finds: a fetch, a crossing, a launch that insists.
static void one_of_two_copies_is_enough(const struct shape *shape) {
  if (!goes_across(shape) || shape->way == REACHABLE) return;
  for (int how = 0; how < 6; how++) {
    uint64_t n = how < 4 ? 4 : 1;
    struct heap *h = on_device_0(shape, n);
    CHECK_EQUAL(cross(h, 0, n, 1, false), n);
    fake_fail(READS(shape), how % 2 ? -5 : -36, 0, 1);
    struct launching l = {.request.insist = 1};
    switch (how / 2) {
    case 0: CHECK_EQUAL(fetch(h, 0, n, 0), -EIO); break;
    case 1: CHECK_EQUAL(cross(h, 0, n, 2, true), -EIO); break;
    default: CHECK_EQUAL(launch(h, &l, 2, 0, n, false), -EIO);
    }
    for (uint64_t page = 0; page < n; page++) {
      CHECK(state(h, page) == DEVICE && word_device(word(h, page)) == 1);
      fill_frame(h, 0, page, 0xEE);
      expect(h, page, (unsigned char)(100 + page));
    }
    close_heap(h);
  }
}

// Across and back at once, over the same slots, while the host looks: nobody waits for the other's lock for ever, and no byte is lost.
struct shuttle {
  struct heap *heap;
  unsigned device;
  _Atomic int *rounds;
};

static void take(struct heap *h, unsigned device, uint64_t first, bool write) {
  pthread_mutex_lock(&h->devices[device].lock);
  CHECK(cross(h, first, first + 16, device, write) >= 0);
  for (uint64_t page = first; page < first + 16; page++) move_to(h, page, device, write); // what the host has had meanwhile
  pthread_mutex_unlock(&h->devices[device].lock);
}

static void *shuttle(void *arg) {
  const struct shuttle *s = arg;
  for (int round; (round = atomic_fetch_add(s->rounds, 1)) < (s->heap->shape->quick ? 100 : 400);) {
    uint64_t first = s->device ? 0 : 16;
    take(s->heap, s->device, first, true);
    take(s->heap, !s->device, first, round % 3);
  }
  return NULL;
}

static void opposite_ways_at_once(const struct shape *shape) {
  if (!goes_across(shape)) return;
  struct heap *h = on_device_0(shape, 32);
  _Atomic int rounds = 0;
  struct shuttle shuttles[] = {{h, 0, &rounds}, {h, 1, &rounds}};
  pthread_t threads[] = {start_thread(shuttle, &shuttles[0]), start_thread(shuttle, &shuttles[1])};
  while (rounds < 50) {
    CHECK_EQUAL(fetch(h, 8, 24, HMM_PIN), 0);
    for (uint64_t page = 8; page < 24; page++) {
      CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], 100 + page);
      unpin(h, page, false);
    }
  }
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  for (uint64_t page = 0; page < 32; page++) expect(h, page, (unsigned char)(100 + page));
  close_heap(h);
}

const struct test peer_tests[] = {
    {"pages_go_to_their_new_owner", pages_go_to_their_new_owner, 0},
    {"both_may_read_what_the_host_has_not", both_may_read_what_the_host_has_not, 0},
    {"it_waits_for_whoever_is_in_the_way", it_waits_for_whoever_is_in_the_way, 0},
    {"a_touch_waits_for_what_is_on_its_way", a_touch_waits_for_what_is_on_its_way, 0},
    {"a_long_kernel_keeps_its_page", a_long_kernel_keeps_its_page, NEEDS_TRAP},
    {"only_what_a_kernel_uses_waits_for_it", only_what_a_kernel_uses_waits_for_it, 0},
    {"what_a_kernel_has_lost_does_not_cross", what_a_kernel_has_lost_does_not_cross, 0},
    {"a_failed_copy_leaves_pages_where_they_are", a_failed_copy_leaves_pages_where_they_are, 0},
    {"one_of_two_copies_is_enough", one_of_two_copies_is_enough, 0},
    {"opposite_ways_at_once", opposite_ways_at_once, 0},
    {0},
};
