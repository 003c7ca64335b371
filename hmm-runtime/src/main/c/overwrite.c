// overwrite.c - pages that a launch overwrites. Java has claimed them and copied nothing, so they may be the device's only when nobody can bring home what their frames hold.
//
// So they are committed behind the launch's publication: who claims one for the host from then on has to wait for the launch. If that is not to happen after all (another page is gone, the
// driver refuses), they must become what they were before anybody goes on, and nobody may have one claimed meanwhile. That is why such a launch is published as one that insists: claims that
// would wait for it are given back (`-EAGAIN`), and made again when it is decided.
#define _GNU_SOURCE
#include "claim.h"
#include "overwrite.h"
#include "pager.h"

static struct hmm_overwrite *overwrites_of(const struct hmm_launch *request) { return (struct hmm_overwrite *)(uintptr_t)request->overwrites; }

void commit_overwrites(struct hmm_pager *p, struct hmm_launch *request) {
  struct hmm_overwrite *overwrites = overwrites_of(request);
  for (uint64_t i = 0; i < request->overwrite_count; i++) {
    struct hmm_overwrite *o = &overwrites[i];
    uint64_t w = load_word(p, o->page);
    bool done = false;
    while (!done && same_version(w, o->claim)) done = change_word(p, o->page, &w, word_next(w, DEVICE, (unsigned)request->device, 0, 0)); // pins may change
    if (!done) o->claim = 0;
  }
}

// From the device's, where it may have been claimed and given back, or got another protection, to what it was; unless its contents have been given up. Copies of other devices are nobody's by now:
// while the word did not name them, their frames could be given away, or be moved without what they held.
static void take_back(struct hmm_pager *p, unsigned device, const struct hmm_overwrite *o) {
  while (true) {
    uint64_t w = load_word(p, o->page);
    if (word_state(w) == TO_HOST) {
      wait_settled(p, o->page);
      continue;
    }
    if (word_state(w) != DEVICE || word_device(w) != device) return;
    bool was_empty = word_state(o->before) == EMPTY;
    uint64_t next = was_empty ? word_next(w, EMPTY, 0, 0, o->before & MARKED_READ) : word_shared(w, word_sharers(o->before) & 1u << device);
    if (change_word(p, o->page, &w, next)) return;
  }
}

void take_back_overwrites(struct hmm_pager *p, const struct hmm_launch *request) {
  const struct hmm_overwrite *overwrites = overwrites_of(request);
  for (uint64_t i = 0; i < request->overwrite_count; i++) {
    if (overwrites[i].claim) take_back(p, (unsigned)request->device, &overwrites[i]);
  }
}
