// gather_test.c - what lies apart on a device comes home by a kernel that carries it together.
#include <errno.h>
#include <string.h>

#include "heap.h"

#define PAGES 96 // every third of them is asked for: sixteen slots of two

struct gathering {
  struct heap *h;
  struct fake_kernel kernel;
  struct fake_gather arguments;
  struct hmm_gather gather;
};

static void open_gathering(struct gathering *g, const struct shape *shape, bool measured) {
  *g = (struct gathering){.h = open_heap(shape, PAGES, 1)};
  g->kernel.gather = &g->arguments;
  g->gather = (struct hmm_gather){.queue = (uint64_t)(uintptr_t)fake_queue(), .kernel = (uint64_t)(uintptr_t)&g->kernel, .items = 8, .measured = measured};
  for (unsigned i = 0; shape->way == STAGED && i < HMM_BULK_SLOTS; i++) g->gather.packed[i] = (uint64_t)(uintptr_t)fake_memory(HMM_BULK_SHARES * PAGE);
  CHECK_EQUAL(hmm_set_gather(g->h->pager, 0, &g->gather), 0);
}

static void close_gathering(struct gathering *g) {
  close_heap(g->h);
  fake_release_queue((void *)(uintptr_t)g->gather.queue);
  for (unsigned i = 0; i < HMM_BULK_SLOTS; i++) {
    if (g->gather.packed[i]) fake_free((void *)(uintptr_t)g->gather.packed[i]);
  }
}

static void fetch_every_third(struct heap *h, unsigned char seed) {
  uint8_t outcomes[PAGES];
  for (uint64_t page = 0; page < PAGES; page++) {
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page + seed));
    outcomes[page] = page % 3 == 1 ? 0 : HMM_UNASKED;
  }
  struct hmm_moved moved = {0};
  CHECK_EQUAL(hmm_fetch(h->pager, 0, PAGES, HMM_EXCLUSIVE | HMM_MASKED, outcomes, &moved, NULL), 0);
  CHECK(moved.copied == PAGES / 3 && moved.runs == PAGES / 3);
  for (uint64_t page = 0; page < PAGES; page++) CHECK_EQUAL(state(h, page), page % 3 == 1 ? HOST : DEVICE);
  for (uint64_t page = 0; page < PAGES; page++) expect(h, page, (unsigned char)(page + seed));
}

static bool has_slots(const struct shape *shape) { return shape->way == STAGED || shape->way == BY_COPIES; }

// The first slots go both ways, the others by the kernel alone, in one command over the bus.
static void a_kernel_carries_what_lies_apart(const struct shape *shape) {
  if (!has_slots(shape)) return;
  struct gathering g;
  open_gathering(&g, shape, false);
  int reads = fake_calls_of(READS(shape));
  fetch_every_third(g.h, 1);
  CHECK_EQUAL(counted(g.h, HMM_GATHERED), 12);
  if (shape->way == BY_COPIES) CHECK_EQUAL(fake_calls_of(READS(shape)) - reads, 8 + 64); // trials, and what `expect` has brought home
  fetch_every_third(g.h, 2);
  CHECK_EQUAL(counted(g.h, HMM_GATHERED), 12 + 16);
  close_gathering(&g);
}

// A kernel that is wrong once is not asked again; nothing of what it carried has reached the host.
static void a_kernel_that_carries_wrong_is_given_up(const struct shape *shape) {
  if (!has_slots(shape)) return;
  for (int idle = 0; idle < 2; idle++) {
    struct gathering g;
    open_gathering(&g, shape, false);
    *(idle ? &g.arguments.idle : &g.arguments.wrong) = true;
    fetch_every_third(g.h, 1);
    CHECK_EQUAL(counted(g.h, HMM_GATHERS_GIVEN_UP), 1);
    CHECK_EQUAL(counted(g.h, HMM_GATHERED), 0);
    close_gathering(&g);
  }
}

// Whichever call it is, and in a trial or later: what it was to carry comes by commands.
static void a_kernel_that_fails_is_given_up(const struct shape *shape) {
  static const enum hmm_cl calls[] = {HMM_CL_SET_ARG, HMM_CL_ENQUEUE_KERNEL};
  if (!has_slots(shape)) return;
  for (size_t i = 0; i <= sizeof calls / sizeof *calls; i++) {
    for (int late = 0; late < 2; late++) {
      struct gathering g;
      open_gathering(&g, shape, false);
      if (late) fetch_every_third(g.h, 1);
      counted(g.h, HMM_GATHERED);
      if (i < sizeof calls / sizeof *calls) fake_fail(calls[i], -5, 1, 1);
      else g.kernel.status = -5;
      fetch_every_third(g.h, 2);
      CHECK_EQUAL(counted(g.h, HMM_GATHERS_GIVEN_UP), 1);
      close_gathering(&g);
    }
  }
}

// Measured, it must take less time than commands; with two parts to a slot nothing is ever measured, so commands it is.
static void what_was_not_measured_goes_by_commands(const struct shape *shape) {
  if (!has_slots(shape)) return;
  struct gathering g;
  open_gathering(&g, shape, true);
  fetch_every_third(g.h, 1);
  CHECK_EQUAL(counted(g.h, HMM_GATHERED), 0);
  close_gathering(&g);
}

static void only_a_device_with_slots_takes_one(const struct shape *shape) {
  struct heap *h = open_heap(shape, 4, 1);
  struct fake_kernel kernel = {0};
  const struct hmm_gather gather = {.queue = 1, .kernel = (uint64_t)(uintptr_t)&kernel, .items = 1}, empty = {.queue = 1, .kernel = (uint64_t)(uintptr_t)&kernel};
  CHECK_EQUAL(hmm_set_gather(h->pager, 0, &gather), has_slots(shape) ? 0 : -EINVAL);
  CHECK_EQUAL(hmm_set_gather(h->pager, 0, &empty), -EINVAL);
  CHECK_EQUAL(hmm_set_gather(h->pager, DEVICES, &gather), -EINVAL);
  close_heap(h);
}

const struct test gather_tests[] = {
    {"a_kernel_carries_what_lies_apart", a_kernel_carries_what_lies_apart, 0},
    {"a_kernel_that_carries_wrong_is_given_up", a_kernel_that_carries_wrong_is_given_up, 0},
    {"a_kernel_that_fails_is_given_up", a_kernel_that_fails_is_given_up, 0},
    {"what_was_not_measured_goes_by_commands", what_was_not_measured_goes_by_commands, 0},
    {"only_a_device_with_slots_takes_one", only_a_device_with_slots_takes_one, ONE_WAY},
    {0},
};
