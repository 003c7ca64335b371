// poison.c - fresh device memory: full of a pattern that is nobody's data, and costing nothing before it is written to.
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gpu.h"

#define POISON_BYTES (4UL << 20) // of the file that fresh memory is mapped from
#define FREED 64                 // ranges that stay readable after they were freed
#define SMALL_BYTES (16UL << 20) // has its memory at once
#define PAGE 4096UL

static int poison_file = -1;
static struct range {
  char *first;
  size_t bytes;
} freed[FREED];
static unsigned freed_turn;
static pthread_mutex_t freed_lock = PTHREAD_MUTEX_INITIALIZER;

int new_file(size_t bytes) {
  int file = (int)syscall(SYS_memfd_create, "hmm-emulated-gpu", 1u); // MFD_CLOEXEC
  if (file >= 0 && ftruncate(file, (off_t)bytes)) {
    close(file);
    return -1;
  }
  return file;
}

static void make_poison(void) {
  int file = new_file(POISON_BYTES);
  if (file < 0) return;
  char *all = mmap(NULL, POISON_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (all == MAP_FAILED) return;
  memset(all, POISON, POISON_BYTES);
  munmap(all, POISON_BYTES);
  poison_file = file;
}

static size_t whole_pages(size_t bytes) { return (bytes + PAGE - 1) & ~(PAGE - 1); }

// The same file over and over, each page copied when it is first written to: 16 GiB of it cost what is used of them.
static bool map_poison(char *first, size_t room) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_poison);
  if (poison_file < 0) return false;
  for (size_t at = 0; at < room; at += POISON_BYTES) {
    size_t n = room - at < POISON_BYTES ? room - at : POISON_BYTES;
    int flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE;
    if (mmap(first + at, n, PROT_READ | PROT_WRITE, flags, poison_file, 0) == MAP_FAILED) return false;
  }
  return true;
}

char *poisoned_memory(size_t bytes) {
  size_t room = whole_pages(bytes);
  char *first = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (first == MAP_FAILED) return NULL;
  if (room <= SMALL_BYTES) { // the faults of copied pages would cost more than the memory
    memset(first, POISON, room);
    return first;
  }
  if (map_poison(first, room)) return first;
  munmap(first, room);
  return NULL;
}

// Kernels that still follow pointers into freed memory find poison there for a while, and then nothing.
void free_poisoned(char *first, size_t room) {
  if (!map_poison(first, room)) { // what was written is gone
    munmap(first, room);
    return;
  }
  pthread_mutex_lock(&freed_lock);
  struct range oldest = freed[freed_turn % FREED];
  freed[freed_turn++ % FREED] = (struct range){first, room};
  pthread_mutex_unlock(&freed_lock);
  if (oldest.first) munmap(oldest.first, oldest.bytes);
}

void populate(char *first, size_t bytes) {
  if (options.to_device > 0 || options.to_host > 0)
    madvise(first, bytes, 23); // MADV_POPULATE_WRITE: an older kernel makes it later
}
