// overwrite_test.c - pages that a launch overwrites: the device's when its kernel runs, and what they were if it does not.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>

#define PAGES 40
#define GARBAGE 0xee
#define OUTPUTS 3

// Pages 4 to 6 are claimed to be overwritten and their frames hold nobody's bytes: one is the host's, one shared with the other device, one was never touched.
static void claim_outputs(struct heap *h, struct hmm_overwrite *outputs) {
  put(h, 4, 40);
  put(h, 5, 50);
  CHECK(move_to(h, 5, 1, false));
  for (uint64_t i = 0; i < OUTPUTS; i++) {
    uint64_t page = 4 + i, before = word(h, page);
    outputs[i] = (struct hmm_overwrite){page, claim_for(h, page, 0, true), before};
    CHECK(outputs[i].claim);
    forbid_claimed(h, page, true);
    fill_frame(h, 0, page, GARBAGE);
  }
}

static struct launching overwriting(struct hmm_overwrite *outputs) {
  return (struct launching){.request = {.overwrites = (uint64_t)(uintptr_t)outputs, .overwrite_count = OUTPUTS}};
}

static void expect_old(struct heap *h) {
  CHECK_EQUAL(state(h, 4), HOST);
  CHECK_EQUAL(state(h, 5), HOST); // the other device's frame could have been given away meanwhile
  CHECK_EQUAL(state(h, 6), EMPTY);
  expect(h, 4, 40);
  expect(h, 5, 50);
  expect(h, 6, 0);
}

static void write_outputs(void *arg) {
  for (uint64_t page = 4; page < 4 + OUTPUTS; page++) fill_frame(arg, 0, page, (unsigned char)(100 + page));
}

static void outputs_are_the_devices_when_their_kernel_runs(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct hmm_overwrite outputs[OUTPUTS];
  claim_outputs(h, outputs);
  struct launching l = overwriting(outputs);
  l.kernel = (struct fake_kernel){.run = write_outputs, .arg = h};
  CHECK_EQUAL(launch(h, &l, 0, 4, 4 + OUTPUTS, true), 0);
  CHECK(l.request.event);
  for (uint64_t page = 4; page < 4 + OUTPUTS; page++) expect(h, page, (unsigned char)(100 + page));
  fake_wait((void *)(uintptr_t)l.request.event);
  close_heap(h);
}

static void outputs_of_a_launch_that_finds_a_page_missing_are_what_they_were(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct hmm_overwrite outputs[OUTPUTS];
  claim_outputs(h, outputs);
  struct launching l = overwriting(outputs);
  CHECK_EQUAL(launch(h, &l, 0, 4, 8, true), 0); // one page more
  CHECK_EQUAL(l.request.event, 0);
  CHECK_EQUAL(l.request.missing, 7);
  expect_old(h);
  close_heap(h);
}

static void an_output_that_the_host_has_taken_back_is_left_to_it(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct hmm_overwrite outputs[OUTPUTS];
  claim_outputs(h, outputs);
  put(h, 6, 66);
  struct launching l = overwriting(outputs);
  CHECK_EQUAL(launch(h, &l, 0, 4, 4 + OUTPUTS, true), 0);
  CHECK_EQUAL(l.request.event, 0);
  CHECK_EQUAL(l.request.missing, 6);
  CHECK_EQUAL(outputs[2].claim, 0);
  CHECK_EQUAL(state(h, 6), HOST);
  expect(h, 6, 66);
  expect(h, 4, 40);
  // One that insists moves it, with what it holds, and if the driver then refuses the kernel it has lost nothing.
  claim_outputs(h, outputs);
  put(h, 6, 67);
  l = overwriting(outputs);
  l.request.insist = 1;
  fake_fail(HMM_CL_ENQUEUE_KERNEL, -54, 0, 1);
  CHECK_EQUAL(launch(h, &l, 0, 4, 4 + OUTPUTS, true), -EIO);
  CHECK_EQUAL(l.request.moved, 1);
  expect(h, 4, 40);
  expect(h, 5, 50);
  expect(h, 6, 67);
  close_heap(h);
}

