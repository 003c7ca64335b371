// system.c - see system.h.
#define _GNU_SOURCE
#include "system.h"

#include <errno.h>
#include <linux/falloc.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED // since Linux 5.18
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef UFFDIO_CONTINUE_MODE_WP
#define UFFDIO_CONTINUE_MODE_WP ((__u64)1 << 1)
#endif

static _Atomic enum failing failing;
static _Atomic int mappings, ioctls;
static void *_Atomic first_mapped;
static _Thread_local struct stop *opening;

void system_fails(enum failing what) {
  mappings = 0;
  first_mapped = NULL;
  failing = what;
}

int ioctl_calls(void) { return ioctls; }

void stop_when_opening(struct stop *at) { opening = at; }

static void (*refused)(void *);
static void *refused_with;

void when_refused(void (*then)(void *), void *with) {
  refused = then;
  refused_with = with;
}

static int refuse(int error) {
  void (*then)(void *) = refused;
  refused = NULL;
  if (then) then(refused_with);
  errno = error;
  return -1;
}

#define ONE_PAGE ((size_t)4096)

static _Atomic int way, first_refused, refused_times, seen, done_so;
static _Atomic size_t whole_bytes;

void refuse_calls(enum refusal how, int first, int times, size_t whole) {
  first_refused = 0;
  seen = done_so = 0;
  way = (int)how;
  refused_times = times;
  whole_bytes = whole;
  first_refused = first;
}

int refused_calls(void) { return done_so; }

// Whether this call is, which can fail so.
static bool is_refused(void) {
  int first = first_refused, n = first ? ++seen : 0;
  bool is = n && n >= first && n < first + refused_times;
  done_so += is;
  return is;
}

static int failed(int error) {
  errno = error;
  return -1;
}

static bool refuses(enum refusal how) { return first_refused && way == (int)how; }

// What the linker makes of calls of these names.
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __wrap_read(int fd, void *to, size_t bytes);
int __wrap_mprotect(void *at, size_t bytes, int protection);
int __wrap_madvise(void *at, size_t bytes, int advice);
int __wrap_fallocate(int fd, int mode, off_t offset, off_t bytes);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_madvise(void *at, size_t bytes, int advice); // scarce_test.c has its own
int __real_fallocate(int fd, int mode, off_t offset, off_t bytes);
void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);

static long long *done_by(unsigned long request, void *argument) {
  switch (request) {
  case UFFDIO_COPY: return &((struct uffdio_copy *)argument)->copy;
  case UFFDIO_ZEROPAGE: return &((struct uffdio_zeropage *)argument)->zeropage;
  default: return &((struct uffdio_continue *)argument)->mapped;
  }
}

static __u64 *bytes_of(unsigned long request, void *argument) {
  switch (request) {
  case UFFDIO_COPY: return &((struct uffdio_copy *)argument)->len;
  case UFFDIO_WRITEPROTECT: return &((struct uffdio_writeprotect *)argument)->range.len;
  case UFFDIO_ZEROPAGE: return &((struct uffdio_zeropage *)argument)->range.len;
  default: return &((struct uffdio_continue *)argument)->range.len;
  }
}

// As userfaultfd does it: a call that has done a part says how much, and EAGAIN; one that has done nothing says why. UFFDIO_WRITEPROTECT says nothing of what it has done.
static int refuse_ioctl(int fd, unsigned long request, void *argument) {
  bool protects = request == UFFDIO_WRITEPROTECT;
  int error = refuses(BRIEFLY) ? EAGAIN : ENOMEM;
  if (request == UFFDIO_REGISTER) return failed(error);
  __u64 *bytes = bytes_of(request, argument), all = *bytes;
  if (refuses(IN_THE_MIDDLE) && all > ONE_PAGE) {
    *bytes = ONE_PAGE;
    int result = (int)syscall(SYS_ioctl, fd, request, argument);
    *bytes = all;
    return result ? result : failed(protects ? ENOMEM : EAGAIN);
  }
  if (!protects) *done_by(request, argument) = -error;
  return failed(error);
}

static bool may_be_refused(unsigned long request) {
  return request == UFFDIO_COPY || request == UFFDIO_WRITEPROTECT || request == UFFDIO_ZEROPAGE || request == UFFDIO_CONTINUE || (request == UFFDIO_REGISTER && refuses(FOR_WANT));
}

