// refused_calls_test.c - devices whose kernels fault, while one system call after the other is refused (system.h).
//
// Kernels of two threads each read and write over more than their device may hold, and the host touches, looks at and calls home the same pages meanwhile; each has words of its own on every page. Whatever
// is refused: each byte is right, or whoever asked for it is told, a kernel by a violation and the host by an error. What such a kernel has written has come or has vanished, and is nothing else.
// Afterwards nobody has anything left: no claim, no place of the budget, nothing in a range.
//
// The walk begins with the first call and ends when a run has no call left to refuse. Which call that is differs from run to run, as threads meet.
#define _GNU_SOURCE
#include "on_device.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "left.h"
#include "system.h"

#define SOME 80 // pages
#define OFTEN 6 // calls that are refused one after the other
#define ALL_UNTIL 8 // so many of the first calls are refused each, and then samples of the rest: all of them take minutes

enum { CONSTANT = 1, WRITTEN = 2 }; // words of a page: what all read, and what each device writes from there on

struct running {
  struct device *device;
  uint32_t round, before[SOME];
  _Atomic unsigned zeros;
};

static uint32_t constant(uint64_t page) { return (uint32_t)page * 77 + 5; }

// What a kernel reads where its access is refused is a zero.
ON_DEVICE static void use_every_second(struct running *r, uint64_t first) {
  for (uint64_t i = first; i < SOME; i += 2) {
    uint64_t page = first ? SOME - i : i; // against each other
    uint32_t read = *on_device(r->device, page, CONSTANT);
    CHECK(read == constant(page) || !read);
    if (!read) r->zeros++;
    *on_device(r->device, page, WRITTEN + r->device->index) = r->round;
  }
}

static void *use_odd_ones(void *arg) {
  use_every_second(arg, 1);
  return NULL;
}

static void use_all(void *arg) {
  struct running *r = arg;
  pthread_t thread = start_thread(use_odd_ones, r);
  use_every_second(r, 0);
  pthread_join(thread, NULL);
}

static void begin(struct running *r) {
  struct device *d = r->device;
  r->zeros = 0;
  r->round++;
  d->launching = (struct launching){.kernel = {use_all, r, 0}};
  CHECK_EQUAL(launch(d->heap, &d->launching, d->index, 0, SOME, true), 0);
}

static bool end(struct running *r) {
  struct hmm_violation violation;
  bool refused = finish(r->device, &violation);
  if (refused) CHECK_EQUAL(violation.kind, HMM_NO_MEMORY);
  else CHECK_EQUAL(r->zeros, 0);
  return refused;
}

// The program, which has one byte on each page.
struct program {
  struct device *first, *second; // or null
  unsigned char bytes[SOME];
  uint64_t random, errors;
  _Atomic bool over;
};

static void look_at(struct program *g, uint64_t page, unsigned char next) {
  struct heap *h = g->first->heap;
  if (fetch(h, page, page + 1, HMM_PIN | HMM_EXCLUSIVE)) {
    g->errors++;
    return;
  }
  CHECK_EQUAL(h->alias[page * PAGE + MIDDLE], g->bytes[page]);
  h->alias[page * PAGE + MIDDLE] = g->bytes[page] = next;
  unpin(h, page, true);
  CHECK_EQUAL(hmm_wake_device(h->pager, page, page + 1), 0);
}

static void *play(void *arg) {
  struct program *g = arg;
  struct heap *h = g->first->heap;
  while (!g->over) {
    uint64_t r = next_random(&g->random), page = r % SOME, choice = (r >> 16) % 16;
    unsigned char byte = (unsigned char)(r >> 32);
    if (choice < 7 && touch_write(h, page, byte)) g->errors++;
    else if (choice < 7) g->bytes[page] = byte;
    else if (choice < 13 && touch_read(h, page, &byte)) g->errors++;
    else if (choice < 13) CHECK_EQUAL(byte, g->bytes[page]);
    else if (choice == 13) look_at(g, page, byte);
    else if (choice == 14) g->errors += hmm_take_home(h->pager, g->second && byte & 1, page, page + 3 < SOME ? page + 3 : SOME) != 0;
    else g->errors += hmm_set_access(h->pager, page, page + 1, 1) != 0; // which takes from the mappings, and nothing from the words
  }
  return NULL;
}

