// staging.h - slots of pinned memory, and what goes through them: staging.c moves one stretch of bytes and returns when it is there, packed.c begins what is waited for later, by a command for
// each stretch or by a kernel (gather.c).
#ifndef HMM_STAGING_H
#define HMM_STAGING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "hmm_pager.h"

#define PARTS HMM_RUNS // in one slot
#define MOST_COMMANDS (PARTS + 2) // of one transfer: unmap, copies, map

struct device;
struct copies;

// Bytes in device memory, and where they belong on the host.
struct part {
  void *memory; // cl_mem
  size_t offset, bytes;
  char *host;
};

// What is under way in one slot, in the order of the queue.
struct transfer {
  void *events[MOST_COMMANDS];
  unsigned count;
};

struct slot {
  void *memory; // cl_mem; null for a part of one mapping
  char *at;     // where the host reaches it, null while it does not
  bool suspect; // a command of it has failed
  // packed.c: parts on their way to the host, one behind the other in the slot. Guarded by the lane's lock.
  struct copies *of; // whose they are, or null
  struct part parts[PARTS];
  unsigned count;
  size_t filled; // bytes
  bool sent;     // nothing is added any more
  bool gathered; // by the kernel
  bool landed;   // they are on the host already
  int refused;   // the status with which a command of it was not taken
  struct transfer transfer;
};

struct gather { // guarded by the lock of the lane
  void *queue, *kernel; // null: there is none, or it was given up
  size_t items;
  void *packed[HMM_BULK_SLOTS];
  unsigned trials;      // still to come
  bool measured;
  uint64_t part_nanos, kernel_nanos; // the shortest trial: by a command for each, of one part; by the kernel, of all
};

enum lane_kind { BULK, FAULTS, LANES };

struct lane {
  pthread_mutex_t lock; // over one copy
  void *queue;          // its own; that of faults is also the device's
  struct slot slots[HMM_BULK_SLOTS];
  unsigned count;
  size_t slot_bytes;
  unsigned oldest, under_way; // slots with parts that nobody waits for yet, a ring
  bool dead; // a command that was given up may still use a slot
};

struct device_memory {
  struct device *device;
  void *memory; // cl_mem
  size_t offset;
};

void staging_open(struct device *d); // its lanes have their queues
void staging_close(struct hmm_pager *p, struct device *d);
// Copies between device memory and host pages through the slots for faults. 0 or an OpenCL status.
int through_staging(struct hmm_pager *p, struct device *d, struct part whole, bool to_host);
// Copies through the slots for bulk moves, over before it returns: between a device and memory that the host reaches, and from one device to another. 0 or an OpenCL status; then `failed`
// is whose it is.
int staging_bulk(struct hmm_pager *p, struct device_memory at, char *host, size_t bytes, bool to_host);
int staging_across(struct hmm_pager *p, struct device_memory from, struct device_memory to, size_t bytes, unsigned *failed);

// Asks for a copy to the host, through the slots for bulk moves; `of` takes part in it until `packed_wait`, also if this fails. 0 or an OpenCL status.
int packed_begin(struct hmm_pager *p, struct device *d, struct part whole, struct copies *of);
void packed_send(struct hmm_pager *p, struct copies *of); // no more is coming soon
int packed_wait(struct hmm_pager *p, struct copies *of);  // until all that it has asked for has come to the host; the outcome
void packed_end_oldest(struct hmm_pager *p, struct device *d, struct lane *lane);

// gather.c, for packed.c
bool gather_is_on_trial(struct hmm_pager *p, const struct device *d, const struct slot *slot);
bool gather_pays(struct hmm_pager *p, const struct device *d, const struct slot *slot);
int gather_to_host(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot); // as send_to_host

// staging.c, for packed.c and gather.c
int prepare_slot(struct hmm_pager *p, struct lane *lane, struct slot *slot, struct transfer *t); // so that the host can fill it, once what is under way in it has ended
int unmap_slot(struct hmm_pager *p, struct lane *lane, struct slot *slot, struct transfer *t);
int map_slot(struct hmm_pager *p, struct lane *lane, struct slot *slot, size_t bytes, void *after, struct transfer *t); // to read, once `after` has ended
int read_part(struct hmm_pager *p, struct lane *lane, struct part part, char *to, void *after, struct transfer *t);
void lock_lane(struct hmm_pager *p, struct lane *lane);
int send_to_host(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot, const struct part *parts, unsigned count, struct transfer *t);
int finish_transfer(struct hmm_pager *p, struct device *d, struct lane *lane, struct slot *slot, struct transfer *t);

#endif
