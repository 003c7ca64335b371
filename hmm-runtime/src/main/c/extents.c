// extents.c - see extents.h
#include <stdatomic.h>
#include <stdbool.h>

#include "extents.h"

// An extent in 64 bits, the number of its first entry lowest. With SCATTERED only the count means something: how many entries are not 0.
#define START_SHIFT 32
#define COUNT_SHIFT 42
#define TEN_BITS 1023u // blocks have 512 entries at most
#define SCATTERED (1ULL << 63)

struct extent {
  int32_t number; // of the first entry
  uint32_t start, count;
};

static struct extent unpack(uint64_t bits) { return (struct extent){(int32_t)(uint32_t)bits, bits >> START_SHIFT & TEN_BITS, bits >> COUNT_SHIFT & TEN_BITS}; }

static uint64_t pack(int64_t number, uint32_t start, uint32_t count) {
  return count ? (uint32_t)number | (uint64_t)start << START_SHIFT | (uint64_t)count << COUNT_SHIFT : 0;
}

static int32_t at(const struct hmm_extents *t, struct extent e, uint32_t entry) {
  return entry - e.start < e.count ? e.number + (int32_t)((entry - e.start) * (uint32_t)t->step) : 0;
}

static uint32_t entry_of(const struct hmm_extents *t, uint64_t index) { return (uint32_t)(index & ((1ULL << t->block_shift) - 1)); }

int32_t extents_get(const struct hmm_extents *t, uint64_t index) {
  uint64_t bits = atomic_load_explicit(&TABLE(uint64_t, t->extents)[index >> t->block_shift], memory_order_acquire);
  if (bits & SCATTERED) return atomic_load_explicit(&TABLE(int32_t, t->entries)[index], memory_order_acquire);
  return at(t, unpack(bits), entry_of(t, index));
}

// What the extent becomes with this entry, if that is an extent.
static bool change(const struct hmm_extents *t, struct extent e, uint32_t entry, int32_t value, uint64_t *changed) {
  uint32_t end = e.start + e.count;
  int64_t step = (int64_t)t->step, number = e.number;
  if (at(t, e, entry) == value) *changed = pack(number, e.start, e.count);
  else if (!value && entry == end - 1) *changed = pack(number, e.start, e.count - 1);
  else if (!value && entry == e.start) *changed = pack(number + step, e.start + 1, e.count - 1);
  else if (value && !e.count) *changed = pack(value, entry, 1);
  else if (value && entry == end && value == number + step * e.count) *changed = pack(number, e.start, e.count + 1);
  else if (value && entry + 1 == e.start && value == number - step) *changed = pack(value, entry, e.count + 1);
  else return false;
  return true;
}

void extents_set(const struct hmm_extents *t, uint64_t index, int32_t value) {
  _Atomic uint64_t *extent = &TABLE(uint64_t, t->extents)[index >> t->block_shift];
  _Atomic int32_t *entries = &TABLE(int32_t, t->entries)[index - entry_of(t, index)];
  uint64_t bits = atomic_load(extent), changed;
  struct extent e = unpack(bits);
  if (!(bits & SCATTERED)) {
    if (change(t, e, entry_of(t, index), value, &changed)) {
      atomic_store(extent, changed);
      return;
    }
    for (uint32_t i = 0; i < 1u << t->block_shift; i++) atomic_store_explicit(&entries[i], at(t, e, i), memory_order_relaxed);
  }
  int32_t before = atomic_exchange(&entries[entry_of(t, index)], value);
  e.count += (value != 0) - (uint32_t)(before != 0);
  atomic_store(extent, e.count ? SCATTERED | pack(0, 0, e.count) : 0);
}
