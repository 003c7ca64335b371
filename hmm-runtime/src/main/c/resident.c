// resident.c - see resident.h. Block by block (block.h) where a use has all of one, else page by page: a launch whose pages all lie where they lay pays for blocks.
#include "dma.h"
#include "overwrite.h"
#include "pager.h"
#include "resident.h"

// A part of a use that lies in one block.
struct piece {
  uint64_t first, end, block;
  bool whole; // it is all of the block
};

static struct piece piece_from(const struct hmm_pager *p, const struct hmm_use *use, uint64_t page) {
  uint64_t block = page >> p->block_shift, first = block << p->block_shift, end = first + (1ULL << p->block_shift);
  return (struct piece){page, end < use->end ? end : use->end, block, page == first && end <= use->end};
}

// In place a page must have memory as well: a kernel that finds none to be had would end the process.
bool holds(const struct hmm_pager *p, unsigned device, const struct hmm_use *use, uint64_t page, uint64_t w) {
  if (pinned_against(w, use->writes)) return false;
  return use->in_place ? usable_in_place(w, use->writes) && is_backed(p, page) : usable_on(w, device, use->writes);
}

// The end of those blocks from `page` on that a use has all of and that are known to hold: two loads and a comparison for each, out of two arrays.
// What is used in place has no words that say what a device may do.
static uint64_t known_until(const struct hmm_pager *p, const _Atomic uint64_t *notes, const struct hmm_use *use, uint64_t page) {
  const uint64_t pages = 1ULL << p->block_shift, asked = use->writes ? HELD_TO_WRITE : HELD_TO_READ;
  if (use->in_place || page & (pages - 1)) return page;
  const _Atomic uint64_t *counts = p->changes;
  uint64_t block = page >> p->block_shift, end = use->end >> p->block_shift;
  while (block < end && block_holds(&counts[block], &notes[block], asked)) block++;
  return block << p->block_shift;
}

// The first page of a piece that does not hold, or its end. One that the launch itself has claimed holds until it is decided, and no longer.
static uint64_t first_missing_in(const struct hmm_pager *p, const struct hmm_launch *request, const struct hmm_use *use, struct piece piece) {
  unsigned device = (unsigned)request->device;
  bool noted = piece.whole && !use->in_place;
  uint64_t before = atomic_load(&p->changes[piece.block]);
  for (uint64_t page = piece.first; page < piece.end; page++) {
    uint64_t w = load_word(p, page);
    if (holds(p, device, use, page, w)) continue;
    if (use->in_place || !word_writable(w) || !claimed_to_overwrite(request, page, w)) return page;
    noted = false;
  }
  if (noted) note_block(&TABLE(uint64_t, p->devices[device].config.held)[piece.block], before, use->writes ? HELD_TO_READ | HELD_TO_WRITE : HELD_TO_READ);
  return piece.end;
}

uint64_t first_missing(const struct hmm_pager *p, const struct hmm_launch *request) {
  const struct hmm_use *uses = (const struct hmm_use *)(uintptr_t)request->uses;
  const _Atomic uint64_t *notes = TABLE(uint64_t, p->devices[request->device].config.held);
  for (uint64_t i = 0; i < present(request); i++) {
    for (uint64_t page = uses[i].first; (page = known_until(p, notes, &uses[i], page)) < uses[i].end;) {
      struct piece piece = piece_from(p, &uses[i], page);
      page = first_missing_in(p, request, &uses[i], piece);
      if (page < piece.end) return page;
    }
  }
  return p->config.page_count;
}

void note_use(const struct hmm_pager *p, const struct hmm_launch *request) {
  const struct hmm_use *uses = (const struct hmm_use *)(uintptr_t)request->uses;
  const struct device *d = &p->devices[request->device];
  _Atomic int32_t *of_blocks = TABLE(int32_t, d->config.block_use), *of_frames = TABLE(int32_t, d->config.last_use);
  const uint64_t pages = 1ULL << p->block_shift;
  const int32_t now = (int32_t)request->clock;
  for (uint64_t i = 0; i < present(request); i++) {
    for (uint64_t page = uses[i].first; page < uses[i].end;) {
      if (!(page & (pages - 1)) && page + pages <= uses[i].end) {
        atomic_store_explicit(&of_blocks[page >> p->block_shift], now, memory_order_relaxed);
        page += pages;
      } else {
        int32_t frame = frame_of(d, page++);
        if (frame >= 0) atomic_store_explicit(&of_frames[frame], now, memory_order_relaxed);
      }
    }
  }
}

int32_t last_use_of(const struct device *d, unsigned block_shift, uint64_t page, int32_t frame) {
  int32_t own = atomic_load(&TABLE(int32_t, d->config.last_use)[frame]);
  int32_t block = atomic_load(&TABLE(int32_t, d->config.block_use)[page >> block_shift]);
  return block && (int32_t)((uint32_t)block - (uint32_t)own) > 0 ? block : own; // the clock may wrap around; 0: there was none, which would be later than all that is less than nothing
}
