// range_uffd.c - the range of a faulting device under userfaultfd (faulting.h).
//
// It is anonymous memory, registered for pages that are missing and for write protection. A page arrives by UFFDIO_COPY, which fills it before anybody sees it, and goes with MADV_DONTNEED.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "faulting.h"
#include "kernel_page.h"
#include "memory.h"
#include "trap.h"

// Of anonymous memory that is ours, Linux refuses this only where the program has locked it (mlockall); and where there is userfaultfd for minor faults, it can be dropped all the same.
static void uffd_drop(struct faulting *f, uint64_t first, uint64_t end) {
  size_t bytes = (size_t)((end - first) << f->p->config.page_shift);
  if (madvise(in_range(f, first), bytes, MADV_DONTNEED)) madvise(in_range(f, first), bytes, MADV_DONTNEED_LOCKED);
}

// All of it, or nothing. It is visible as it comes, so what goes again must not have been written to: `writable` is for what comes in one piece.
static int copy_in(struct faulting *f, uint64_t first, uint64_t end, const char *from, bool writable) {
  uint64_t done = 0, bytes = (end - first) << f->p->config.page_shift;
  while (done < bytes) {
    struct uffdio_copy c = {.dst = (uint64_t)(uintptr_t)in_range(f, first) + done, .src = (uint64_t)(uintptr_t)from + done, .len = bytes - done,
                            .mode = UFFDIO_COPY_MODE_DONTWAKE | (writable ? 0 : UFFDIO_COPY_MODE_WP)};
    if (!ioctl(f->p->uffd.fd, UFFDIO_COPY, &c)) return 0;
    if (c.copy > 0) done += (uint64_t)c.copy;
    else if (errno != EAGAIN) {
      int error = errno;
      uffd_drop(f, first, end);
      return -error;
    }
  }
  return 0;
}

static int protect(struct faulting *f, uint64_t first, uint64_t end, uint64_t mode) {
  struct uffdio_writeprotect w = {.range = {(uint64_t)(uintptr_t)in_range(f, first), (end - first) << f->p->config.page_shift}, .mode = mode};
  while (ioctl(f->p->uffd.fd, UFFDIO_WRITEPROTECT, &w)) {
    if (errno != EAGAIN) return -errno;
  }
  return 0;
}

static int uffd_protect(struct faulting *f, uint64_t first, uint64_t end) { return protect(f, first, end, UFFDIO_WRITEPROTECT_MODE_WP); }
static int uffd_lift(struct faulting *f, uint64_t first, uint64_t end) { return protect(f, first, end, UFFDIO_WRITEPROTECT_MODE_DONTWAKE); }

static int uffd_fill(struct faulting *f, uint64_t first, uint64_t end, const char *from, bool writable) {
  bool in_one_piece = (end - first) << f->p->config.page_shift == KERNEL_PAGE, at_once = writable && in_one_piece;
  int result = from ? copy_in(f, first, end, from, at_once) : 0;
  for (uint64_t page = first; page < end && !from && !result; page++) result = copy_in(f, page, page + 1, f->zeros, at_once);
  if (!result && writable && !at_once) uffd_lift(f, first, end); // if that is refused, who writes there faults once more
  return result;
}

static int uffd_show(struct faulting *f, uint64_t first, uint64_t end) {
  (void)f, (void)first, (void)end; // nothing is closed that is there
  return 0;
}

static void uffd_wake_range(struct faulting *f, uint64_t first, uint64_t end) {
  struct uffdio_range r = {(uint64_t)(uintptr_t)in_range(f, first), (end - first) << f->p->config.page_shift};
  ioctl(f->p->uffd.fd, UFFDIO_WAKE, &r); // refuses only ranges that are not registered
}

static bool uffd_allows(const struct faulting *f, const struct fault *fault, bool writable) {
  (void)f;
  return !fault->write || (writable && !fault->mapped);
}

static int uffd_open_range(struct faulting *f) {
  size_t bytes = range_bytes(f);
  void *zeros = mmap(NULL, (size_t)f->p->page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (zeros == MAP_FAILED) return -ENOMEM;
  f->zeros = zeros;
  munlock(f->range, bytes); // after mlockall(MCL_FUTURE) all pages would be there
  madvise(f->range, bytes, MADV_NOHUGEPAGE); // pages come and go by themselves; a kernel without huge pages refuses
  struct uffdio_register r = {.range = {(uint64_t)(uintptr_t)f->range, bytes}, .mode = UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP};
  const uint64_t needed = 1ULL << _UFFDIO_COPY | 1ULL << _UFFDIO_WRITEPROTECT | 1ULL << _UFFDIO_WAKE;
  int result = 0;
  // Whatever is there has been written by nobody. A child would have pages that nobody serves.
  if (madvise(f->range, bytes, MADV_DONTNEED) || madvise(f->range, bytes, MADV_DONTFORK) || ioctl(f->p->uffd.fd, UFFDIO_REGISTER, &r)) result = -errno;
  else if ((r.ioctls & needed) != needed) result = -ENOTSUP;
  if (result) munmap(zeros, (size_t)f->p->page_bytes);
  return result;
}

static void uffd_close_range(struct faulting *f) { munmap(f->zeros, (size_t)f->p->page_bytes); }

const struct range_trap uffd_range = {
    .open = uffd_open_range,
    .close = uffd_close_range,
    .fill = uffd_fill,
    .protect = uffd_protect,
    .lift = uffd_lift,
    .show = uffd_show,
    .drop = uffd_drop,
    .wake = uffd_wake_range,
    .allows = uffd_allows,
};
