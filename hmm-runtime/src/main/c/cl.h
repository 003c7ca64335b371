// cl.h - the functions of OpenCL that the native part calls, whose addresses Java hands in.
#ifndef HMM_CL_H
#define HMM_CL_H

#include <stddef.h>

#include "hmm_pager.h"

#define CL_COMPLETE 0
#define CL_EVENT_STATUS 0x11D3
#define DEVICE_NOT_AVAILABLE (-2) // what a device answers that did not end a command
#define OUT_OF_RESOURCES (-5)
#define OUT_OF_HOST_MEMORY (-6)

typedef int cl_of_object(void *object);
typedef int cl_transfer(void *queue, void *memory, unsigned blocking, size_t offset, size_t bytes, void *host, unsigned waits, void *const *wait, void **event);

struct cl { // in the order of enum hmm_cl
  void *(*create_queue)(void *context, void *device, uint64_t properties, int *status);
  cl_of_object *release_queue;
  cl_transfer *enqueue_read, *enqueue_write;
  int (*enqueue_copy)(void *queue, void *from, void *to, size_t from_offset, size_t to_offset, size_t bytes, unsigned waits, void *const *wait, void **event);
  int (*enqueue_kernel)(void *queue, void *kernel, unsigned dimensions, const size_t *offset, const size_t *global, const size_t *local, unsigned waits, void *const *wait, void **event);
  cl_of_object *flush, *finish;
  int (*wait)(unsigned count, void *const *events);
  int (*event_info)(void *event, unsigned name, size_t bytes, void *value, size_t *got);
  cl_of_object *retain_event, *release_event;
  int (*set_callback)(void *event, int on, void (*callback)(void *event, int status, void *user), void *user);
  void *(*map)(void *queue, void *memory, unsigned blocking, uint64_t flags, size_t offset, size_t bytes, unsigned waits, void *const *wait, void **event, int *status);
  int (*unmap)(void *queue, void *memory, void *at, unsigned waits, void *const *wait, void **event);
  int (*set_arg)(void *kernel, unsigned index, size_t bytes, const void *value);
};
_Static_assert(sizeof(struct cl) == HMM_CL_COUNT * sizeof(uint64_t), "it is filled from hmm_config.cl as a whole");

#endif
