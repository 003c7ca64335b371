// packed.c - parts of device memory on their way to the host that nobody waits for yet, many of them in one slot.
//
// A part is noted in the youngest slot, until that is full, or its owner has no more. Then its commands are enqueued, the device carries out one behind the other while other pages are claimed and
// mapped, and there is one map and one wait for all: pages that lie apart in device memory do not cost a round of the queue each. Whoever needs a slot, or waits for his own, brings the
// oldest to its end first, also if it is another thread's.
//
// Where there is a kernel for that (gather.c), it carries the parts of a slot together first. What it costs, and what a command for each costs, is learnt from the first slots that it could take: those
// go by commands, then by the kernel as well, which has to bring the same.
#include <string.h>

#include "cl.h"
#include "dma.h"
#include "pager.h"
#include "sharing.h"
#include "staging.h"

#define UNTOUCHED 0x5a

static struct slot *youngest(struct lane *lane) { return lane->under_way ? &lane->slots[(lane->oldest + lane->under_way - 1) % lane->count] : NULL; }

// What was enqueued before a command that was refused is waited for like the rest.
static void send_by_commands(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot) {
  slot->refused = lane->dead ? DEVICE_NOT_AVAILABLE : send_to_host(p, d, lane, slot, slot->parts, slot->count, &slot->transfer);
  if (slot->refused) slot->suspect = true;
}

static int finish_slot(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot) {
  int outcome = finish_transfer(p, d, lane, slot, &slot->transfer);
  return slot->refused ? slot->refused : outcome;
}

static void copy_out(struct hmm_pager *p, const struct slot *slot) { share_out(p, slot->parts, slot->count, slot->at); }

static bool is_copied_out(const struct slot *slot) {
  const char *from = slot->at;
  bool same = true;
  for (unsigned i = 0; i < slot->count && same; from += slot->parts[i++].bytes) same = !memcmp(slot->parts[i].host, from, slot->parts[i].bytes);
  return same;
}

// Whatever has become of a kernel's commands, those for each part can still be made.
static void give_gathering_up(struct hmm_pager *p, struct device *d) {
  if (!d->gather.kernel) return; // several slots were under way
  d->gather.kernel = NULL;
  d->gather.trials = 0;
  count(p, HMM_GATHERS_GIVEN_UP, 1);
}

static void send_gathered(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot) {
  slot->gathered = true;
  slot->refused = gather_to_host(p, d, lane, slot);
  if (slot->refused) slot->suspect = true;
}

static void note_least(uint64_t *least, uint64_t nanos_now) {
  if (!*least || nanos_now < *least) *least = nanos_now;
}

// What the parts of a slot hold has been copied out of it.
static bool kernel_brings_the_same(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot) {
  slot->refused = prepare_slot(p, lane, slot, &slot->transfer);
  if (finish_slot(p, d, lane, slot)) {
    slot->suspect = true;
    return false;
  }
  memset(slot->at, UNTOUCHED, slot->filled); // so that a kernel that carries nothing is seen
  uint64_t began = nanos();
  send_gathered(p, d, lane, slot);
  if (finish_slot(p, d, lane, slot)) return false;
  note_least(&d->gather.kernel_nanos, nanos() - began);
  return is_copied_out(slot);
}

// The slot has the lane for itself, and is on the host when this returns, unless its commands have failed.
static void try_gather(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot) {
  while (&lane->slots[lane->oldest] != slot) packed_end_oldest(p, d, lane);
  uint64_t began = nanos();
  send_by_commands(p, d, lane, slot);
  if ((slot->refused = finish_slot(p, d, lane, slot)) || !d->gather.trials) return;
  note_least(&d->gather.part_nanos, (nanos() - began) / slot->count);
  copy_out(p, slot);
  slot->landed = true;
  d->gather.trials--;
  if (!kernel_brings_the_same(p, d, lane, slot)) give_gathering_up(p, d);
  slot->refused = 0; // what was to come is there
}

static void send(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot) {
  slot->sent = true;
  if (!lane->dead && gather_is_on_trial(p, d, slot)) try_gather(p, d, lane, slot);
  else if (!lane->dead && gather_pays(p, d, slot)) send_gathered(p, d, lane, slot);
  else send_by_commands(p, d, lane, slot);
}

