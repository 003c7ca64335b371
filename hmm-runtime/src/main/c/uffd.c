// uffd.c - the trap that userfaultfd makes.
//
// `app` is registered for missing pages, for pages that have memory and no mapping (minor faults), and for write protection. A touch sleeps in the kernel until the range
// is woken, and is then made again: so an answer that came too late, twice, or to another question does no harm.
//
// `app` stays readable and writable as a whole: what a page allows is in how it is mapped there, so nothing that the program does splits the kernel's mapping. An error cannot be told
// to a thread here: for a moment the page is closed instead (answers.c), and the signal handler (signals.c) tells it.
//
// What maps and protects serves sigbus.c as well, whose touches do not sleep.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "answers.h"
#include "crew.h"
#include "device_fault.h"
#include "faulting.h"
#include "kernel_page.h"
#include "memory.h"
#include "pager.h"
#include "trap.h"
#include "uffd.h"

// Lifting a protection leaves it to the first store to each 4 KiB to find that out, by a fault within the kernel. Where
// pages come along since a stream will touch all of them, from so many bytes on, it is cheaper to map them anew.
#define MAP_ANEW_BYTES (256ULL << 10)

#ifndef UFFD_FEATURE_EXACT_ADDRESS // since Linux 5.18; older kernels refuse it
#define UFFD_FEATURE_EXACT_ADDRESS (1 << 11)
#endif
#ifndef UFFDIO_CONTINUE_MODE_WP // since Linux 6.4; older headers do not have it, older kernels refuse it
#define UFFDIO_CONTINUE_MODE_WP ((__u64)1 << 1)
#endif

static int open_descriptor(uint64_t rung) {
  bool user_mode = rung == HMM_UFFD_USER || rung == HMM_UFFD_SIGBUS;
  int fd;
  if (rung == HMM_UFFD_DEVICE) {
    int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
    if (device < 0) return -errno;
    fd = ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC);
    int error = errno;
    close(device);
    return fd < 0 ? -error : fd;
  }
  fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | (user_mode ? UFFD_USER_MODE_ONLY : 0));
  return fd < 0 ? -errno : fd;
}

static int shake_hands(int fd, uint64_t rung) {
  const uint64_t by_signal = rung == HMM_UFFD_SIGBUS ? UFFD_FEATURE_SIGBUS : 0;
  const uint64_t needed = by_signal | UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_THREAD_ID;
  struct uffdio_api exact = {.api = UFFD_API, .features = needed | UFFD_FEATURE_EXACT_ADDRESS}, api = {.api = UFFD_API, .features = needed};
  if (!ioctl(fd, UFFDIO_API, &exact)) return 0; // else the address of an access is that of its page
  return ioctl(fd, UFFDIO_API, &api) ? -errno : 0;
}

static int add_range(int fd, uint64_t start, uint64_t bytes, uint64_t mode) {
  struct uffdio_register r = {.range = {start, bytes}, .mode = mode};
  return ioctl(fd, UFFDIO_REGISTER, &r) ? -errno : 0;
}

int uffd_begin(struct hmm_pager *p) {
  size_t bytes = (size_t)(p->config.page_count << p->config.page_shift);
  int result = open_descriptor(p->config.rung);
  if (result < 0) return result;
  p->uffd.fd = result;
  if ((result = shake_hands(p->uffd.fd, p->config.rung))) goto out;
  if ((result = map_app(p, PROT_READ | PROT_WRITE))) goto unmap;
  result = add_range(p->uffd.fd, p->config.app, bytes, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR | UFFDIO_REGISTER_MODE_WP);
  if (!result) return 0;
unmap:
  unmap_app(p);
out:
  close(p->uffd.fd);
  return result;
}

static int uffd_open(struct hmm_pager *p) {
  int result = uffd_begin(p);
  if (result) return result;
  p->uffd.doorbell = mmap(NULL, KERNEL_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p->uffd.doorbell == MAP_FAILED) {
    result = -errno;
    goto out;
  }
  // It gets a page: nobody is there to answer whoever looks at all of the process (mlockall, a debugger).
  *(volatile char *)p->uffd.doorbell = 0;
  if (!(result = add_range(p->uffd.fd, (uint64_t)(uintptr_t)p->uffd.doorbell, KERNEL_PAGE, UFFDIO_REGISTER_MODE_MISSING))) return 0;
  munmap(p->uffd.doorbell, KERNEL_PAGE);
out:
  close(p->uffd.fd);
  unmap_app(p);
  return result;
}

static int uffd_close(struct hmm_pager *p) {
  close(p->uffd.fd); // lets everybody go who sleeps in a fault, the ringer too
  if (p->uffd.ringing) pthread_join(p->uffd.ringer, NULL);
  munmap(p->uffd.doorbell, KERNEL_PAGE);
  return unmap_app(p);
}

