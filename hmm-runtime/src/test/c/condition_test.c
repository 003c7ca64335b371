// condition_test.c - waits that have to end: a wake-up that is lost leaves threads asleep, and the watchdog bites.
#include <time.h>

#include "heap.h"

#include "condition.h"

#define THREADS 8 // on either side
#define ROOM 2

static uint64_t now_nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

// Some put things into a small box and others take them out, each side woken one by one: one lost signal, and both sides sleep.
struct box {
  pthread_mutex_t lock;
  struct condition filled, emptied;
  int inside, rounds;
  bool bounded; // some of the waits end by themselves
};

static void pass(struct box *b, struct condition *wait_for, struct condition *tell, bool in, uint64_t *random) {
  pthread_mutex_lock(&b->lock);
  while (in ? b->inside == ROOM : !b->inside) {
    bool soon = b->bounded && next_random(random) % 2;
    condition_wait(wait_for, &b->lock, soon ? now_nanos() + next_random(random) % 50000 : 0);
  }
  b->inside += in ? 1 : -1;
  condition_signal(tell);
  pthread_mutex_unlock(&b->lock);
}

static void *put_in(void *arg) {
  struct box *b = arg;
  uint64_t random = (uint64_t)(uintptr_t)&random | 1;
  for (int i = 0; i < b->rounds; i++) pass(b, &b->emptied, &b->filled, true, &random);
  return NULL;
}

static void *take_out(void *arg) {
  struct box *b = arg;
  uint64_t random = (uint64_t)(uintptr_t)&random | 1;
  for (int i = 0; i < b->rounds; i++) pass(b, &b->filled, &b->emptied, false, &random);
  return NULL;
}

static void pass_through(int threads_a_side, int rounds, bool bounded) {
  struct box b = {.rounds = rounds, .bounded = bounded};
  pthread_t threads[2 * THREADS];
  pthread_mutex_init(&b.lock, NULL);
  for (int i = 0; i < 2 * threads_a_side; i++) threads[i] = start_thread(i % 2 ? put_in : take_out, &b);
  for (int i = 0; i < 2 * threads_a_side; i++) pthread_join(threads[i], NULL);
  CHECK_EQUAL(b.inside, 0);
  CHECK_EQUAL(b.filled.waiters + b.emptied.waiters, 0);
}

// With one on each side every signal counts; with more, others could take it.
static void no_signal_is_lost(const struct shape *shape) {
  int rounds = shape->quick ? 10000 : 100000;
  for (int threads = 1; threads <= THREADS; threads *= 2) {
    for (int bounded = 0; bounded < 2; bounded++) pass_through(threads, rounds / threads, bounded);
  }
}

// All wait for one who counts, and he waits for all of them.
struct march {
  pthread_mutex_t lock;
  struct condition began, arrived;
  int step, there, steps;
};

static void *march_along(void *arg) {
  struct march *m = arg;
  pthread_mutex_lock(&m->lock);
  for (int step = 1; step <= m->steps; step++) {
    while (m->step < step) condition_wait(&m->began, &m->lock, 0);
    m->there++;
    condition_signal(&m->arrived);
  }
  pthread_mutex_unlock(&m->lock);
  return NULL;
}

static void a_broadcast_wakes_all(const struct shape *shape) {
  struct march m = {.steps = shape->quick ? 500 : 5000};
  pthread_t threads[2 * THREADS];
  pthread_mutex_init(&m.lock, NULL);
  for (int i = 0; i < 2 * THREADS; i++) threads[i] = start_thread(march_along, &m);
  pthread_mutex_lock(&m.lock);
  while (m.step < m.steps) {
    m.there = 0;
    m.step++;
    condition_broadcast(&m.began);
    while (m.there < 2 * THREADS) condition_wait(&m.arrived, &m.lock, 0);
  }
  pthread_mutex_unlock(&m.lock);
  for (int i = 0; i < 2 * THREADS; i++) pthread_join(threads[i], NULL);
}

static void a_wait_ends_when_its_time_has_come(const struct shape *shape) {
  (void)shape;
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  struct condition never = {0};
  pthread_mutex_lock(&lock);
  uint64_t until = now_nanos() + 20000000;
  while (!condition_wait(&never, &lock, until)) continue;
  CHECK(now_nanos() >= until);
  CHECK(condition_wait(&never, &lock, 1)); // long ago
  CHECK_EQUAL(never.waiters, 0);
  pthread_mutex_unlock(&lock);
}

const struct test condition_tests[] = {
    {"no_signal_is_lost", no_signal_is_lost, ONE_WAY},
    {"a_broadcast_wakes_all", a_broadcast_wakes_all, ONE_WAY},
    {"a_wait_ends_when_its_time_has_come", a_wait_ends_when_its_time_has_come, ONE_WAY},
    {0},
};