static void *launch_refused(void *arg) {
  struct launching *l = arg;
  CHECK_EQUAL(launch(l->kernel.arg, l, 0, 4, 4 + OUTPUTS, true), -EIO);
  return NULL;
}

// They are the device's already, and nobody gets to see what is there: who touches them, or fetches them, waits until the launch is decided.
static void whoever_meets_an_output_before_the_decision_sees_what_it_held(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct hmm_overwrite outputs[OUTPUTS];
  claim_outputs(h, outputs);
  struct launching l = overwriting(outputs);
  l.kernel.arg = h;
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_CHECKED, 1), 0);
  fake_fail(HMM_CL_ENQUEUE_KERNEL, -54, 0, 1);
  pthread_t launcher = start_thread(launch_refused, &l);
  CHECK_EQUAL(hmm_step_await(h->pager, HMM_STEP_CHECKED, 30000), 1);
  for (uint64_t page = 4; page < 4 + OUTPUTS; page++) CHECK_EQUAL(state(h, page), DEVICE);
  struct toucher touchers[OUTPUTS];
  for (uint64_t i = 0; i < OUTPUTS; i++) start_toucher(&touchers[i], h, 4 + i, i == 2, 9);
  for (uint64_t page = 10; page < 20; page++) put(h, page, 1); // nobody else waits
  for (uint64_t i = 0; i < OUTPUTS; i++) CHECK(!touchers[i].done);
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_CHECKED, 0), 0);
  pthread_join(launcher, NULL);
  for (uint64_t i = 0; i < OUTPUTS; i++) join_toucher(&touchers[i]);
  CHECK_EQUAL(touchers[0].value, 40);
  CHECK_EQUAL(touchers[1].value, 50);
  CHECK_EQUAL(h->app[6 * PAGE], 0);
  CHECK_EQUAL(h->app[6 * PAGE + MIDDLE], 9);
  close_heap(h);
}

#define OTHERS 4 // a whole block

// Pages 4 and 5 only device 1 has, 6 and 7 both devices, and the host's are others: nobody has claimed them yet. The frames of the first two hold nobody's bytes.
static struct launching overwriting_others(struct heap *h, struct hmm_overwrite *outputs) {
  for (uint64_t page = 4; page < 4 + OTHERS; page++) {
    put(h, page, 1);
    CHECK(move_to(h, page, 1, true));
    fill_frame(h, 1, page, (unsigned char)(10 * page));
    if (page >= 6) CHECK_EQUAL(cross(h, page, page + 1, 0, false), 1);
    else fill_frame(h, 0, page, GARBAGE);
    outputs[page - 4] = (struct hmm_overwrite){page, word(h, page), word(h, page)};
  }
  return (struct launching){.kernel.arg = h, .request = {.overwrites = (uint64_t)(uintptr_t)outputs, .overwrite_count = OTHERS}};
}

static void expect_theirs(struct heap *h) {
  for (uint64_t page = 4; page < 4 + OTHERS; page++) {
    if (page < 6) CHECK(state(h, page) == DEVICE && word_device(word(h, page)) == 1);
    else CHECK(state(h, page) == PEERS && word_sharers(word(h, page)) == 3);
  }
  struct launching unaware = {0};
  CHECK_EQUAL(launch(h, &unaware, 0, 4, 4 + OTHERS, true), 0);
  CHECK_EQUAL(unaware.request.event, 0); // nothing says that the device has them
  CHECK_EQUAL(unaware.request.missing, 4);
}

static void expect_their_contents(struct heap *h) {
  for (uint64_t page = 4; page < 4 + OTHERS; page++) expect(h, page, (unsigned char)(10 * page));
}

static void write_others(void *arg) {
  for (uint64_t page = 4; page < 4 + OTHERS; page++) fill_frame(arg, 0, page, (unsigned char)(100 + page));
}

