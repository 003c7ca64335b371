// fake_cl.h - as much of OpenCL as the native part calls: queues with a thread each, memory objects that are plain memory, kernels that are functions of the test.
//
// A command runs only after a flush, as a driver may well have it. Every call can be made to fail, and so can the commands themselves.
#ifndef FAKE_CL_H
#define FAKE_CL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hmm_pager.h"

// What `gather_runs` of runs.cl is given, and does.
struct fake_gather {
  char *packed, *memory;
  struct {
    uint32_t at[HMM_RUNS + 1], place[HMM_RUNS];
  } runs;
  bool wrong; // it carries a byte that is another
  bool idle;  // it carries nothing
};

struct fake_kernel {
  void (*run)(void *arg);
  void *arg;
  int status; // how its event ends
  struct fake_gather *gather; // null for others
};

void fake_calls(uint64_t cl[HMM_CL_COUNT]);
void *fake_memory(size_t bytes); // a cl_mem
char *fake_bytes(void *memory);
void fake_free(void *memory);
void *fake_queue(void);
void fake_release_queue(void *queue);

void fake_fail(enum hmm_cl call, int status, int after, int times); // lets `after` calls pass before
void fake_fail_commands(int status, int times);                     // the next copies end with this status
void fake_fail_waits(int status, int times);                        // the next waits do, at once: before their command has ended
int fake_failing_waits(void);                                       // how many are still to fail so
bool fake_waited_for(void *event);                                  // whether somebody has waited for its end with success, or was told that it failed
void fake_reset(void);
void fake_hold(bool hold); // copies do not start
void fake_await_held(void);
int fake_held_queues(void); // whose next copy does not start
int fake_calls_of(enum hmm_cl call);
int fake_live_events(void); // that somebody still has a reference to
void fake_eager(bool eager); // kernels run to their end within their enqueueing, and nobody is called back for what has ended
void fake_silent(bool silent); // nobody is called back who asks for it from now on
struct fake_callback {
  void (*function)(void *event, int status, void *user);
  void *user;
};
struct fake_callback fake_last_callback(void); // that was asked for
int fake_wait(void *event); // its status; the reference is gone then

#endif
