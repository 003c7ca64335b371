// dma.c - copies between host pages and frames.
//
// Three ways. Where the host reaches the device's memory (a CPU device, whose buffers are host memory of ours) a small copy is memcpy: a command costs as much as
// copying 256 KiB. Otherwise a read command, straight into the alias; or through pinned staging memory (staging.c).
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cl.h"
#include "crew.h"
#include "dma.h"
#include "pager.h"
#include "staging.h"

#define COMMAND_BYTES (1ULL << 20) // less than this is not worth a command
#define EXEC_STATUS_ERROR (-14) // the wait has ended because a command has, badly
#define FIRST_PAUSE_NANOS 20000L
#define LONGEST_PAUSE_NANOS 5000000L

int32_t frame_of(const struct device *d, uint64_t page) {
  if (d->range) return (int32_t)page;
  return extents_get(&d->config.frame_of_page, page) - 1;
}

// First frame of the memory object in which a frame lies: of those that begin in the same 64 frames the last one that does not begin behind it, else the one in which these 64 begin.
static int32_t chunk_of(const struct device *d, int32_t frame) {
  uint64_t starts = atomic_load(&TABLE(uint64_t, d->config.chunk_starts)[frame / 64]) << (63 - frame % 64);
  return starts ? frame - __builtin_clzll(starts) : atomic_load(&TABLE(int32_t, d->config.chunk_at)[frame / 64]);
}

static void *memory_of(const struct device *d, int32_t frame) {
  return (void *)(uintptr_t)atomic_load(&TABLE(uint64_t, d->config.memory_of_chunk)[chunk_of(d, frame)]);
}

static size_t offset_of(const struct hmm_pager *p, const struct device *d, int32_t frame) {
  return (size_t)(frame - chunk_of(d, frame)) << p->config.page_shift;
}

// Where the host reaches a frame, or null.
static char *host_of(const struct hmm_pager *p, const struct device *d, int32_t frame) {
  if (d->range) return d->range + ((size_t)frame << p->config.page_shift);
  uint64_t base = atomic_load(&TABLE(uint64_t, d->config.host_of_chunk)[chunk_of(d, frame)]);
  return base ? (char *)(uintptr_t)base + offset_of(p, d, frame) : NULL;
}

bool dma_contiguous(const struct device *d, int32_t a, int32_t b) { return b == a + 1 && chunk_of(d, a) == chunk_of(d, b); }

static bool has_staging(const struct device *d) { return d->config.staging || d->config.slots[0]; }

static int open_queue(struct hmm_pager *p, struct device *d, void **queue) {
  int status = 0;
  *queue = p->cl.create_queue((void *)(uintptr_t)d->config.context, (void *)(uintptr_t)d->config.device, 0, &status);
  return status;
}

int dma_open(struct hmm_pager *p, struct device *d) {
  int status = open_queue(p, d, &d->queue);
  if (status || !has_staging(d)) return status;
  d->lanes[FAULTS].queue = d->queue;
  status = open_queue(p, d, &d->lanes[BULK].queue);
  if (status) dma_close(p, d);
  else staging_open(d);
  return status;
}

void dma_close(struct hmm_pager *p, struct device *d) {
  if (d->lanes[BULK].queue) {
    staging_close(p, d);
    p->cl.release_queue(d->lanes[BULK].queue);
    d->lanes[BULK].queue = NULL;
  }
  if (d->queue) p->cl.release_queue(d->queue);
  d->queue = NULL;
}

// A wait that fails says nothing about the command: then its status is asked until it has ended, or for so long that nobody can believe that it will.
int await_command(struct hmm_pager *p, void *event) {
  uint64_t began = nanos();
  struct timespec pause = {0, FIRST_PAUSE_NANOS};
  for (bool ended = false;;) {
    int waited = p->cl.wait(1, (void *const[]){event});
    int status = 1;
    int asked = p->cl.event_info(event, CL_EVENT_STATUS, sizeof status, &status, NULL);
    if (!asked && status < 0) return status;
    if (!waited || waited == EXEC_STATUS_ERROR) return asked ? asked : waited; // it has ended
    if (ended) return waited; // nobody can wait for it: what it did is not known to be visible
    ended = !asked && status == CL_COMPLETE; // perhaps only since that wait failed
    if (nanos() - began > STUCK_NANOS) return COMMAND_STUCK;
    nanosleep(&pause, NULL);
    if (pause.tv_nsec < LONGEST_PAUSE_NANOS) pause.tv_nsec *= 2;
  }
}

