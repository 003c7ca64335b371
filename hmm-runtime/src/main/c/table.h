// table.h - the page table in a device's own memory (table.c).
#ifndef HMM_TABLE_H
#define HMM_TABLE_H

#include "hmm_pager.h"

struct table_writes { // commands that the kernel has to wait for: if one fails, the entries are wrong and it must not run
  void **events;
  unsigned count, gaps;
};
// Brings the entries of the page table that `request` names up to date for that launch, which is published and not enqueued yet. `writes` is to be ended whatever comes of it.
int show_table(struct hmm_pager *p, const struct hmm_launch *request, struct table_writes *writes, struct hmm_failure *failure);
void end_table_writes(struct hmm_pager *p, struct table_writes *writes);

#endif
