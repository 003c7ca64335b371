// fake_cl.c - see fake_cl.h. One lock for everything: it is about order, not about speed.
#include "fake_cl.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "driver.h"

enum { COMPLETE = 0, QUEUED = 3 };

struct event {
  int references, status;
  bool waited_for;
  void (*callback)(void *, int, void *);
  void *user;
};

#define FAKE_WAITS 64
#define GARBAGE 0xdb
#define MAP_READ 1
#define MAP_WRITE_INVALIDATE 4
#define ERROR_IN_WAIT_LIST (-14)

struct command {
  struct command *next;
  struct event *event;
  struct fake_kernel *kernel;
  struct fake_gather *gather; // as it was when it was enqueued
  struct event *waits_for[FAKE_WAITS]; // each with a reference
  unsigned wait_count;
  char *from, *to;
  size_t bytes;
  bool flushed;
  struct memory *map, *unmap; // what it maps or unmaps
};

struct queue {
  pthread_t worker;
  struct command *first, **last;
  bool closing, forgotten;
};

struct memory {
  char *bytes;
  // The host's side, which is another place: in step with `bytes` at maps and unmaps only, and garbage while it is not mapped.
  char *host;
  size_t size, mapped_bytes;
  uint64_t mapped; // flags, 0 while it is not
};

struct plan {
  int status, after, times;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct plan plans[HMM_CL_COUNT], command_plan, wait_plan;
static int called[HMM_CL_COUNT], live_events, held_commands;
static bool held, eager, silent;
static struct fake_callback last_callback;

static int fate(struct plan *plan) {
  if (!plan->times) return 0;
  if (plan->after) {
    plan->after--;
    return 0;
  }
  plan->times--;
  return plan->status;
}

static int called_now(enum hmm_cl call) { // the lock is held
  called[call]++;
  return fate(&plans[call]);
}

static void drop(struct event *e) { // the lock is held
  CHECK(e->references > 0);
  if (--e->references) return;
  live_events--;
  free(e);
}

// The lock is held, but not over the callback.
static void end(struct event *e, int status) {
  e->status = status;
  void (*callback)(void *, int, void *) = e->callback;
  void *user = e->user;
  e->callback = NULL;
  pthread_cond_broadcast(&changed);
  if (callback) {
    pthread_mutex_unlock(&lock);
    callback(e, status, user);
    pthread_mutex_lock(&lock);
  }
  drop(e);
}

static void gather(const struct fake_gather *g) {
  for (unsigned run = 0; run < HMM_RUNS; run++) {
    size_t bytes = (size_t)(g->runs.at[run + 1] - g->runs.at[run]) * HMM_RUN_BLOCK;
    if (bytes && !g->idle) memcpy(g->packed + (size_t)g->runs.at[run] * HMM_RUN_BLOCK, g->memory + (size_t)g->runs.place[run] * HMM_RUN_BLOCK, bytes);
  }
  if (g->wrong) g->packed[HMM_RUN_BLOCK + 7] ^= 1;
}

static void *work(void *arg) {
  struct queue *q = arg;
  pthread_mutex_lock(&lock);
  while (true) {
    struct command *c = q->first;
    if (!c && q->closing) break;
    if (!c || !c->flushed) {
      pthread_cond_wait(&changed, &lock);
      continue;
    }
    if (held && !c->kernel) {
      held_commands++;
      pthread_cond_broadcast(&changed);
      while (held) pthread_cond_wait(&changed, &lock);
      held_commands--;
    }
    if (!(q->first = c->next)) q->last = &q->first;
    int status = c->kernel ? 0 : fate(&command_plan);
    for (unsigned i = 0; i < c->wait_count; i++) {
      while (c->waits_for[i]->status > COMPLETE) pthread_cond_wait(&changed, &lock);
      if (c->waits_for[i]->status < 0) status = ERROR_IN_WAIT_LIST;
      drop(c->waits_for[i]);
    }
    pthread_mutex_unlock(&lock);
    if (c->kernel && !status && c->kernel->run) c->kernel->run(c->kernel->arg);
    if (c->gather && !status) gather(c->gather);
    free(c->gather);
    if (c->kernel && !status) status = c->kernel->status;
    if (c->from && !status) memcpy(c->to, c->from, c->bytes);
    if (c->unmap) memset(c->unmap->host, GARBAGE, c->unmap->size);
    pthread_mutex_lock(&lock);
    end(c->event, status);
    free(c);
  }
  bool forgotten = q->forgotten;
  pthread_mutex_unlock(&lock);
  if (forgotten) free(q);
  return NULL;
}

static int add(struct queue *q, enum hmm_cl call, struct command command, void **event) {
  pthread_mutex_lock(&lock);
  int status = called_now(call);
  if (!status) {
    struct command *c = malloc(sizeof *c);
    struct event *e = calloc(1, sizeof *e);
    CHECK(c && e && event);
    *e = (struct event){.references = 2, .status = QUEUED}; // the caller's and the queue's
    live_events++;
    *c = command;
    c->event = e;
    *q->last = c;
    q->last = &c->next;
    *event = e;
    if (eager && c->kernel) {
      c->flushed = true;
      pthread_cond_broadcast(&changed);
      while (e->status > COMPLETE) pthread_cond_wait(&changed, &lock);
    }
  }
  pthread_mutex_unlock(&lock);
  return status;
}

static int add_waiting(struct queue *q, enum hmm_cl call, struct command command, unsigned waits, void *const *wait, void **event) {
  command.wait_count = waits;
  pthread_mutex_lock(&lock);
  for (unsigned i = 0; i < waits; i++) {
    command.waits_for[i] = wait[i];
    command.waits_for[i]->references++;
  }
  pthread_mutex_unlock(&lock);
  int status = add(q, call, command, event);
  if (status) {
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < waits; i++) drop(command.waits_for[i]);
    pthread_mutex_unlock(&lock);
  }
  return status;
}

