// uffd.h - userfaultfd of a heap, and what a trap needs that has it and its own way to hear of touches (sigbus.c).
#ifndef HMM_UFFD_H
#define HMM_UFFD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct hmm_pager;

struct uffd {
  int fd;
  char *doorbell;
  pthread_t ringer;
  bool ringing;
};

int uffd_begin(struct hmm_pager *p); // maps and registers `app`; what is left to be done at the end is to close `fd` and to unmap
int uffd_install(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable);
int uffd_upgrade(struct hmm_pager *p, uint64_t first, uint64_t end);
int uffd_install_empty(struct hmm_pager *p, uint64_t first, uint64_t end);
int uffd_forbid(struct hmm_pager *p, uint64_t first, uint64_t end, bool keep_reading);
int uffd_set_access(struct hmm_pager *p, uint64_t first, uint64_t end, int access);
int uffd_may_pin(struct hmm_pager *p);

#endif
