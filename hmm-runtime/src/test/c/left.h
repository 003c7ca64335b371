// left.h - what the native part keeps of a faulting device's range. (Its structures and those of on_device.h share a name.)
#ifndef LEFT_H
#define LEFT_H

#include <stdbool.h>
#include <stdint.h>

struct hmm_pager;

struct left {
  uint64_t taken, strays; // places, and pages without an owner
  uint64_t pages;         // that are there, or in order of age. What a thread was given stays held where its fault was served late: that is no memory
  uint64_t under_quotas;  // that count there
};
struct left left_in(const struct hmm_pager *p, unsigned device);

// Whether nothing of that is left when all is home; to be awaited: a fault whose thread was woken by another's has a place until the crew is through with it.
bool nothing_left_in(struct hmm_pager *p, unsigned device);

// Chooses all who may go, as a fault does that needs their places, and stops there: returns how many.
uint64_t choose_to_go(const struct hmm_pager *p, unsigned device, uint64_t *victims, uint64_t most);
void let_them_stay(const struct hmm_pager *p, unsigned device, const uint64_t *victims, uint64_t n);

#endif
