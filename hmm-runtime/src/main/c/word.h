// word.h - the page word, as PageWord.java has it: one 64-bit encoding for Java and C. Drawing and rules are in the package page of the Java part.
#ifndef HMM_WORD_H
#define HMM_WORD_H

#include <stdbool.h>
#include <stdint.h>

enum state { EMPTY, HOST, SHARED, DEVICE, TO_DEVICE, TO_HOST, POISONED, UNMAPPED, PEERS };

#define DEVICE_SHIFT 4
#define SHARERS_SHIFT 8
#define SHARERS_MASK (0xffffULL << SHARERS_SHIFT)
#define WRITE_INTENT (1ULL << 24)
#define DENY_READ (1ULL << 25)
#define DENY_WRITE (1ULL << 26)
#define READ_PINS_SHIFT 27
#define WRITE_PINS_SHIFT 35
#define MAX_PINS 255ULL
#define MARKED_READ (1ULL << 43)
#define DOOMED MARKED_READ // of a TO_HOST claim: the kernel that it waits for has failed, so that what was on that device is worth nothing
#define VERSION_SHIFT 44
#define PLACE_MASK (0xffULL | SHARERS_MASK | WRITE_INTENT | MARKED_READ)

static inline enum state word_state(uint64_t w) { return (enum state)(w & 0xf); }
static inline unsigned word_device(uint64_t w) { return (unsigned)(w >> DEVICE_SHIFT) & 0xf; }
static inline unsigned word_sharers(uint64_t w) { return (unsigned)(w >> SHARERS_SHIFT) & 0xffff; }
static inline uint64_t word_pins(uint64_t w, bool write) { return (w >> (write ? WRITE_PINS_SHIFT : READ_PINS_SHIFT)) & MAX_PINS; }
static inline bool word_readable(uint64_t w) { return !(w & DENY_READ); }
static inline bool word_writable(uint64_t w) { return !(w & (DENY_READ | DENY_WRITE)); }
// Whether two pages are in the same place with the same protection.
static inline bool word_alike(uint64_t a, uint64_t b) {
  return word_state(a) == word_state(b) && word_device(a) == word_device(b) && word_writable(a) == word_writable(b) && word_readable(a) == word_readable(b);
}
// Whether a claimed page that was `before` is to end up poisoned.
static inline bool is_doomed(uint64_t w, uint64_t before) { return w & DOOMED && word_state(before) == DEVICE; }
static inline bool same_version(uint64_t a, uint64_t b) { return (a >> VERSION_SHIFT) == (b >> VERSION_SHIFT); }

// Whether the host's copy is not the page's contents, and some device's is.
static inline bool is_away(uint64_t w) { return word_state(w) == DEVICE || word_state(w) == PEERS; }
// The devices that have a page which is away.
static inline unsigned word_holders(uint64_t w) { return word_state(w) == DEVICE ? 1u << word_device(w) : word_sharers(w); }

static inline bool pinned_against(uint64_t w, bool device_writes) {
  return word_pins(w, true) || (device_writes && word_pins(w, false));
}

// Whether kernels of a device may start to use the page as it is.
static inline bool usable_on(uint64_t w, unsigned device, bool writes) {
  switch (word_state(w)) {
  case DEVICE: return word_device(w) == device && (writes ? word_writable(w) : word_readable(w));
  case SHARED:
  case PEERS:
  case TO_DEVICE: return !writes && (word_sharers(w) >> device & 1) && word_readable(w);
  default: return false;
  }
}

// What kernels of all devices may start to do with the page as it is: bit d for reading on device d, bit 16 + d for writing there.
static inline uint32_t word_rights(uint64_t w) {
  if (!word_readable(w) || pinned_against(w, false)) return 0;
  switch (word_state(w)) {
  case DEVICE: return 1U << word_device(w) | (word_writable(w) && !pinned_against(w, true) ? 1U << (16 + word_device(w)) : 0);
  case SHARED:
  case PEERS:
  case TO_DEVICE: return word_sharers(w);
  default: return 0;
  }
}

// Whether kernels may use the host's page where it is. Those that write need the host's copy to be the only one.
static inline bool usable_in_place(uint64_t w, bool writes) {
  switch (word_state(w)) {
  case HOST: return writes ? word_writable(w) : word_readable(w);
  case SHARED: return !writes && word_readable(w);
  default: return false;
  }
}

// The next word: pins and protection stay, the version rises.
static inline uint64_t word_next(uint64_t w, enum state s, unsigned device, unsigned sharers, uint64_t flags) {
  uint64_t place = (uint64_t)s | (uint64_t)device << DEVICE_SHIFT | (uint64_t)sharers << SHARERS_SHIFT | flags;
  return ((w & ~PLACE_MASK) | place) + (1ULL << VERSION_SHIFT);
}
static inline uint64_t word_claim(uint64_t w, bool exclusive) {
  return word_next(w, TO_HOST, word_device(w), word_sharers(w), exclusive ? WRITE_INTENT : 0);
}
static inline uint64_t word_shared(uint64_t w, unsigned sharers) {
  return sharers ? word_next(w, SHARED, 0, sharers, 0) : word_next(w, HOST, 0, 0, 0);
}
// The host has it no more: of one device it is its own.
static inline uint64_t word_peers(uint64_t w, unsigned holders) {
  bool one = !(holders & (holders - 1));
  return one ? word_next(w, DEVICE, (unsigned)__builtin_ctz(holders), 0, 0) : word_next(w, PEERS, 0, holders, 0);
}
static inline uint64_t word_pin(uint64_t w, bool write) { return w + (1ULL << (write ? WRITE_PINS_SHIFT : READ_PINS_SHIFT)); }
static inline uint64_t word_unpin(uint64_t w, bool write) { return w - (1ULL << (write ? WRITE_PINS_SHIFT : READ_PINS_SHIFT)); }

#endif