static void *create_queue(void *context, void *device, uint64_t properties, int *status) {
  (void)context, (void)device, (void)properties;
  pthread_mutex_lock(&lock);
  *status = called_now(HMM_CL_CREATE_QUEUE);
  pthread_mutex_unlock(&lock);
  if (*status) return NULL;
  struct queue *q = calloc(1, sizeof *q);
  CHECK(q);
  q->last = &q->first;
  q->worker = start_thread(work, q);
  return q;
}

static int flush(void *queue) {
  pthread_mutex_lock(&lock);
  int status = called_now(HMM_CL_FLUSH);
  for (struct command *c = ((struct queue *)queue)->first; c; c = c->next) c->flushed = true; // also if it fails: the driver knows the commands
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  return status;
}

static int release_queue(void *queue) {
  struct queue *q = queue;
  flush(queue);
  pthread_mutex_lock(&lock);
  q->closing = true;
  bool waits = !held || !q->first; // nobody waits for commands that are held
  q->forgotten = !waits;
  if (!waits) pthread_detach(q->worker);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  if (!waits) return 0;
  pthread_join(q->worker, NULL);
  free(q);
  return 0;
}

static int enqueue_read(void *q, void *memory, unsigned blocking, size_t offset, size_t bytes, void *host, unsigned waits, void *const *wait, void **event) {
  CHECK(!blocking && waits <= 1 && !waits == !wait);
  return add_waiting(q, HMM_CL_ENQUEUE_READ, (struct command){.from = fake_bytes(memory) + offset, .to = host, .bytes = bytes}, waits, wait, event);
}

static int enqueue_write(void *q, void *memory, unsigned blocking, size_t offset, size_t bytes, void *host, unsigned waits, void *const *wait, void **event) {
  CHECK(!blocking && !waits && !wait);
  return add(q, HMM_CL_ENQUEUE_WRITE, (struct command){.from = host, .to = fake_bytes(memory) + offset, .bytes = bytes}, event);
}

static int enqueue_copy(void *q, void *from, void *to, size_t from_offset, size_t to_offset, size_t bytes, unsigned waits, void *const *wait, void **event) {
  CHECK(waits <= 1 && !waits == !wait && !((struct memory *)from)->mapped && !((struct memory *)to)->mapped);
  struct command command = {.from = fake_bytes(from) + from_offset, .to = fake_bytes(to) + to_offset, .bytes = bytes};
  return add_waiting(q, HMM_CL_ENQUEUE_COPY, command, waits, wait, event);
}

static void *enqueue_map(void *q, void *memory, unsigned blocking, uint64_t flags, size_t offset, size_t bytes, unsigned waits, void *const *wait, void **event, int *status) {
  struct memory *m = memory;
  CHECK(!blocking && waits <= 1 && !waits == !wait && !offset && bytes && bytes <= m->size && (flags == MAP_READ || flags == MAP_WRITE_INVALIDATE));
  CHECK(!m->mapped);
  if (!m->host) CHECK(m->host = malloc(m->size));
  bool read = flags == MAP_READ;
  const struct command map = {.from = read ? m->bytes : NULL, .to = read ? m->host : NULL, .bytes = read ? bytes : 0, .map = m};
  *status = add_waiting(q, HMM_CL_MAP, map, waits, wait, event);
  if (*status) return NULL;
  m->mapped = flags;
  m->mapped_bytes = bytes;
  return m->host;
}

static int enqueue_unmap(void *q, void *memory, void *at, unsigned waits, void *const *wait, void **event) {
  struct memory *m = memory;
  CHECK(!waits && !wait);
  if (!m->mapped || at != m->host) return -30; // CL_INVALID_VALUE
  bool written = m->mapped == MAP_WRITE_INVALIDATE;
  int status = add(q, HMM_CL_UNMAP, (struct command){.from = written ? m->host : NULL, .to = written ? m->bytes : NULL, .bytes = written ? m->mapped_bytes : 0, .unmap = m}, event);
  if (!status) m->mapped = 0;
  return status;
}

