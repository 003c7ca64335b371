// dma.h - copies between host pages and frames (dma.c), and the devices that have those.
#ifndef HMM_DMA_H
#define HMM_DMA_H

#include "block.h"
#include "extents.h"
#include "hmm_pager.h"
#include "staging.h"

#define STUCK (HMM_MAX_DEVICES * HMM_STAGING_SLOTS + 16)
#ifndef STUCK_NANOS // how long a command is believed in that nobody can wait for; tests are less patient
#define STUCK_NANOS (10ULL * 1000000000ULL)
#endif


struct device {
  struct hmm_device_config config;
  void *queue; // ours, so that a fault never stands behind a migration
  char *range; // of a device whose kernels fault: where page 0 is, and page p is frame p; else null
  _Atomic(struct faulting *) faulting; // that device, or null
  struct lane lanes[LANES];
  struct gather gather;
  _Atomic bool lost; // a command was given up: its frames and all that it may still write to are never used again
};

struct stuck { // commands that were given up, and the host pages that they may still write to
  pthread_mutex_t lock; // a leaf
  struct stuck_command {
    void *event;
    struct page_range pages;
  } commands[STUCK];
  unsigned count;
};

struct copies { // commands under way
  void *events[16];
  unsigned devices[16];
  struct page_range pages[16];
  int count;
  uint32_t staged;               // devices from which parts are under way through slots: bit d is set for device d
  _Atomic uint64_t staged_failure; // how one of those has failed, whoever has seen it: its device, and in the lower half its status; 0 if none has
  unsigned failed_device;        // of the command that failed
};

int dma_open(struct hmm_pager *p, struct device *d);
void dma_close(struct hmm_pager *p, struct device *d);
int32_t frame_of(const struct device *d, uint64_t page); // -1 if it has none
// Copies `pages` pages that are contiguous on both sides; `async` may leave commands under way, which `dma_wait` ends. 0 or an OpenCL status.
int dma_to_host(struct hmm_pager *p, unsigned device, uint64_t page, uint64_t pages, struct copies *async);
bool dma_reaches(const struct hmm_pager *p, unsigned device, uint64_t page); // whether dma_to_host of this page is memcpy
void dma_send(struct hmm_pager *p, struct copies *copies); // nothing more is asked for soon
int dma_wait(struct hmm_pager *p, struct copies *copies);
// Waits until a command has ended, also if the wait itself fails. 0, the status of a bad end, or COMMAND_STUCK if it was given up; the event stays the caller's.
#define COMMAND_STUCK 1
int await_command(struct hmm_pager *p, void *event);
int dma_end_stuck(struct hmm_pager *p); // waits once more for commands that were given up; -EBUSY if one may still write to host pages
bool dma_may_write(struct hmm_pager *p, uint64_t first, uint64_t end); // whether a command that was given up may still write to these host pages
int dma_to_device(struct hmm_pager *p, unsigned device, uint64_t page, bool zero);
// Begins a copy of pages that are contiguous on both sides, on the device's queue, which is to be flushed; `event` is its end, or null if it is over. 0 or an OpenCL status.
int dma_within(struct hmm_pager *p, unsigned device, int32_t from, int32_t to, uint64_t pages, void **event);
// Between frames of two devices, of pages that are contiguous on both. 0, NO_WAY_ACROSS if that would need a buffer of the host's, or an OpenCL status; then `failed` is whose it is.
#define NO_WAY_ACROSS 1
int dma_across(struct hmm_pager *p, unsigned from, unsigned to, uint64_t page, uint64_t pages, unsigned *failed);
int dma_finish(struct hmm_pager *p, unsigned device, void *event, struct page_range pages); // waits for a command, releases its event, returns its outcome; `pages` are the host pages it writes to
int dma_give_up(struct hmm_pager *p, unsigned device, void *event, struct page_range pages); // for one that does not end: an OpenCL status
int dma_flush(struct hmm_pager *p, void *queue);
bool dma_is_gone(struct hmm_pager *p, struct device *d); // neither is sent what is in its queue, nor can there be another: what it has will never be read
bool dma_contiguous(const struct device *d, int32_t a, int32_t b); // whether frame b follows frame a in one memory object

#endif
