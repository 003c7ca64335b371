// in_place_test.c - kernels that use host pages where they are: what the gate wants of a page, how it gets that, and
// who waits.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>

#define PAGES 16

static int launch_in_place_on(struct heap *h, struct launching *l, unsigned device, uint64_t first, uint64_t end, bool write, bool insists) {
  static const size_t one = 1;
  l->use = (struct hmm_use){first, end, write, 1};
  l->request = (struct hmm_launch){.device = device, .uses = (uint64_t)(uintptr_t)&l->use, .use_count = 1, .queue = (uint64_t)(uintptr_t)h->devices[device].queue, .kernel = (uint64_t)(uintptr_t)&l->kernel,
                                   .dimensions = 1, .global = (uint64_t)(uintptr_t)&one, .insist = insists, .name = (uint64_t)(uintptr_t)"in_place", .copies = l->request.copies, .copy_count = l->request.copy_count};
  return hmm_launch_enter(h->pager, &l->request, &l->failure);
}

static int launch_in_place(struct heap *h, struct launching *l, uint64_t first, uint64_t end, bool write, bool insists) {
  return launch_in_place_on(h, l, 0, first, end, write, insists);
}

static bool enters(struct heap *h, uint64_t page, bool write, bool insists) {
  struct launching l = {0};
  CHECK_EQUAL(launch_in_place(h, &l, page, page + 1, write, insists), 0);
  if (!l.request.event) return false;
  fake_wait((void *)(uintptr_t)l.request.event);
  return true;
}

// Page 0 was never touched, 1 is the host's, 2 shared with the device, 3 on the device, 4 pinned to be read, 5
// read-only.
static struct heap *mixed(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  for (uint64_t page = 1; page < 6; page++) put(h, page, (unsigned char)page);
  CHECK(move_to(h, 2, 0, false));
  CHECK(move_to(h, 3, 0, true));
  fill_frame(h, 0, 3, 33);
  CHECK_EQUAL(fetch(h, 4, 5, HMM_PIN), 0);
  protect(h, 5, 1);
  return h;
}

static void a_page_must_be_at_home_with_memory(const struct shape *shape) {
  struct heap *h = mixed(shape);
  CHECK(!enters(h, 0, true, false) && !enters(h, 2, true, false) && !enters(h, 3, true, false));
  CHECK_EQUAL(fetch(h, 0, 3, HMM_MAP | HMM_IN_PLACE), 0);
  CHECK_EQUAL(state(h, 0), HOST);
  CHECK_EQUAL(state(h, 2), SHARED);
  CHECK_EQUAL(state(h, 3), DEVICE);
  for (uint64_t page = 0; page < 3; page++) CHECK(enters(h, page, false, false));
  CHECK(!enters(h, 2, true, false)); // the device has a copy
  CHECK(!enters(h, 3, false, false));
  CHECK_EQUAL(fetch(h, 2, 4, HMM_EXCLUSIVE | HMM_MAP | HMM_IN_PLACE), 0);
  CHECK_EQUAL(state(h, 2), HOST);
  CHECK_EQUAL(state(h, 3), HOST);
  for (uint64_t page = 0; page < 4; page++) CHECK(enters(h, page, true, false));
  count_from_now(h);
  expect(h, 0, 0);
  put(h, 0, 9);
  expect(h, 3, 33);
  CHECK_EQUAL(counted(h, HMM_FAULTS_READ) + counted(h, HMM_FAULTS_WRITE), 0); // mapped with the memory
  CHECK(enters(h, 4, false, false));
  CHECK(!enters(h, 4, true, false));
  unpin(h, 4, false);
  CHECK(enters(h, 4, true, false));
  CHECK_EQUAL(fetch(h, 5, 6, HMM_MAP | HMM_IN_PLACE), 0);
  CHECK(enters(h, 5, false, false));
  CHECK(!enters(h, 5, true, false));
  close_heap(h);
}

