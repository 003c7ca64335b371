// scarce.c - becomes a part of the native part for ScarceMemoryTest: there is host memory, or there is none, as the
// test says. Its calls stand before those of the C library.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POPULATE_WRITE 23

__attribute__((visibility("default"))) void shim_refuse(int on);

static _Atomic int refuse;

void shim_refuse(int on) { refuse = on; }

int fallocate(int fd, int mode, off_t offset, off_t bytes) {
  if (!mode && refuse) {
    errno = ENOMEM;
    return -1;
  }
  return (int)syscall(SYS_fallocate, fd, mode, offset, bytes);
}

int madvise(void *at, size_t bytes, int advice) {
  if (advice == POPULATE_WRITE && refuse) {
    errno = EFAULT;
    return -1;
  }
  return (int)syscall(SYS_madvise, at, bytes, advice);
}
