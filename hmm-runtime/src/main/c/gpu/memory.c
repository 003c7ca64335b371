// memory.c - buffers. Each has memory of its own, the device's, in which the driver below works as if the program had
// given it (USE_HOST_PTR). What the program calls host memory is another place (view.c), unless the profile says that
// the device works in it.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gpu.h"

#define PAGE 4096UL
#define LINE 64UL

static size_t whole_pages(size_t bytes) { return (bytes + PAGE - 1) & ~(PAGE - 1); }

// ---- room on devices ----

uint64_t free_bytes(const struct device *d) { // nothing, too, where a test has lowered the limit below what is used
  return options.memory_bytes > d->used_bytes ? options.memory_bytes - d->used_bytes : 0;
}

static bool fits(const struct memory *root, const struct device *d) {
  return root->in_place || free_bytes(d) >= root->bytes;
}

static void take_room(struct memory *root, struct device *d) {
  if (!root->in_place && !root->committed) populate(root->device, root->room);
  root->committed |= 1u << device_number(d);
  if (!root->in_place) d->used_bytes += root->bytes;
}

// What the program has in its own memory is read when the buffer is first used.
static void fill_from_host(struct memory *root) {
  if (!root->filled) memcpy(root->device, root->user_pointer, root->bytes);
  root->filled = true;
}

cl_int commit(struct memory *m, struct device *d) {
  struct memory *root = m->root;
  if (!(root->committed & 1u << device_number(d))) {
    if (!fits(root, d)) return CL_MEM_OBJECT_ALLOCATION_FAILURE;
    take_room(root, d);
  }
  fill_from_host(root);
  return CL_SUCCESS;
}

// A driver that allocates at once does so on every device of the context.
static cl_int commit_now(struct memory *m) {
  const struct context *c = m->context;
  for (unsigned i = 0; i < c->count; i++) {
    if (!fits(m, c->devices[i])) return CL_MEM_OBJECT_ALLOCATION_FAILURE;
  }
  for (unsigned i = 0; i < c->count; i++)
    take_room(m, c->devices[i]);
  return CL_SUCCESS;
}

// ---- buffers ----

