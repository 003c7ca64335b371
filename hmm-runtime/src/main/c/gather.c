// gather.c - a kernel of ours carries what lies apart on a device into one piece, and the bus carries that in one command.
//
// It runs on a queue of its own, so the bus carries one slot while another is gathered. It is given all of the memory in which the parts lie, and where they are there: nothing is made for a command and given back.
// Kernels of the program may write other bytes of that memory meanwhile, as they may beside a copy. While one of those is known to be under way on the device, nothing is gathered: our kernel might stand behind it, where copies would not.
#include <errno.h>

#include "dma.h"
#include "inflight.h"
#include "pager.h"
#include "staging.h"

#define TRIALS 4
#define WORTH_MEASURING 32 // parts
#define PACKED 0 // parameters of the kernel
#define RUNS 1
#define MEMORY 2

struct runs { // of runs.cl
  uint32_t at[HMM_RUNS + 1], place[HMM_RUNS];
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
  for (unsigned i = 0; i < slot->count; i++) {
    all |= slot->parts[i].offset | slot->parts[i].bytes;
    if (slot->parts[i].memory != slot->parts[0].memory) return false;
  }
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

static int set_arguments(struct hmm_pager *p, const struct gather *g, void *packed, const struct slot *slot) {
  struct runs runs = {0};
  for (unsigned i = 0; i < HMM_RUNS; i++) {
    const struct part *part = &slot->parts[i];
    bool used = i < slot->count;
    runs.at[i + 1] = runs.at[i] + (used ? (uint32_t)(part->bytes / HMM_RUN_BLOCK) : 0);
    if (used) runs.place[i] = (uint32_t)(part->offset / HMM_RUN_BLOCK);
  }
  void *memory = slot->parts[0].memory;
  int status = p->cl.set_arg(g->kernel, PACKED, sizeof packed, &packed);
  if (!status) status = p->cl.set_arg(g->kernel, RUNS, sizeof runs, &runs);
  return status ? status : p->cl.set_arg(g->kernel, MEMORY, sizeof memory, &memory);
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
  void *packed = slot->memory ? slot->memory : g->packed[slot - lane->slots];
  int status = slot->memory ? unmap_slot(p, lane, slot, t) : 0;
  if (t->count && !status) status = dma_flush(p, lane->queue);
  if (!status) status = set_arguments(p, g, packed, slot);
  if (!status) status = enqueue(p, g, slot, t->count ? t->events[0] : NULL, t);
  if (status) return status;
  void *gathered = t->events[t->count - 1];
  status = slot->memory ? map_slot(p, lane, slot, slot->filled, gathered, t) : read_part(p, lane, (struct part){packed, 0, slot->filled, NULL}, slot->at, gathered, t);
  return status ? status : dma_flush(p, lane->queue);
}
