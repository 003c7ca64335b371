// driver.h - what the devices of a heap are made of: memory and queues of fake_cl.c, or of OpenCL (together/). Devices are named by their index in the heap.
#ifndef DRIVER_H
#define DRIVER_H

#include "check.h"
#include "hmm_pager.h"

struct driver {
  enum way third[WAYS]; // how pages get home from the last device, which is of another kind than the others: by their way
  void (*calls)(uint64_t cl[HMM_CL_COUNT]);
  void (*identify)(unsigned device, uint64_t *context, uint64_t *id);
  void *(*memory)(unsigned device, size_t bytes); // a cl_mem
  char *(*bytes_of)(void *memory);                // where the host reaches it; only for a way that is REACHABLE
  void *(*slot)(unsigned device, size_t bytes);   // a cl_mem that is mapped and unmapped
  void (*free)(void *memory);                     // both
  void *(*staging)(unsigned device, size_t bytes); // pinned memory that stays mapped
  void (*free_staging)(unsigned device, void *staging);
  void *(*queue)(unsigned device); // for kernels
  void (*release_queue)(void *queue);
  bool (*write)(unsigned device, void *memory, size_t offset, const void *from, size_t bytes); // over when it returns; false if the device does not take it
};

extern const struct driver fake_driver;

#endif
