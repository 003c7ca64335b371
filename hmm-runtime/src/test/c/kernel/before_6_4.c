// before_6_4.c - to be preloaded: a kernel that has userfaultfd but does not know UFFDIO_CONTINUE_MODE_WP, as Linux
// 5.19 to 6.3.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFDIO_CONTINUE_MODE_WP
#define UFFDIO_CONTINUE_MODE_WP ((__u64)1 << 1)
#endif

int ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  if (request == UFFDIO_CONTINUE && ((struct uffdio_continue *)argument)->mode & UFFDIO_CONTINUE_MODE_WP) {
    errno = EINVAL;
    return -1;
  }
  return (int)syscall(SYS_ioctl, fd, request, argument);
}
