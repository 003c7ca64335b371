// crew_test.c - the threads that serve: when thousands fault at once, when signals come, and when no touch can be
// noticed any more.
#define _GNU_SOURCE
#include "heap.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "system.h"

// Each thread touches its own page, all of them at the same time. No room for them runs out, and who waits lets those
// work who serve.
struct crowd {
  struct heap *heap;
  pthread_barrier_t barrier;
  int rounds;
};

struct member {
  struct crowd *crowd;
  uint64_t page;
  pthread_t thread;
};

static void *touch_every_round(void *arg) {
  struct member *m = arg;
  struct crowd *c = m->crowd;
  for (int round = 0; round < c->rounds; round++) {
    pthread_barrier_wait(&c->barrier); // the pages have gone to the device
    expect(c->heap, m->page, (unsigned char)(m->page + (uint64_t)round));
    put(c->heap, m->page, (unsigned char)(m->page + (uint64_t)round + 1));
    pthread_barrier_wait(&c->barrier);
  }
  return NULL;
}

static void thousands_touch_at_once(const struct shape *shape) {
  if (shape->rung == HMM_UFFD_DEVICE || shape->rung == HMM_UFFD_USER) return; // as UFFD_SYSCALL, and it takes seconds
  uint64_t count = shape->quick ? 120 : 2500; // more than the places there used to be
  struct crowd c = {.heap = open_heap(shape, count, 1), .rounds = 2};
  struct member *members = calloc(count, sizeof *members);
  CHECK(members && !pthread_barrier_init(&c.barrier, NULL, (unsigned)count + 1));
  for (uint64_t page = 0; page < count; page++) {
    put(c.heap, page, (unsigned char)page);
    members[page] = (struct member){.crowd = &c, .page = page};
    members[page].thread = start_thread(touch_every_round, &members[page]);
  }
  for (int round = 0; round < c.rounds; round++) {
    for (uint64_t page = 0; page < count; page++) CHECK(move_to(c.heap, page, 0, true));
    pthread_barrier_wait(&c.barrier);
    pthread_barrier_wait(&c.barrier);
  }
  for (uint64_t page = 0; page < count; page++) pthread_join(members[page].thread, NULL);
  pthread_barrier_destroy(&c.barrier);
  free(members);
  close_heap(c.heap);
}

// Calls `see` with the signals that each thread of this process blocks.
static void each_thread(void (*see)(int thread, uint64_t blocked, void *arg), void *arg) {
  DIR *threads = opendir("/proc/self/task");
  CHECK(threads);
  for (const struct dirent *entry; (entry = readdir(threads));) {
    char path[300], line[300];
    snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
    FILE *status = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
    if (!status) continue; // it has ended
    while (fgets(line, sizeof line, status)) {
      if (!strncmp(line, "SigBlk:", 7)) see(atoi(entry->d_name), strtoull(line + 7, NULL, 16), arg);
    }
    fclose(status);
  }
  closedir(threads);
}

#define MAX_THREADS (1 << 22) // of Linux
struct seen {
  bool *known;
  int fresh, starting; // a thread blocks everything until it has started
};

static void know(int thread, uint64_t blocked, void *arg) {
  (void)blocked;
  CHECK(thread < MAX_THREADS);
  ((struct seen *)arg)->known[thread] = true;
}

static void check_signals(int thread, uint64_t blocked, void *arg) {
  struct seen *seen = arg;
  if (seen->known[thread]) return;
  seen->fresh++;
  static const int others[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD, SIGPROF, SIGALRM};
  static const int own[] = {SIGSEGV, SIGBUS, SIGFPE};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) CHECK(blocked >> (others[i] - 1) & 1);
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) seen->starting += (int)(blocked >> (own[i] - 1) & 1);
}

// A signal to the process is for the program's threads: no handler of the program ever runs on a thread that serves.
static void the_crew_takes_no_signals(const struct shape *shape) {
  struct seen seen = {.known = calloc(MAX_THREADS, 1)};
  CHECK(seen.known);
  struct heap *other = open_heap(shape, 16, 1); // has threads of a device
  each_thread(know, &seen);
  struct hmm_config config = other->config;
  void *app = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(app != MAP_FAILED);
  config.app = (uint64_t)(uintptr_t)app;
  struct hmm_pager *pager;
  CHECK_EQUAL(hmm_open(&config, &pager), 0);
  do {
    seen.fresh = seen.starting = 0;
    each_thread(check_signals, &seen);
  } while (!seen.fresh || seen.starting);
  CHECK_EQUAL(hmm_close(pager), 0);
  munmap(app, 16 * PAGE);
  close_heap(other);
  free(seen.known);
}

// Touches become errors, those that sleep as well, and nothing that was there before shows through.
static void without_a_descriptor_every_touch_is_an_error(const struct shape *shape) {
  if (shape->rung >= HMM_SIGSEGV) return; // the crew reads none
  struct heap *h = open_heap(shape, 64, 1);
  unsigned char value;
  put(h, 0, 10);
  put(h, 1, 11);
  CHECK(move_to(h, 1, 0, true));
  fill_frame(h, 0, 1, 20);
  system_fails(READING_FAULTS);
  for (uint64_t page = 2; !touch_write(h, page, 1); page++) CHECK(page < 8); // the one who waits is given one more
  for (uint64_t page = 0; page < 64; page++) CHECK(touch_read(h, page, &value));
  system_fails(NOTHING);
  CHECK_EQUAL(h->alias[MIDDLE], 10);
  close_heap(h);
}

const struct test crew_tests[] = {
    {"thousands_touch_at_once", thousands_touch_at_once, NEEDS_TRAP | ONE_WAY},
    {"the_crew_takes_no_signals", the_crew_takes_no_signals, NEEDS_TRAP | ONE_WAY},
    {"without_a_descriptor_every_touch_is_an_error", without_a_descriptor_every_touch_is_an_error, NEEDS_TRAP | ONE_WAY},
    {0},
};
