// trap.h - how a touch is noticed and how mappings change: what a trap does (uffd.c, sigsegv.c, sigbus.c, checked.c), and what it tells of a touch.
#ifndef HMM_TRAP_H
#define HMM_TRAP_H

#include <stdbool.h>
#include <stdint.h>

#define FAULTS_AT_ONCE 16

struct hmm_pager;
struct faulting;

struct touch { // as a signal tells it
  struct faulting *device; // as of a fault
  uint32_t offset;
  uint64_t page;
  bool write;
  bool mapped; // the page is mapped, and only protected
};

struct fault {
  uint64_t page;
  bool write;
  bool mapped; // the page is mapped, and only protected
  uint32_t thread; // that touched, 0 if unknown
  void *slot; // the trap's own
  struct faulting *device; // whose kernel's it is, in that device's range; null: the host's
  uint32_t offset; // in the page, of a kernel's
  uint64_t read; // when, of a kernel's (`struct faulting_devices`)
};

// Installing and waking are done under a claim; the others may come late and then cost one spurious fault.
// A trap without `wait` notices none: its heap has no crew, and nobody calls what only a crew does.
struct trap {
  int (*open)(struct hmm_pager *);
  int (*close)(struct hmm_pager *); // 0, or -errno if the program's mapping could not be taken away
  // Waits for faults. Returns how many; 0 if the crew is to look whether it is to stop; -errno if none can be noticed
  // any more, and then every touch is an error already.
  int (*wait)(struct hmm_pager *, struct fault *, int capacity);
  void (*ring)(struct hmm_pager *); // makes `wait` return
  // Maps host pages, and wakes nobody: who touched them shall find their words settled. `writable` still respects the protection of the region.
  int (*install)(struct hmm_pager *, uint64_t first, uint64_t end, bool writable);
  // Gives pages that are mapped for reading, as far as they are mapped, the right to be written. Those that are not fault once more.
  int (*upgrade)(struct hmm_pager *, uint64_t first, uint64_t end);
  // Maps pages that have no host memory yet, which then reads as zeros, writable.
  int (*install_empty)(struct hmm_pager *, uint64_t first, uint64_t end);
  int (*forbid)(struct hmm_pager *, uint64_t first, uint64_t end, bool keep_reading);
  // After the words of pages have changed: takes away what they no longer allow (0 nothing, 1 reading, 2 all), and ends what was answered for them.
  int (*set_access)(struct hmm_pager *, uint64_t first, uint64_t end, int access);
  int (*may_pin)(struct hmm_pager *); // -ENOMEM if what is pinned would leave too few mappings for the rest
  void (*wake)(struct hmm_pager *, uint64_t first, uint64_t end); // those who wait for a claim without a new mapping
  void (*put_back)(struct hmm_pager *, const struct fault *); // a fault that `wait` has returned comes again
  // Ends a fault: 0, or the touch becomes an error of the thread, if the page's word is still what it was `judged` by; else it is made again.
  void (*answer)(struct hmm_pager *, const struct fault *, int result, uint64_t judged);
  // In the handler of the signal that the touch has become: whether it may be made again; else it is an error.
  bool (*touched)(struct hmm_pager *, struct touch, const void *signal_context);
  const struct range_trap *range; // how kernels' faults are noticed where touches are noticed like this (faulting.h), or null
  int signal; // or 0
  bool waits_for_claims; // whether a fault on a claimed page must wait here, or sleeps until it is woken
};

extern const struct trap uffd_trap, sigsegv_trap, sigbus_trap, checked_trap;

#endif