// A command that may still write to host pages has these for itself until it ends; its device does not run anything of ours again.
int dma_give_up(struct hmm_pager *p, unsigned device, void *event, struct page_range pages) {
  atomic_store(&p->devices[device].lost, true);
  pthread_mutex_lock(&p->stuck.lock);
  bool room = p->stuck.count < STUCK;
  if (room) p->stuck.commands[p->stuck.count++] = (struct stuck_command){event, pages};
  pthread_mutex_unlock(&p->stuck.lock);
  if (room) return DEVICE_NOT_AVAILABLE;
  int outcome;
  while ((outcome = await_command(p, event)) == COMMAND_STUCK) { // nothing is left to remember it by
  }
  p->cl.release_event(event);
  return outcome < 0 ? outcome : DEVICE_NOT_AVAILABLE;
}

// Waits for one command, releases its event, and returns its outcome. `pages` are the host pages that it writes to.
int dma_finish(struct hmm_pager *p, unsigned device, void *event, struct page_range pages) {
  promote(p); // the device may be long about it, and other faults do not need it
  int outcome = await_command(p, event);
  if (outcome == COMMAND_STUCK) return dma_give_up(p, device, event, pages);
  p->cl.release_event(event);
  return outcome;
}

static void release_late(void *event, int status, void *release) {
  (void)status;
  ((cl_of_object *)release)(event);
}

int dma_end_stuck(struct hmm_pager *p) {
  unsigned left = 0;
  for (unsigned i = 0; i < p->stuck.count; i++) {
    void *event = p->stuck.commands[i].event;
    if (await_command(p, event) != COMMAND_STUCK) p->cl.release_event(event);
    else if (++left) p->cl.set_callback(event, CL_COMPLETE, release_late, (void *)p->cl.release_event); // if it ever ends
  }
  return left ? -EBUSY : 0;
}

HMM_API int hmm_may_be_written(struct hmm_pager *p, uint64_t first, uint64_t end) { return dma_may_write(p, first, end); }

bool dma_may_write(struct hmm_pager *p, uint64_t first, uint64_t end) {
  bool may = false;
  pthread_mutex_lock(&p->stuck.lock);
  for (unsigned i = 0; i < p->stuck.count && !may; i++) {
    const struct stuck_command *s = &p->stuck.commands[i];
    if (s->pages.first >= end || first >= s->pages.end) continue;
    int status = 1;
    int asked = p->cl.event_info(s->event, CL_EVENT_STATUS, sizeof status, &status, NULL);
    may = asked || status > CL_COMPLETE;
  }
  pthread_mutex_unlock(&p->stuck.lock);
  return may;
}

void dma_send(struct hmm_pager *p, struct copies *copies) {
  if (copies->staged) packed_send(p, copies);
}

int dma_wait(struct hmm_pager *p, struct copies *copies) {
  int outcome = copies->staged ? packed_wait(p, copies) : 0;
  for (int i = copies->count - 1; i >= 0; i--) {
    int one = dma_finish(p, copies->devices[i], copies->events[i], copies->pages[i]);
    if (!one) continue;
    outcome = one;
    copies->failed_device = copies->devices[i];
  }
  copies->count = 0;
  return outcome;
}

int dma_flush(struct hmm_pager *p, void *queue) { return p->cl.flush(queue); }

// What the host is short of says nothing about a device.
static bool device_refuses(int status) { return status && status != OUT_OF_HOST_MEMORY; }

bool dma_is_gone(struct hmm_pager *p, struct device *d) {
  void *queue = NULL;
  if (!device_refuses(dma_flush(p, d->queue))) return false;
  int status = open_queue(p, d, &queue);
  if (!status) p->cl.release_queue(queue);
  return device_refuses(status);
}

static unsigned device_number(const struct hmm_pager *p, const struct device *d) { return (unsigned)(d - p->devices); }

static int blocking_transfer(struct hmm_pager *p, struct device *d, cl_transfer *transfer, void *memory, size_t offset, char *host, size_t bytes) {
  void *event = NULL;
  uint64_t page = page_of_alias(p, host); // towards the device nobody writes to them
  struct page_range pages = {page, transfer == p->cl.enqueue_read ? page + (bytes >> p->config.page_shift) : page};
  int status = transfer(d->queue, memory, 0, offset, bytes, host, 0, NULL, &event);
  if (status) return status;
  int flushed = dma_flush(p, d->queue);
  int outcome = dma_finish(p, device_number(p, d), event, pages);
  return flushed ? flushed : outcome;
}

bool dma_reaches(const struct hmm_pager *p, unsigned device, uint64_t page) {
  const struct device *d = &p->devices[device];
  int32_t frame = frame_of(d, page);
  return frame >= 0 && !atomic_load(&d->lost) && host_of(p, d, frame);
}

