// objects.c - what the program holds: who has references, and what was released.
//
// An object that was released stays in the table for a while, so that its use is an offence and no crash of the driver.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define BUCKETS 16384
#define GRAVES 1024

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

void *find_object(const void *handle, enum kind kind, const char *call) {
  static const char *const names[] = {"context", "command queue", "buffer",        "event",
                                      "kernel",  "program",       "SVM allocation"};
  struct object *o = look_up(handle, kind);
  if (!o || o->refs) return o;
  offend("use after release", "%s gets a %s that was released (%p)", call, names[kind], handle);
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

static void count_one(struct object *o, void *with) {
  (void)o;
  ++*(unsigned *)with;
}

unsigned count_objects(enum kind kind) {
  unsigned count = 0;
  each_object(kind, count_one, &count);
  return count;
}

void describe_objects(char *text, size_t room) {
  static const char *const names[] = {"contexts", "queues",   "buffers",        "events",
                                      "kernels",  "programs", "SVM allocations"};
  size_t at = 0;
  *text = 0;
  for (int kind = 0; kind <= SVM && at < room; kind++) {
    unsigned count = count_objects((enum kind)kind);
    if (count) at += (size_t)snprintf(text + at, room - at, "%s%u %s", at ? ", " : "", count, names[kind]);
  }
}

void tell_leaks(void) {
  char text[200];
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
