// svm.c - shared virtual memory: one address for host and device. Of coarse-grained memory they take turns: the host may
// touch it while it is mapped; otherwise it is closed, except while a command of the device runs that may use it (a
// touch in that time is not noticed). Fine-grained memory is always open to both.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "gpu.h"

#define PAGE 4096UL

static void set_svm_view(const struct svm *s) {
  int protection = s->running || s->fine ? PROT_READ | PROT_WRITE : PROT_NONE;
  for (const struct mapping *m = s->mappings; m; m = m->next) {
    if (m->open) protection |= PROT_READ | PROT_WRITE; // not by page: what is mapped in part is open
  }
  mprotect(s->base, s->room, protection);
}

void *gpu_clSVMAlloc(cl_context context, cl_bitfield flags, size_t bytes, cl_uint alignment) {
  enter(); // a test may change it
  uint64_t most = options.allocation_bytes;
  leave();
  bool fine = flags & CL_MEM_SVM_FINE_GRAIN_BUFFER;
  if (!(options.svm & (fine ? CL_DEVICE_SVM_FINE_GRAIN_BUFFER : ~0u)) || flags & CL_MEM_SVM_ATOMICS || !bytes || bytes > most) return NULL;
  size_t room = (bytes + PAGE - 1) & ~(PAGE - 1);
  struct svm *s = calloc(1, sizeof *s);
  char *memory = s ? DRIVER(clSVMAlloc)(context, flags, room + PAGE, alignment) : NULL;
  enter();
  struct context *c = find_object(context, CONTEXT, "clSVMAlloc");
  if (memory && c && (fine || watch_memory((void *)(((uintptr_t)memory + PAGE - 1) & ~(PAGE - 1)), room, "shared memory", bytes, c))) {
    char *base = (char *)(((uintptr_t)memory + PAGE - 1) & ~(PAGE - 1)); // protection is by whole pages
    *s = (struct svm){.object = {.kind = SVM, .handle = base},
                      .context = c,
                      .driver_memory = memory,
                      .base = base,
                      .bytes = bytes,
                      .room = room,
                      .fine = fine};
    memset(base, POISON, room);
    use_object(&c->object);
    list_object(&s->object);
    set_svm_view(s);
    leave();
    return base;
  }
  leave();
  if (memory) DRIVER(clSVMFree)(context, memory);
  free(s);
  return NULL;
}

void destroy_svm(struct svm *s) {
  unwatch_memory(s->base);
  mprotect(s->base, s->room, PROT_READ | PROT_WRITE);
  memset(s->base, POISON, s->room);
  DRIVER(clSVMFree)(s->context->object.handle, s->driver_memory);
  while (s->mappings)
    free_mapping(&s->mappings, s->mappings);
  enter();
  unuse_object(&s->context->object);
  leave();
}

void gpu_clSVMFree(cl_context context, void *address) {
  (void)context;
  if (address) release_object(address, SVM, "clSVMFree", CL_INVALID_VALUE);
}

struct search {
  const char *address;
  struct svm *found;
};

static void search_one(struct object *o, void *with) {
  struct svm *s = (struct svm *)o;
  struct search *search = with;
  if (search->address >= s->base && search->address < s->base + s->bytes) search->found = s;
}

static struct svm *svm_at(const void *address) {
  struct search search = {address, NULL};
  each_object(SVM, search_one, &search);
  return search.found;
}

size_t svm_bytes(const void *address) {
  const struct svm *s = address ? svm_at(address) : NULL;
  return s ? (size_t)(s->base + s->bytes - (const char *)address) : 0;
}

struct turn {
  struct context *context;
  bool open;
  const struct doer *by;
};

static void give_turn(struct object *o, void *with) {
  struct svm *s = (struct svm *)o;
  const struct turn *turn = with;
  if (s->context != turn->context) return;
  s->running += turn->open ? 1u : s->running ? ~0u : 0; // what was allocated meanwhile was never opened
  if (s->running <= 1) set_svm_view(s);
}

void open_svm(struct context *c, bool open) {
  enter();
  each_object(SVM, give_turn, &(struct turn){c, open, NULL});
  leave();
}

static void check_one(struct object *o, void *with) {
  const struct svm *s = (struct svm *)o;
  const struct turn *turn = with;
  char text[DOER];
  if (s->context == turn->context && s->mappings && !s->fine)
    offend("use of mapped shared memory", "%s may use %zu bytes at %p, which are mapped", name_doer(turn->by, text), s->bytes, (void *)s->base);
}

void check_svm_mapped(const struct doer *by, struct context *c) {
  each_object(SVM, check_one, &(struct turn){c, false, by});
}

// ---- commands ----

static cl_int run_opened(struct command *c) {
  open_svm(c->context, true);
  cl_int status = run_transfer(c);
  open_svm(c->context, false);
  return status;
}

cl_int gpu_clEnqueueSVMMemcpy(cl_command_queue queue, cl_bool blocking, void *to, const void *from, size_t bytes,
                              WAIT_LIST) {
  cl_int status;
  struct queue *q = begin(queue, "clEnqueueSVMMemcpy", &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_SVM_MEMCPY, "clEnqueueSVMMemcpy", run_opened, TO_DEVICE);
  if (!c) return refuse(c, CL_OUT_OF_HOST_MEMORY);
  if (!to || !from) return refuse(c, CL_INVALID_VALUE);
  if ((char *)to < (const char *)from + bytes && (const char *)from < (char *)to + bytes)
    return refuse(c, CL_MEM_COPY_OVERLAP);
  c->to.at = to;
  c->from.at = (char *)(uintptr_t)from;
  c->size[0] = c->moved = bytes;
  c->speed = svm_at(to) && svm_at(from) ? options.within : svm_at(to) ? options.to_device : options.to_host;
  return submit(c, waits, wait, event, blocking);
}

