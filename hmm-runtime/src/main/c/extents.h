// extents.h - numbers by index that mostly go on from one to the next, as frames of pages that lie side by side do: a block of them (2 MiB of pages) is one extent, and takes 8 bytes. Where they do
// not go on, the block is scattered, and each of its numbers has 4 bytes of its own.
//
// The tables are Java's (ExtentTable, which does the same); 0 means none. One writer at a time, any readers, without a lock: who reads an extent has all of it, and who has found a block scattered finds
// each number as it was then or later, since all are written before the block says that it is.
#ifndef EXTENTS_H
#define EXTENTS_H

#include <stdint.h>

#include "hmm_pager.h"

#define TABLE(type, address) ((_Atomic type *)(uintptr_t)(address)) // one of those that Java keeps

int32_t extents_get(const struct hmm_extents *t, uint64_t index);
void extents_set(const struct hmm_extents *t, uint64_t index, int32_t value);

#endif
