// reins.c - what a test in the same process may do to a device while it runs: hold its engines, count, fail and stop its
// calls, lose it, and find it again. Tests find the functions by their names (README.md); Java has them in
// `EmulatedGpu`. The options that fail calls and lose the device are reins that are there from the beginning.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gpu.h"

static const char *const names[CALLS] = {
    [CREATE_BUFFER] = "clCreateBuffer", [CREATE_SUB_BUFFER] = "clCreateSubBuffer",
    [BUILD_PROGRAM] = "clBuildProgram", [CREATE_KERNEL] = "clCreateKernel",
    [READ] = "clEnqueueReadBuffer",     [WRITE] = "clEnqueueWriteBuffer",
    [COPY] = "clEnqueueCopyBuffer",     [FILL] = "clEnqueueFillBuffer",
    [LAUNCH] = "clEnqueueNDRangeKernel", [MAP] = "clEnqueueMapBuffer",
    [UNMAP] = "clEnqueueUnmapMemObject"};

// Sets of calls have a bit for each, and one more for all commands without a name here.
#define NAMED ((1u << CALLS) - 1)
#define COMMANDS ((1u << (CALLS + 1)) - (1u << FIRST_COMMAND))

enum deed { REFUSE, END, LOSE, LOSE_LATE, STOP };
struct stop {
  bool reached, open;
  unsigned users; // threads that are stopped, or wait for that
};
struct rein { // strikes `count` calls of the set, once `skip` others have begun
  struct rein *next;
  const struct device *device; // null: any
  unsigned calls;
  uint64_t skip, count;
  enum deed deed;
  cl_int status;
  struct stop *stop;
};
static struct rein *reins;
static unsigned watchers; // threads that wait for a command to be submitted

// ---- calls begin ----

static unsigned number_of(const char *call) {
  unsigned i = 0;
  while (i < CALLS && strcmp(names[i], call) != 0)
    i++;
  return i;
}

static void apply(const struct rein *r, struct device *d, struct reined *result, struct stop **stop) {
  switch (r->deed) {
    case REFUSE: result->refused = r->status; break;
    case END: result->ends = r->status; break;
    case LOSE: lose_device(d); break;
    case LOSE_LATE: result->loses = true; break;
    case STOP: *stop = r->stop; break;
  }
}

// Whom a call concerns counts down, and strikes.
static struct stop *meet_reins(struct device *d, unsigned call, struct reined *result) {
  struct stop *stop = NULL;
  for (struct rein **at = &reins; *at;) {
    struct rein *r = *at;
    bool concerned = (!r->device || r->device == d) && r->calls & 1u << call;
    bool strikes = concerned && !r->skip;
    if (concerned && r->skip) r->skip--;
    if (strikes) apply(r, d, result, &stop);
    if (strikes && !--r->count) {
      *at = r->next;
      free(r);
    } else {
      at = &r->next;
    }
  }
  return stop;
}

static void wait_at(struct stop *stop) {
  stop->reached = true;
  stop->users++;
  pthread_cond_broadcast(&changed);
  while (!stop->open)
    pthread_cond_wait(&changed, &lock);
  stop->users--;
  pthread_cond_broadcast(&changed);
}

static struct device *device_behind(const struct object *o) {
  switch (o->kind) {
    case QUEUE: return ((const struct queue *)o)->device;
    case CONTEXT: return only_device((const struct context *)o);
    case MEMORY: return only_device(((const struct memory *)o)->context);
    case PROGRAM: return ((const struct program *)o)->device;
    default: return NULL;
  }
}

void *begin_call(const void *handle, enum kind kind, const char *call, struct reined *reined) {
  struct reined result = {0};
  struct object *o = find_object(handle, kind, call);
  struct device *d = o ? device_behind(o) : NULL;
  unsigned number = d ? number_of(call) : CALLS;
  if (number < CALLS) d->calls[number]++;
  struct stop *stop = d && reins ? meet_reins(d, number, &result) : NULL;
  if (stop) {
    wait_at(stop);
    o = find_object(handle, kind, call);
  }
  if (d && d->lost) result.refused = kind == QUEUE ? options.profile->after_loss : CL_OUT_OF_RESOURCES;
  *reined = result;
  return o;
}

// ---- commands ----

void count_submitted(const struct command *c) {
  c->queue->device->submitted[c->engine]++;
  if (watchers) pthread_cond_broadcast(&changed);
}

