// process_test.c - the heap as a part of its process: locked memory, debuggers and other processes that look, children.
#define _GNU_SOURCE
#include "heap.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGES 16
#define LONGEST_MAPPING (1ULL << 20) // far above the heap's; there are thousands of others, and those of sanitizers go on for terabytes

static bool from_system_calls(const struct shape *shape) {
  return shape->rung == HMM_UFFD_SYSCALL || shape->rung == HMM_UFFD_DEVICE;
}

// One page of every kind. The bytes that a touch reads are in `values`, or -1 for an error.
enum kind {
  NEVER_TOUCHED,
  READ_ONCE,
  WRITTEN,
  SHARED_BY_A_DEVICE,
  ON_A_DEVICE,
  ONLY_ON_A_DEVICE,
  PROTECTED,
  READ_ONLY,
  LOST,
  WITHOUT_REGION,
  KINDS
};
static const int values[KINDS] = {
    0, 0, WRITTEN, SHARED_BY_A_DEVICE, ON_A_DEVICE, ONLY_ON_A_DEVICE, -1, READ_ONLY, -1, -1,
};

static struct heap *of_every_kind(const struct shape *shape) {
  struct heap *h = open_heap(shape, PAGES, 1);
  expect(h, READ_ONCE, 0);
  for (uint64_t page = WRITTEN; page < KINDS; page++) {
    if (page != ONLY_ON_A_DEVICE) put(h, page, (unsigned char)page);
  }
  CHECK(move_to(h, SHARED_BY_A_DEVICE, 0, false));
  CHECK(move_to(h, ON_A_DEVICE, 0, true));
  h->alias[ON_A_DEVICE * PAGE + MIDDLE] = 200; // the host's copy is an old one
  set_word(h, ONLY_ON_A_DEVICE, word_next(word(h, ONLY_ON_A_DEVICE), DEVICE, 1, 0, 0));
  fill_frame(h, 1, ONLY_ON_A_DEVICE, ONLY_ON_A_DEVICE);
  protect(h, PROTECTED, 0);
  protect(h, READ_ONLY, 1);
  for (uint64_t page = LOST; page <= WITHOUT_REGION; page++) {
    state(h, page);
    set_word(h, page, word_next(word(h, page), page == LOST ? POISONED : UNMAPPED, 0, 0, 0));
    CHECK_EQUAL(hmm_forbid(h->pager, page, page + 1, 0), 0);
  }
  return h;
}

static void expect_all(struct heap *h) {
  for (uint64_t page = 0; page < KINDS; page++) {
    unsigned char value;
    if (values[page] >= 0) expect(h, page, (unsigned char)values[page]);
    else CHECK(touch_read(h, page, &value));
  }
}

// ---- those who look

// What a debugger does that saves a process: it reads all that is mapped, whatever it is, and takes an error for an
// answer.
static void read_all_mappings(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  CHECK(maps && memory >= 0);
  char line[512];
  while (fgets(line, sizeof line, maps)) {
    unsigned long long at, end;
    CHECK_EQUAL(sscanf(line, "%llx-%llx", &at, &end), 2);
    for (unsigned char byte; at < end && end - at <= LONGEST_MAPPING; at += 4096) {
      if (pread(memory, &byte, 1, (off_t)at) < 0) continue;
    }
  }
  fclose(maps);
  close(memory);
}

static void a_debugger_reads_everything(const struct shape *shape) {
  for (int touched = 0; touched < 2; touched++) {
    struct heap *h = of_every_kind(shape);
    if (touched) expect_all(h); // an error leaves its page closed
    read_all_mappings();
    expect_all(h);
    if (shape->rung != HMM_SIGSEGV) { // there the page table of the kernel does not say what is old
      int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
      for (uint64_t page = 0; page < KINDS; page++) {
        unsigned char byte;
        off_t at = (off_t)(uintptr_t)(h->app + page * PAGE + MIDDLE);
        if (pread(memory, &byte, 1, at) == 1 && values[page] >= 0) CHECK_EQUAL(byte, values[page]);
      }
      close(memory);
    }
    close_heap(h);
    read_all_mappings();
  }
}

