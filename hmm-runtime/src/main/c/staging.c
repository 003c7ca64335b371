// staging.c - copies through pinned staging memory, where the driver would stage by itself, page by page.
//
// The memory is cut into slots, of one of two kinds (hmm_device_config). Parts of a buffer that stays mapped are the host's side of read and write commands. Buffers of
// their own are the device's side of copy commands: a slot is mapped while the host fills or drains it, and never while a command uses it; one that was drained is unmapped
// by the next transfer, which saves a fault from waiting for that.
//
// Faults have slots, a lock and a queue of their own, so that none waits behind a bulk move.
#include <string.h>

#include "cl.h"
#include "crew.h"
#include "dma.h"
#include "pager.h"
#include "sharing.h"
#include "staging.h"

#define CL_INVALID_VALUE (-30)
#define ACROSS_BYTES (512ULL << 10) // from device to device: as much as comes before the first goes on
#define MAPPED_AHEAD 2 // slots, fewer than there are
#define MAP_READ 1
#define MAP_WRITE_INVALIDATE 4

static bool has_buffers(const struct device *d) { return d->config.slots[0]; }

void staging_open(struct device *d) {
  static const unsigned counts[LANES] = {HMM_BULK_SLOTS, HMM_FAULT_SLOTS};
  size_t bytes = (size_t)d->config.staging_bytes / HMM_STAGING_SHARES, share = 0;
  unsigned first = 0;
  for (int i = 0; i < LANES; i++) {
    struct lane *lane = &d->lanes[i];
    unsigned shares = i == BULK ? HMM_BULK_SHARES : 1;
    *lane = (struct lane){.queue = lane->queue, .count = counts[i], .slot_bytes = shares * bytes};
    pthread_mutex_init(&lane->lock, NULL);
    for (unsigned s = 0; s < lane->count; s++, share += shares) {
      lane->slots[s].memory = (void *)(uintptr_t)d->config.slots[first++];
      if (d->config.staging) lane->slots[s].at = (char *)(uintptr_t)d->config.staging + share * bytes;
    }
  }
}

// A slot whose command was given up is never used again. In what state a slot is of which a command has failed, nobody knows.
int finish_transfer(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot, struct transfer *t) {
  unsigned device = (unsigned)(d - p->devices);
  const struct page_range none = {0, 0};
  int outcome = 0;
  bool given_up = false;
  while (t->count) { // the last one first: its end is that of all
    void *event = t->events[--t->count];
    if (given_up) { // with the last one: nobody waits for what came before it
      p->cl.release_event(event);
      continue;
    }
    int one = lane->dead ? dma_give_up(p, device, event, none) : dma_finish(p, device, event, none);
    if (one == DEVICE_NOT_AVAILABLE && atomic_load(&p->devices[device].lost)) lane->dead = given_up = true;
    if (one) outcome = one;
  }
  if (outcome) slot->suspect = true;
  return outcome;
}

int unmap_slot(struct hmm_pager *p, struct lane *lane, struct slot *slot, struct transfer *t) {
  if (!slot->at) return 0;
  int status = p->cl.unmap(lane->queue, slot->memory, slot->at, 0, NULL, &t->events[t->count]);
  if (!status) t->count++;
  if (status && !(slot->suspect && status == CL_INVALID_VALUE)) return status; // a suspect one may not have been mapped
  slot->at = NULL;
  slot->suspect = false;
  return 0;
}

static int map(struct hmm_pager *p, struct lane *lane, struct slot *slot, uint64_t flags, size_t bytes, void *after, struct transfer *t) {
  int status = 0;
  void *at = p->cl.map(lane->queue, slot->memory, 0, flags, 0, bytes, after ? 1 : 0, after ? &after : NULL, &t->events[t->count], &status);
  if (status) return status;
  t->count++;
  slot->at = at;
  return 0;
}

int map_slot(struct hmm_pager *p, struct lane *lane, struct slot *slot, size_t bytes, void *after, struct transfer *t) { return map(p, lane, slot, MAP_READ, bytes, after, t); }

static int copy(struct hmm_pager *p, struct lane *lane, void *from, size_t from_offset, void *to, size_t to_offset, size_t bytes, struct transfer *t) {
  int status = p->cl.enqueue_copy(lane->queue, from, to, from_offset, to_offset, bytes, 0, NULL, &t->events[t->count]);
  if (!status) t->count++;
  return status;
}

int read_part(struct hmm_pager *p, struct lane *lane, struct part part, char *to, void *after, struct transfer *t) {
  int status = p->cl.enqueue_read(lane->queue, part.memory, 0, part.offset, part.bytes, to, after ? 1 : 0, after ? &after : NULL, &t->events[t->count]);
  if (!status) t->count++;
  return status;
}