static void outputs_of_others_are_the_devices_when_their_kernel_runs(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct hmm_overwrite outputs[OTHERS];
  struct launching l = overwriting_others(h, outputs);
  l.kernel.run = write_others;
  count_from_now(h);
  CHECK_EQUAL(launch(h, &l, 0, 4, 4 + OTHERS, true), 0);
  CHECK(l.request.event);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
  for (uint64_t page = 4; page < 4 + OTHERS; page++) {
    CHECK(state(h, page) == DEVICE && word_device(word(h, page)) == 0);
    CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], 1); // nothing came home
    fill_frame(h, 1, page, GARBAGE); // it is nobody's
  }
  struct launching again = {0};
  CHECK_EQUAL(launch(h, &again, 0, 4, 4 + OTHERS, true), 0);
  CHECK(again.request.event);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)again.request.event), 0);
  for (uint64_t page = 4; page < 4 + OTHERS; page++) expect(h, page, (unsigned char)(100 + page));
  close_heap(h);
}

static void outputs_of_others_stay_theirs_if_it_does_not(const struct shape *shape) {
  for (int refused = 0; refused < 2; refused++) {
    struct heap *h = open_heap(shape, PAGES, 1);
    struct hmm_overwrite outputs[OTHERS];
    struct launching l = overwriting_others(h, outputs);
    if (refused) {
      fake_fail(HMM_CL_ENQUEUE_KERNEL, -54, 0, 1);
      CHECK_EQUAL(launch(h, &l, 0, 4, 4 + OTHERS, true), -EIO);
    } else {
      CHECK_EQUAL(launch(h, &l, 0, 4, 5 + OTHERS, true), 0); // one page more
      CHECK_EQUAL(l.request.missing, 4 + OTHERS);
    }
    CHECK_EQUAL(l.request.event, 0);
    expect_theirs(h);
    expect_their_contents(h);
    close_heap(h);
  }
}

// It waits for nobody with its claims: whoever launches waits, and comes again.
static void outputs_that_others_use_are_left_to_them(const struct shape *shape) {
  for (int writes = 0; writes < 2; writes++) {
    struct heap *h = open_heap(shape, PAGES, 1);
    struct hmm_overwrite outputs[OTHERS];
    struct launching l = overwriting_others(h, outputs);
    struct stopped_kernel k;
    launch_stopped(h, &k, 1, writes ? 5 : 6, writes ? 6 : 7, writes);
    CHECK_EQUAL(launch(h, &l, 0, 4, 4 + OTHERS, true), 0);
    CHECK_EQUAL(l.request.event, 0);
    CHECK_EQUAL(l.request.missing, 4); // as what is not to be had together
    expect_theirs(h);
    let_go(&k);
    expect_their_contents(h);
    close_heap(h);
  }
}

static void an_output_that_another_device_has_lost_meanwhile_is_missed(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct hmm_overwrite outputs[OTHERS];
  struct launching l = overwriting_others(h, outputs);
  put(h, 5, 77); // home
  CHECK_EQUAL(cross(h, 6, 7, 1, true), 1); // the other device's alone
  CHECK_EQUAL(launch(h, &l, 0, 4, 4 + OTHERS, true), 0);
  CHECK_EQUAL(l.request.event, 0);
  CHECK_EQUAL(l.request.missing, 5);
  CHECK_EQUAL(outputs[1].claim, 0);
  CHECK_EQUAL(state(h, 5), HOST);
  CHECK(state(h, 6) == DEVICE && word_device(word(h, 6)) == 1);
  CHECK_EQUAL(h->alias[5 * PAGE + MIDDLE], 77);
  expect(h, 4, 40);
  expect(h, 6, 60);
  close_heap(h);
}

static void read_others(void *arg) {
  for (uint64_t page = 4; page < 4 + OTHERS; page++) CHECK_EQUAL(frame(arg, 0, page)[MIDDLE], 10 * page);
}

// Who insists moves pages one by one, and what has come for it stays: so it comes with its contents.
static void one_that_insists_brings_what_others_have(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct hmm_overwrite outputs[OTHERS];
  struct launching l = overwriting_others(h, outputs);
  l.kernel.run = read_others;
  l.request.insist = 1;
  CHECK_EQUAL(launch(h, &l, 0, 4, 4 + OTHERS, true), 0);
  CHECK(l.request.event);
  CHECK_EQUAL(l.request.moved, OTHERS);
  CHECK_EQUAL(fake_wait((void *)(uintptr_t)l.request.event), 0);
  expect_their_contents(h);
  close_heap(h);
}

