// gather.c - a kernel of ours carries what lies apart on a device into one piece, and the bus carries that in one command.
//
// It runs on a queue of its own, so the bus carries one slot while another is gathered. Each part is given to it as a sub-buffer, so that the driver knows which bytes it reads: kernels of the program may write
// others of the same memory meanwhile. While one of those is known to be under way on the device, nothing is gathered: our kernel might stand behind it, where copies would not.
#include <errno.h>

#include "dma.h"
#include "inflight.h"
#include "pager.h"
#include "staging.h"

#define TRIALS 4
#define WORTH_MEASURING 32 // parts
#define REGION 0x1220 // CL_BUFFER_CREATE_TYPE_REGION
#define PACKED 0 // parameters of the kernel
#define RUNS 1
#define PLACES 2

struct region {
  size_t origin, size;
};

HMM_API int hmm_set_gather(struct hmm_pager *p, uint64_t device, const struct hmm_gather *gather) {
  struct device *d = &p->devices[device];
  if (device >= p->device_count || !d->lanes[BULK].queue || !gather->items) return -EINVAL;
  pthread_mutex_lock(&d->lanes[BULK].lock);
  d->gather = (struct gather){.queue = (void *)(uintptr_t)gather->queue, .kernel = (void *)(uintptr_t)gather->kernel, .items = (size_t)gather->items, .trials = TRIALS, .measured = gather->measured};
  for (unsigned i = 0; i < HMM_BULK_SLOTS; i++) d->gather.packed[i] = (void *)(uintptr_t)gather->packed[i];
  pthread_mutex_unlock(&d->lanes[BULK].lock);
  return 0;
}

static bool fits(const struct slot *slot) {
  size_t all = 0;
  for (unsigned i = 0; i < slot->count; i++) all |= slot->parts[i].offset | slot->parts[i].bytes;
  return slot->count > 1 && all % HMM_RUN_BLOCK == 0;
}

static bool may_stand_behind(struct hmm_pager *p, const struct device *d) { return d->gather.measured && has_launches(p, (unsigned)(d - p->devices)); }

bool gather_is_on_trial(struct hmm_pager *p, const struct device *d, const struct slot *slot) {
  const struct gather *g = &d->gather;
  return g->trials && slot->count >= (g->measured ? WORTH_MEASURING : 2) && fits(slot) && !may_stand_behind(p, d);
}

bool gather_pays(struct hmm_pager *p, const struct device *d, const struct slot *slot) {
  const struct gather *g = &d->gather;
  if (!g->kernel || g->trials || !fits(slot)) return false;
  return !g->measured || (g->kernel_nanos < slot->count * g->part_nanos && !may_stand_behind(p, d));
}

// What is enqueued keeps what it uses. The caller gives back what is made here.
static int set_arguments(struct hmm_pager *p, const struct gather *g, void *packed, const struct slot *slot, void *places[HMM_RUNS]) {
  uint32_t at[HMM_RUNS + 1] = {0};
  int status = p->cl.set_arg(g->kernel, PACKED, sizeof packed, &packed);
  for (unsigned i = 0; i < HMM_RUNS && !status; i++) {
    bool used = i < slot->count;
    const struct part *part = &slot->parts[i];
    const struct region region = used ? (struct region){part->offset, part->bytes} : (struct region){0};
    if (used) places[i] = p->cl.create_sub_buffer(part->memory, 0, REGION, &region, &status);
    at[i + 1] = at[i] + (uint32_t)(region.size / HMM_RUN_BLOCK);
    if (!status) status = p->cl.set_arg(g->kernel, PLACES + i, sizeof places[i], &places[i]);
  }
  return status ? status : p->cl.set_arg(g->kernel, RUNS, sizeof at, at);
}

static int enqueue(struct hmm_pager *p, const struct gather *g, const struct slot *slot, void *after, struct transfer *t) {
  size_t global = slot->filled / HMM_RUN_BLOCK * g->items;
  int status = p->cl.enqueue_kernel(g->queue, g->kernel, 1, NULL, &global, &g->items, after ? 1 : 0, after ? &after : NULL, &t->events[t->count]);
  if (status) return status;
  t->count++;
  return dma_flush(p, g->queue);
}

int gather_to_host(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot) {
  const struct gather *g = &d->gather;
  struct transfer *t = &slot->transfer;
  void *packed = slot->memory ? slot->memory : g->packed[slot - lane->slots], *places[HMM_RUNS] = {0};
  int status = slot->memory ? unmap_slot(p, lane, slot, t) : 0;
  if (t->count && !status) status = dma_flush(p, lane->queue);
  if (!status) status = set_arguments(p, g, packed, slot, places);
  if (!status) status = enqueue(p, g, slot, t->count ? t->events[0] : NULL, t);
  for (unsigned i = 0; i < slot->count; i++) {
    if (places[i]) p->cl.release_memory(places[i]);
  }
  if (status) return status;
  void *gathered = t->events[t->count - 1];
  status = slot->memory ? map_slot(p, lane, slot, slot->filled, gathered, t) : read_part(p, lane, (struct part){packed, 0, slot->filled, NULL}, slot->at, gathered, t);
  return status ? status : dma_flush(p, lane->queue);
}
