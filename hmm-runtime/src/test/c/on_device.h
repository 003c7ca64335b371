// on_device.h - kernels of devices that fault: the fake queue's thread, and others that a kernel starts, load and store in the device's own range of addresses.
#ifndef ON_DEVICE_H
#define ON_DEVICE_H

#include "heap.h"

// Of the device's loads and stores: the sanitizer of threads cannot see that the crew has them made after the page has come, and takes its time to be told so for each.
#define ON_DEVICE __attribute__((no_sanitize("thread")))

#define PAGES 400
#define THREADS 2
#define LEAST 66

struct device {
  struct heap *heap;
  unsigned index;
  unsigned char *range;
  struct launching launching, next;
  _Atomic bool go, running;
  uint64_t first, end, seed, sum, budget;
  int rounds;
  _Atomic int round;
  struct device *other;
};

// Null where kernels cannot fault: then that is said.
struct device *open_device_in(struct heap *heap, const struct shape *shape, uint64_t pages, uint64_t budget, struct device *d);
struct device *open_device_with(const struct shape *shape, uint64_t pages, uint64_t budget, struct device *d);
struct device *beside(const struct device *first, uint64_t budget, struct device *d); // the next device of its heap
uint64_t there(const struct device *d); // how many pages
uint64_t there_in(const struct device *d, uint64_t first, uint64_t end);
void close_device(struct device *d);    // with its heap
void free_range(struct device *d);      // of one beside it, after that

void start(struct device *d, void (*kernel)(void *), bool write);
bool finish(struct device *d, struct hmm_violation *violation); // whether an access of the kernel was refused
void run(struct device *d, void (*kernel)(void *), bool write); // and none is refused

static inline volatile uint32_t *on_device(struct device *d, uint64_t page, uint64_t word) { return (volatile uint32_t *)(uintptr_t)(d->range + page * PAGE) + word; }
static inline volatile uint32_t *on_host(struct device *d, uint64_t page, uint64_t word) { return (volatile uint32_t *)(uintptr_t)(d->heap->app + page * PAGE) + word; }
#define WORDS (PAGE / sizeof(uint32_t))

// Kernels, of all words of the pages from `first` to `end`.
void sum_all(void *device);
void add_three(void *device);
static inline uint32_t value(uint64_t page, uint64_t i) { return (uint32_t)(page * 1000003 + i * 17); } // that a word has before

// Whoever adds to the same few words of each page, at random: each goes to and fro, and nothing is lost. `rounds` times a one.
struct adding {
  struct device *device;
  volatile unsigned char *base; // of the pages: the device's or the program's
  uint64_t seed;
};
void *add_everywhere(void *adding); // a thread
void add_by_two(void *device);      // a kernel of two threads
uint64_t added(struct device *d);   // by all

#endif