static int enqueue_kernel(void *q, void *kernel, unsigned dimensions, const size_t *offset, const size_t *global, const size_t *local, unsigned waits, void *const *wait, void **event) {
  struct fake_kernel *k = kernel;
  CHECK(dimensions == 1 && !offset && !waits == !wait && waits <= FAKE_WAITS);
  struct fake_gather *gathers = NULL;
  if (k->gather) {
    CHECK(local && global[0] == local[0] * k->gather->runs.at[HMM_RUNS] && (gathers = malloc(sizeof *gathers)));
    *gathers = *k->gather;
  } else CHECK(global[0] == 1 && !local);
  int status = add_waiting(q, HMM_CL_ENQUEUE_KERNEL, (struct command){.kernel = kernel, .gather = gathers}, waits, wait, event);
  if (status) free(gathers);
  return status;
}

static int set_arg(void *kernel, unsigned index, size_t bytes, const void *value) {
  struct fake_gather *g = ((struct fake_kernel *)kernel)->gather;
  pthread_mutex_lock(&lock);
  int status = called_now(HMM_CL_SET_ARG);
  pthread_mutex_unlock(&lock);
  if (status) return status;
  CHECK(bytes == (index == 1 ? sizeof g->runs : sizeof(void *)) && index < 3);
  if (index == 1) {
    memcpy(&g->runs, value, bytes);
    return 0;
  }
  struct memory *m = *(void *const *)value;
  CHECK(!m->mapped);
  *(index ? &g->memory : &g->packed) = m->bytes;
  return 0;
}

static int wait_events(unsigned n, void *const *events) {
  CHECK(n == 1);
  struct event *e = events[0];
  pthread_mutex_lock(&lock);
  int at_once = fate(&wait_plan);
  if (at_once) {
    pthread_mutex_unlock(&lock);
    return at_once;
  }
  while (e->status > COMPLETE) pthread_cond_wait(&changed, &lock);
  int status = called_now(HMM_CL_WAIT); // even a wait that fails has waited
  if (!status) e->waited_for = true;
  if (!status && e->status < 0) status = -14;
  pthread_mutex_unlock(&lock);
  return status;
}

static int event_info(void *event, unsigned name, size_t bytes, void *value, size_t *got) {
  CHECK(name == 0x11D3 && bytes == sizeof(int) && !got);
  pthread_mutex_lock(&lock);
  int status = called_now(HMM_CL_EVENT_INFO);
  if (!status) *(int *)value = ((struct event *)event)->status;
  pthread_mutex_unlock(&lock);
  return status;
}

static int retain_event(void *event) {
  pthread_mutex_lock(&lock);
  int status = called_now(HMM_CL_RETAIN_EVENT);
  if (!status) ((struct event *)event)->references++;
  pthread_mutex_unlock(&lock);
  return status;
}

static int release_event(void *event) {
  pthread_mutex_lock(&lock);
  called_now(HMM_CL_RELEASE_EVENT);
  drop(event);
  pthread_mutex_unlock(&lock);
  return 0;
}

static int set_callback(void *event, int on, void (*callback)(void *, int, void *), void *user) {
  struct event *e = event;
  CHECK(on == COMPLETE);
  pthread_mutex_lock(&lock);
  int status = called_now(HMM_CL_SET_CALLBACK), ended = e->status;
  bool never = silent, not_late = eager;
  last_callback = (struct fake_callback){callback, user};
  if (!status && ended > COMPLETE && !never) {
    CHECK(!e->callback);
    e->callback = callback;
    e->user = user;
  }
  pthread_mutex_unlock(&lock);
  if (!status && ended <= COMPLETE && !never && !not_late) callback(event, ended, user);
  return status;
}

#define ADDRESS(function) (uint64_t)(uintptr_t)(function)

void fake_calls(uint64_t cl[HMM_CL_COUNT]) {
  const uint64_t calls[HMM_CL_COUNT] = {ADDRESS(create_queue), ADDRESS(release_queue),  ADDRESS(enqueue_read), ADDRESS(enqueue_write), ADDRESS(enqueue_copy), ADDRESS(enqueue_kernel), ADDRESS(flush),
                                        0 /* nobody calls it */, ADDRESS(wait_events), ADDRESS(event_info), ADDRESS(retain_event), ADDRESS(release_event), ADDRESS(set_callback), ADDRESS(enqueue_map), ADDRESS(enqueue_unmap), ADDRESS(set_arg)};
  memcpy(cl, calls, sizeof calls);
}

