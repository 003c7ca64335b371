// block.h - what is known of the pages of 2 MiB at once, so that a launch need not look at the word of each.
//
// Whoever changes a word so that a device may do less with the page says so in the count of its block, before the change and after it. What a launch finds that looks at all words of a
// block is noted beside the count that it had found before (resident.c). As long as the count is the same, and nobody is in the middle of a change, that is still so: to look at both is
// worth as much as to look at all the words at that moment. It is no guess, so nobody else has to know about it.
#ifndef HMM_BLOCK_H
#define HMM_BLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "word.h"

#ifndef BLOCK_SHIFT // tests have smaller ones
#define BLOCK_SHIFT 21
#endif
#define CHANGING 0xffffULL // of a count: how many threads are in the middle of a change; above it, how many have been made
#define ONE_CHANGE (CHANGING + 1)

// What is noted of a block, in the place of CHANGING.
#define HELD_TO_READ 1ULL
#define HELD_TO_WRITE 2ULL // and to read
#define IN_ONE_PIECE 4ULL // frame behind frame, in one memory object

// Changes a word, unless somebody else was quicker. `count` is that of its block.
static inline bool change_in_block(_Atomic uint64_t *count, _Atomic uint64_t *word, uint64_t *expected, uint64_t next) {
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