// Also what came before a command that was refused: it is going to be waited for.
static int set_going(struct hmm_pager *p, struct lane *lane, const struct transfer *t, int status) {
  int flushed = t->count ? dma_flush(p, lane->queue) : 0;
  return status ? status : flushed;
}

// Brings parts into a slot, one behind the other.
int send_to_host(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot, const struct part *parts, unsigned count, struct transfer *t) {
  size_t at = 0;
  int status = has_buffers(d) ? unmap_slot(p, lane, slot, t) : 0;
  for (unsigned i = 0; i < count && !status; at += parts[i++].bytes) {
    status = has_buffers(d) ? copy(p, lane, parts[i].memory, parts[i].offset, slot->memory, at, parts[i].bytes, t) : read_part(p, lane, parts[i], slot->at + at, NULL, t);
  }
  if (!status && has_buffers(d)) status = map_slot(p, lane, slot, at, NULL, t);
  return set_going(p, lane, t, status);
}

// Lets the host fill a slot, as soon as what is under way in it has ended.
int prepare_slot(struct hmm_pager *p, struct lane *lane, struct slot *slot, struct transfer *t) {
  if (!slot->memory) return 0;
  int status = unmap_slot(p, lane, slot, t);
  if (!status) status = map(p, lane, slot, MAP_WRITE_INVALIDATE, lane->slot_bytes, NULL, t);
  return set_going(p, lane, t, status);
}

// Between a slot and pages. Whoever carries a fault's waits for nobody.
static void carry(struct hmm_pager *p, const struct device *d, const struct lane *lane, char *to, const char *from, size_t bytes) {
  const struct part part = {.host = to, .bytes = bytes};
  if (lane == &d->lanes[BULK]) share_out(p, &part, 1, from);
  else memcpy(to, from, bytes);
}

// Fills a slot that is prepared, and sends it on its way.
static int fill(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot, struct part part, struct transfer *t) {
  int status = finish_transfer(p, d, lane, slot, t);
  if (status) return status;
  carry(p, d, lane, slot->at, part.host, part.bytes);
  if (!has_buffers(d)) {
    status = p->cl.enqueue_write(lane->queue, part.memory, 0, part.offset, part.bytes, slot->at, 0, NULL, &t->events[0]);
    if (!status) t->count = 1;
  } else {
    status = unmap_slot(p, lane, slot, t);
    if (!status) status = copy(p, lane, slot->memory, 0, part.memory, part.offset, part.bytes, t);
  }
  return set_going(p, lane, t, status);
}

static int start_to_device(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot, struct part part, struct transfer *t) {
  int status = prepare_slot(p, lane, slot, t);
  return status ? status : fill(p, d, lane, slot, part, t);
}

static struct part part_at(const struct part *whole, size_t done, size_t most) {
  size_t bytes = whole->bytes - done < most ? whole->bytes - done : most;
  return (struct part){whole->memory, whole->offset + done, bytes, whole->host + done};
}

// One slot after the other, until all is there: while the device fills one, the host empties another.
static int through_slots(struct hmm_pager *p, struct device *d, struct lane *lane, const struct part *whole, bool to_host) {
  struct transfer transfers[HMM_BULK_SLOTS] = {0};
  size_t size = lane->slot_bytes, started = 0;
  int outcome = 0;
  for (size_t ended = 0; ended < whole->bytes && !outcome; ended += size) {
    for (; started < whole->bytes && started - ended < lane->count * size && !outcome; started += size) {
      size_t i = started / size % lane->count;
      struct part part = part_at(whole, started, size);
      outcome = to_host ? send_to_host(p, d, lane, &lane->slots[i], &part, 1, &transfers[i]) : start_to_device(p, d, lane, &lane->slots[i], part, &transfers[i]);
      if (outcome) lane->slots[i].suspect = true;
    }
    size_t i = ended / size % lane->count;
    struct part part = part_at(whole, ended, size);
    if (!outcome) outcome = finish_transfer(p, d, lane, &lane->slots[i], &transfers[i]);
    if (!outcome && to_host) carry(p, d, lane, part.host, lane->slots[i].at, part.bytes);
  }
  for (unsigned i = 0; i < lane->count; i++) finish_transfer(p, d, lane, &lane->slots[i], &transfers[i]); // none may still write to the slots
  return outcome;
}

void lock_lane(struct hmm_pager *p, struct lane *lane) {
  if (!pthread_mutex_trylock(&lane->lock)) return;
  promote(p); // who has it waits for the device
  pthread_mutex_lock(&lane->lock);
}

int through_staging(struct hmm_pager *p, struct device *d, struct part whole, bool to_host) {
  struct lane *lane = &d->lanes[FAULTS];
  lock_lane(p, lane);
  int outcome = lane->dead ? DEVICE_NOT_AVAILABLE : through_slots(p, d, lane, &whole, to_host);
  pthread_mutex_unlock(&lane->lock);
  return outcome;
}

