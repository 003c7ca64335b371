// objects.c - what the program holds: who has references, and what was released.
//
// An object that was released stays in the table for a while, so that its use is an offence and no crash of the driver.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define BUCKETS 16384
#define GRAVES 1024
#define OBJECT 200 // bytes of the name of one

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct object *buckets[BUCKETS], *graves[GRAVES], *doomed;
static unsigned grave_turn;
static uint64_t serials;

void enter(void) { pthread_mutex_lock(&lock); }

static void destroy(struct object *o) {
  switch (o->kind) {
    case CONTEXT: destroy_context((struct context *)o); break;
    case QUEUE: destroy_queue((struct queue *)o); break;
    case MEMORY: destroy_memory((struct memory *)o); break;
    case EVENT: destroy_command((struct command *)o); break;
    case KERNEL: destroy_kernel((struct kernel *)o); break;
    case PROGRAM: destroy_program((struct program *)o); break;
    case SVM: destroy_svm((struct svm *)o); break;
  }
}

// Destroying releases objects of the driver and may call the program, so it is done outside; and it may end the use of
// others.
void leave(void) {
  while (doomed) {
    struct object *o = doomed;
    doomed = o->doomed;
    pthread_mutex_unlock(&lock);
    destroy(o);
    pthread_mutex_lock(&lock);
    o->destroyed = true;
    if (!o->listed) free(o);
  }
  pthread_mutex_unlock(&lock);
}

static struct object **bucket_of(const void *handle) {
  uint64_t hash = (uint64_t)(uintptr_t)handle * 0x9E3779B97F4A7C15u;
  return &buckets[hash >> 50];
}
_Static_assert(BUCKETS == 1 << 14, "bucket_of takes 14 bits");

static void unlist(struct object *o) {
  struct object **at = bucket_of(o->handle);
  while (*at != o)
    at = &(*at)->next;
  *at = o->next;
  o->listed = false;
  if (o->destroyed) free(o);
}

// The driver may give the handle of a released object to a new one.
static void exhume(const void *handle) {
  for (struct object *o = *bucket_of(handle); o; o = o->next) {
    if (o->handle != handle) continue;
    for (unsigned i = 0; i < GRAVES; i++) {
      if (graves[i] == o) graves[i] = NULL;
    }
    unlist(o);
    return;
  }
}

void list_object(struct object *o) {
  exhume(o->handle);
  struct object **bucket = bucket_of(o->handle);
  o->refs = 1;
  o->uses++;
  o->serial = ++serials;
  o->listed = true;
  o->next = *bucket;
  *bucket = o;
}

static struct object *look_up(const void *handle, enum kind kind) {
  for (struct object *o = *bucket_of(handle); o; o = o->next) {
    if (o->handle == handle && o->kind == kind) return o;
  }
  return NULL;
}

// By what stays when it was released: others that it knew may be gone.
static const char *name_object(const struct object *o, char text[OBJECT]) {
  switch (o->kind) {
    case CONTEXT: snprintf(text, OBJECT, "context %u", ((const struct context *)o)->number); break;
    case QUEUE: {
      const struct queue *q = (const struct queue *)o;
      snprintf(text, OBJECT, "queue %u of context %u", q->number, q->context_number);
      break;
    }
    case MEMORY: snprintf(text, OBJECT, "a buffer of %zu bytes", ((const struct memory *)o)->bytes); break;
    case EVENT: {
      const struct doer *by = &((const struct command *)o)->by;
      char doer[DOER];
      snprintf(text, OBJECT, "the event of %s", by->queue ? name_doer(by, doer) : by->call);
      break;
    }
    case KERNEL: snprintf(text, OBJECT, "kernel %s", ((const struct kernel *)o)->name); break;
    case PROGRAM: {
      const struct program *p = (const struct program *)o;
      snprintf(text, OBJECT, "program %u (%s%s)", p->number, *p->kernels ? "kernels " : "not built", p->kernels);
      break;
    }
    case SVM: snprintf(text, OBJECT, "an SVM allocation of %zu bytes", ((const struct svm *)o)->bytes); break;
  }
  return text;
}

void *find_object(const void *handle, enum kind kind, const char *call) {
  struct object *o = look_up(handle, kind);
  if (!o || o->refs) return o;
  char text[OBJECT];
  offend("use after release", "%s gets %s, which was released (%p)", call, name_object(o, text), handle);
  return NULL;
}

void *find_serial(const void *handle, enum kind kind, uint64_t serial) {
  struct object *o = look_up(handle, kind);
  return o && o->refs && o->serial == serial ? o : NULL;
}

void use_object(struct object *o) { o->uses++; }

void unuse_object(struct object *o) {
  if (--o->uses) return;
  o->doomed = doomed;
  doomed = o;
}

cl_int retain_object(const void *handle, enum kind kind, const char *call, cl_int unknown) {
  enter();
  struct object *o = find_object(handle, kind, call);
  if (o) o->refs++;
  leave();
  return o ? CL_SUCCESS : unknown;
}

static void bury(struct object *o) {
  struct object *oldest = graves[grave_turn % GRAVES];
  graves[grave_turn++ % GRAVES] = o;
  if (oldest) unlist(oldest);
}

cl_int release_object(const void *handle, enum kind kind, const char *call, cl_int unknown) {
  enter();
  struct object *o = find_object(handle, kind, call);
  if (o && !--o->refs) {
    bury(o);
    unuse_object(o);
  }
  leave();
  return o ? CL_SUCCESS : unknown;
}

void each_object(enum kind kind, void (*visit)(struct object *o, void *with), void *with) {
  for (unsigned i = 0; i < BUCKETS; i++) {
    for (struct object *o = buckets[i]; o; o = o->next) {
      if (o->kind == kind && o->refs) visit(o, with);
    }
  }
}

struct census {
  unsigned count;
  const struct object *oldest;
};

static void count_one(struct object *o, void *with) {
  struct census *census = with;
  census->count++;
  if (!census->oldest || o->serial < census->oldest->serial) census->oldest = o;
}

unsigned count_objects(enum kind kind) {
  struct census census = {0};
  each_object(kind, count_one, &census);
  return census.count;
}

void describe_objects(char *text, size_t room) {
  static const char *const names[] = {"contexts", "queues",   "buffers",        "events",
                                      "kernels",  "programs", "SVM allocations"};
  size_t at = 0;
  *text = 0;
  for (int kind = 0; kind <= SVM && at < room; kind++) {
    struct census census = {0};
    char name[OBJECT];
    each_object((enum kind)kind, count_one, &census);
    if (census.count)
      at += (size_t)snprintf(text + at, room - at, "%s%u %s (%s%s)", at ? ", " : "", census.count, names[kind], census.count > 1 ? "the oldest: " : "", name_object(census.oldest, name));
  }
}

void tell_leaks(void) {
  char text[500];
  enter();
  describe_objects(text, sizeof text);
  leave();
  if (*text) offend("leak at exit", "never released: %s", text);
}

cl_int answer(const void *value, size_t bytes, size_t room, void *out, size_t *needed) {
  if (out && room < bytes) return CL_INVALID_VALUE;
  if (out) memcpy(out, value, bytes);
  if (needed) *needed = bytes;
  return CL_SUCCESS;
}