static void insisting_brings_pages_home(const struct shape *shape) {
  for (int write = 0; write < 2; write++) {
    struct heap *h = mixed(shape);
    struct launching l = {0};
    CHECK_EQUAL(launch_in_place(h, &l, 0, 4, write, true), 0);
    CHECK(l.request.event);
    CHECK_EQUAL(l.request.moved, 0); // not to the device
    fake_wait((void *)(uintptr_t)l.request.event);
    CHECK_EQUAL(state(h, 0), HOST);
    CHECK_EQUAL(state(h, 2), write ? HOST : SHARED);
    CHECK_EQUAL(state(h, 3), write ? HOST : SHARED);
    expect(h, 0, 0);
    expect(h, 2, 2);
    expect(h, 3, 33);
    put(h, 0, 1);
    CHECK(!enters(h, 4, true, true)); // pinned
    CHECK(!enters(h, 5, true, true)); // read-only
    unpin(h, 4, false);
    close_heap(h);
  }
}

static void stay(void *arg) {
  struct stopped_kernel *k = arg;
  k->running = true;
  AWAIT(k->go);
}

static void *discard(void *arg) {
  struct toucher *t = arg;
  CHECK_EQUAL(hmm_discard(t->heap->pager, t->page, t->page + 1, NULL), 0);
  t->done = true;
  return NULL;
}

// A kernel that works in place would write into the hole; a touch of what is mapped waits for nobody.
static void discarding_waits_and_touching_does_not(const struct shape *shape) {
  struct heap *h = mixed(shape);
  CHECK_EQUAL(fetch(h, 0, 2, HMM_EXCLUSIVE | HMM_MAP | HMM_IN_PLACE), 0);
  struct stopped_kernel k = {.launching.kernel = {stay, &k, 0}};
  CHECK_EQUAL(launch_in_place(h, &k.launching, 0, 2, true, false), 0);
  CHECK(k.launching.request.event);
  AWAIT(k.running);
  put(h, 0, 17);
  expect(h, 0, 17);
  struct toucher t = {.heap = h, .page = 1};
  pthread_t thread = start_thread(discard, &t);
  for (int i = 0; i < 1000; i++) CHECK(!t.done);
  let_go(&k);
  pthread_join(thread, NULL);
  CHECK(t.done);
  expect(h, 1, 0);
  expect(h, 0, 17);
  unpin(h, 4, false);
  close_heap(h);
}

// For no longer than a touch may wait are the pages claimed that are to be discarded; then others get at them, who would stand behind that.
static void discarding_keeps_nobody_from_a_page_for_long(const struct shape *shape) {
  struct heap *h = open_heap_with_touch_timeout(shape, PAGES, 1000000);
  CHECK_EQUAL(fetch(h, 0, 2, HMM_EXCLUSIVE | HMM_MAP | HMM_IN_PLACE), 0);
  struct stopped_kernel k = {.launching.kernel = {stay, &k, 0}};
  CHECK_EQUAL(launch_in_place(h, &k.launching, 0, 2, true, false), 0);
  AWAIT(k.running);
  struct toucher t = {.heap = h, .page = 1};
  pthread_t thread = start_thread(discard, &t);
  for (int i = 0; i < 3; i++) { // again and again, while the kernel runs
    AWAIT(word_state(word(h, 1)) == TO_HOST);
    AWAIT(word_state(word(h, 1)) != TO_HOST);
  }
  CHECK(!t.done);
  let_go(&k);
  pthread_join(thread, NULL);
  CHECK_EQUAL(state(h, 1), EMPTY);
  close_heap(h);
}

static void *launch_refused(void *arg) {
  struct launching *l = arg;
  CHECK_EQUAL(launch(l->kernel.arg, l, 0, 6, 7, true), -EIO);
  return NULL;
}

