// home.h - pages that come home for a touch (home.c).
#ifndef HMM_HOME_H
#define HMM_HOME_H

#include "notice.h"

// Page `first` was touched; after a failure that was its own, `failure->word` is how its word was left. The others come along, but for those that launches use. With TOUCH_AHEAD nobody waits for the first either; with TOUCH_MAPPED they are mapped already, as far as is known.
enum touch_kind { TOUCH_WRITE = 1, TOUCH_MAPPED = 2, TOUCH_AHEAD = 4 };
// -ETIMEDOUT if launches took longer than `patience` has.
int fetch_for_fault(struct hmm_pager *p, uint64_t first, uint64_t end, unsigned touch, struct patience *patience, struct hmm_failure *failure, struct hmm_record *record);
// The same for a touch of one page in the handler of a signal: waits for nobody, and needs little of the stack. -EBUSY if somebody has the page claimed, -EAGAIN if a launch uses it or only
// commands reach it.
int fetch_here(struct hmm_pager *p, uint64_t page, unsigned touch, struct hmm_record *record);
bool may_fetch_here(struct hmm_pager *p, uint64_t page, uint64_t word, bool write); // whether it is worth a try

#endif