static bool share_pages(struct memory *m) { // one file, mapped for the device and for the host
  int file = new_file(m->room);
  if (file < 0) return false;
  char *device = mmap(NULL, m->room, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  char *host = mmap(NULL, m->room, unmapped_protection(), MAP_SHARED, file, 0);
  close(file);
  if (device != MAP_FAILED && host != MAP_FAILED && watch_memory(host, m->room, "a buffer", m->bytes, m->context)) {
    memset(device, POISON, m->bytes);
    m->device = m->shadow = device;
    m->host = host;
    m->own_device = m->own_host = true;
    return true;
  }
  if (device != MAP_FAILED) munmap(device, m->room);
  if (host != MAP_FAILED) munmap(host, m->room);
  return false;
}

static cl_int give_memory(struct memory *m, char *pointer) {
  bool users = m->flags & CL_MEM_USE_HOST_PTR, allocated = m->flags & CL_MEM_ALLOC_HOST_PTR;
  bool aligned = !((uintptr_t)pointer % PAGE) && !(m->bytes % LINE);
  m->room = whole_pages(m->bytes);
  m->in_place = users ? options.profile->used_in_place && aligned : allocated && options.profile->allocated_in_place;
  if (users) {
    m->host = m->shadow = pointer;
    m->user_pointer = pointer;
  }
  if (users && m->in_place) {
    m->device = pointer;
  } else if (m->in_place) {
    if (!share_pages(m)) return CL_OUT_OF_HOST_MEMORY;
  } else {
    m->device = poisoned_memory(m->bytes);
    m->own_device = true;
    if (!m->device) return CL_OUT_OF_HOST_MEMORY;
  }
  if (pointer && !users) memcpy(m->device, pointer, m->bytes);
  m->filled = !users || m->in_place;
  return CL_SUCCESS;
}

static cl_int check_arguments(const struct context *c, cl_bitfield flags, size_t bytes, const void *pointer) {
  bool users = flags & CL_MEM_USE_HOST_PTR, copies = flags & CL_MEM_COPY_HOST_PTR;
  if (!c) return CL_INVALID_CONTEXT;
  if (users && (copies || flags & CL_MEM_ALLOC_HOST_PTR)) return CL_INVALID_VALUE;
  if (!pointer != !(users || copies)) return CL_INVALID_HOST_PTR;
  if (flags & CL_MEM_ALLOW_UNRESTRICTED_SIZE_INTEL && !options.profile->larger_on_request) return CL_INVALID_VALUE;
  if (!bytes || bytes > (flags & CL_MEM_ALLOW_UNRESTRICTED_SIZE_INTEL ? options.memory_bytes : options.allocation_bytes))
    return CL_INVALID_BUFFER_SIZE;
  return CL_SUCCESS;
}

static void free_memory(struct memory *m) {
  if (m->own_host) {
    unwatch_memory(m->host);
    munmap(m->host, m->room);
    if (m->shadow != m->device) munmap(m->shadow, m->room);
  }
  if (m->own_device && m->device) {
    if (m->in_place) munmap(m->device, m->room);
    else free_poisoned(m->device, m->room);
  }
  while (m->mappings)
    free_mapping(&m->mappings, m->mappings);
  forget_accesses(m->accesses, m->access_count);
  free(m->accesses);
}

static cl_mem make_buffer(cl_context context, const cl_bitfield *properties, cl_bitfield flags, size_t bytes,
                          void *pointer, cl_int *status) {
  struct memory *m = calloc(1, sizeof *m);
  cl_mem handle = NULL;
  enter();
  struct reined reined;
  struct context *c = begin_call(context, CONTEXT, "clCreateBuffer", &reined);
  cl_int outcome = m ? check_arguments(c, flags, bytes, pointer) : CL_OUT_OF_HOST_MEMORY;
  if (!outcome) outcome = reined.refused;
  if (!outcome) {
    *m = (struct memory){
        .object.kind = MEMORY, .context = c, .root = m, .flags = flags ? flags : CL_MEM_READ_WRITE, .bytes = bytes};
    use_object(&c->object);
  }
  leave();
  bool ours = !outcome;
  if (!outcome) outcome = give_memory(m, pointer);
  if (!outcome) {
    cl_bitfield ours_to_do = CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR | CL_MEM_ALLOW_UNRESTRICTED_SIZE_INTEL;
    cl_bitfield kept = (flags & ~ours_to_do) | CL_MEM_USE_HOST_PTR;
    handle = properties ? DRIVER(clCreateBufferWithProperties)(context, properties, kept, bytes, m->device, &outcome)
                        : DRIVER(clCreateBuffer)(context, kept, bytes, m->device, &outcome);
  }
  enter();
  if (!outcome && !options.profile->late_shortage) outcome = commit_now(m);
  if (!outcome) {
    m->object.handle = handle;
    list_object(&m->object);
    if (m->own_host) note_hosted(m);
  } else if (ours) {
    unuse_object(&c->object);
  }
  leave();
  if (status) *status = outcome;
  if (!outcome) return handle;
  if (handle) DRIVER(clReleaseMemObject)(handle);
  if (ours) free_memory(m);
  free(m);
  return NULL;
}

cl_mem gpu_clCreateBuffer(cl_context context, cl_bitfield flags, size_t bytes, void *pointer, cl_int *status) {
  return make_buffer(context, NULL, flags, bytes, pointer, status);
}

cl_mem gpu_clCreateBufferWithProperties(cl_context context, const cl_bitfield *properties, cl_bitfield flags,
                                        size_t bytes, void *pointer, cl_int *status) {
  return make_buffer(context, properties, flags, bytes, pointer, status);
}

// A new sub-buffer, or null and why not. Inside.
static struct memory *part_of(cl_mem buffer, cl_bitfield flags, const struct cl_region *region, cl_int *status) {
  struct reined reined;
  struct memory *root = begin_call(buffer, MEMORY, "clCreateSubBuffer", &reined);
  *status = !root || root->root != root ? CL_INVALID_MEM_OBJECT : !region ? CL_INVALID_VALUE : CL_SUCCESS;
  if (*status) return NULL;
  if (!region->size) *status = CL_INVALID_BUFFER_SIZE;
  if (region->origin > root->bytes || region->size > root->bytes - region->origin) *status = CL_INVALID_VALUE;
  if (!*status) *status = reined.refused;
  if (*status) return NULL;
  if (region->origin % options.profile->alignment_bytes) {
    offend("misaligned sub-buffer", "clCreateSubBuffer of buffer %p of context %u at offset %zu, which is no multiple of %u bytes", root->object.handle, root->context->number, region->origin,
           options.profile->alignment_bytes);
    *status = CL_MISALIGNED_SUB_BUFFER_OFFSET;
    return NULL;
  }
  struct memory *m = calloc(1, sizeof *m);
  if (!m) {
    *status = CL_OUT_OF_HOST_MEMORY;
    return NULL;
  }
  *m = (struct memory){.object.kind = MEMORY,
                       .context = root->context,
                       .root = root,
                       .flags = flags ? flags : root->flags,
                       .origin = region->origin,
                       .bytes = region->size,
                       .user_pointer = root->user_pointer ? (char *)root->user_pointer + region->origin : NULL};
  use_object(&root->object);
  use_object(&root->context->object);
  return m;
}

cl_mem gpu_clCreateSubBuffer(cl_mem buffer, cl_bitfield flags, cl_uint type, const void *region, cl_int *status) {
  cl_int outcome = CL_INVALID_VALUE;
  cl_mem handle = NULL;
  enter();
  struct memory *m = type == CL_BUFFER_CREATE_TYPE_REGION ? part_of(buffer, flags, region, &outcome) : NULL;
  leave();
  if (m)
    handle = DRIVER(clCreateSubBuffer)(buffer, flags & ~(cl_bitfield)(CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR),
                                       type, region, &outcome);
  enter();
  if (handle) {
    m->object.handle = handle;
    list_object(&m->object);
  } else if (m) {
    unuse_object(&m->root->object);
    unuse_object(&m->context->object);
    free(m);
  }
  leave();
  if (status) *status = outcome;
  return handle;
}

static void tell_notices(struct memory *m) {
  while (m->notices) {
    struct notice *one = m->notices;
    m->notices = one->next;
    one->function(m->object.handle, one->user);
    free(one);
  }
}

void destroy_memory(struct memory *m) {
  tell_notices(m);
  DRIVER(clReleaseMemObject)(m->object.handle);
  enter();
  if (m->own_host) forget_hosted(m);
  if (m->root != m) unuse_object(&m->root->object);
  for (unsigned i = 0; i < m->context->count; i++) {
    struct device *d = m->context->devices[i];
    if (m->root == m && !m->in_place && m->committed & 1u << device_number(d)) d->used_bytes -= m->bytes;
  }
  unuse_object(&m->context->object);
  leave();
  if (m->root == m) free_memory(m);
}

cl_int gpu_clRetainMemObject(cl_mem memory) {
  return retain_object(memory, MEMORY, "clRetainMemObject", CL_INVALID_MEM_OBJECT);
}

cl_int gpu_clReleaseMemObject(cl_mem memory) {
  return release_object(memory, MEMORY, "clReleaseMemObject", CL_INVALID_MEM_OBJECT);
}

cl_int gpu_clSetMemObjectDestructorCallback(cl_mem memory, memory_notice function, void *user) {
  if (!function) return CL_INVALID_VALUE;
  struct notice *one = malloc(sizeof *one);
  if (!one) return CL_OUT_OF_HOST_MEMORY;
  enter();
  struct memory *m = find_object(memory, MEMORY, "clSetMemObjectDestructorCallback");
  if (m) {
    *one = (struct notice){m->notices, function, user};
    m->notices = one;
  }
  leave();
  if (!m) free(one);
  return m ? CL_SUCCESS : CL_INVALID_MEM_OBJECT;
}

cl_int gpu_clGetMemObjectInfo(cl_mem memory, cl_uint name, size_t room, void *out, size_t *needed) {
  enter();
  struct memory *m = find_object(memory, MEMORY, "clGetMemObjectInfo");
  cl_bitfield flags = m ? m->flags : 0;
  void *pointer = m ? m->user_pointer : NULL;
  cl_uint refs = m ? m->object.refs : 0, maps = 0;
  for (const struct mapping *each = m ? m->root->mappings : NULL; each; each = each->next)
    maps++;
  leave();
  if (!m) return CL_INVALID_MEM_OBJECT;
  switch (name) {
    case CL_MEM_FLAGS: return answer(&flags, sizeof flags, room, out, needed);
    case CL_MEM_HOST_PTR: return answer(&pointer, sizeof pointer, room, out, needed);
    case CL_MEM_REFERENCE_COUNT: return answer(&refs, sizeof refs, room, out, needed);
    case CL_MEM_MAP_COUNT: return answer(&maps, sizeof maps, room, out, needed);
    default: return DRIVER(clGetMemObjectInfo)(memory, name, room, out, needed);
  }
}