void *fake_memory(size_t bytes) {
  struct memory *m = calloc(1, sizeof *m);
  CHECK(m);
  m->size = bytes;
  CHECK((m->bytes = malloc(bytes)));
  memset(m->bytes, 0xee, bytes); // whoever reads a frame that nobody has filled finds this
  return m;
}

char *fake_bytes(void *memory) { return ((struct memory *)memory)->bytes; }

void fake_free(void *memory) {
  free(fake_bytes(memory));
  free(((struct memory *)memory)->host);
  free(memory);
}

void *fake_queue(void) {
  int status;
  return create_queue(NULL, NULL, 0, &status);
}

void fake_release_queue(void *queue) { release_queue(queue); }

void fake_fail(enum hmm_cl call, int status, int after, int times) {
  pthread_mutex_lock(&lock);
  plans[call] = (struct plan){status, after, times};
  pthread_mutex_unlock(&lock);
}

void fake_fail_commands(int status, int times) {
  pthread_mutex_lock(&lock);
  command_plan = (struct plan){status, 0, times};
  pthread_mutex_unlock(&lock);
}

void fake_fail_waits(int status, int times) {
  pthread_mutex_lock(&lock);
  wait_plan = (struct plan){status, 0, times};
  pthread_mutex_unlock(&lock);
}

int fake_failing_waits(void) {
  pthread_mutex_lock(&lock);
  int n = wait_plan.times;
  pthread_mutex_unlock(&lock);
  return n;
}

bool fake_waited_for(void *event) {
  pthread_mutex_lock(&lock);
  bool waited_for = ((struct event *)event)->waited_for;
  pthread_mutex_unlock(&lock);
  return waited_for;
}

void fake_reset(void) {
  pthread_mutex_lock(&lock);
  memset(plans, 0, sizeof plans);
  memset(called, 0, sizeof called);
  command_plan = wait_plan = (struct plan){0};
  silent = false;
  pthread_mutex_unlock(&lock);
}

void fake_hold(bool hold) {
  pthread_mutex_lock(&lock);
  held = hold;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

void fake_eager(bool now) {
  pthread_mutex_lock(&lock);
  eager = now;
  pthread_mutex_unlock(&lock);
}

void fake_silent(bool now) {
  pthread_mutex_lock(&lock);
  silent = now;
  pthread_mutex_unlock(&lock);
}

struct fake_callback fake_last_callback(void) {
  pthread_mutex_lock(&lock);
  struct fake_callback callback = last_callback;
  pthread_mutex_unlock(&lock);
  return callback;
}

void fake_await_held(void) {
  pthread_mutex_lock(&lock);
  while (!held_commands) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

int fake_held_queues(void) {
  pthread_mutex_lock(&lock);
  int n = held_commands;
  pthread_mutex_unlock(&lock);
  return n;
}

int fake_calls_of(enum hmm_cl call) {
  pthread_mutex_lock(&lock);
  int n = called[call];
  pthread_mutex_unlock(&lock);
  return n;
}

int fake_live_events(void) {
  pthread_mutex_lock(&lock);
  int n = live_events;
  pthread_mutex_unlock(&lock);
  return n;
}

int fake_wait(void *event) {
  struct event *e = event;
  pthread_mutex_lock(&lock);
  while (e->status > COMPLETE) pthread_cond_wait(&changed, &lock);
  int status = e->status;
  drop(e);
  pthread_mutex_unlock(&lock);
  return status;
}

// ---- for a heap

static void calls_anew(uint64_t cl[HMM_CL_COUNT]) {
  fake_reset();
  fake_calls(cl);
}

static void identify(unsigned device, uint64_t *context, uint64_t *id) {
  (void)device;
  *context = *id = 1;
}

static void *memory_of(unsigned device, size_t bytes) {
  (void)device;
  return fake_memory(bytes);
}

static void *staging_of(unsigned device, size_t bytes) {
  (void)device;
  void *staging = calloc(bytes, 1);
  CHECK(staging);
  return staging;
}

static void free_staging_of(unsigned device, void *staging) {
  (void)device;
  free(staging);
}

static void *queue_of(unsigned device) {
  (void)device;
  return fake_queue();
}

static bool write_memory(unsigned device, void *memory, size_t offset, const void *from, size_t bytes) {
  (void)device;
  memcpy(fake_bytes(memory) + offset, from, bytes);
  return true;
}

const struct driver fake_driver = {.third = {[REACHABLE] = STAGED, [COMMANDS] = REACHABLE, [STAGED] = BY_COPIES, [BY_COPIES] = REACHABLE}, .calls = calls_anew, .identify = identify, .memory = memory_of, .bytes_of = fake_bytes,
                                  .slot = memory_of, .free = fake_free, .staging = staging_of, .free_staging = free_staging_of, .queue = queue_of, .release_queue = fake_release_queue, .write = write_memory};
