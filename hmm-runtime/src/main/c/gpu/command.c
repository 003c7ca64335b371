// command.c - the life of a command: enqueued, after what it comes, flushed, run by an engine, ended.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

static unsigned commands;     // enqueued so far
static struct reined current; // what becomes of the call that has begun last

struct queue *begin(cl_command_queue handle, const char *call, cl_int *status) {
  enter();
  struct queue *q = begin_call(handle, QUEUE, call, &current);
  *status = q ? current.refused : CL_INVALID_COMMAND_QUEUE;
  if (q) commands++;
  if (!*status) return q;
  leave();
  return NULL;
}

struct command *new_command(struct queue *q, cl_uint type, const char *call, cl_int (*run)(struct command *),
                            enum engine engine) {
  struct command *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->object = (struct object){.kind = EVENT, .uses = 1};
  c->type = type;
  c->by = (struct doer){.call = call, .number = commands, .queue = q->number};
  c->ends = current.ends;
  c->loses = current.loses;
  c->queue = q;
  c->context = q->context;
  c->run = run;
  c->engine = engine;
  c->status = CL_QUEUED;
  c->times[0] = now_nanos();
  c->size[1] = c->size[2] = 1;
  use_object(&q->object);
  return c;
}

const char *name_doer(const struct doer *by, char text[DOER]) {
  snprintf(text, DOER, "%s (command %u, %s%s%squeue %u)", by->call, by->number, by->kernel ? "kernel " : "", by->kernel ? by->kernel : "", by->kernel ? ", " : "", by->queue);
  return text;
}

static bool grow(void **array, unsigned count, size_t bytes) {
  if (count & (count - 1)) return true; // room for the next power of two
  void *more = realloc(*array, (count ? count * 2 : 1) * bytes);
  if (more) *array = more;
  return more;
}

bool keeps(struct command *c, struct memory *m) {
  if (!grow((void **)&c->memories, c->memory_count, sizeof *c->memories)) return false;
  c->memories[c->memory_count++] = m;
  use_object(&m->object);
  return true;
}

bool uses(struct command *c, struct memory *m, size_t offset, size_t bytes, bool write) {
  if (!grow((void **)&c->accesses, c->access_count, sizeof *c->accesses) ||
      !grow((void **)&c->accessed, c->access_count, sizeof *c->accessed) || !keeps(c, m)) {
    return false;
  }
  c->accessed[c->access_count] = m->root;
  c->accesses[c->access_count++] = (struct access){.first = m->origin + offset,
                                                   .end = m->origin + offset + bytes,
                                                   .write = write,
                                                   .by = c->by};
  return true;
}

cl_int check_waits(const struct context *context, cl_uint waits, const cl_event *wait, const char *call) {
  if (!waits != !wait) return CL_INVALID_EVENT_WAIT_LIST;
  for (cl_uint i = 0; i < waits; i++) {
    const struct command *c = find_event(wait[i], call);
    if (!c) return CL_INVALID_EVENT_WAIT_LIST;
    if (c->context != context) return CL_INVALID_CONTEXT;
  }
  return CL_SUCCESS;
}

static bool come_after(struct command *c, struct command *earlier, bool named) {
  if (earlier->status <= CL_COMPLETE) {
    if (named && earlier->status < 0) c->dead = true;
    if (c->ready_at < earlier->times[3]) c->ready_at = earlier->times[3];
    return true;
  }
  if (earlier->dependent_count == earlier->dependent_room) {
    unsigned room = earlier->dependent_room ? earlier->dependent_room * 2 : 4;
    struct dependent *more = realloc(earlier->dependents, room * sizeof *more);
    if (!more) return false;
    earlier->dependents = more;
    earlier->dependent_room = room;
  }
  earlier->dependents[earlier->dependent_count++] = (struct dependent){c, named};
  c->pending++;
  if (earlier->gated) c->gated = true;
  return true;
}

// What it comes after. On failure nothing has been changed that matters: it then runs after less, and is taken back by
// its caller.
static bool depend(struct command *c, cl_uint waits, const cl_event *wait, bool after_all) {
  struct queue *q = c->queue;
  bool done = true;
  for (cl_uint i = 0; i < waits && done; i++) {
    struct command *earlier = find_event(wait[i], c->by.call);
    learn_command(c, earlier);
    done = come_after(c, earlier, true);
  }
  if (q->in_order && q->last && done) done = come_after(c, q->last, false);
  if (!q->in_order && q->barrier && done) done = come_after(c, q->barrier, false);
  for (struct command *each = after_all && !q->in_order ? q->first : NULL; each && done; each = each->next)
    done = come_after(c, each, false);
  return done;
}

static void append(struct queue *q, struct command *c) {
  c->previous = q->last;
  if (q->last) q->last->next = c;
  else q->first = c;
  q->last = c;
}