int dma_to_host(struct hmm_pager *p, unsigned device, uint64_t page, uint64_t pages, struct copies *async) {
  struct device *d = &p->devices[device];
  int32_t frame = frame_of(d, page);
  size_t bytes = (size_t)(pages << p->config.page_shift);
  char *source = host_of(p, d, frame);
  if (async) async->failed_device = device; // unless an earlier command has failed
  if (atomic_load(&d->lost)) return DEVICE_NOT_AVAILABLE;
  if (source && (!async || bytes < COMMAND_BYTES || d->range)) {
    memcpy(alias_of(p, page), source, bytes);
    return 0;
  }
  void *memory = memory_of(d, frame);
  size_t offset = offset_of(p, d, frame);
  const struct part whole = {memory, offset, bytes, alias_of(p, page)};
  if (has_staging(d)) return async ? packed_begin(p, d, whole, async) : through_staging(p, d, whole, true);
  if (!async) return blocking_transfer(p, d, p->cl.enqueue_read, memory, offset, alias_of(p, page), bytes);
  if (async->count == (int)(sizeof async->events / sizeof *async->events)) {
    int outcome = dma_wait(p, async);
    if (outcome) return outcome;
  }
  int status = p->cl.enqueue_read(d->queue, memory, 0, offset, bytes, alias_of(p, page), 0, NULL, &async->events[async->count]);
  if (status) return status;
  async->pages[async->count] = (struct page_range){page, page + pages};
  async->devices[async->count++] = device;
  return dma_flush(p, d->queue);
}

int dma_to_device(struct hmm_pager *p, unsigned device, uint64_t page, bool zero) {
  struct device *d = &p->devices[device];
  int32_t frame = frame_of(d, page);
  char *target = host_of(p, d, frame);
  size_t bytes = (size_t)p->page_bytes;
  if (atomic_load(&d->lost)) return DEVICE_NOT_AVAILABLE;
  if (target) {
    if (zero) memset(target, 0, bytes);
    else memcpy(target, alias_of(p, page), bytes);
    return 0;
  }
  char *zeros = NULL;
  if (zero && !(zeros = calloc(1, bytes))) return OUT_OF_HOST_MEMORY;
  char *source = zero ? zeros : alias_of(p, page);
  int status = has_staging(d) ? through_staging(p, d, (struct part){memory_of(d, frame), offset_of(p, d, frame), bytes, source}, false)
                              : blocking_transfer(p, d, p->cl.enqueue_write, memory_of(d, frame), offset_of(p, d, frame), source, bytes);
  if (!atomic_load(&d->lost)) free(zeros); // else a command that was given up may still read them
  return status;
}

int dma_across(struct hmm_pager *p, unsigned from, unsigned to, uint64_t page, uint64_t pages, unsigned *failed) {
  struct device *source = &p->devices[from], *target = &p->devices[to];
  int32_t read = frame_of(source, page), written = frame_of(target, page);
  char *here = host_of(p, source, read), *there = host_of(p, target, written);
  size_t bytes = (size_t)(pages << p->config.page_shift);
  *failed = atomic_load(&source->lost) ? from : to;
  if (atomic_load(&source->lost) || atomic_load(&target->lost)) return DEVICE_NOT_AVAILABLE;
  if ((!here && !has_staging(source)) || (!there && !has_staging(target))) return NO_WAY_ACROSS;
  const struct device_memory out = {source, memory_of(source, read), offset_of(p, source, read)}, in = {target, memory_of(target, written), offset_of(p, target, written)};
  if (!here && !there) return staging_across(p, out, in, bytes, failed);
  if (!there) return staging_bulk(p, in, here, bytes, false);
  if (here) {
    memcpy(there, here, bytes);
    return 0;
  }
  *failed = from;
  return staging_bulk(p, out, there, bytes, true);
}

int dma_within(struct hmm_pager *p, unsigned device, int32_t from, int32_t to, uint64_t pages, void **event) {
  struct device *d = &p->devices[device];
  char *source = host_of(p, d, from), *target = host_of(p, d, to);
  *event = NULL;
  if (atomic_load(&d->lost)) return DEVICE_NOT_AVAILABLE;
  if (source && target) {
    memcpy(target, source, (size_t)(pages << p->config.page_shift));
    return 0;
  }
  return p->cl.enqueue_copy(d->queue, memory_of(d, from), memory_of(d, to), offset_of(p, d, from), offset_of(p, d, to), (size_t)(pages << p->config.page_shift), 0, NULL, event);
}