int __wrap_ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  ioctls++;
  enum failing now = failing;
  bool protects = request == UFFDIO_CONTINUE && ((struct uffdio_continue *)argument)->mode & UFFDIO_CONTINUE_MODE_WP;
  if (now == WRITE_PROTECTED_MAPPINGS && protects) return refuse(EINVAL);
  if ((now == MAPPINGS_AFTER_THE_FIRST || now == MAPPINGS_AND_CLOSING) && request == UFFDIO_CONTINUE && mappings++) return refuse(EINVAL);
  if (now == TOUCHES_BY_SIGNAL && request == UFFDIO_API && ((struct uffdio_api *)argument)->features & UFFD_FEATURE_SIGBUS) return refuse(EINVAL);
  if (now == WAKING && request == UFFDIO_WAKE) return 0;
  if (may_be_refused(request) && is_refused()) return refuse_ioctl(fd, request, argument);
  return (int)syscall(SYS_ioctl, fd, request, argument);
}

ssize_t __wrap_read(int fd, void *to, size_t bytes) {
  if (failing == READING_FAULTS) return refuse(EIO);
  if (refuses(BRIEFLY) && is_refused()) return failed(EINTR);
  return syscall(SYS_read, fd, to, bytes);
}

int __wrap_mprotect(void *at, size_t bytes, int protection) {
  struct stop *stop = opening;
  if (stop && protection == (PROT_READ | PROT_WRITE)) {
    opening = NULL;
    stop->here = true;
    while (!stop->go) sched_yield();
  }
  const size_t page = ONE_PAGE;
  enum failing now = failing;
  bool opens = protection != PROT_NONE, in_the_middle = bytes > page;
  if (now == OPENING_UNTIL_ALL_IS_CLOSED && !opens && bytes >= 16 * page) system_fails(NOTHING);
  if (opens && (now == OPENING_UNTIL_ALL_IS_CLOSED || (now == PROTECTING_A_SECOND_PAGE && in_the_middle))) {
    if (in_the_middle) syscall(SYS_mprotect, at, page, protection);
    return refuse(now == PROTECTING_A_SECOND_PAGE ? EINVAL : ENOMEM);
  }
  if (now == MAPPINGS_AND_CLOSING) { // what was mapped first may be mapped so again, and all may be closed
    void *none = NULL;
    bool again = opens && (atomic_compare_exchange_strong(&first_mapped, &none, at) || none == at);
    if (!again && bytes < 16 * page) return refuse(ENOMEM);
  }
  if (!refuses(BRIEFLY) && (opens || bytes != whole_bytes) && is_refused()) {
    bool all_or_nothing = protection == (PROT_READ | PROT_WRITE); // what is opened was all closed, or all protected: one mapping
    if (refuses(IN_THE_MIDDLE) && in_the_middle && !all_or_nothing) syscall(SYS_mprotect, at, page, protection);
    return failed(ENOMEM);
  }
  return (int)syscall(SYS_mprotect, at, bytes, protection);
}

int __wrap_madvise(void *at, size_t bytes, int advice) {
  bool locked = advice == MADV_DONTNEED && refuses(FOR_WANT), populates = advice == MADV_POPULATE_WRITE && !refuses(BRIEFLY), alone = advice == MADV_DONTFORK && refuses(FOR_WANT);
  if (failing == MAPPINGS_AND_CLOSING && mappings && (advice == MADV_DONTNEED || advice == MADV_DONTNEED_LOCKED)) return refuse(EINVAL);
  if ((locked || populates || alone) && is_refused()) {
    if (refuses(IN_THE_MIDDLE) && bytes > ONE_PAGE) syscall(SYS_madvise, at, ONE_PAGE, advice);
    return failed(locked ? EINVAL : ENOMEM);
  }
  return __real_madvise(at, bytes, advice);
}

// A hole is made in any file in memory, but for a signal that comes in between.
int __wrap_fallocate(int fd, int mode, off_t offset, off_t bytes) {
  bool punches = mode & FALLOC_FL_PUNCH_HOLE;
  if ((refuses(BRIEFLY) || !punches) && is_refused()) {
    if (refuses(IN_THE_MIDDLE) && bytes > (off_t)ONE_PAGE) syscall(SYS_fallocate, fd, mode, offset, (off_t)ONE_PAGE);
    return failed(refuses(BRIEFLY) ? EINTR : ENOSPC);
  }
  return __real_fallocate(fd, mode, offset, bytes);
}

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset) {
  if (refuses(FOR_WANT) && is_refused()) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return __real_mmap(at, bytes, protection, flags, fd, offset);
}
