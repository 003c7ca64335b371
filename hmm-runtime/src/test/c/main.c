// main.c - runs every test on every rung that this machine accepts, and by every way home where that matters. Arguments: `quick` for slow builds, then parts of names, and behind a minus those of tests to leave out.
//
// The first three rungs, those of userfaultfd that sleep in the kernel, differ only in how it is opened: but for the first of them they go one way home, and quick leaves them out. On the last, `checked`, a touch is a view (heap.c). One line per rung on standard output; a rung that is refused says why.
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heap.h"


static const struct test *const all_tests[] = {touch_tests,  ahead_tests,   fetch_tests,  gather_tests, sharing_tests, launch_tests, launch_end_tests, block_tests,   extents_tests, overwrite_tests, insist_tests, in_place_tests, record_tests,
                                               race_tests,   error_tests,   memory_tests, peer_tests,   mapping_tests, close_tests,  model_tests,
                                               crew_tests,   condition_tests, probe_tests,   patience_tests, device_wait_tests, scarce_tests, process_tests, table_tests, faulting_tests, quota_tests, faulting_peers_tests, faulting_model_tests, refused_calls_tests, in_thread_tests};
static const char *const rung_names[] = {"uffd-syscall", "uffd-device", "uffd-user", "sigsegv", "uffd-sigbus", "checked"};
static const char *const way_names[] = {"reachable", "commands", "staged", "copied"};
static char now[200];

noreturn void check_failed(const char *file, int line, const char *condition, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "%s failed: %s:%d: %s ", now, file, line, condition);
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  _exit(1);
}

static void on_alarm(int signal) {
  (void)signal;
  const char *text = " hangs\n";
  if (write(STDERR_FILENO, now, strlen(now)) < 0 || write(STDERR_FILENO, text, strlen(text)) < 0) _exit(3);
  _exit(2);
}

static bool wanted(int argc, char **argv, int first, const char *name) {
  bool asked = false, named = false;
  for (int i = first; i < argc; i++) {
    bool without = *argv[i] == '-', matches = strstr(name, argv[i] + without);
    if (without && matches) return false;
    asked = asked || !without;
    named = named || matches;
  }
  return named || !asked;
}

int main(int argc, char **argv) {
  bool quick = argc > 1 && !strcmp(argv[1], "quick");
  int accepted = 0;
  signal(SIGALRM, on_alarm);
  catch_errors();
  for (uint64_t rung = HMM_UFFD_SYSCALL; rung < HMM_RUNGS; rung++) {
    char refused[100];
    int result = rung == HMM_CHECKED ? 0 : hmm_probe(rung, refused, sizeof refused);
    if (result) {
      printf("%s: skipped, %s refused: %s\n", rung_names[rung], refused, strerror(-result));
      continue;
    }
    bool again = rung <= HMM_UFFD_USER && accepted;
    if (quick && again) continue;
    int run = 0;
    for (size_t group = 0; group < sizeof all_tests / sizeof *all_tests; group++) {
      for (const struct test *test = all_tests[group]; test->name; test++) {
        for (int way = REACHABLE; way < (test->about & ONE_WAY || again ? COMMANDS : WAYS); way++) {
          snprintf(now, sizeof now, "%s/%s/%s", rung_names[rung], way_names[way], test->name);
          if (!wanted(argc, argv, quick ? 2 : 1, now) || (rung == HMM_CHECKED && test->about & NEEDS_TRAP)) continue;
          alarm(PATIENCE_SECONDS);
          test->run(&(struct shape){rung, (enum way)way, quick, &fake_driver});
          run++;
        }
      }
    }
    alarm(0);
    printf("%s: %d tests passed\n", rung_names[rung], run);
    fflush(stdout);
    accepted++;
  }
  return accepted ? 0 : 4;
}

// What the kernel orders, the sanitizer cannot see: a touch is served before it is made again. So races of contents of pages do not count; those the tests look at themselves.
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
  return "race:dma_to_host\nrace:dma_to_device\nrace:through_staging\nrace:^work$\nrace:copy_in\nrace:system_call_reads\nrace:system_call_writes\n";
}
