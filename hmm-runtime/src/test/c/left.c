// left.c - see left.h.
#include "left.h"

#include "check.h"
#include "faulting.h"

struct left left_in(const struct hmm_pager *p, unsigned device) {
  struct faulting *f = p->devices[device].faulting;
  struct left left = {0};
  lock(f);
  left.taken = f->taken;
  left.strays = f->strays;
  left.pages = f->oldest || f->newest;
  for (uint64_t page = 0; page < p->config.page_count; page++) left.pages += f->pages[page].presence != ABSENT;
  for (size_t i = 0; i < f->quota_count; i++) left.under_quotas += f->quotas[i].there;
  unlock(f);
  return left;
}

bool nothing_left_in(struct hmm_pager *p, unsigned device) {
  CHECK_EQUAL(hmm_take_home(p, device, 0, p->config.page_count), 0);
  struct left left = left_in(p, device);
  return !left.taken && !left.strays && !left.pages && !left.under_quotas;
}

uint64_t choose_to_go(const struct hmm_pager *p, unsigned device, uint64_t *victims, uint64_t most) { return choose_victims(p->devices[device].faulting, 0, victims, most); }

void let_them_stay(const struct hmm_pager *p, unsigned device, const uint64_t *victims, uint64_t n) {
  for (uint64_t i = 0; i < n; i++) keep_victim(p->devices[device].faulting, victims[i]);
}
