// system.c - see system.h.
#define _GNU_SOURCE
#include "system.h"

#include <errno.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef UFFDIO_CONTINUE_MODE_WP
#define UFFDIO_CONTINUE_MODE_WP ((__u64)1 << 1)
#endif

static _Atomic enum failing failing;
static _Atomic int mappings, ioctls;
static _Thread_local struct stop *opening;

void system_fails(enum failing what) {
  mappings = 0;
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

// What the linker makes of calls of these names.
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __wrap_read(int fd, void *to, size_t bytes);
int __wrap_mprotect(void *at, size_t bytes, int protection);

int __wrap_ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  ioctls++;
  enum failing now = failing;
  bool protects = request == UFFDIO_CONTINUE && ((struct uffdio_continue *)argument)->mode & UFFDIO_CONTINUE_MODE_WP;
  if (now == WRITE_PROTECTED_MAPPINGS && protects) return refuse(EINVAL);
  if (now == MAPPINGS_AFTER_THE_FIRST && request == UFFDIO_CONTINUE && mappings++) return refuse(EINVAL);
  if (now == TOUCHES_BY_SIGNAL && request == UFFDIO_API && ((struct uffdio_api *)argument)->features & UFFD_FEATURE_SIGBUS) return refuse(EINVAL);
  if (now == WAKING && request == UFFDIO_WAKE) return 0;
  return (int)syscall(SYS_ioctl, fd, request, argument);
}

ssize_t __wrap_read(int fd, void *to, size_t bytes) {
  if (failing == READING_FAULTS) return refuse(EIO);
  return syscall(SYS_read, fd, to, bytes);
}

int __wrap_mprotect(void *at, size_t bytes, int protection) {
  struct stop *stop = opening;
  if (stop && protection == (PROT_READ | PROT_WRITE)) {
    opening = NULL;
    stop->here = true;
    while (!stop->go) sched_yield();
  }
  const size_t page = 4096;
  enum failing now = failing;
  bool opens = protection != PROT_NONE, in_the_middle = bytes > page;
  if (now == OPENING_UNTIL_ALL_IS_CLOSED && !opens && bytes >= 16 * page) system_fails(NOTHING);
  if (opens && (now == OPENING_UNTIL_ALL_IS_CLOSED || (now == PROTECTING_A_SECOND_PAGE && in_the_middle))) {
    if (in_the_middle) syscall(SYS_mprotect, at, page, protection);
    return refuse(now == PROTECTING_A_SECOND_PAGE ? EINVAL : ENOMEM);
  }
  return (int)syscall(SYS_mprotect, at, bytes, protection);
}
