// system.h - system calls of the native part that fail as on other kernels. The linker hands its calls to system.c
// (`--wrap`).
#ifndef SYSTEM_H
#define SYSTEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum failing {
  NOTHING,
  WRITE_PROTECTED_MAPPINGS, // UFFDIO_CONTINUE_MODE_WP is not known, as before Linux 6.4
  MAPPINGS_AFTER_THE_FIRST, // a kernel that takes one back which it promised
  MAPPINGS_AND_CLOSING,     // what is mapped after the first, and taking that away again
  PROTECTING_A_SECOND_PAGE, // mprotect refuses in the middle of what it is to open
  OPENING_UNTIL_ALL_IS_CLOSED, // the same for want of mappings, also of a single page, until 16 pages are closed at once
  TOUCHES_BY_SIGNAL,        // UFFD_FEATURE_SIGBUS is not known
  WAKING,                   // nobody is ever woken
  READING_FAULTS,           // a descriptor that is good for nothing
};

void system_fails(enum failing what); // from now on
void when_refused(void (*then)(void *), void *with); // once, in the call that is going to fail, when it has done what it does
int ioctl_calls(void); // how many there were

// How Linux refuses a call that it may refuse at any time. Each way knows its own calls: those that never fail so are not counted.
enum refusal {
  BRIEFLY,       // EAGAIN or EINTR: the next try may do
  FOR_WANT,      // there is no memory, or no mapping more; of what the program has locked, dropping it
  IN_THE_MIDDLE, // the first page is done, and then there is no more
  REFUSALS
};
// From now on call number `first` is refused, counted from 1, and those that follow it up to so many; 0: none. To close all of `whole` bytes takes no mapping more, so that is never refused.
void refuse_calls(enum refusal how, int first, int times, size_t whole);
int refused_calls(void); // since then

// Where a thread stops until it may go.
struct stop {
  _Atomic bool here, go;
};
void stop_when_opening(struct stop *at); // the calling thread, when it next makes memory readable and writable

#endif
