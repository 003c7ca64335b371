// transfer.c - commands that move bytes: reads, writes, copies, fills, maps and unmaps; and those that do nothing but
// have a place in the order.
//
// An engine of ours moves the bytes, once, piece by piece as each is due: the host's memory is read and written as late
// as emulated time allows (with a seed, at times as early).
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

#define PIECE (1UL << 20)

static void fill(char *to, size_t bytes, const unsigned char *pattern, size_t pattern_bytes) {
  for (size_t at = 0; at < bytes; at += pattern_bytes)
    memcpy(to + at, pattern, pattern_bytes);
}

cl_int run_transfer(struct command *c) {
  size_t done = 0;
  for (size_t z = 0; z < c->size[2]; z++) {
    for (size_t y = 0; y < c->size[1]; y++) {
      char *to = c->to.at + z * c->to.slice + y * c->to.row;
      const char *from = c->pattern_bytes ? NULL : c->from.at + z * c->from.slice + y * c->from.row;
      for (size_t x = 0; x < c->size[0]; x += PIECE) {
        size_t n = c->size[0] - x < PIECE ? c->size[0] - x : PIECE;
        done += n;
        if (!c->early) keep_pace(c, done);
        if (from) memcpy(to + x, from + x, n);
        else fill(to + x, n, c->pattern, c->pattern_bytes);
      }
    }
  }
  return CL_SUCCESS;
}

static bool within(const struct memory *m, size_t offset, size_t bytes) {
  return bytes && offset <= m->bytes && bytes <= m->bytes - offset;
}

static char *at(const struct memory *m, size_t offset) { return m->root->device + m->origin + offset; }

// What every use of a buffer by a command is asked: 0, or why it is refused.
static cl_int use_buffer(struct command *c, struct memory *m, size_t offset, size_t bytes, bool write) {
  if (m->context != c->context) return CL_INVALID_CONTEXT;
  if (!within(m, offset, bytes)) return CL_INVALID_VALUE;
  check_mapped(&c->by, m, offset, bytes, write);
  cl_int status = commit(m, c->queue->device);
  if (status) return status;
  return uses(c, m, offset, bytes, write) ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
}

// ---- between host memory and a buffer ----

// Pinned memory of ours is reached where it is never protected: the program may unmap it before the engine gets to
// this.
static cl_int use_host(struct command *c, char *host, size_t bytes, char **reached) {
  struct memory *pinned = pinned_at(&c->by, host, bytes);
  c->pageable = !pinned;
  *reached = pinned ? pinned->shadow + (host - pinned->host) : host;
  return !pinned || keeps(c, pinned) ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
}

static cl_int transfer(const char *call, cl_uint type, cl_command_queue queue, cl_mem memory, cl_bool blocking,
                       size_t offset, size_t bytes, char *host, bool to_host, WAIT_LIST) {
  cl_int status;
  struct queue *q = begin(queue, call, &status);
  if (!q) return status;
  struct command *c = new_command(q, type, call, run_transfer, to_host ? TO_HOST : TO_DEVICE);
  struct memory *m = find_object(memory, MEMORY, call);
  if (!c || !m) return refuse(c, m ? CL_OUT_OF_HOST_MEMORY : CL_INVALID_MEM_OBJECT);
  status = host ? use_buffer(c, m, offset, bytes, !to_host) : CL_INVALID_VALUE;
  if (!status) status = use_host(c, host, bytes, &host);
  if (status) return refuse(c, status);
  struct box device = {.at = at(m, offset)}, other = {.at = host};
  c->to = to_host ? other : device;
  c->from = to_host ? device : other;
  c->size[0] = c->moved = bytes;
  c->speed = to_host ? options.to_host : options.to_device;
  return submit(c, waits, wait, event, blocking);
}

cl_int gpu_clEnqueueReadBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t bytes,
                               void *host, WAIT_LIST) {
  return transfer("clEnqueueReadBuffer", CL_COMMAND_READ_BUFFER, queue, memory, blocking, offset, bytes, host, true,
                  waits, wait, event);
}

cl_int gpu_clEnqueueWriteBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t bytes,
                                const void *host, WAIT_LIST) {
  return transfer("clEnqueueWriteBuffer", CL_COMMAND_WRITE_BUFFER, queue, memory, blocking, offset, bytes,
                  (char *)(uintptr_t)host, false, waits, wait, event);
}

// ---- boxes ----

struct layout {
  size_t row, slice; // bytes between rows, and between slices
  size_t offset;     // of the first
  size_t span;       // from the first to the end of the last
};

