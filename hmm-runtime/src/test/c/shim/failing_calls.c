// failing_calls.c - preloaded into a JVM: lets one of the system calls fail that the native part makes on a heap's addresses, whichever thread makes it.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static _Atomic bool armed;
static _Atomic int64_t left, seen;
static _Atomic uint64_t start, length;

// From now on calls in the range are counted, and number `nth` fails.
void failing_calls_arm(uint64_t range_start, uint64_t range_length, int64_t nth);
void failing_calls_arm(uint64_t range_start, uint64_t range_length, int64_t nth) {
  start = range_start;
  length = range_length;
  left = nth;
  seen = 0;
  armed = true;
}

// Nothing fails any more. Returns how many calls there were.
int64_t failing_calls_disarm(void);
int64_t failing_calls_disarm(void) {
  armed = false;
  return seen;
}

static bool fails(uint64_t address) {
  if (!armed || address - start >= length) return false;
  atomic_fetch_add(&seen, 1);
  if (atomic_fetch_sub(&left, 1) != 1) return false;
  errno = ENOMEM;
  return true;
}

int mprotect(void *address, size_t bytes, int protection) {
  return fails((uint64_t)(uintptr_t)address) ? -1 : (int)syscall(SYS_mprotect, address, bytes, protection);
}

int madvise(void *address, size_t bytes, int advice) {
  return fails((uint64_t)(uintptr_t)address) ? -1 : (int)syscall(SYS_madvise, address, bytes, advice);
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  return fails((uint64_t)(uintptr_t)address) ? (void *)-1 : (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset);
}

int fallocate(int fd, int mode, off_t offset, off_t bytes) {
  return fails(start) ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
}

// Those of userfaultfd that change mappings; each begins with the address. Waking cannot fail.
static bool is_mapping(unsigned long request) {
  return request == (unsigned long)UFFDIO_CONTINUE || request == (unsigned long)UFFDIO_ZEROPAGE || request == (unsigned long)UFFDIO_WRITEPROTECT;
}

int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return is_mapping(request) && fails(*(const uint64_t *)argument) ? -1 : (int)syscall(SYS_ioctl, fd, request, argument);
}
