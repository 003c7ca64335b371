// check.h - what every test uses: a check that ends the program, threads, and waiting for a condition. There is no sleeping and no timing; a watchdog in main.c ends what hangs.
#ifndef CHECK_H
#define CHECK_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>

#define PATIENCE_SECONDS 120 // of one test, which takes far less

// What a heap is opened with. `way` is how pages get home from the device.
enum way { REACHABLE, COMMANDS, STAGED, BY_COPIES, WAYS };
struct driver;
struct shape {
  uint64_t rung;
  enum way way;
  bool quick; // a slow build: fewer repetitions
  const struct driver *driver;
};

noreturn void check_failed(const char *file, int line, const char *condition, const char *format, ...) __attribute__((format(printf, 4, 5)));

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition, "%s", ""))
#define CHECK_EQUAL(actual, expected)                                                                                                              \
  do {                                                                                                                                             \
    int64_t actual_ = (int64_t)(actual), expected_ = (int64_t)(expected);                                                                          \
    if (actual_ != expected_) check_failed(__FILE__, __LINE__, #actual " == " #expected, "got %ld (0x%lx), expected %ld", actual_, actual_, expected_); \
  } while (0)

// Until it holds, or the watchdog bites.
#define AWAIT(condition)                \
  do {                                  \
    while (!(condition)) sched_yield(); \
  } while (0)

static inline pthread_t start_thread(void *(*main)(void *), void *arg) {
  pthread_t thread;
  CHECK(!pthread_create(&thread, NULL, main, arg));
  return thread;
}

// xorshift: seeded, so that a failure can be repeated.
static inline uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

// What a test is about: copies do not matter to it; touches, which views are none.
enum { ONE_WAY = 1, NEEDS_TRAP = 2 };
struct test {
  const char *name;
  void (*run)(const struct shape *);
  unsigned about;
};

extern const struct test touch_tests[], ahead_tests[], fetch_tests[], gather_tests[], sharing_tests[], launch_tests[], launch_end_tests[], overwrite_tests[], insist_tests[], in_place_tests[], record_tests[], race_tests[], error_tests[], memory_tests[], peer_tests[], mapping_tests[], close_tests[], model_tests[], block_tests[], extents_tests[];
extern const struct test crew_tests[], condition_tests[], probe_tests[], patience_tests[], device_wait_tests[], scarce_tests[], process_tests[], table_tests[], faulting_tests[], quota_tests[], faulting_peers_tests[], faulting_model_tests[], refused_calls_tests[], in_thread_tests[];

#endif
