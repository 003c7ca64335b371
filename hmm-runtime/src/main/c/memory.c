// memory.c - the host memory behind pages: mapped for the program, given before it is touched, and given back.
//
// A touch of a file's page that gets no memory (a full file system, a strict limit of the system) is a SIGBUS, which
// ends the process if it meets the crew or a driver. So whatever reads or writes through the alias asks here first, and
// has an error to tell: -ENOSPC, also where Linux says ENOMEM, which elsewhere means a limit of mappings.
//
// Asking the kernel costs as much as copying a page. `backed` remembers the answers, in a table that HostMemory.java
// has as well. A page that is not backed may have memory all the same: one that a touch filled through `app` is asked
// for once.
//
// Memory that a driver has allocated, for checked access, is no file: it is there from the start, and nothing gives it back; what is
// given back here is written with zeros.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"
#include "pager.h"

#ifndef MADV_POPULATE_WRITE // since Linux 5.14
#define MADV_POPULATE_WRITE 23
#endif

// Where in the file the memory of a page is. Pages that follow each other do so there, and where they are mapped.
static off_t slot_of(const struct hmm_pager *p, uint64_t page) { return (off_t)(page << p->config.page_shift); }

static bool is_file(const struct hmm_pager *p) { return (int)p->config.memfd >= 0; }

static int allocate(const struct hmm_pager *p, uint64_t first, uint64_t end) {
  uint64_t bytes = (end - first) << p->config.page_shift;
  if (!is_file(p)) return 0;
  // mapped as well: what is copied there does not fault
  if (!madvise(alias_of(p, first), (size_t)bytes, MADV_POPULATE_WRITE)) return 0;
  // on an old system; and to hear why
  while (fallocate((int)p->config.memfd, 0, slot_of(p, first), (off_t)bytes)) {
    if (errno != EINTR) return errno == ENOMEM ? -ENOSPC : -errno;
  }
  return 0;
}

int give(const struct hmm_pager *p, uint64_t first, uint64_t end) {
  for (uint64_t at = first; at < end; at++) {
    if (is_backed(p, at)) continue;
    uint64_t from = at;
    while (at < end && !is_backed(p, at)) at++;
    int result = allocate(p, from, at);
    if (result) return result;
  }
  return 0;
}

// The bits of some pages at once. Those beside them are others', who may change theirs meanwhile.
static void set_backed(struct hmm_pager *p, uint64_t first, uint64_t end, bool backed) {
  for (uint64_t page = first, next; page < end; page = next) {
    next = page / 64 * 64 + 64 < end ? page / 64 * 64 + 64 : end;
    uint64_t bits = ~0ULL >> (64 - (next - page)) << page % 64;
    if (backed) atomic_fetch_or_explicit(&p->backed[page / 64], bits, memory_order_relaxed);
    else atomic_fetch_and_explicit(&p->backed[page / 64], ~bits, memory_order_relaxed);
  }
}

void note_backed(struct hmm_pager *p, uint64_t first, uint64_t end) { set_backed(p, first, end, true); }

int back(struct hmm_pager *p, uint64_t first, uint64_t end) {
  int result = give(p, first, end);
  if (!result) note_backed(p, first, end);
  return result;
}

bool has_memory(const struct hmm_pager *p, uint64_t page) {
  if (!is_file(p)) return true;
  off_t start = slot_of(p, page), data = lseek((int)p->config.memfd, start, SEEK_DATA);
  return data >= 0 && data < start + (off_t)p->page_bytes;
}

int punch(struct hmm_pager *p, uint64_t first, uint64_t end) {
  int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  set_backed(p, first, end, false);
  off_t bytes = (off_t)((end - first) << p->config.page_shift);
  if (!is_file(p)) {
    memset(alias_of(p, first), 0, (size_t)bytes);
    return 0;
  }
  while (fallocate((int)p->config.memfd, mode, slot_of(p, first), bytes)) {
    if (errno != EINTR) return -errno;
  }
  return 0;
}

int map_app(struct hmm_pager *p, int protection) {
  size_t bytes = (size_t)(p->config.page_count << p->config.page_shift);
  char *app = app_of(p, 0);
  int flags = MAP_SHARED | MAP_FIXED | MAP_NORESERVE;
  if (mmap(app, bytes, PROT_NONE, flags, (int)p->config.memfd, slot_of(p, 0)) == MAP_FAILED) return -errno;
  munlock(app, bytes); // after mlockall(MCL_FUTURE) all pages would come with their permission, and no touch be noticed
  return mprotect(app, bytes, protection) || madvise(app, bytes, MADV_DONTFORK) ? -errno : 0;
}

int unmap_app(struct hmm_pager *p) {
  size_t bytes = (size_t)(p->config.page_count << p->config.page_shift);
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  if (mmap(app_of(p, 0), bytes, PROT_NONE, flags, -1, 0) != MAP_FAILED) return 0;
  int error = errno;
  return mprotect(app_of(p, 0), bytes, PROT_NONE) ? -error : 0;
}

int unmap_pages(struct hmm_pager *p, uint64_t first, uint64_t end) {
  char *app = app_of(p, first);
  size_t bytes = (size_t)((end - first) << p->config.page_shift);
  if (!madvise(app, bytes, MADV_DONTNEED)) return 0;
  if (errno != EINVAL) return -errno;
  // the program has locked it; it is home again with the next touch
  return madvise(app, bytes, MADV_DONTNEED_LOCKED) ? -errno : 0;
}