static void uffd_wake(struct hmm_pager *p, uint64_t first, uint64_t end) {
  struct uffdio_range r = {(uint64_t)(uintptr_t)app_of(p, first), (end - first) << p->config.page_shift};
  ioctl(p->uffd.fd, UFFDIO_WAKE, &r); // refuses only ranges that are not registered
  wake_devices(p, first, end);
}

// Nobody will hear of a touch any more, since somebody has closed our descriptor, say; and a touch that nobody hears of
// finds what was there before, or sleeps for ever. So all of the memory becomes that of a file without a page, where a
// touch is an error whatever the protection. Returns `reason`.
static int give_up(struct hmm_pager *p, int reason) {
  size_t bytes = (size_t)(p->config.page_count << p->config.page_shift);
  const struct timespec nap = {0, 10000000}; // out of descriptors or memory: there is no other way
  int empty, flags = MAP_SHARED | MAP_FIXED | MAP_NORESERVE;
  while ((empty = (int)syscall(SYS_memfd_create, "hmm-nothing", 1)) < 0) nanosleep(&nap, NULL);
  while (mmap(app_of(p, 0), bytes, PROT_NONE, flags, empty, 0) == MAP_FAILED) nanosleep(&nap, NULL);
  close(empty);
  uffd_wake(p, 0, p->config.page_count);
  return reason;
}

static struct fault of_device(struct faulting *f, const struct uffd_msg *m, uint64_t at, uint64_t read) {
  bool protected = m->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP;
  return (struct fault){.page = at >> f->p->config.page_shift, .write = protected || m->arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE, .mapped = protected,
                        .thread = m->arg.pagefault.feat.ptid, .device = f, .offset = (uint32_t)(at & (f->p->page_bytes - 1)), .read = read};
}

static int uffd_wait(struct hmm_pager *p, struct fault *faults, int capacity) {
  struct uffd_msg messages[FAULTS_AT_ONCE];
  uint64_t now = p->faulting.first ? tick(p) : 0;
  ssize_t got = read(p->uffd.fd, messages, sizeof *messages * (size_t)capacity);
  if (got <= 0) return got < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : give_up(p, got ? -errno : -EBADF);
  int n = 0;
  for (size_t i = 0; i < (size_t)got / sizeof *messages; i++) {
    uint64_t at;
    struct faulting *f = messages[i].event == UFFD_EVENT_PAGEFAULT ? device_at(p, messages[i].arg.pagefault.address, &at) : NULL;
    if (f) {
      faults[n++] = of_device(f, &messages[i], at, now);
      continue;
    }
    uint64_t offset = messages[i].arg.pagefault.address - p->config.app;
    if (messages[i].event != UFFD_EVENT_PAGEFAULT || offset >> p->config.page_shift >= p->config.page_count) continue; // the doorbell
    bool write = messages[i].arg.pagefault.flags & (UFFD_PAGEFAULT_FLAG_WRITE | UFFD_PAGEFAULT_FLAG_WP);
    faults[n++] = (struct fault){offset >> p->config.page_shift, write, messages[i].arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP,
                                messages[i].arg.pagefault.feat.ptid, NULL, NULL, 0, 0};
  }
  return n;
}

// Sleeps until the descriptor is closed.
static void *ring_main(void *doorbell) {
  (void)*(volatile char *)doorbell;
  return NULL;
}

static void uffd_ring(struct hmm_pager *p) {
  munlock(p->uffd.doorbell, KERNEL_PAGE); // after mlockall its page could not be dropped
  madvise(p->uffd.doorbell, KERNEL_PAGE, MADV_DONTNEED);
  p->uffd.ringing = !start_own_thread(&p->uffd.ringer, NULL, ring_main, p->uffd.doorbell);
}

static int lift_protection(struct hmm_pager *p, uint64_t start, uint64_t bytes) {
  struct uffdio_writeprotect w = {.range = {start, bytes}, .mode = UFFDIO_WRITEPROTECT_MODE_DONTWAKE};
  while (ioctl(p->uffd.fd, UFFDIO_WRITEPROTECT, &w)) {
    if (errno != EAGAIN) return -errno;
  }
  return 0;
}

// One call for as much as it does. Returns bytes mapped, or -errno for the first page.
static int64_t map_existing(struct hmm_pager *p, uint64_t start, uint64_t bytes, bool writable) {
  struct uffdio_continue c = {.range = {start, bytes}, .mode = UFFDIO_CONTINUE_MODE_DONTWAKE | (writable ? 0 : UFFDIO_CONTINUE_MODE_WP)};
  if (!ioctl(p->uffd.fd, UFFDIO_CONTINUE, &c)) return (int64_t)bytes;
  return c.mapped > 0 ? c.mapped : -errno;
}