// Returns whether a call was refused.
static bool one_run(struct program *g, struct running *runs, unsigned devices, enum refusal how, int first, int times) {
  struct heap *h = g->first->heap;
  bool told = false;
  g->over = false;
  g->errors = 0;
  refuse_calls(how, first, times, SOME * PAGE);
  pthread_t program = start_thread(play, g);
  for (unsigned i = 0; i < devices; i++) begin(&runs[i]);
  bool refused[2];
  for (unsigned i = 0; i < devices; i++) told |= refused[i] = end(&runs[i]);
  g->over = true;
  pthread_join(program, NULL);
  for (unsigned i = 0; i < devices; i++) g->errors += hmm_take_home(h->pager, i, 0, SOME) != 0;
  bool any = refused_calls();
  refuse_calls(how, 0, 0, 0);
  CHECK(any || (!told && !g->errors));
  for (unsigned i = 0; i < devices; i++) {
    AWAIT(nothing_left_in(h->pager, i));
    CHECK_EQUAL(there(runs[i].device), 0);
  }
  for (uint64_t page = 0; page < SOME; page++) {
    const uint32_t *words = (const uint32_t *)(const void *)(h->alias + page * PAGE);
    enum state now = state(h, page); // what comes along with a touch of the page before it is claimed for a moment
    CHECK(now == HOST || now == SHARED || now == EMPTY);
    CHECK_EQUAL(words[CONSTANT], constant(page));
    unsigned char byte = 0;
    AWAIT(!touch_read(h, page, &byte)); // an answer that nobody has heard stands for a moment
    CHECK_EQUAL(byte, g->bytes[page]);
    for (unsigned i = 0; i < devices; i++) {
      uint32_t written = words[WRITTEN + i];
      if (!refused[i] || written != runs[i].before[page]) CHECK_EQUAL(written, runs[i].round);
      runs[i].before[page] = written;
    }
  }
  return any;
}

static void walk(const struct shape *shape, unsigned devices, enum refusal how, int times) {
  struct device first, second, *d = open_device_with(shape, SOME, LEAST + (times > 1 ? 5 : 0), &first);
  if (!d) return;
  struct device *other = devices > 1 ? beside(d, LEAST, &second) : NULL;
  struct running runs[2] = {{.device = d}, {.device = other}};
  struct program g = {.first = d, .second = other, .random = 4711 + (uint64_t)how};
  for (uint64_t page = 0; page < SOME; page++) *on_host(d, page, CONSTANT) = constant(page);
  int n = 1, any = 0;
  alarm(PATIENCE_SECONDS); // of this walk
  for (; one_run(&g, runs, devices, how, n, times); n += n >= ALL_UNTIL ? 1 + n / (shape->quick ? 3 : 8) : 1) any++;
  CHECK(any);
  run(d, sum_all, false);
  close_device(d);
  if (other) free_range(other);
}

static void one_device_goes_on(const struct shape *shape) {
  for (enum refusal how = BRIEFLY; how < REFUSALS; how++) {
    for (int times = 1; times <= OFTEN; times += OFTEN - 1) walk(shape, 1, how, times);
  }
}

static void two_devices_go_on(const struct shape *shape) {
  for (enum refusal how = BRIEFLY; how < REFUSALS; how++) walk(shape, 2, how, OFTEN);
}

ON_DEVICE static void read_page_2(void *arg) {
  struct device *d = arg;
  d->sum = *on_device(d, 2, CONSTANT);
  d->running = true;
  AWAIT(d->go);
  *on_device(d, 2, WRITTEN) = 4;
}

