// overwrite.c - pages that a launch overwrites. Java has claimed them and copied nothing, so they may be the device's only when nobody can bring home what their frames hold.
//
// So they are committed behind the launch's publication: who claims one for the host from then on has to wait for the launch. If that is not to happen after all (another page is gone, the
// driver refuses), they must become what they were before anybody goes on, and nobody may have one claimed meanwhile. That is why such a launch is published as one that insists: claims that
// would wait for it are given back (`-EAGAIN`), and made again when it is decided.
//
// What only other devices have Java cannot claim, and a word that does not name them gives up the only copy. So here it is claimed TO_HOST, from the publication until the kernel is in its queue:
// that keeps their frames as they are, since nobody gives up or moves the frame of a page that is claimed. Then it is this device's, and what they have is nobody's; or it is given back. Nothing
// is waited for with these claims: if a launch uses one of the pages, this one is withdrawn, and made again when Java has waited. A launch that insists brings such pages with their contents.
#define _GNU_SOURCE
#include "claim.h"
#include "overwrite.h"
#include "pager.h"

static struct hmm_overwrite *overwrites_of(const struct hmm_launch *request) { return (struct hmm_overwrite *)(uintptr_t)request->overwrites; }

static bool was_away(const struct hmm_overwrite *o) { return is_away(o->before); }

// Returns the word of the claim, or 0 if the page is not away any more, or somebody has claimed it.
static uint64_t claim_away(struct hmm_pager *p, struct hmm_overwrite *o) {
  uint64_t w = load_word(p, o->page);
  struct claim c;
  do {
    if (!is_away(w)) return 0;
  } while (!claim_page(p, o->page, &w, true, &c));
  o->before = c.before;
  return c.word;
}

// Returns the word, or 0 if the claim was lost.
static uint64_t commit(struct hmm_pager *p, unsigned device, const struct hmm_overwrite *o) {
  uint64_t w = load_word(p, o->page);
  while (same_version(w, o->claim)) { // pins may change
    if (change_word(p, o->page, &w, word_next(w, DEVICE, device, 0, 0))) return o->claim;
  }
  return 0;
}

// Where the pages end that follow each other from number i on and are claimed here; i if it is not.
static uint64_t end_of_claims(const struct hmm_launch *request, uint64_t i) {
  const struct hmm_overwrite *o = overwrites_of(request);
  uint64_t j = i;
  while (j < request->overwrite_count && was_away(&o[j]) && o[j].claim && o[j].page - o[i].page == j - i) j++;
  return j;
}

uint64_t commit_overwrites(struct hmm_pager *p, struct hmm_launch *request) {
  struct hmm_overwrite *o = overwrites_of(request);
  for (uint64_t i = 0; i < request->overwrite_count; i++) {
    if (!was_away(&o[i])) o[i].claim = commit(p, (unsigned)request->device, &o[i]);
    else o[i].claim = request->insist ? 0 : claim_away(p, &o[i]);
  }
  for (uint64_t i = 0, j; i < request->overwrite_count; i = j > i ? j : i + 1) {
    j = end_of_claims(request, i);
    if (j == i) continue;
    const struct page_range claimed = {o[i].page, o[j - 1].page + 1};
    note_ends(p, claimed);
    if (in_use(p, claimed, false, request->number)) return o[i].page;
  }
  return p->config.page_count;
}

bool claimed_to_overwrite(const struct hmm_launch *request, uint64_t page, uint64_t word) {
  const struct hmm_overwrite *o = overwrites_of(request);
  uint64_t from = 0, to = request->overwrite_count;
  while (from < to) {
    uint64_t middle = from + (to - from) / 2;
    if (o[middle].page < page) from = middle + 1;
    else to = middle;
  }
  return from < request->overwrite_count && o[from].page == page && was_away(&o[from]) && o[from].claim && same_version(word, o[from].claim);
}

// The device's from now on, or back where they were.
static void end_claims(struct hmm_pager *p, const struct hmm_launch *request, bool taken) {
  const struct hmm_overwrite *o = overwrites_of(request);
  for (uint64_t i = 0, j; i < request->overwrite_count; i = j > i ? j : i + 1) {
    j = end_of_claims(request, i);
    for (uint64_t k = i; k < j; k++) {
      const struct claim c = {o[k].page, o[k].claim, o[k].before, false};
      uint64_t w = load_word(p, c.page);
      while (taken && !change_word(p, c.page, &w, word_next(w, DEVICE, (unsigned)request->device, 0, 0))) {}
      if (!taken) settle_back(p, &c, NULL);
    }
    if (j == i) continue;
    settled(p);
    p->trap->wake(p, o[i].page, o[j - 1].page + 1);
  }
}

void take_overwrites(struct hmm_pager *p, const struct hmm_launch *request) { end_claims(p, request, true); }

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
    if (overwrites[i].claim && !was_away(&overwrites[i])) take_back(p, (unsigned)request->device, &overwrites[i]);
  }
  end_claims(p, request, false);
}