void count_completed(const struct command *c) { // who waits is told of every end
  c->queue->device->completed[c->engine]++;
  if (c->stepped) c->queue->device->stepped[c->engine]++;
}

bool may_run(const struct command *c) {
  const struct device *d = c->queue->device;
  return !d->held[c->engine] || d->steps[c->engine] || c->dead || d->lost;
}

void begin_step(struct command *c) {
  struct device *d = c->queue->device;
  if (!d->steps[c->engine] || c->dead) return;
  d->steps[c->engine]--;
  c->stepped = true;
}

// ---- what tests call ----

static bool add_rein(struct rein wanted) {
  struct rein *r = malloc(sizeof *r);
  if (!r) return false;
  *r = wanted;
  enter();
  r->next = reins;
  reins = r;
  leave();
  return true;
}

static bool rein_call(struct device *d, unsigned calls, uint64_t nth, uint64_t count, enum deed deed, cl_int status) {
  if (!nth || !count) return false;
  return add_rein((struct rein){
      .device = d, .calls = calls, .skip = nth - 1, .count = count, .deed = deed, .status = status});
}

void rein_by_options(void) {
  const struct options *o = &options;
  rein_call(NULL, COMMANDS, o->fail.command, 1, REFUSE, o->fail.status);
  rein_call(NULL, COMMANDS, o->fail_event.command, 1, END, o->fail_event.status);
  rein_call(NULL, COMMANDS, o->lose_at, 1, LOSE_LATE, 0);
}

static struct timespec in_seconds(unsigned seconds) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t); // as conditions have it
  t.tv_sec += seconds;
  return t;
}

static bool wait_until(const struct timespec *end) { return !pthread_cond_timedwait(&changed, &lock, end); }

// The one that the platforms list at this place, counted over all of them; null if there are fewer, or no loader has
// taken this layer.
VISIBLE struct device *hmm_gpu_device(unsigned number) {
  cl_platform_id platforms[64];
  cl_uint count = 0;
  if (!driver[INDEX_clGetPlatformIDs] || DRIVER(clGetPlatformIDs)(64, platforms, &count)) return NULL;
  for (cl_uint i = 0; i < count && i < 64; i++) {
    cl_device_id ids[MAX_DEVICES];
    cl_uint found = 0;
    if (gpu_clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_GPU, MAX_DEVICES, ids, &found)) continue;
    if (number < found && number < MAX_DEVICES) {
      enter();
      struct device *d = device_of(ids[number]);
      leave();
      return d;
    }
    number -= found;
  }
  return NULL;
}

VISIBLE void hmm_gpu_hold(struct device *d, unsigned engine, bool held) {
  enter();
  d->held[engine] = held;
  wake_engines(d);
  leave();
}

// 0; 1: the engine is not held; 2: nothing has come or ended in this time.
VISIBLE int hmm_gpu_step(struct device *d, unsigned engine, unsigned seconds) {
  struct timespec end = in_seconds(seconds);
  enter();
  int outcome = d->held[engine] ? 0 : 1;
  if (!outcome) {
    uint64_t until = d->stepped[engine] + 1;
    d->steps[engine]++;
    wake_engines(d);
    while (d->stepped[engine] < until && !d->lost && !outcome) {
      if (!wait_until(&end)) outcome = 2;
    }
    if (outcome && d->steps[engine]) d->steps[engine]--;
  }
  leave();
  return outcome;
}

VISIBLE uint64_t hmm_gpu_submitted(const struct device *d, unsigned engine) {
  enter();
  uint64_t count = d->submitted[engine];
  leave();
  return count;
}

VISIBLE uint64_t hmm_gpu_completed(const struct device *d, unsigned engine) {
  enter();
  uint64_t count = d->completed[engine];
  leave();
  return count;
}

VISIBLE bool hmm_gpu_await_submitted(const struct device *d, unsigned engine, uint64_t count, unsigned seconds) {
  struct timespec end = in_seconds(seconds);
  bool waits = true;
  enter();
  watchers++;
  while (d->submitted[engine] < count && waits)
    waits = wait_until(&end);
  watchers--;
  bool reached = d->submitted[engine] >= count;
  leave();
  return reached;
}

VISIBLE bool hmm_gpu_fail(struct device *d, unsigned call, uint64_t nth, uint64_t count, cl_int status) {
  return rein_call(d, 1u << call, nth, count, REFUSE, status);
}

VISIBLE bool hmm_gpu_fail_end(struct device *d, unsigned call, uint64_t nth, cl_int status) {
  return rein_call(d, 1u << call, nth, 1, END, status);
}