static bool lay_out(struct layout *l, const size_t *origin, const size_t *region, size_t row, size_t slice) {
  if (!region[0] || !region[1] || !region[2]) return false;
  l->row = row ? row : region[0];
  l->slice = slice ? slice : l->row * region[1];
  l->offset = origin[2] * l->slice + origin[1] * l->row + origin[0];
  l->span = (region[2] - 1) * l->slice + (region[1] - 1) * l->row + region[0];
  return l->row >= region[0] && l->slice >= l->row * region[1];
}

static void set_size(struct command *c, const size_t *region) {
  memcpy(c->size, region, sizeof c->size);
  c->moved = region[0] * region[1] * region[2];
}

static cl_int transfer_box(const char *call, cl_uint type, cl_command_queue queue, cl_mem memory, cl_bool blocking,
                           const size_t *origin, const size_t *host_origin, const size_t *region, size_t row,
                           size_t slice, size_t host_row, size_t host_slice, char *host, bool to_host, WAIT_LIST) {
  cl_int status;
  struct queue *q = begin(queue, call, &status);
  if (!q) return status;
  struct command *c = new_command(q, type, call, run_transfer, to_host ? TO_HOST : TO_DEVICE);
  struct memory *m = find_object(memory, MEMORY, call);
  if (!c || !m) return refuse(c, m ? CL_OUT_OF_HOST_MEMORY : CL_INVALID_MEM_OBJECT);
  struct layout device, other;
  bool valid = origin && host_origin && region && host && lay_out(&device, origin, region, row, slice) &&
               lay_out(&other, host_origin, region, host_row, host_slice);
  status = valid ? use_buffer(c, m, device.offset, device.span, !to_host) : CL_INVALID_VALUE;
  if (!status) status = use_host(c, host + other.offset, other.span, &host);
  if (status) return refuse(c, status);
  struct box device_box = {at(m, device.offset), device.row, device.slice}, host_box = {host, other.row, other.slice};
  c->to = to_host ? host_box : device_box;
  c->from = to_host ? device_box : host_box;
  set_size(c, region);
  c->speed = to_host ? options.to_host : options.to_device;
  return submit(c, waits, wait, event, blocking);
}

cl_int gpu_clEnqueueReadBufferRect(cl_command_queue queue, cl_mem memory, cl_bool blocking, const size_t *origin,
                                   const size_t *host_origin, const size_t *region, size_t row, size_t slice,
                                   size_t host_row, size_t host_slice, void *host, WAIT_LIST) {
  return transfer_box("clEnqueueReadBufferRect", CL_COMMAND_READ_BUFFER_RECT, queue, memory, blocking, origin,
                      host_origin, region, row, slice, host_row, host_slice, host, true, waits, wait, event);
}

cl_int gpu_clEnqueueWriteBufferRect(cl_command_queue queue, cl_mem memory, cl_bool blocking, const size_t *origin,
                                    const size_t *host_origin, const size_t *region, size_t row, size_t slice,
                                    size_t host_row, size_t host_slice, const void *host, WAIT_LIST) {
  return transfer_box("clEnqueueWriteBufferRect", CL_COMMAND_WRITE_BUFFER_RECT, queue, memory, blocking, origin,
                      host_origin, region, row, slice, host_row, host_slice, (char *)(uintptr_t)host, false, waits,
                      wait, event);
}

// ---- between buffers ----

// Bytes that lie in host memory cross the bus.
static void choose_way(struct command *c, const struct memory *from, const struct memory *to) {
  bool up = from->root->in_place && !to->root->in_place, down = !from->root->in_place && to->root->in_place;
  c->engine = down ? TO_HOST : TO_DEVICE;
  c->speed = options.profile->unified ? options.within
             : up                     ? options.to_device
             : down                   ? options.to_host
                                      : options.within;
}

cl_int gpu_clEnqueueCopyBuffer(cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset,
                               size_t bytes, WAIT_LIST) {
  const char *call = "clEnqueueCopyBuffer";
  cl_int status;
  struct queue *q = begin(queue, call, &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_COPY_BUFFER, call, run_transfer, TO_DEVICE);
  struct memory *source = find_object(from, MEMORY, call), *target = find_object(to, MEMORY, call);
  if (!c || !source || !target) return refuse(c, c ? CL_INVALID_MEM_OBJECT : CL_OUT_OF_HOST_MEMORY);
  status = use_buffer(c, source, from_offset, bytes, false);
  if (!status) status = use_buffer(c, target, to_offset, bytes, true);
  if (status) return refuse(c, status);
  c->from.at = at(source, from_offset);
  c->to.at = at(target, to_offset);
  if (c->from.at < c->to.at + bytes && c->to.at < c->from.at + bytes) return refuse(c, CL_MEM_COPY_OVERLAP);
  c->size[0] = c->moved = bytes;
  choose_way(c, source, target);
  return submit(c, waits, wait, event, false);
}

