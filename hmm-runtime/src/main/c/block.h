// block.h - what is known of the pages of 2 MiB at once, so that a launch need not look at the word of each.
//
// Whoever changes a word so that a device may do less with the page says so in the count of its block, before the change and after it. What a launch finds that looks at all words of a
// block is noted beside the count that it had found before (resident.c). As long as the count is the same, and nobody is in the middle of a change, that is still so: to look at both is
// worth as much as to look at all the words at that moment. It is no guess, so nobody else has to know about it.
//
// Most pages of a large heap are never touched, and their words are 0. So as long as no word of a block was ever changed, the count says in its highest bits what all of them
// are: free to use, without a region, or protected. To change that is one compare-and-set for the block, and the table of words takes no memory. Whoever changes a word writes
// the block out first: if what it says is not 0, it goes into every word that is 0, by whoever comes along, and then the block is BLOCK_WRITTEN, for good. No page of a block
// that is not has a mapping, a frame, a pin, or memory that is known to be there: all of these come behind a change of the page's word. PageTable.java does the same.
#ifndef HMM_BLOCK_H
#define HMM_BLOCK_H

#include <stdatomic.h>

#include "word.h"

#ifndef BLOCK_SHIFT // tests have smaller ones
#define BLOCK_SHIFT 21
#endif
#define CHANGING 0xffffULL // of a count: how many threads are in the middle of a change; above it, how many have been made, which will never be 2^44
#define ONE_CHANGE (CHANGING + 1)

// What is noted of a block, in the place of CHANGING.
#define HELD_TO_READ 1ULL
#define HELD_TO_WRITE 2ULL // and to read

// Of a count: what the words of the block are.
#define BLOCK_KIND (3ULL << 62) // 0: free to use; also the version of such a word, so that no two kinds have the same
#define BLOCK_WITHOUT_REGION (1ULL << 62)
#define BLOCK_READ_ONLY (2ULL << 62)
#define BLOCK_WITHOUT_ACCESS (3ULL << 62)
#define BLOCK_WRITTEN (1ULL << 61) // each word is what it says
#define BLOCK_IN_WRITING (1ULL << 60) // BLOCK_KIND stays as it is until it is BLOCK_WRITTEN

struct page_range {
  uint64_t first, end;
};

// The words of one block, of which some are looked at.
struct block {
  _Atomic uint64_t *count, *words;
  uint64_t pages;
};

// What all words of a block are that is not BLOCK_WRITTEN; of such a word, itself.
static inline uint64_t word_of_kind(uint64_t count) {
  switch (count & BLOCK_KIND) {
  case BLOCK_WITHOUT_REGION: return BLOCK_WITHOUT_REGION | UNMAPPED;
  case BLOCK_READ_ONLY: return BLOCK_READ_ONLY | EMPTY | DENY_WRITE;
  case BLOCK_WITHOUT_ACCESS: return BLOCK_WITHOUT_ACCESS | EMPTY | DENY_READ | DENY_WRITE;
  default: return 0;
  }
}

static inline uint64_t word_in_block(const struct block *b, uint64_t i) {
  uint64_t w = atomic_load(&b->words[i]);
  if (w) return w;
  uint64_t count = atomic_load(b->count);
  return count & BLOCK_WRITTEN ? atomic_load(&b->words[i]) : word_of_kind(count); // it was 0 at that moment: it never is again, once the block was written and of another kind
}

static inline void write_out(const struct block *b) {
  uint64_t count = atomic_load(b->count);
  while (!(count & BLOCK_WRITTEN)) {
    if (count & BLOCK_KIND && !(count & BLOCK_IN_WRITING)) {
      if (atomic_compare_exchange_strong(b->count, &count, count | BLOCK_IN_WRITING)) count |= BLOCK_IN_WRITING;
      continue;
    }
    uint64_t says = word_of_kind(count);
    for (uint64_t i = 0; says && i < b->pages; i++) {
      uint64_t zero = 0;
      atomic_compare_exchange_strong(&b->words[i], &zero, says);
    }
    atomic_compare_exchange_strong(b->count, &count, (count & ~(BLOCK_KIND | BLOCK_IN_WRITING)) | BLOCK_WRITTEN);
  }
}

// Changes word `i` of a block, unless somebody else was quicker.
static inline bool change_in_block(const struct block *b, uint64_t i, uint64_t *expected, uint64_t next) {
  _Atomic uint64_t *count = b->count, *word = &b->words[i];
  if (*expected == word_of_kind(*expected)) {
    uint64_t now = atomic_load(count);
    if (!(now & BLOCK_WRITTEN) && *expected != word_of_kind(now)) {
      *expected = word_of_kind(now);
      return false;
    }
    write_out(b);
  }
  bool takes = word_rights(*expected) & ~word_rights(next);
  if (takes) atomic_fetch_add(count, 1);
  bool changed = atomic_compare_exchange_strong(word, expected, next);
  if (takes) atomic_fetch_add(count, ONE_CHANGE - 1);
  return changed;
}

// Whether all that is `asked` holds of a block now. Reads the note first: it was true when its count was that of the block.
static inline bool block_holds(const _Atomic uint64_t *count, const _Atomic uint64_t *note, uint64_t asked) {
  uint64_t noted = atomic_load(note);
  return (noted & asked) == asked && (noted & ~CHANGING) == atomic_load(count);
}

// Notes what was found after the count was `before`; what else was known then stays.
static inline void note_block(_Atomic uint64_t *note, uint64_t before, uint64_t found) {
  if (before & CHANGING) return;
  uint64_t noted = atomic_load(note);
  atomic_store(note, (noted & ~CHANGING) == before ? noted | found : before | found);
}

#endif