cl_int submit(struct command *c, cl_uint waits, const cl_event *wait, cl_event *event, bool blocks) {
  struct queue *q = c->queue;
  cl_int status = check_waits(c->context, waits, wait, c->by.call);
  if (status) return refuse(c, status);
  if (!new_clock(c)) return refuse(c, CL_OUT_OF_HOST_MEMORY);
  if (event) {
    c->object.handle = DRIVER(clCreateUserEvent)(c->context->object.handle, &status);
    if (status) return refuse(c, status);
  }
  bool barrier = c->type == CL_COMMAND_BARRIER || c->type == CL_COMMAND_MARKER;
  bool after_all = barrier && !waits;
  c->pending = 1; // for the time being
  bool placed = depend(c, waits, wait, after_all) && place_in_order(c, after_all);
  if (!placed) c->dead = true; // it has its place, but does nothing
  append(q, c);
  if (c->type == CL_COMMAND_BARRIER && !q->in_order) q->barrier = c;
  c->pending--;
  count_submitted(c);
  if (event) {
    list_object(&c->object);
    *event = c->object.handle;
  }
  if (blocks || (c->pageable && options.profile->pageable_blocks && !c->gated)) {
    use_object(&c->object);
    cl_int outcome = wait_for(c);
    if (blocks) {
      status = outcome;
      host_learns(c);
    }
    unuse_object(&c->object);
  }
  leave();
  return status;
}

cl_int refuse(struct command *c, cl_int status) {
  if (c) {
    if (c->mapping && c->type == CL_COMMAND_MAP_BUFFER) free_mapping(&c->root->mappings, c->mapping);
    c->mapping = NULL;
    unuse_object(&c->object);
  }
  leave();
  return status;
}

void become_ready(struct command *c) {
  if (c->flushed && !c->pending) make_ready(c);
}

static void unlink_command(struct command *c) {
  struct queue *q = c->queue;
  if (!q) return;
  if (c->previous) c->previous->next = c->next;
  else q->first = c->next;
  if (c->next) c->next->previous = c->previous;
  else q->last = c->previous;
  if (q->barrier == c) q->barrier = NULL;
}

void end_command(struct command *c, cl_int status) {
  c->status = status;
  if (c->frames) have_no_frames(c);
  uint64_t now = now_nanos();
  for (int i = 1; i < 4; i++) {
    if (!c->times[i]) c->times[i] = now; // it has not run
  }
  c->times[4] = c->times[3];
  unlink_command(c);
  if (c->queue) count_completed(c);
  if (status < 0 && c->mapping && c->type == CL_COMMAND_MAP_BUFFER) {
    free_mapping(&c->root->mappings, c->mapping);
    c->mapping = NULL;
  }
  for (unsigned i = 0; i < c->dependent_count; i++) {
    struct command *later = c->dependents[i].command;
    if (status < 0 && c->dependents[i].named) later->dead = true;
    if (later->ready_at < c->times[3]) later->ready_at = c->times[3];
    later->pending--;
    become_ready(later);
  }
  c->dependent_count = 0;
  call_back(c);
  if (c->object.handle) DRIVER(clSetUserEventStatus)(c->object.handle, status);
  for (unsigned i = 0; i < c->memory_count; i++)
    unuse_object(&c->memories[i]->object);
  c->memory_count = 0;
  pthread_cond_broadcast(&changed);
  unuse_object(&c->object);
}

cl_int wait_for(struct command *c) {
  if (c->queue && c->status > CL_COMPLETE) flush_queue(c->queue);
  while (c->status > CL_COMPLETE)
    pthread_cond_wait(&changed, &lock);
  return c->status;
}

void destroy_command(struct command *c) {
  if (c->gate) {
    DRIVER(clSetUserEventStatus)(c->gate, -1); // if it never ran; else this has no effect
    DRIVER(clReleaseEvent)(c->gate);
  }
  if (c->kernel) DRIVER(clReleaseEvent)(c->kernel);
  if (c->object.handle) DRIVER(clReleaseEvent)(c->object.handle);
  enter();
  for (unsigned i = 0; i < c->memory_count; i++)
    unuse_object(&c->memories[i]->object);
  if (c->queue) unuse_object(&c->queue->object);
  leave();
  if (c->type == CL_COMMAND_UNMAP_MEM_OBJECT || c->type == CL_COMMAND_SVM_UNMAP) free(c->mapping);
  free(c->memories);
  forget_accesses(c->accesses, c->access_count);
  free(c->accesses);
  free(c->accessed);
  free(c->dependents);
  free(c->known);
  free(c->freed);
}

static void kill_all(struct object *o, void *device) {
  struct queue *q = (struct queue *)o;
  if (q->device != device) return;
  for (struct command *c = q->first; c; c = c->next)
    c->dead = true;
  flush_queue(q);
}

// What is under way and what waits ends badly; nothing of it is called back.
void lose_device(struct device *d) {
  d->lost = true;
  each_object(QUEUE, kill_all, d);
  wake_engines(d);
}

cl_int run_nothing(struct command *c) {
  (void)c;
  return CL_SUCCESS;
}
