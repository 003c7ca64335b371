// uffd.c - the trap that userfaultfd makes.
//
// `app` is registered for missing pages, for pages that have memory and no mapping (minor faults), and for write protection. A touch sleeps in the kernel until the range
// is woken, and is then made again: so an answer that came too late, twice, or to another question does no harm.
//
// `app` stays readable and writable as a whole: what a page allows is in how it is mapped there, so nothing that the program does splits the kernel's mapping. An error cannot be told
// to a thread here: for a moment the page is closed instead (answers.c), and the signal handler (sigsegv.c) tells it.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

#define KERNEL_PAGE 4096ULL

#ifndef UFFDIO_CONTINUE_MODE_WP // since Linux 6.4; older headers do not have it, older kernels refuse it
#define UFFDIO_CONTINUE_MODE_WP ((__u64)1 << 1)
#endif

static int open_descriptor(uint64_t rung) {
  int fd;
  if (rung == HMM_UFFD_DEVICE) {
    int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    if (device < 0) return -errno;
    fd = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC);
    int error = errno;
    close(device);
    return fd < 0 ? -error : fd;
  }
  fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | (rung == HMM_UFFD_USER ? UFFD_USER_MODE_ONLY : 0));
  return fd < 0 ? -errno : fd;
}

static int shake_hands(int fd) {
  struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM};
  return ioctl(fd, UFFDIO_API, &api) ? -errno : 0;
}

static int add_range(int fd, uint64_t start, uint64_t bytes, uint64_t mode) {
  struct uffdio_register r = {.range = {start, bytes}, .mode = mode};
  return ioctl(fd, UFFDIO_REGISTER, &r) ? -errno : 0;
}

static int uffd_open(struct hmm_pager *p) {
  size_t bytes = (size_t)(p->config.page_count << p->config.page_shift);
  char *app = app_of(p, 0);
  int result = open_descriptor(p->config.rung);
  if (result < 0) return result;
  p->uffd = result;
  if ((result = shake_hands(p->uffd))) goto out;
  p->doorbell = mmap(NULL, KERNEL_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p->doorbell == MAP_FAILED) {
    result = -errno;
    goto out;
  }
  if ((result = add_range(p->uffd, (uint64_t)(uintptr_t)p->doorbell, KERNEL_PAGE, UFFDIO_REGISTER_MODE_MISSING))) goto unmap;
  if (mmap(app, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_NORESERVE, (int)p->config.memfd, 0) == MAP_FAILED || madvise(app, bytes, MADV_DONTFORK)) {
    result = -errno;
    goto unmap;
  }
  result = add_range(p->uffd, p->config.app, bytes, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP);
  if (!result) return 0;
unmap:
  munmap(p->doorbell, KERNEL_PAGE);
out:
  close(p->uffd);
  return result;
}

static int uffd_close(struct hmm_pager *p) {
  close(p->uffd); // lets everybody go who sleeps in a fault, the ringer too
  if (p->ringing) pthread_join(p->ringer, NULL);
  munmap(p->doorbell, KERNEL_PAGE);
  return unmap_app(p);
}

static int uffd_wait(struct hmm_pager *p, struct fault *faults, int capacity) {
  struct uffd_msg messages[FAULTS_AT_ONCE];
  ssize_t got = read(p->uffd, messages, sizeof *messages * (size_t)capacity);
  if (got <= 0) return 0; // interrupted
  int n = 0;
  for (size_t i = 0; i < (size_t)got / sizeof *messages; i++) {
    uint64_t offset = messages[i].arg.pagefault.address - p->config.app;
    if (messages[i].event != UFFD_EVENT_PAGEFAULT || offset >> p->config.page_shift >= p->config.page_count) continue; // the doorbell
    bool write = messages[i].arg.pagefault.flags & (UFFD_PAGEFAULT_FLAG_WRITE | UFFD_PAGEFAULT_FLAG_WP);
    faults[n++] = (struct fault){offset >> p->config.page_shift, write, messages[i].arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP, NULL};
  }
  return n;
}

// Sleeps until the descriptor is closed.
static void *ring_main(void *doorbell) {
  (void)*(volatile char *)doorbell;
  return NULL;
}

static void uffd_ring(struct hmm_pager *p) { p->ringing = !pthread_create(&p->ringer, NULL, ring_main, p->doorbell); }

static void uffd_wake(struct hmm_pager *p, uint64_t first, uint64_t end) {
  struct uffdio_range r = {(uint64_t)(uintptr_t)app_of(p, first), (end - first) << p->config.page_shift};
  ioctl(p->uffd, UFFDIO_WAKE, &r); // refuses only ranges that are not registered
}

static int lift_protection(struct hmm_pager *p, uint64_t start, uint64_t bytes) {
  struct uffdio_writeprotect w = {.range = {start, bytes}, .mode = UFFDIO_WRITEPROTECT_MODE_DONTWAKE};
  while (ioctl(p->uffd, UFFDIO_WRITEPROTECT, &w)) {
    if (errno != EAGAIN) return -errno;
  }
  return 0;
}