// An output that is not decided yet may have to become what it was, so who discards it has it claimed only when it is.
static void discarding_gives_way_to_an_output(const struct shape *shape) {
  struct heap *h = mixed(shape);
  CHECK_EQUAL(fetch(h, 1, 2, HMM_MAP | HMM_IN_PLACE), 0);
  CHECK(enters(h, 1, false, false)); // from now on discarding looks for kernels in place
  put(h, 6, 60);
  uint64_t before = word(h, 6);
  struct hmm_overwrite output = {6, claim_for(h, 6, 0, true), before};
  forbid_claimed(h, 6, true);
  fill_frame(h, 0, 6, 99);
  struct launching l = {.kernel.arg = h, .request = {.overwrites = (uint64_t)(uintptr_t)&output, .overwrite_count = 1}};
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_CHECKED, 1), 0);
  fake_fail(HMM_CL_ENQUEUE_KERNEL, -54, 0, 1);
  pthread_t launcher = start_thread(launch_refused, &l);
  CHECK_EQUAL(hmm_step_await(h->pager, HMM_STEP_CHECKED, 30000), 1);
  struct toucher t = {.heap = h, .page = 6};
  pthread_t thread = start_thread(discard, &t);
  for (int i = 0; i < 1000; i++) CHECK(!t.done);
  AWAIT(word(h, 6) >> VERSION_SHIFT > (before >> VERSION_SHIFT) + 3); // claimed, committed, claimed and given back
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_CHECKED, 0), 0);
  pthread_join(launcher, NULL);
  pthread_join(thread, NULL);
  expect(h, 6, 0);
  unpin(h, 4, false);
  close_heap(h);
}

struct in_turn {
  struct heap *heap;
  struct stopped_kernel *before;
  struct launching launching;
  uint64_t page;
  bool write, insists;
  _Atomic bool passed, ran_beside; // the kernel before it still ran
};

static void look_for_the_other(void *arg) {
  struct in_turn *t = arg;
  if (t->before->running && !t->before->go) t->ran_beside = true;
}

static void *launch_in_turn(void *arg) {
  struct in_turn *t = arg;
  t->launching.kernel = (struct fake_kernel){.run = look_for_the_other, .arg = t};
  CHECK_EQUAL(launch_in_place_on(t->heap, &t->launching, 1, t->page, t->page + 1, t->write, t->insists), 0);
  CHECK(t->launching.request.event);
  fake_wait((void *)(uintptr_t)t->launching.request.event);
  t->passed = true;
  return NULL;
}

// No word says which of two devices has a page in place: the second kernel waits for the first, if one of them writes.
static void kernels_of_two_devices_take_turns(const struct shape *shape) {
  for (int way = 0; way < 8; way++) {
    bool first_writes = way & 1, second_writes = way & 2, insists = way & 4;
    struct heap *h = open_heap(shape, PAGES, 2);
    CHECK_EQUAL(fetch(h, 0, 4, HMM_EXCLUSIVE | HMM_MAP | HMM_IN_PLACE), 0);
    struct stopped_kernel k = {.launching.kernel = {stay, &k, 0}};
    CHECK_EQUAL(launch_in_place(h, &k.launching, 0, 2, first_writes, false), 0);
    AWAIT(k.running);
    struct in_turn elsewhere = {.heap = h, .before = &k, .page = 2, .write = true, .insists = insists};
    launch_in_turn(&elsewhere);
    CHECK(elsewhere.ran_beside);
    struct in_turn t = {.heap = h, .before = &k, .page = 1, .write = second_writes, .insists = insists};
    pthread_t thread = start_thread(launch_in_turn, &t);
    bool waits = first_writes || second_writes;
    for (int i = 0; i < 1000 && waits; i++) CHECK(!t.passed);
    if (!waits) AWAIT(t.passed);
    let_go(&k);
    pthread_join(thread, NULL);
    CHECK_EQUAL(t.ran_beside, !waits);
    close_heap(h);
  }
}

// As long as a touch may: then it is made anew, and whoever wants its pages meanwhile gets them.
static void a_turn_is_not_waited_for_without_end(const struct shape *shape) {
  for (int insists = 0; insists < 2; insists++) {
    struct heap *h = open_heap_with_touch_timeout(shape, PAGES, 1000000);
    CHECK_EQUAL(fetch(h, 0, 2, HMM_EXCLUSIVE | HMM_MAP | HMM_IN_PLACE), 0);
    struct stopped_kernel k = {.launching.kernel = {stay, &k, 0}};
    CHECK_EQUAL(launch_in_place(h, &k.launching, 0, 2, true, false), 0);
    AWAIT(k.running);
    struct launching l = {0};
    CHECK_EQUAL(launch_in_place_on(h, &l, 1, 1, 2, true, insists), 0);
    CHECK(!l.request.event);
    let_go(&k);
    while (!l.request.event) CHECK_EQUAL(launch_in_place_on(h, &l, 1, 1, 2, true, insists), 0); // the end may come late
    fake_wait((void *)(uintptr_t)l.request.event);
    close_heap(h);
  }
}