static void a_kernel_that_fails_has_its_outputs_poisoned(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct hmm_overwrite outputs[OTHERS];
  struct launching l = overwriting_others(h, outputs);
  l.kernel.status = -5;
  CHECK_EQUAL(launch(h, &l, 0, 4, 4 + OTHERS, true), 0);
  CHECK(l.request.event);
  fake_wait((void *)(uintptr_t)l.request.event);
  CHECK_EQUAL(hmm_await_all(h->pager), 0);
  for (uint64_t page = 4; page < 4 + OTHERS; page++) CHECK_EQUAL(state(h, page), POISONED);
  close_heap(h);
}

static void *launch_others_refused(void *arg) {
  struct launching *l = arg;
  CHECK_EQUAL(launch(l->kernel.arg, l, 0, 4, 4 + OTHERS, true), -EIO);
  return NULL;
}

static void whoever_meets_an_output_of_others_before_the_decision_sees_what_it_held(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  struct hmm_overwrite outputs[OTHERS];
  struct launching l = overwriting_others(h, outputs);
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_CHECKED, 1), 0);
  fake_fail(HMM_CL_ENQUEUE_KERNEL, -54, 0, 1);
  pthread_t launcher = start_thread(launch_others_refused, &l);
  CHECK_EQUAL(hmm_step_await(h->pager, HMM_STEP_CHECKED, 30000), 1);
  for (uint64_t page = 4; page < 4 + OTHERS; page++) CHECK_EQUAL(word_state(word(h, page)), TO_HOST);
  struct toucher touchers[OTHERS];
  for (uint64_t i = 0; i < OTHERS; i++) start_toucher(&touchers[i], h, 4 + i, i == 3, 9);
  for (uint64_t page = 10; page < 20; page++) put(h, page, 1); // nobody else waits
  for (uint64_t i = 0; i < OTHERS; i++) CHECK(!touchers[i].done);
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_CHECKED, 0), 0);
  pthread_join(launcher, NULL);
  for (uint64_t i = 0; i < OTHERS; i++) join_toucher(&touchers[i]);
  for (uint64_t i = 0; i < 3; i++) CHECK_EQUAL(touchers[i].value, 40 + 10 * i);
  CHECK_EQUAL(h->app[7 * PAGE], 70);
  CHECK_EQUAL(h->app[7 * PAGE + MIDDLE], 9);
  close_heap(h);
}

const struct test overwrite_tests[] = {
    {"outputs_are_the_devices_when_their_kernel_runs", outputs_are_the_devices_when_their_kernel_runs, ONE_WAY},
    {"outputs_of_a_launch_that_finds_a_page_missing_are_what_they_were", outputs_of_a_launch_that_finds_a_page_missing_are_what_they_were, ONE_WAY},
    {"an_output_that_the_host_has_taken_back_is_left_to_it", an_output_that_the_host_has_taken_back_is_left_to_it, ONE_WAY},
    {"whoever_meets_an_output_before_the_decision_sees_what_it_held", whoever_meets_an_output_before_the_decision_sees_what_it_held, NEEDS_TRAP | ONE_WAY},
    {"outputs_of_others_are_the_devices_when_their_kernel_runs", outputs_of_others_are_the_devices_when_their_kernel_runs, ONE_WAY},
    {"outputs_of_others_stay_theirs_if_it_does_not", outputs_of_others_stay_theirs_if_it_does_not, ONE_WAY},
    {"outputs_that_others_use_are_left_to_them", outputs_that_others_use_are_left_to_them, ONE_WAY},
    {"an_output_that_another_device_has_lost_meanwhile_is_missed", an_output_that_another_device_has_lost_meanwhile_is_missed, ONE_WAY},
    {"one_that_insists_brings_what_others_have", one_that_insists_brings_what_others_have, ONE_WAY},
    {"a_kernel_that_fails_has_its_outputs_poisoned", a_kernel_that_fails_has_its_outputs_poisoned, ONE_WAY},
    {"whoever_meets_an_output_of_others_before_the_decision_sees_what_it_held", whoever_meets_an_output_of_others_before_the_decision_sees_what_it_held, NEEDS_TRAP | ONE_WAY},
    {0},
};