// One call for as much as it does. Returns bytes mapped, or -errno for the first page.
static int64_t map_existing(struct hmm_pager *p, uint64_t start, uint64_t bytes, bool writable) {
  struct uffdio_continue c = {.range = {start, bytes}, .mode = UFFDIO_CONTINUE_MODE_DONTWAKE | (writable ? 0 : UFFDIO_CONTINUE_MODE_WP)};
  if (!ioctl(p->uffd, UFFDIO_CONTINUE, &c)) return (int64_t)bytes;
  return c.mapped > 0 ? c.mapped : -errno;
}

static int64_t map_zeros(struct hmm_pager *p, uint64_t start, uint64_t bytes) {
  struct uffdio_zeropage z = {.range = {start, bytes}, .mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE};
  if (!ioctl(p->uffd, UFFDIO_ZEROPAGE, &z)) return (int64_t)bytes;
  return z.zeropage > 0 ? z.zeropage : -errno;
}

// A page without memory that is to be mapped for reading only: what UFFDIO_ZEROPAGE maps can be written to. Reading through the alias gives it memory.
static int64_t map_hole(struct hmm_pager *p, uint64_t start) {
  (void)__atomic_load_n((const char *)(uintptr_t)(p->config.alias + (start - p->config.app)), __ATOMIC_RELAXED);
  return map_existing(p, start, KERNEL_PAGE, false);
}

// The pages of a range may have memory or none, and a mapping or none, each for itself. Each call goes on until it meets another kind; `fresh` says which kind to expect.
static int install_range(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable, bool fresh) {
  uint64_t at = (uint64_t)(uintptr_t)app_of(p, first), until = (uint64_t)(uintptr_t)app_of(p, end);
  bool mapped_before = false;
  end_answers(p, first, end);
  while (at < until) {
    int64_t did = fresh ? map_zeros(p, at, until - at) : map_existing(p, at, until - at, writable);
    if (did == -EAGAIN) continue;
    if (did < 0 && fresh) did = map_existing(p, at, until - at, writable);                                           // it has memory
    else if (did == -EFAULT) did = writable ? map_zeros(p, at, until - at) : map_hole(p, at);                       // it has none
    if (did == -EAGAIN) continue;
    if (did == -EEXIST) {
      mapped_before = true;
      did = KERNEL_PAGE;
    }
    if (did < 0) return (int)did;
    at += (uint64_t)did;
  }
  return mapped_before && writable ? lift_protection(p, (uint64_t)(uintptr_t)app_of(p, first), (end - first) << p->config.page_shift) : 0;
}

static int uffd_install(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable) { return install_range(p, first, end, writable, false); }
static int uffd_install_empty(struct hmm_pager *p, uint64_t first, uint64_t end) { return install_range(p, first, end, true, true); }

static int uffd_forbid(struct hmm_pager *p, uint64_t first, uint64_t end, bool keep_reading) {
  size_t bytes = (size_t)((end - first) << p->config.page_shift);
  if (!keep_reading) end_answers(p, first, end);
  if (!keep_reading) return madvise(app_of(p, first), bytes, MADV_DONTNEED) ? -errno : 0; // the memory is shared: only the mapping goes
  struct uffdio_writeprotect w = {.range = {(uint64_t)(uintptr_t)app_of(p, first), bytes}, .mode = UFFDIO_WRITEPROTECT_MODE_WP};
  while (ioctl(p->uffd, UFFDIO_WRITEPROTECT, &w)) {
    if (errno != EAGAIN) return -errno;
  }
  return 0;
}

static int uffd_set_access(struct hmm_pager *p, uint64_t first, uint64_t end, int access) {
  int result = access == 2 ? 0 : uffd_forbid(p, first, end, access == 1); // what the words allow is mapped when it is touched
  end_answers(p, first, end);
  return result;
}

static int uffd_may_pin(struct hmm_pager *p) {
  (void)p;
  return 0;
}

static void uffd_put_back(struct hmm_pager *p, const struct fault *f) { uffd_wake(p, f->page, f->page + 1); } // the touch is made again

static void uffd_answer(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged) {
  if (!result) return; // woken when its claim was settled
  give_answer(p, f, result, judged);
  uffd_wake(p, f->page, f->page + 1);
  promote(p); // and is idle next, so that the answer ends
}

static int uffd_upgrade(struct hmm_pager *p, uint64_t first, uint64_t end) {
  end_answers(p, first, end);
  return lift_protection(p, (uint64_t)(uintptr_t)app_of(p, first), (end - first) << p->config.page_shift);
}

const struct trap uffd_trap = {
    .open = uffd_open,
    .close = uffd_close,
    .wait = uffd_wait,
    .ring = uffd_ring,
    .install = uffd_install,
    .upgrade = uffd_upgrade,
    .install_empty = uffd_install_empty,
    .forbid = uffd_forbid,
    .set_access = uffd_set_access,
    .may_pin = uffd_may_pin,
    .wake = uffd_wake,
    .put_back = uffd_put_back,
    .answer = uffd_answer,
    .waits_for_claims = false,
};