// A page did not come, and before that is looked at again it has come by another fault, and the host has claimed it: the claim stays the host's.
static void what_came_in_the_meantime_is_left_to_who_claims_it(const struct shape *shape) {
  struct device it, *d = open_device_with(shape, SOME, LEAST, &it);
  struct hmm_violation violation;
  struct toucher writer;
  if (!d) return;
  struct heap *h = d->heap;
  *on_host(d, 2, CONSTANT) = 77;
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_REFUSED, 1), 0);
  refuse_calls(FOR_WANT, 1, shape->rung == HMM_SIGSEGV ? 5 : 1, SOME * PAGE); // as many as it takes
  start(d, read_page_2, true);
  CHECK_EQUAL(hmm_step_await(h->pager, HMM_STEP_REFUSED, 10000), 1);
  AWAIT(d->running);
  refuse_calls(FOR_WANT, 0, 0, 0);
  CHECK_EQUAL(word_state(word(h, 2)), SHARED);
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_COPIED, 1), 0);
  start_toucher(&writer, h, 2, true, 9);
  CHECK_EQUAL(hmm_step_await(h->pager, HMM_STEP_COPIED, 10000), 1);
  uint64_t claimed = word(h, 2);
  CHECK_EQUAL(word_state(claimed), TO_HOST);
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_REFUSED, 0), 0);
  for (int i = 0; i < 10000; i++) { // whoever was stopped goes on
    CHECK_EQUAL(word(h, 2), claimed);
    sched_yield();
  }
  CHECK_EQUAL(hmm_step_arm(h->pager, HMM_STEP_COPIED, 0), 0);
  join_toucher(&writer);
  CHECK_EQUAL(writer.error, 0);
  d->go = true;
  CHECK(!finish(d, &violation));
  CHECK_EQUAL(d->sum, 77);
  CHECK_EQUAL(*on_host(d, 2, WRITTEN), 4);
  CHECK_EQUAL(h->alias[2 * PAGE + MIDDLE], 9);
  close_device(d);
}

// ---- opening

static int files_in_memory_mapped(void) {
  char line[400];
  int n = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  CHECK(maps);
  while (fgets(line, sizeof line, maps)) n += strstr(line, "hmm-device") != NULL;
  fclose(maps);
  return n;
}

static int next_descriptor(void) {
  int fd = dup(0);
  CHECK(fd >= 0);
  close(fd);
  return fd;
}

// A range that could not be opened is as it was: it can be opened, and kernels fault there.
static void a_range_that_does_not_open_is_left_as_it_was(const struct shape *shape) {
  for (int n = 1, failed = 1; failed; n++) {
    struct heap *h = open_heap(shape, SOME, 4);
    void *range = mmap(NULL, SOME * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(range != MAP_FAILED);
    int descriptor = next_descriptor();
    refuse_calls(FOR_WANT, n, 1, 0);
    int result = hmm_fault_device(h->pager, 0, (uint64_t)(uintptr_t)range, LEAST, THREADS);
    failed = refused_calls();
    refuse_calls(FOR_WANT, 0, 0, 0);
    CHECK(result == 0 || failed || result == -ENOTSUP);
    CHECK(n > 1 || failed || result == -ENOTSUP);
    if (result && result != -ENOTSUP) {
      CHECK(result == -ENOMEM || result == -EINVAL);
      CHECK_EQUAL(files_in_memory_mapped(), 0);
      CHECK_EQUAL(next_descriptor(), descriptor);
      *(volatile char *)range = 1;
      CHECK_EQUAL(hmm_fault_device(h->pager, 0, (uint64_t)(uintptr_t)range, LEAST, THREADS), 0);
      result = 0;
    }
    if (!result) {
      struct device d = {.heap = h, .range = range, .end = SOME, .budget = LEAST};
      run(&d, add_three, true);
      CHECK_EQUAL(*on_host(&d, SOME - 1, 3), 3);
    }
    close_heap(h);
    munmap(range, SOME * PAGE);
  }
}

const struct test refused_calls_tests[] = {
    {"one_device_goes_on_when_calls_are_refused", one_device_goes_on, NEEDS_TRAP | ONE_WAY},
    {"two_devices_go_on_when_calls_are_refused", two_devices_go_on, NEEDS_TRAP | ONE_WAY},
    {"what_came_in_the_meantime_is_left_to_who_claims_it", what_came_in_the_meantime_is_left_to_who_claims_it, NEEDS_TRAP | ONE_WAY},
    {"a_range_that_does_not_open_is_left_as_it_was", a_range_that_does_not_open_is_left_as_it_was, NEEDS_TRAP | ONE_WAY},
    {0},
};