static int64_t map_zeros(struct hmm_pager *p, uint64_t start, uint64_t bytes) {
  struct uffdio_zeropage z = {.range = {start, bytes}, .mode = UFFDIO_ZEROPAGE_MODE_DONTWAKE};
  if (!ioctl(p->uffd.fd, UFFDIO_ZEROPAGE, &z)) return (int64_t)bytes;
  return z.zeropage > 0 ? z.zeropage : errno == ENOMEM ? -ENOSPC : -errno; // the same as `back` says
}

// The pages of a range may have a mapping or none, each for itself; if they are `fresh`, memory or none as well, else
// they have it. Each call goes on until it meets another kind.
static int install_range(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable, bool fresh) {
  uint64_t at = (uint64_t)(uintptr_t)app_of(p, first), until = (uint64_t)(uintptr_t)app_of(p, end);
  uint64_t bytes = until - at;
  bool mapped_before = false;
  end_answers(p, first, end);
  while (at < until) {
    if (bytes > until - at) bytes = until - at;
    int64_t did = fresh ? map_zeros(p, at, bytes) : map_existing(p, at, bytes, writable);
    if (did == -EAGAIN) continue;
    if (did == -ENOENT && bytes > KERNEL_PAGE) { // the range spans several mappings: the program has locked a part of it
      bytes = KERNEL_PAGE;
      continue;
    }
    if (did == -EEXIST && fresh) did = map_existing(p, at, bytes, writable); // it has memory
    if (did == -EAGAIN) continue;
    if (did == -EEXIST) {
      mapped_before = true;
      did = (int64_t)KERNEL_PAGE;
    }
    if (did < 0) return (int)did;
    at += (uint64_t)did;
  }
  return mapped_before && writable ? lift_protection(p, (uint64_t)(uintptr_t)app_of(p, first), (end - first) << p->config.page_shift) : 0;
}

int uffd_install(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable) { return install_range(p, first, end, writable, false); }
int uffd_install_empty(struct hmm_pager *p, uint64_t first, uint64_t end) { return install_range(p, first, end, true, true); }

int uffd_forbid(struct hmm_pager *p, uint64_t first, uint64_t end, bool keep_reading) {
  if (!keep_reading) {
    end_answers(p, first, end);
    return unmap_pages(p, first, end);
  }
  // Linux notes the protection of each page, also of those that nobody has touched.
  for (struct page_range r = {first, first}; next_written(p, &r, end); r.first = r.end) {
    struct uffdio_range bytes = {(uint64_t)(uintptr_t)app_of(p, r.first), (r.end - r.first) << p->config.page_shift};
    struct uffdio_writeprotect w = {.range = bytes, .mode = UFFDIO_WRITEPROTECT_MODE_WP};
    while (ioctl(p->uffd.fd, UFFDIO_WRITEPROTECT, &w)) {
      if (errno != EAGAIN) return -errno;
    }
  }
  return 0;
}

int uffd_set_access(struct hmm_pager *p, uint64_t first, uint64_t end, int access) {
  int result = access == 2 ? 0 : uffd_forbid(p, first, end, access == 1); // what the words allow is mapped when it is touched
  end_answers(p, first, end);
  return result;
}

int uffd_may_pin(struct hmm_pager *p) {
  (void)p;
  return 0;
}

static bool uffd_touched(struct hmm_pager *p, struct touch touch, const void *signal_context) {
  (void)signal_context;
  return !hear_answer(p, touch.page, touch.write);
}

static void uffd_put_back(struct hmm_pager *p, const struct fault *f) { uffd_wake(p, f->page, f->page + 1); } // the touch is made again

static void uffd_answer(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged) {
  if (!result) return; // woken when its claim was settled
  give_answer(p, f, result, judged);
  uffd_wake(p, f->page, f->page + 1);
  promote(p); // and is idle next, so that the answer ends
}

int uffd_upgrade(struct hmm_pager *p, uint64_t first, uint64_t end) {
  uint64_t bytes = (end - first) << p->config.page_shift;
  // Whoever reads the pages meanwhile sleeps until their claims are settled. With the rungs for user mode a system call would fail, on pages that somebody may have pinned to be read.
  if (end - first > 1 && bytes >= MAP_ANEW_BYTES && (p->config.rung == HMM_UFFD_SYSCALL || p->config.rung == HMM_UFFD_DEVICE)) {
    int result = unmap_pages(p, first, end);
    return result ? result : uffd_install(p, first, end, true);
  }
  end_answers(p, first, end);
  return lift_protection(p, (uint64_t)(uintptr_t)app_of(p, first), bytes);
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
    .touched = uffd_touched,
    .range = &uffd_range,
    .signal = SIGSEGV,
    .waits_for_claims = false,
};
