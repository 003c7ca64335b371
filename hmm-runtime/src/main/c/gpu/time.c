// time.c - emulated time. A command starts when its engine and what it comes after are free, and ends so much later as
// its latency and its bytes take. That is kept by sleeping until then, so work of different engines overlaps on however
// few processors there are.
#define _GNU_SOURCE
#include <errno.h>
#include <time.h>

#include "gpu.h"

#define SLACK_NANOS                                                                                                    \
  50000000u // who ends late because the machine is busy is made up for by the next command, up to so much

uint64_t now_nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void sleep_until(uint64_t nanos) {
  if (!nanos || nanos <= now_nanos()) return;
  struct timespec t = {(time_t)(nanos / 1000000000u), (long)(nanos % 1000000000u)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
  }
}

static uint64_t transfer_nanos(const struct command *c, size_t bytes) {
  return c->speed > 0 ? (uint64_t)((double)bytes / c->speed * 1e9) : 0;
}

void begin_time(struct command *c, uint64_t free_at) {
  uint64_t took = transfer_nanos(c, c->moved) + options.latency_nanos;
  uint64_t now = now_nanos();
  if (!took || c->engine == FRONT) {
    c->times[2] = now;
    return;
  }
  uint64_t start = c->ready_at > free_at ? c->ready_at : free_at;
  if (start > now || now - start > SLACK_NANOS) start = now;
  c->times[2] = start;
  c->due = start + took;
}

void keep_pace(const struct command *c, size_t bytes) {
  if (c->due && c->speed > 0) sleep_until(c->times[2] + options.latency_nanos + transfer_nanos(c, bytes));
}

void end_time(struct command *c) {
  sleep_until(c->due);
  uint64_t now = now_nanos();
  c->times[3] = c->due && now - c->due < SLACK_NANOS ? c->due : now;
}