// Another process asks the kernel for our memory. It gets what a touch would get, or an error, and always an answer.
static void another_process_reads(const struct shape *shape) {
  struct heap *h = of_every_kind(shape);
  pid_t self = getpid();
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (!child) {
    for (int kind = 0; kind < KINDS; kind++) {
      unsigned char byte = 0;
      struct iovec to = {&byte, 1}, from = {(void *)(uintptr_t)(h->app + (uint64_t)kind * PAGE + MIDDLE), 1};
      bool got = process_vm_readv(self, &to, 1, &from, 1, 0) == 1;
      if (!got && errno == EPERM) _exit(100); // not allowed here
      if (got && byte != values[kind]) _exit(kind + 1);
      if (!got && values[kind] >= 0 && from_system_calls(shape)) _exit(kind + 51);
    }
    _exit(0);
  }
  int status;
  CHECK_EQUAL(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  if (WEXITSTATUS(status) != 100) CHECK_EQUAL(WEXITSTATUS(status), 0);
  expect_all(h);
  close_heap(h);
}

// ---- locked memory

static bool may_lock(void) {
  if (mlockall(MCL_CURRENT)) return false; // the limit, or no right
  munlockall();
  return true;
}

// Where the kernel's own touches are not served, they are refused, and nothing waits.
static void all_of_the_process_can_be_locked(const struct shape *shape) {
  struct heap *h = of_every_kind(shape);
  mlockall(MCL_CURRENT);
  expect_all(h);
  for (uint64_t page = 0; page < LOST; page++) {
    if (page == PROTECTED || page == READ_ONLY) continue;
    CHECK(move_to(h, page, 1, true));
    fill_frame(h, 1, page, (unsigned char)(page + 100));
    expect(h, page, (unsigned char)(page + 100));
  }
  close_heap(h); // with its doorbell locked
  munlockall();
}

static void locked_pages_move(const struct shape *shape) {
  if (!may_lock()) return;
  struct heap *h = open_heap(shape, PAGES, 1);
  for (uint64_t page = 0; page < 8; page++) put(h, page, (unsigned char)(page + 1));
  for (uint64_t page = 0; page < 4; page++) CHECK(move_to(h, page, 0, true));
  for (uint64_t page = 0; page < 4; page++) fill_frame(h, 0, page, (unsigned char)(page + 50));
  int refused = mlock((void *)(uintptr_t)h->app, 8 * PAGE);
  if (from_system_calls(shape)) CHECK_EQUAL(refused, 0); // and has brought them home
  for (uint64_t page = 0; page < 8; page++) expect(h, page, (unsigned char)(page + (page < 4 ? 50 : 1)));
  for (uint64_t page = 0; page < 8; page++) {
    CHECK(move_to(h, page, 0, true));
    fill_frame(h, 0, page, (unsigned char)(page + 70));
  }
  for (uint64_t page = 0; page < 8; page++) expect(h, page, (unsigned char)(page + 70));
  CHECK_EQUAL(hmm_discard(h->pager, 0, 4, NULL), 0);
  for (uint64_t page = 0; page < 4; page++) expect(h, page, 0);
  close_heap(h);
}

// With MCL_FUTURE whatever is mapped comes with its pages at once, as far as they may be touched then. A touch of
// managed memory must be noticed all the same.
static void a_heap_opens_in_a_process_that_locks_everything(const struct shape *shape) {
  if (!may_lock() || mlockall(MCL_FUTURE)) return;
  struct heap *h = open_heap(shape, PAGES, 1);
  put(h, 1, 5);
  CHECK_EQUAL(state(h, 1), HOST);
  expect(h, 2, 0);
  CHECK(word(h, 2) & MARKED_READ);
  CHECK(move_to(h, 1, 0, true));
  fill_frame(h, 0, 1, 6);
  expect(h, 1, 6);
  close_heap(h);
  munlockall();
}

// ---- children

// The mapping is the parent's alone, and so is the crew: a touch is a stray one, as of any address that is not mapped.
static void a_forked_child_has_no_heap(const struct shape *shape) {
  struct heap *h = of_every_kind(shape);
  for (int writes = 0; writes < 2; writes++) {
    for (uint64_t page = 0; page < KINDS; page++) {
      pid_t child = fork();
      CHECK(child >= 0);
      if (!child) {
        unsigned char value = 1;
        int error = writes ? touch_write(h, page, value) : touch_read(h, page, &value);
        bool refused = pwrite(h->memfd, (void *)(uintptr_t)(h->app + page * PAGE), 1, 0) < 0 && errno == EFAULT;
        _exit(error == SIGSEGV && refused ? 0 : 1);
      }
      int status;
      CHECK_EQUAL(waitpid(child, &status, 0), child);
      CHECK_EQUAL(status, 0);
    }
  }
  expect_all(h);
  close_heap(h);
}

// Without a handler of its own it ends with the signal.
static void a_forked_child_dies_of_a_touch(const struct shape *shape) {
  struct heap *h = of_every_kind(shape);
  pid_t child = fork();
  CHECK(child >= 0);
  if (!child) {
    signal(SIGSEGV, SIG_DFL);
    (void)h->app[ON_A_DEVICE * PAGE];
    _exit(0);
  }
  int status;
  CHECK_EQUAL(waitpid(child, &status, 0), child);
  CHECK(WIFSIGNALED(status) || WEXITSTATUS(status)); // a sanitizer has a handler
  expect_all(h);
  close_heap(h);
}

// As the JDK starts processes, from many threads that touch meanwhile.
static void processes_are_started_meanwhile(const struct shape *shape) {
  extern char **environ;
  struct heap *h = open_heap(shape, PAGES, 1);
  for (int round = 0; round < (shape->quick ? 4 : 20); round++) {
    pid_t child;
    char *arguments[] = {"true", NULL};
    for (uint64_t page = 0; page < PAGES; page++) put(h, page, (unsigned char)(page + (uint64_t)round));
    for (uint64_t page = 0; page < PAGES; page++) CHECK(move_to(h, page, 0, true));
    if (posix_spawnp(&child, "true", NULL, NULL, arguments, environ)) break; // there is none
    for (uint64_t page = 0; page < PAGES; page++) expect(h, page, (unsigned char)(page + (uint64_t)round));
    int status;
    CHECK_EQUAL(waitpid(child, &status, 0), child);
    CHECK_EQUAL(status, 0);
  }
  close_heap(h);
}

const struct test process_tests[] = {
    {"a_debugger_reads_everything", a_debugger_reads_everything, NEEDS_TRAP | ONE_WAY},
    {"another_process_reads", another_process_reads, ONE_WAY},
    {"all_of_the_process_can_be_locked", all_of_the_process_can_be_locked, ONE_WAY},
    {"locked_pages_move", locked_pages_move, ONE_WAY},
    {"a_heap_opens_in_a_process_that_locks_everything", a_heap_opens_in_a_process_that_locks_everything, ONE_WAY},
    {"a_forked_child_has_no_heap", a_forked_child_has_no_heap, NEEDS_TRAP | ONE_WAY},
    {"a_forked_child_dies_of_a_touch", a_forked_child_dies_of_a_touch, ONE_WAY},
    {"processes_are_started_meanwhile", processes_are_started_meanwhile, ONE_WAY},
    {0},
};