static void send_youngest(struct hmm_pager *p, struct device *d, struct lane *lane) {
  struct slot *slot = youngest(lane);
  if (slot && !slot->sent) send(p, d, lane, slot);
}

void packed_end_oldest(struct hmm_pager *p, struct device *d, struct lane *lane) {
  struct slot *slot = &lane->slots[lane->oldest];
  if (!slot->sent) send(p, d, lane, slot);
  int outcome = finish_slot(p, d, lane, slot);
  if (outcome && slot->gathered && !slot->landed && !lane->dead) {
    give_gathering_up(p, d);
    slot->gathered = false;
    send_by_commands(p, d, lane, slot);
    outcome = finish_slot(p, d, lane, slot);
  }
  if (outcome) atomic_store(&slot->of->staged_failure, (uint64_t)(d - p->devices) << 32 | (uint32_t)outcome);
  else if (!slot->landed) copy_out(p, slot);
  if (!outcome && slot->gathered && !slot->landed) count(p, HMM_GATHERED, 1);
  slot->of = NULL;
  lane->oldest = (lane->oldest + 1) % lane->count;
  lane->under_way--;
}

// The youngest slot, if more of the same owner's may be added, else a new one.
static struct slot *slot_for(struct hmm_pager *p, struct device *d, struct lane *lane, struct copies *of) {
  struct slot *slot = youngest(lane);
  if (slot && !slot->sent && slot->of == of) return slot;
  send_youngest(p, d, lane);
  if (lane->under_way == lane->count) packed_end_oldest(p, d, lane);
  lane->under_way++;
  slot = youngest(lane);
  slot->of = of;
  slot->count = 0;
  slot->filled = 0;
  slot->sent = slot->gathered = slot->landed = false;
  slot->refused = 0;
  return slot;
}

int packed_begin(struct hmm_pager *p, struct device *d, struct part whole, struct copies *of) {
  struct lane *lane = &d->lanes[BULK];
  of->staged |= 1u << (d - p->devices);
  lock_lane(p, lane);
  while (whole.bytes && !lane->dead) {
    struct slot *slot = slot_for(p, d, lane, of);
    size_t room = lane->slot_bytes - slot->filled, bytes = whole.bytes < room ? whole.bytes : room;
    slot->parts[slot->count++] = (struct part){whole.memory, whole.offset, bytes, whole.host};
    slot->filled += bytes;
    whole = (struct part){whole.memory, whole.offset + bytes, whole.bytes - bytes, whole.host + bytes};
    if (slot->filled == lane->slot_bytes || slot->count == PARTS) send(p, d, lane, slot);
  }
  pthread_mutex_unlock(&lane->lock);
  return whole.bytes ? DEVICE_NOT_AVAILABLE : 0;
}

void packed_send(struct hmm_pager *p, struct copies *of) {
  for (unsigned device = 0; device < p->device_count; device++) {
    struct lane *lane = &p->devices[device].lanes[BULK];
    if (!(of->staged >> device & 1)) continue;
    lock_lane(p, lane);
    struct slot *slot = youngest(lane);
    if (slot && slot->of == of) send_youngest(p, &p->devices[device], lane);
    pthread_mutex_unlock(&lane->lock);
  }
}

static bool has_part_of(const struct lane *lane, const struct copies *of) {
  for (unsigned i = 0; i < lane->count; i++) {
    if (lane->slots[i].of == of) return true;
  }
  return false;
}

int packed_wait(struct hmm_pager *p, struct copies *of) {
  for (unsigned device = 0; device < p->device_count; device++) {
    struct lane *lane = &p->devices[device].lanes[BULK];
    if (!(of->staged >> device & 1)) continue;
    lock_lane(p, lane);
    while (has_part_of(lane, of)) packed_end_oldest(p, &p->devices[device], lane);
    pthread_mutex_unlock(&lane->lock);
  }
  of->staged = 0;
  uint64_t failure = atomic_exchange(&of->staged_failure, 0);
  if (failure) of->failed_device = (unsigned)(failure >> 32);
  return (int)(uint32_t)failure;
}