static bool overlap(const struct layout *a, const struct layout *b) {
  return a->offset < b->offset + b->span && b->offset < a->offset + a->span;
}

cl_int gpu_clEnqueueCopyBufferRect(cl_command_queue queue, cl_mem from, cl_mem to, const size_t *from_origin,
                                   const size_t *to_origin, const size_t *region, size_t from_row, size_t from_slice,
                                   size_t to_row, size_t to_slice, WAIT_LIST) {
  const char *call = "clEnqueueCopyBufferRect";
  cl_int status;
  struct queue *q = begin(queue, call, &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_COPY_BUFFER_RECT, call, run_transfer, TO_DEVICE);
  struct memory *source = find_object(from, MEMORY, call), *target = find_object(to, MEMORY, call);
  if (!c || !source || !target) return refuse(c, c ? CL_INVALID_MEM_OBJECT : CL_OUT_OF_HOST_MEMORY);
  struct layout a, b;
  bool valid = from_origin && to_origin && region && lay_out(&a, from_origin, region, from_row, from_slice) &&
               lay_out(&b, to_origin, region, to_row, to_slice);
  if (!valid) return refuse(c, CL_INVALID_VALUE);
  status = use_buffer(c, source, a.offset, a.span, false);
  if (!status) status = use_buffer(c, target, b.offset, b.span, true);
  if (!status && source == target && overlap(&a, &b))
    status = CL_MEM_COPY_OVERLAP; // stricter than OpenCL for boxes that interleave
  if (status) return refuse(c, status);
  c->from = (struct box){at(source, a.offset), a.row, a.slice};
  c->to = (struct box){at(target, b.offset), b.row, b.slice};
  set_size(c, region);
  choose_way(c, source, target);
  return submit(c, waits, wait, event, false);
}

cl_int gpu_clEnqueueFillBuffer(cl_command_queue queue, cl_mem memory, const void *pattern, size_t pattern_bytes,
                               size_t offset, size_t bytes, WAIT_LIST) {
  const char *call = "clEnqueueFillBuffer";
  cl_int status;
  struct queue *q = begin(queue, call, &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_FILL_BUFFER, call, run_transfer, COMPUTE);
  struct memory *m = find_object(memory, MEMORY, call);
  if (!c || !m) return refuse(c, m ? CL_OUT_OF_HOST_MEMORY : CL_INVALID_MEM_OBJECT);
  bool power = pattern_bytes && pattern_bytes <= sizeof c->pattern && !(pattern_bytes & (pattern_bytes - 1));
  if (!pattern || !power || offset % pattern_bytes || bytes % pattern_bytes) return refuse(c, CL_INVALID_VALUE);
  status = use_buffer(c, m, offset, bytes, true);
  if (status) return refuse(c, status);
  memcpy(c->pattern, pattern, pattern_bytes);
  c->pattern_bytes = pattern_bytes;
  c->to.at = at(m, offset);
  c->size[0] = c->moved = bytes;
  c->speed = options.within;
  return submit(c, waits, wait, event, false);
}

// ---- maps ----

static void move(struct command *c, char *to, const char *from, size_t bytes) {
  c->to.at = to;
  c->from.at = (char *)(uintptr_t)from;
  c->size[0] = bytes;
  run_transfer(c);
}

static cl_int run_map(struct command *c) {
  struct memory *root = c->root;
  struct mapping *m = c->mapping;
  char *shadow = root->shadow + m->first, *device = root->device + m->first;
  if (m->flags & CL_MAP_WRITE_INVALIDATE_REGION) memset(shadow, POISON, m->end - m->first);
  else if (shadow != device) move(c, shadow, device, m->end - m->first);
  enter();
  m->open = true;
  set_view(root, m);
  leave();
  return CL_SUCCESS;
}

void *gpu_clEnqueueMapBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, cl_bitfield flags, size_t offset,
                             size_t bytes, WAIT_LIST, cl_int *result) {
  const char *call = "clEnqueueMapBuffer";
  cl_int status;
  char *address = NULL;
  struct queue *q = begin(queue, call, &status);
  if (q) {
    struct command *c = new_command(q, CL_COMMAND_MAP_BUFFER, call, run_map, TO_HOST);
    struct memory *m = find_object(memory, MEMORY, call);
    struct mapping *mapping = calloc(1, sizeof *mapping);
    bool written = flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION);
    status = !m                                      ? CL_INVALID_MEM_OBJECT
             : !c || !mapping || !give_host(m->root) ? CL_OUT_OF_HOST_MEMORY
                                                     : use_buffer(c, m, offset, bytes, written);
    if (status) {
      free(mapping);
      refuse(c, status);
    } else {
      struct memory *root = m->root;
      size_t first = m->origin + offset;
      address = root->host + first;
      *mapping = (struct mapping){
          .next = root->mappings, .address = address, .first = first, .end = first + bytes, .flags = flags};
      root->mappings = mapping;
      c->root = root;
      c->mapping = mapping;
      if (root->shadow != root->device && !(flags & CL_MAP_WRITE_INVALIDATE_REGION)) c->moved = bytes;
      c->speed = options.to_host;
      status = submit(c, waits, wait, event, blocking);
    }
  }
  if (result) *result = status;
  return status ? NULL : address;
}