// What it has written in place the host could see all along.
static void a_failed_kernel_poisons_nothing_in_place(const struct shape *shape) {
  struct heap *h = mixed(shape);
  CHECK_EQUAL(fetch(h, 0, 2, HMM_EXCLUSIVE | HMM_MAP | HMM_IN_PLACE), 0);
  struct launching l = {0};
  fake_fail_commands(-5, 1);
  CHECK_EQUAL(launch_in_place(h, &l, 0, 2, true, false), 0);
  CHECK_EQUAL(hmm_await_all(h->pager), 0);
  if (l.request.event) fake_wait((void *)(uintptr_t)l.request.event);
  CHECK_EQUAL(state(h, 0), HOST);
  expect(h, 1, 1);
  unpin(h, 4, false);
  close_heap(h);
}

// A kernel that adds 100 to the bytes of its copy.
static void add_to_copy(void *copy) {
  for (int i = 0; i < 4; i++) fake_bytes(copy)[i] += 100;
}

// Where kernels get addresses there is no object to copy from: the bytes themselves are read and written.
static void arguments_are_copied_from_an_address(const struct shape *shape) {
  for (int how = 0; how < 4; how++) {
    struct heap *h = mixed(shape);
    void *bytes = fake_memory(4);
    struct hmm_argument_copy copy = {0, (uint64_t)(uintptr_t)(h->alias + PAGE + MIDDLE), (uint64_t)(uintptr_t)bytes, 4, how != 1};
    struct launching l = {.kernel = {add_to_copy, bytes, 0}, .request = {.copies = (uint64_t)(uintptr_t)&copy, .copy_count = 1}};
    CHECK_EQUAL(fetch(h, 1, 2, HMM_EXCLUSIVE | HMM_MAP | HMM_IN_PLACE), 0);
    if (how > 1) fake_fail(how == 2 ? HMM_CL_ENQUEUE_WRITE : HMM_CL_ENQUEUE_READ, -4, 0, 1);
    CHECK_EQUAL(launch_in_place(h, &l, 1, 2, true, false), how > 1 ? -EIO : 0);
    CHECK_EQUAL(!l.request.event, how == 2); // the other one has run, and what it wrote is lost
    if (how > 1) CHECK(l.failure.call == HMM_CALL_COPY && l.failure.status == -4);
    if (l.request.event) CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
    for (size_t i = 0; i < 4; i++) CHECK_EQUAL(h->alias[PAGE + MIDDLE + i], (i ? 0 : 1) + (how ? 0 : 100));
    CHECK_EQUAL(h->alias[PAGE + MIDDLE + 4], 0);
    CHECK_EQUAL(hmm_await_all(h->pager), 0);
    unpin(h, 4, false);
    close_heap(h);
    fake_reset();
    fake_free(bytes);
  }
}

const struct test in_place_tests[] = {
    {"arguments_are_copied_from_an_address", arguments_are_copied_from_an_address, ONE_WAY},
    {"a_page_must_be_at_home_with_memory", a_page_must_be_at_home_with_memory, ONE_WAY},
    {"insisting_brings_pages_home", insisting_brings_pages_home, ONE_WAY},
    {"discarding_waits_and_touching_does_not", discarding_waits_and_touching_does_not, ONE_WAY},
    {"discarding_keeps_nobody_from_a_page_for_long", discarding_keeps_nobody_from_a_page_for_long, ONE_WAY},
    {"discarding_gives_way_to_an_output", discarding_gives_way_to_an_output, ONE_WAY},
    {"kernels_of_two_devices_take_turns", kernels_of_two_devices_take_turns, ONE_WAY},
    {"a_turn_is_not_waited_for_without_end", a_turn_is_not_waited_for_without_end, ONE_WAY},
    {"a_failed_kernel_poisons_nothing_in_place", a_failed_kernel_poisons_nothing_in_place, ONE_WAY},
    {0},
};
