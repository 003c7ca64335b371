// claim.h - claims for the host: the word says TO_HOST, others wait, and whoever has claimed settles it in the same call.
//
// While a page is claimed nothing of its word changes but pins and protection, and DOOMED if the kernel fails that the
// claim waits for. What native code writes into page words (Java writes the others: Transition.java):
//
// | from | to | by |
// | --- | --- | --- |
// | all but TO_HOST | TO_HOST | `claim_page` |
// | TO_HOST | what the page is then, pinned if a view asked for that | `settle`, `settle_to`, `settle_back` |
// | DEVICE; TO_HOST | POISONED; doomed | `poison_page` |
// | pinned | pinned once less | `unpin_page` |
// | EMPTY, HOST, SHARED, TO_DEVICE | the same with a pin, or the host's: a claim for a device is lost | `settle_in_place` (home.c), which needs no claim |
// | TO_DEVICE; TO_HOST | DEVICE; and back | overwrite.c, for the launch that has claimed it to overwrite it, whatever has become of its contents |
#ifndef HMM_CLAIM_H
#define HMM_CLAIM_H

#include <stddef.h>

#include "condition.h"

#define CLAIMS_OF_A_FAULT 512

struct hmm_pager;
struct hmm_failure;

struct claim {
  uint64_t page, word, before;
  bool taken; // from a device whose kernels fault, or mapped to be written: devices have no copy any more, and the host's is right
};

struct settling { // who waits for a claim to end
  pthread_mutex_t lock; // a leaf
  struct condition changed;
  _Atomic int waiters;
};

// For something that is over at once: the first page, waiting for whoever has it, and those behind it up to one that somebody has, since nobody waits for a claim while he holds others.
// At most CLAIMS_OF_A_FAULT; returns how many, at least one.
size_t claim_stretch(struct hmm_pager *p, uint64_t first, uint64_t end, struct claim *claims);

// Claims a page whose word is `w`, for the host's copy to become the only one (`exclusive`) or one more. False if the word is another one by now, which `w` is then.
bool claim_page(struct hmm_pager *p, uint64_t page, uint64_t *w, bool exclusive, struct claim *claim);

// The word that a claimed page gets, from what it is now and what it was before the claim.
typedef uint64_t becoming(uint64_t w, uint64_t before);
becoming restored; // where it was; poisoned if it is doomed
becoming poisoned;

// A device that has a page which is away; not one that is lost, if there is another.
unsigned source_of(const struct hmm_pager *p, uint64_t before);

enum pin { NO_PIN, READ_PIN, WRITE_PIN };
// Ends a claim. Pins and protection of the word stay as they are, but for one pin more. Returns the new word; then wake.
uint64_t settle(struct hmm_pager *p, const struct claim *c, becoming *next, enum pin pin);
// The same for a place that is known already, as a word made from that of the claim; poisoned if it is doomed.
uint64_t settle_to(struct hmm_pager *p, const struct claim *c, uint64_t place);
// What a page that was `before` still has: not the copy of a device that has just failed with it, if there is another. Who comes next takes that one.
uint64_t left_after(uint64_t before, const struct hmm_failure *failure);
// Ends a claim of which nothing has come: the page is where it was. If `failure`, which may be null, says that a device has failed, the page is where others have it, and if nobody has and the device is lost,
// so is the page.
uint64_t settle_back(struct hmm_pager *p, const struct claim *c, const struct hmm_failure *failure);
void give_back(struct hmm_pager *p, const struct claim *claims, size_t n, const struct hmm_failure *failure); // the same for claims in order of pages; and wakes whoever waits for them
// What a failed kernel of a device was to write is lost. A page that somebody has claimed for the host becomes so when that claim ends: its owner waits for the launch. Returns whether it is so now.
bool poison_page(struct hmm_pager *p, uint64_t page, unsigned device);
void unpin_page(struct hmm_pager *p, uint64_t page, bool write);
void wait_settled(struct hmm_pager *p, uint64_t page);
void settled(struct hmm_pager *p); // after words have left TO_HOST
// Those who wait for these claims, which are in order of pages.
void wake_claimed(struct hmm_pager *p, const struct claim *claims, size_t n);

#endif