// What others have under way is brought to its end: all slots are the caller's then.
static void empty_lane(struct hmm_pager *p, struct device *d, struct lane *lane) {
  lock_lane(p, lane);
  while (lane->under_way) packed_end_oldest(p, d, lane);
}

int staging_bulk(struct hmm_pager *p, struct device_memory at, char *host, size_t bytes, bool to_host) {
  struct lane *lane = &at.device->lanes[BULK];
  const struct part whole = {at.memory, at.offset, bytes, host};
  empty_lane(p, at.device, lane);
  int outcome = lane->dead ? DEVICE_NOT_AVAILABLE : through_slots(p, at.device, lane, &whole, to_host);
  pthread_mutex_unlock(&lane->lock);
  return outcome;
}

// While one part comes from the first device, the one before it goes to the second. There slots are mapped two parts ahead: a map stands in the queue behind the parts that were sent before.
static int across_slots(struct hmm_pager *p, struct device_memory from, struct device_memory to, size_t bytes, unsigned *failed) {
  struct lane *out = &from.device->lanes[BULK], *in = &to.device->lanes[BULK];
  unsigned source = (unsigned)(from.device - p->devices), target = (unsigned)(to.device - p->devices);
  struct transfer reads[HMM_BULK_SLOTS] = {0}, writes[HMM_BULK_SLOTS] = {0};
  size_t size = out->slot_bytes < in->slot_bytes ? out->slot_bytes : in->slot_bytes;
  if (size > ACROSS_BYTES) size = ACROSS_BYTES;
  const struct part whole = {from.memory, from.offset, bytes, NULL};
  size_t count = (bytes + size - 1) / size, read = 0, prepared = 0;
  int outcome = 0;
  for (size_t i = 0; i < count && !outcome; i++) {
    unsigned r = (unsigned)(i % out->count), w = (unsigned)(i % in->count);
    *failed = source;
    for (; read < count && read < i + out->count && !outcome; read++) {
      unsigned next = (unsigned)(read % out->count);
      const struct part part = part_at(&whole, read * size, size);
      outcome = send_to_host(p, from.device, out, &out->slots[next], &part, 1, &reads[next]);
      if (outcome) out->slots[next].suspect = true;
    }
    if (!outcome) outcome = finish_transfer(p, from.device, out, &out->slots[r], &reads[r]);
    if (outcome) break;
    *failed = target;
    for (; prepared < count && prepared < i + MAPPED_AHEAD && !outcome; prepared++) {
      unsigned next = (unsigned)(prepared % in->count);
      outcome = prepare_slot(p, in, &in->slots[next], &writes[next]);
      if (outcome) in->slots[next].suspect = true;
    }
    const struct part part = {to.memory, to.offset + i * size, part_at(&whole, i * size, size).bytes, out->slots[r].at};
    if (!outcome) outcome = fill(p, to.device, in, &in->slots[w], part, &writes[w]);
    if (outcome) in->slots[w].suspect = true;
  }
  for (unsigned i = 0; i < out->count; i++) finish_transfer(p, from.device, out, &out->slots[i], &reads[i]); // none may still write to the slots
  for (unsigned i = 0; i < in->count; i++) {
    int one = finish_transfer(p, to.device, in, &in->slots[i], &writes[i]);
    if (!one || outcome) continue;
    outcome = one;
    *failed = target;
  }
  return outcome;
}

int staging_across(struct hmm_pager *p, struct device_memory from, struct device_memory to, size_t bytes, unsigned *failed) {
  struct device *first = from.device < to.device ? from.device : to.device, *second = first == from.device ? to.device : from.device;
  empty_lane(p, first, &first->lanes[BULK]);
  empty_lane(p, second, &second->lanes[BULK]); // in order of devices, so that two who go opposite ways do not wait for each other
  int outcome = DEVICE_NOT_AVAILABLE;
  *failed = (unsigned)((from.device->lanes[BULK].dead ? from.device : to.device) - p->devices);
  if (!from.device->lanes[BULK].dead && !to.device->lanes[BULK].dead) outcome = across_slots(p, from, to, bytes, failed);
  pthread_mutex_unlock(&second->lanes[BULK].lock);
  pthread_mutex_unlock(&first->lanes[BULK].lock);
  return outcome;
}

void staging_close(struct hmm_pager *p, struct device *d) {
  for (int i = 0; i < LANES; i++) {
    struct lane *lane = &d->lanes[i];
    for (unsigned s = 0; s < lane->count && has_buffers(d) && !lane->dead && !atomic_load(&d->lost); s++) {
      struct transfer t = {0};
      int status = unmap_slot(p, lane, &lane->slots[s], &t);
      if (!status && t.count) dma_flush(p, lane->queue);
      finish_transfer(p, d, lane, &lane->slots[s], &t);
    }
    pthread_mutex_destroy(&lane->lock);
  }
}
