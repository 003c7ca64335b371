// engine.c - the hardware: threads that run one command after the other, as soon as each may run.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../turns.h"
#include "gpu.h"

// Takes none of the signals that are sent to the process: those are for the program's threads. What it makes itself
// must be told.
int start_thread(pthread_t *thread, void *(*main)(void *), void *with) {
  sigset_t all, old;
  sigfillset(&all);
  sigdelset(&all, SIGSEGV);
  sigdelset(&all, SIGBUS);
  sigdelset(&all, SIGILL);
  sigdelset(&all, SIGFPE);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  int outcome = pthread_create(thread, NULL, main, with);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return outcome;
}

void make_ready(struct command *c) {
  enum engine e = c->dead ? FRONT : options.profile->engine_of[c->engine];
  struct engine_state *s = &c->queue->device->engines[e];
  c->ready = NULL;
  if (s->last) s->last->ready = c;
  else s->first = c;
  s->last = c;
  pthread_cond_signal(&s->work);
}

void wake_engines(struct device *d) {
  for (int e = 0; e < ENGINES; e++)
    pthread_cond_signal(&d->engines[e].work);
}

// The first that is ready and not held; with a seed, any such. Null if there is none.
static struct command *choose(const struct engine_state *s) {
  struct command *chosen = NULL;
  uint64_t skip = options.seed && s->first ? next_random() % 4 : 0;
  for (struct command *c = s->first; c; c = c->ready) {
    if (!may_run(c)) continue;
    chosen = c;
    if (!skip--) break;
  }
  return chosen;
}

static struct command *take(struct engine_state *s) {
  struct command *c;
  while (!(c = choose(s)))
    pthread_cond_wait(&s->work, &lock);
  struct command **at = &s->first, *before = NULL;
  while (*at != c) {
    before = *at;
    at = &before->ready;
  }
  *at = c->ready;
  if (s->last == c) s->last = before;
  begin_step(c);
  return c;
}

static cl_int carry_out(struct engine_state *s, struct command *c) {
  if (s->device->lost) return CL_OUT_OF_RESOURCES;
  if (c->dead) return CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
  if (c->ends) return c->ends;
  if (c->loses) {
    lose_device(s->device);
    return CL_OUT_OF_RESOURCES;
  }
  c->status = CL_RUNNING;
  c->early = options.seed && next_random() % 2;
  begin_time(c, s->free_at);
  call_back(c);
  if (c->frames) know_frames(c);
  leave();
  cl_int outcome = c->run(c);
  end_time(c);
  enter();
  s->free_at = c->times[3];
  return s->device->lost ? CL_OUT_OF_RESOURCES : outcome;
}

static void *run_engine(void *with) {
  struct engine_state *s = with;
  ask_for_short_turns(); // hardware does not queue for a processor
  prctl(PR_SET_TIMERSLACK, 1UL);
  prctl(PR_SET_NAME, "emulated-gpu");
  while (true) {
    enter();
    struct command *c = take(s);
    cl_int outcome = carry_out(s, c);
    end_command(c, outcome);
    leave();
  }
  return NULL;
}

bool start_engines(struct device *d) {
  for (int e = 0; e < ENGINES; e++) {
    struct engine_state *s = &d->engines[e];
    s->device = d;
    pthread_cond_init(&s->work, NULL);
    if (start_thread(&s->thread, run_engine, s)) return false;
  }
  return true;
}