VISIBLE bool hmm_gpu_lose_at(struct device *d, uint64_t nth) { return rein_call(d, NAMED, nth, 1, LOSE, 0); }

VISIBLE void hmm_gpu_lose(struct device *d) {
  enter();
  lose_device(d);
  pthread_cond_broadcast(&changed);
  leave();
}

static void forget(const struct device *d) { // null: of all
  for (struct rein **at = &reins; *at;) {
    struct rein *r = *at;
    if (d && r->device != d) {
      at = &r->next;
    } else {
      *at = r->next;
      free(r);
    }
  }
}

VISIBLE void hmm_gpu_clear(const struct device *d) {
  enter();
  forget(d);
  leave();
}

// `call` CALLS: all that have a name.
VISIBLE uint64_t hmm_gpu_calls(const struct device *d, unsigned call) {
  uint64_t count = 0;
  enter();
  for (unsigned i = 0; i < CALLS; i++) {
    if (i == call || call == CALLS) count += d->calls[i];
  }
  leave();
  return count;
}

// To be ended by its caller, who does nothing more with it. Null if there is no memory, or no call number 0.
VISIBLE struct stop *hmm_gpu_stop_at(struct device *d, unsigned call, uint64_t nth) {
  struct stop *stop = nth ? calloc(1, sizeof *stop) : NULL;
  if (stop && add_rein((struct rein){
                  .device = d, .calls = 1u << call, .skip = nth - 1, .count = 1, .deed = STOP, .stop = stop}))
    return stop;
  free(stop);
  return NULL;
}

VISIBLE bool hmm_gpu_await_stop(struct stop *stop, unsigned seconds) {
  struct timespec end = in_seconds(seconds);
  bool waits = true;
  enter();
  stop->users++;
  while (!stop->reached && !stop->open && waits)
    waits = wait_until(&end);
  stop->users--;
  pthread_cond_broadcast(&changed);
  bool reached = stop->reached;
  leave();
  return reached;
}

VISIBLE void hmm_gpu_end_stop(struct stop *stop) {
  enter();
  for (struct rein **at = &reins; *at; at = &(*at)->next) {
    struct rein *r = *at;
    if (r->stop != stop) continue;
    *at = r->next;
    free(r);
    break;
  }
  stop->open = true;
  pthread_cond_broadcast(&changed);
  while (stop->users)
    pthread_cond_wait(&changed, &lock);
  leave();
  free(stop);
}

VISIBLE uint64_t hmm_gpu_used_bytes(const struct device *d) {
  enter();
  uint64_t bytes = d->used_bytes;
  leave();
  return bytes;
}

VISIBLE uint64_t hmm_gpu_open_objects(void) {
  uint64_t count = 0;
  enter();
  for (int kind = 0; kind <= SVM; kind++)
    count += count_objects((enum kind)kind);
  leave();
  return count;
}

static struct options own; // what a test has replaced; no memory: nothing

static void keep_own(void) {
  if (!own.memory_bytes) own = options;
}

VISIBLE void hmm_gpu_limit(uint64_t memory_bytes, uint64_t allocation_bytes) {
  enter();
  keep_own();
  options.memory_bytes = memory_bytes;
  options.allocation_bytes = allocation_bytes;
  leave();
}

// As the option `kernel`.
VISIBLE void hmm_gpu_kernels_take(uint64_t bytes) {
  enter();
  keep_own();
  options.kernel_bytes = bytes;
  leave();
}

static void restore_limits(void) {
  if (!own.memory_bytes) return;
  options.memory_bytes = own.memory_bytes;
  options.allocation_bytes = own.allocation_bytes;
  options.kernel_bytes = own.kernel_bytes;
  own.memory_bytes = 0;
}

static void set_free(struct device *d) {
  memset(d->held, 0, sizeof d->held);
  memset(d->steps, 0, sizeof d->steps);
  d->lost = false;
  wake_engines(d);
}

// Everything as it was in the beginning, but for what counts calls and commands. False, and what there is, if the
// program holds a context: what was lost with it is not found again.
VISIBLE bool hmm_gpu_reset(char *left, size_t room) {
  enter();
  bool free_of_contexts = !count_objects(CONTEXT);
  if (free_of_contexts) {
    forget(NULL);
    for (unsigned i = 0; each_device(i); i++)
      set_free(each_device(i));
    restore_limits();
  } else {
    describe_objects(left, room);
  }
  leave();
  return free_of_contexts;
}
