// range_sigsegv.c - the range of a faulting device under memory protection and a signal (faulting.h).
//
// The range is mapped anew, from a file in memory, and so is a second place for us: there a page is filled while nobody else can see it, and read whatever is mapped in the range. It goes by being closed, and
// then punched out of the file.
//
// A thread that stops in the signal handler is parked (requests.c) until those are woken who have touched its page, as threads are under userfaultfd. And as there is a bound for mappings (mappings.c), a page
// that is there may be closed all the same: it faults once more, and is opened again under a claim. What a thread was just given is not closed: an instruction may need all of it at once.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "faulting.h"
#include "mappings.h"
#include "requests.h"
#include "trap.h"

#ifndef MADV_POPULATE_WRITE // since Linux 5.14
#define MADV_POPULATE_WRITE 23
#endif

static bool is_held(const void *of, uint64_t page) {
  const struct faulting *f = of;
  return atomic_load_explicit(&f->pages[page].holds, memory_order_relaxed);
}

static off_t offset_of(const struct faulting *f, uint64_t page) { return (off_t)(page << f->p->config.page_shift); }

static void segv_drop(struct faulting *f, uint64_t first, uint64_t end) {
  shut_mapping(&f->mappings, first, end);
  while (fallocate(f->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset_of(f, first), offset_of(f, end - first)) && errno == EINTR) {}
}

// Or a touch of ours would be the end of the process.
static int give_memory(const struct faulting *f, uint64_t first, uint64_t end) {
  if (!madvise(contents(f, first), (size_t)offset_of(f, end - first), MADV_POPULATE_WRITE)) return 0;
  while (fallocate(f->memfd, 0, offset_of(f, first), offset_of(f, end - first))) {
    if (errno != EINTR) return -errno;
  }
  return 0;
}

static int segv_fill(struct faulting *f, uint64_t first, uint64_t end, const char *from, bool writable) {
  int result = give_memory(f, first, end);
  if (!result && from) memcpy(contents(f, first), from, (size_t)offset_of(f, end - first));
  bool at_once = writable && end == first + 1;
  if (!result) result = set_mapping(&f->mappings, first, end, at_once ? WRITABLE : READABLE);
  if (result) segv_drop(f, first, end);
  else if (writable && !at_once) set_mapping(&f->mappings, first, end, WRITABLE); // where that is refused half way some may have been written to: they stay, and who writes to the others faults once more
  return result;
}

static int segv_protect(struct faulting *f, uint64_t first, uint64_t end) { return lower_mapping(&f->mappings, first, end); }
static int segv_lift(struct faulting *f, uint64_t first, uint64_t end) { return set_mapping(&f->mappings, first, end, WRITABLE); }
static int segv_show(struct faulting *f, uint64_t first, uint64_t end) { return set_mapping(&f->mappings, first, end, READABLE); }
static void segv_wake_range(struct faulting *f, uint64_t first, uint64_t end) { wake_parked(f->p, f, first, end); }

static bool segv_allows(const struct faulting *f, const struct fault *fault, bool writable) {
  (void)writable;
  return is_mapped(&f->mappings, fault->page, fault->write ? WRITABLE : READABLE);
}

// Nobody may touch it yet.
static void *map_file(void *at, int memfd, size_t bytes) {
  void *memory = mmap(at, bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE | (at ? MAP_FIXED : 0), memfd, 0);
  if (memory == MAP_FAILED) return NULL;
  munlock(memory, bytes); // after mlockall(MCL_FUTURE) all pages would be there
  madvise(memory, bytes, MADV_DONTFORK); // a child would have pages that nobody serves
  return memory;
}

static void segv_close_range(struct faulting *f) {
  size_t bytes = range_bytes(f);
  end_mappings(&f->mappings);
  if (mmap(f->range, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED) mprotect(f->range, bytes, PROT_READ | PROT_WRITE);
  munmap(f->ours, bytes);
  close(f->memfd);
}

static int segv_open_range(struct faulting *f) {
  size_t bytes = range_bytes(f);
  int result = begin_mappings(&f->mappings, f->range, f->p->config.page_count, (unsigned)f->p->config.page_shift, is_held, f);
  if (result) return result;
  f->memfd = (int)syscall(SYS_memfd_create, "hmm-device", 1);
  char *ours = f->memfd >= 0 && !ftruncate(f->memfd, (off_t)bytes) ? map_file(NULL, f->memfd, bytes) : NULL;
  if (ours && !mprotect(ours, bytes, PROT_READ | PROT_WRITE) && map_file(f->range, f->memfd, bytes)) {
    f->ours = ours;
    return 0;
  }
  result = errno ? -errno : -ENOMEM;
  end_mappings(&f->mappings);
  if (ours) munmap(ours, bytes);
  if (f->memfd >= 0) close(f->memfd);
  return result;
}

const struct range_trap sigsegv_range = {
    .open = segv_open_range,
    .close = segv_close_range,
    .fill = segv_fill,
    .protect = segv_protect,
    .lift = segv_lift,
    .show = segv_show,
    .drop = segv_drop,
    .wake = segv_wake_range,
    .allows = segv_allows,
    .by_signal = true,
};
