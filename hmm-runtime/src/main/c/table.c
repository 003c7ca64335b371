// table.c - the page table of a device, in the device's own memory, for kernels that go through it.
//
// It is derived from the page words. A launch is published before its entries are made, so whoever takes a page away from then on waits for the kernel, and whoever did so before is
// seen in the word: what an entry allows stays true until the kernel has ended. Nothing that is not there keeps the kernel from running: it finds a zero, and says so.
//
// `image` is what the device has, so only blocks travel that differ. The caller holds the device's lock: nobody else makes entries, and no page gets or loses a frame.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dma.h"
#include "failure.h"
#include "overwrite.h"
#include "pager.h"
#include "table.h"

#define BLOCK 1024 // entries that are compared and written as one
#define GAPS 16 // commands of one launch beside one for each range
#define UNKNOWN 0xFFFFFFFFu

static struct hmm_table *table_of(const struct hmm_launch *request) { return (struct hmm_table *)(uintptr_t)request->table; }

static uint32_t entry_of(const struct hmm_pager *p, const struct hmm_launch *request, uint64_t page, bool writes) {
  unsigned device = (unsigned)request->device;
  int64_t frame = frame_of(&p->devices[device], page) - (int64_t)table_of(request)->first_frame;
  if (frame < 0 || frame >= (int64_t)table_of(request)->frames) return 0;
  uint64_t w = load_word(p, page);
  bool overwritten = writes && word_writable(w) && claimed_to_overwrite(request, page, w); // the device's as soon as the kernel is enqueued
  if (!overwritten && !usable_on(w, device, false)) return 0;
  if (pinned_against(w, false)) return 0;
  bool writable = writes && (overwritten || usable_on(w, device, true)) && !pinned_against(w, true);
  return (uint32_t)frame << 2 | (writable ? 2u : 0u) | 1u;
}

// Entries [first, end) of the image go to the device. Where commands write them, the image may change again before they do: then by a launch that comes behind this one, whose entries are
// as true for what both use.
static int write_entries(struct hmm_pager *p, const struct hmm_launch *request, uint64_t first, uint64_t end, struct table_writes *writes, struct hmm_failure *failure) {
  struct hmm_table *table = table_of(request);
  uint32_t *image = (uint32_t *)(uintptr_t)table->image;
  size_t bytes = (end - first) * sizeof *image;
  if (table->host) {
    memcpy((uint32_t *)(uintptr_t)table->host + first, image + first, bytes);
  } else {
    int status = p->cl.enqueue_write((void *)(uintptr_t)request->queue, (void *)(uintptr_t)table->memory, 0, table->offset + first * sizeof *image, bytes, image + first, 0, NULL,
                                     &writes->events[writes->count]);
    if (status) {
      for (uint64_t page = first; page < end; page++) image[page] = UNKNOWN;
      return fail_cl(p, failure, first, 0, status, HMM_CALL_WRITE, (unsigned)request->device);
    }
    writes->count++;
  }
  table->bytes += bytes;
  return 0;
}

// Brings the image of a range up to date, and what has changed of it to the device: block by block, or from the first to the last where that would be too many commands.
static int show(struct hmm_pager *p, const struct hmm_launch *request, const struct hmm_use *range, bool clear, struct table_writes *writes, struct hmm_failure *failure) {
  const struct hmm_table *table = table_of(request);
  uint32_t *image = (uint32_t *)(uintptr_t)table->image;
  uint64_t begin = 0, end = 0; // of the changed blocks that are not written yet
  for (uint64_t block = range->first; block < range->end; block += BLOCK) {
    uint64_t last = block + BLOCK < range->end ? block + BLOCK : range->end;
    bool changed = false;
    for (uint64_t page = block; page < last; page++) {
      uint32_t entry = clear ? 0 : entry_of(p, request, page, range->writes);
      changed |= image[page] != entry;
      image[page] = entry;
    }
    if (!changed) continue;
    bool apart = begin < end && end < block && (table->host || writes->gaps < GAPS);
    if (apart) {
      writes->gaps++;
      int result = write_entries(p, request, begin, end, writes, failure);
      if (result) {
        for (uint64_t page = block; page < last; page++) image[page] = UNKNOWN;
        return result;
      }
    }
    if (apart || begin == end) begin = block;
    end = last;
  }
  return begin < end ? write_entries(p, request, begin, end, writes, failure) : 0;
}

int show_table(struct hmm_pager *p, const struct hmm_launch *request, struct table_writes *writes, struct hmm_failure *failure) {
  struct hmm_table *table = table_of(request);
  const struct hmm_use *shown = (const struct hmm_use *)(uintptr_t)table->shown, *cleared = (const struct hmm_use *)(uintptr_t)table->cleared;
  table->bytes = 0;
  writes->events = calloc(GAPS + table->shown_count + table->cleared_count, sizeof *writes->events);
  if (!writes->events) return fail_errno(failure, 0, -ENOMEM, HMM_CALL_NONE);
  int result = 0;
  for (uint64_t i = 0; i < table->cleared_count && !result; i++) result = show(p, request, &cleared[i], true, writes, failure);
  for (uint64_t i = 0; i < table->shown_count && !result; i++) result = show(p, request, &shown[i], false, writes, failure);
  return result;
}

void end_table_writes(struct hmm_pager *p, struct table_writes *writes) {
  for (unsigned i = 0; i < writes->count; i++) p->cl.release_event(writes->events[i]);
  free(writes->events);
}