static cl_int run_unmap(struct command *c) {
  struct memory *root = c->root;
  const struct mapping *m = c->mapping;
  if (c->moved) move(c, root->device + m->first, root->shadow + m->first, m->end - m->first);
  return CL_SUCCESS;
}

cl_int gpu_clEnqueueUnmapMemObject(cl_command_queue queue, cl_mem memory, void *address, WAIT_LIST) {
  const char *call = "clEnqueueUnmapMemObject";
  cl_int status;
  struct queue *q = begin(queue, call, &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_UNMAP_MEM_OBJECT, call, run_unmap, TO_DEVICE);
  struct memory *m = find_object(memory, MEMORY, call);
  if (!c || !m) return refuse(c, m ? CL_OUT_OF_HOST_MEMORY : CL_INVALID_MEM_OBJECT);
  status = check_waits(c->context, waits, wait, call);
  if (status) return refuse(c, status);
  struct mapping **each = &m->root->mappings;
  while (*each && (*each)->address != address)
    each = &(*each)->next;
  if (!*each) return refuse(c, CL_INVALID_VALUE);
  struct mapping *mapping = *each;
  bool written = mapping->flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION);
  if (!uses(c, m, mapping->first - m->origin, mapping->end - mapping->first, written))
    return refuse(c, CL_OUT_OF_HOST_MEMORY);
  *each = mapping->next; // from here on the host may not touch it
  set_view(m->root, mapping);
  c->root = m->root;
  c->mapping = mapping;
  if (written && m->root->shadow != m->root->device) c->moved = mapping->end - mapping->first;
  c->speed = options.to_device;
  return submit(c, waits, wait, event, false);
}

// ---- commands without work ----

cl_int gpu_clEnqueueMigrateMemObjects(cl_command_queue queue, cl_uint count, const cl_mem *memories, cl_bitfield flags,
                                      WAIT_LIST) {
  const char *call = "clEnqueueMigrateMemObjects";
  (void)flags;
  cl_int status;
  struct queue *q = begin(queue, call, &status);
  if (!q) return status;
  struct command *c = new_command(q, CL_COMMAND_MIGRATE_MEM_OBJECTS, call, run_nothing, FRONT);
  if (!c) return refuse(c, CL_OUT_OF_HOST_MEMORY);
  if (!count || !memories) status = CL_INVALID_VALUE;
  for (cl_uint i = 0; i < count && !status; i++) {
    struct memory *m = find_object(memories[i], MEMORY, call);
    status = m ? use_buffer(c, m, 0, m->bytes, false) : CL_INVALID_MEM_OBJECT;
  }
  return status ? refuse(c, status) : submit(c, waits, wait, event, false);
}

static cl_int place(const char *call, cl_uint type, cl_command_queue queue, WAIT_LIST) {
  cl_int status;
  struct queue *q = begin(queue, call, &status);
  if (!q) return status;
  struct command *c = new_command(q, type, call, run_nothing, FRONT);
  return c ? submit(c, waits, wait, event, false) : refuse(c, CL_OUT_OF_HOST_MEMORY);
}

cl_int gpu_clEnqueueMarker(cl_command_queue queue, cl_event *event) {
  return event ? place("clEnqueueMarker", CL_COMMAND_MARKER, queue, 0, NULL, event) : CL_INVALID_VALUE;
}

cl_int gpu_clEnqueueBarrier(cl_command_queue queue) {
  return place("clEnqueueBarrier", CL_COMMAND_BARRIER, queue, 0, NULL, NULL);
}

cl_int gpu_clEnqueueWaitForEvents(cl_command_queue queue, cl_uint waits, const cl_event *wait) {
  return place("clEnqueueWaitForEvents", CL_COMMAND_BARRIER, queue, waits, wait, NULL);
}

cl_int gpu_clEnqueueMarkerWithWaitList(cl_command_queue queue, WAIT_LIST) {
  return place("clEnqueueMarkerWithWaitList", CL_COMMAND_MARKER, queue, waits, wait, event);
}

cl_int gpu_clEnqueueBarrierWithWaitList(cl_command_queue queue, WAIT_LIST) {
  return place("clEnqueueBarrierWithWaitList", CL_COMMAND_BARRIER, queue, waits, wait, event);
}