cl_int gpu_clEnqueueSVMMemFill(cl_command_queue queue, void *to, const void *pattern, size_t pattern_bytes,
                               size_t bytes, WAIT_LIST) {
  cl_int status;
  struct queue *q = begin(queue, "clEnqueueSVMMemFill", &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_SVM_MEMFILL, "clEnqueueSVMMemFill", run_opened, COMPUTE);
  if (!c) return refuse(c, CL_OUT_OF_HOST_MEMORY);
  bool fits = pattern_bytes && pattern_bytes <= sizeof c->pattern && !(pattern_bytes & (pattern_bytes - 1)) &&
              !(bytes % pattern_bytes);
  if (!to || !pattern || !fits) return refuse(c, CL_INVALID_VALUE);
  memcpy(c->pattern, pattern, pattern_bytes);
  c->pattern_bytes = pattern_bytes;
  c->to.at = to;
  c->size[0] = c->moved = bytes;
  c->speed = options.within;
  return submit(c, waits, wait, event, false);
}

static cl_int run_map(struct command *c) {
  enter();
  c->mapping->open = true;
  set_svm_view(c->svm);
  if (c->mapping->flags & CL_MAP_WRITE_INVALIDATE_REGION) memset(c->mapping->address, POISON, c->moved);
  leave();
  keep_pace(c, c->moved);
  return CL_SUCCESS;
}

cl_int gpu_clEnqueueSVMMap(cl_command_queue queue, cl_bool blocking, cl_bitfield flags, void *address, size_t bytes,
                           WAIT_LIST) {
  cl_int status;
  struct queue *q = begin(queue, "clEnqueueSVMMap", &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_SVM_MAP, "clEnqueueSVMMap", run_map, TO_HOST);
  struct mapping *m = calloc(1, sizeof *m);
  struct svm *s = svm_at(address);
  if (!c || !m || !s) {
    free(m);
    return refuse(c, s ? CL_OUT_OF_HOST_MEMORY : CL_INVALID_VALUE);
  }
  if (!bytes || bytes > s->bytes - (size_t)((char *)address - s->base)) {
    free(m);
    return refuse(c, CL_INVALID_VALUE);
  }
  *m = (struct mapping){.next = s->mappings, .address = address, .end = bytes, .flags = flags};
  s->mappings = m;
  c->svm = s;
  c->mapping = m;
  c->moved = bytes;
  c->speed = options.profile->unified ? 0 : options.to_host;
  return submit(c, waits, wait, event, blocking);
}

static cl_int run_unmap(struct command *c) {
  keep_pace(c, c->moved);
  return CL_SUCCESS;
}

cl_int gpu_clEnqueueSVMUnmap(cl_command_queue queue, void *address, WAIT_LIST) {
  cl_int status;
  struct queue *q = begin(queue, "clEnqueueSVMUnmap", &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_SVM_UNMAP, "clEnqueueSVMUnmap", run_unmap, TO_DEVICE);
  struct svm *s = svm_at(address);
  if (!c || !s) return refuse(c, c ? CL_INVALID_VALUE : CL_OUT_OF_HOST_MEMORY);
  struct mapping **at = &s->mappings;
  while (*at && (*at)->address != address)
    at = &(*at)->next;
  if (!*at) return refuse(c, CL_INVALID_VALUE);
  c->mapping = *at;
  *at = c->mapping->next;
  if (c->mapping->flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)) c->moved = c->mapping->end;
  c->speed = options.profile->unified ? 0 : options.to_device;
  set_svm_view(s);
  return submit(c, waits, wait, event, false);
}

cl_int gpu_clEnqueueSVMMigrateMem(cl_command_queue queue, cl_uint count, const void **addresses, const size_t *bytes,
                                  cl_bitfield flags, WAIT_LIST) {
  (void)bytes, (void)flags;
  cl_int status;
  struct queue *q = begin(queue, "clEnqueueSVMMigrateMem", &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_SVM_MIGRATE_MEM, "clEnqueueSVMMigrateMem", run_nothing, FRONT);
  if (!c) return refuse(c, CL_OUT_OF_HOST_MEMORY);
  if (!count || !addresses) return refuse(c, CL_INVALID_VALUE);
  return submit(c, waits, wait, event, false);
}

static cl_int run_free(struct command *c) {
  if (c->freer) {
    c->freer(c->queue->inner, c->freed_count, c->freed, c->freer_user);
  } else {
    for (cl_uint i = 0; i < c->freed_count; i++)
      gpu_clSVMFree(c->context->object.handle, c->freed[i]);
  }
  return CL_SUCCESS;
}

cl_int gpu_clEnqueueSVMFree(cl_command_queue queue, cl_uint count, void **addresses, svm_freer freer, void *user,
                            WAIT_LIST) {
  cl_int status;
  struct queue *q = begin(queue, "clEnqueueSVMFree", &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_SVM_FREE, "clEnqueueSVMFree", run_free, FRONT);
  if (!c) return refuse(c, CL_OUT_OF_HOST_MEMORY);
  if (!count || !addresses) return refuse(c, CL_INVALID_VALUE);
  c->freed = malloc(count * sizeof *c->freed);
  if (!c->freed) return refuse(c, CL_OUT_OF_HOST_MEMORY);
  memcpy(c->freed, addresses, count * sizeof *c->freed);
  c->freed_count = count;
  c->freer = freer;
  c->freer_user = user;
  return submit(c, waits, wait, event, false);
}
