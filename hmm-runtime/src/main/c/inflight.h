// inflight.h - launches in flight (inflight.c).
//
// The lock guards the table and is a leaf, but that who calls back has `callback_lock` over it; no call of OpenCL is made while it is held.
#ifndef HMM_INFLIGHT_H
#define HMM_INFLIGHT_H

#include "block.h"
#include "condition.h"
#include "hmm_pager.h"

#define MAX_LAUNCHES 256
#define USES_INLINE 8
#define FAILED_LAUNCHES 32

struct patience;

// PUBLISHED and INSISTING are not decided yet. Who has to wait for a launch that insists, or that has committed what it overwrites, gives its claims back until it is.
enum launch_state { FREE, PUBLISHED, INSISTING, RUNNING, ENDING, ENDED };

struct launch {
  enum launch_state state;
  uint64_t number; // of all launches of the process; says in which place of which pager it is
  uint64_t order;  // in which those of the heap were published
  bool faults;     // its kernel asks for its pages itself: nobody waits for it who takes some away, also while it waits for its turn
  bool turn;       // of those launches: its kernel is the one that may run
  unsigned device;
  uint64_t use_count;
  struct hmm_use *uses, inline_uses[USES_INLINE];
  void *event;
  unsigned users; // who is waiting for the event, or asks about it
  bool awaited; // the driver has been asked to call back when it has ended
  uint64_t look_at, look_pause; // when whoever waits for the launch asks how it is getting on
  uint64_t silent_since; // nobody has answered that from then on; 0: the last answer was one
  bool synchronised; // somebody has waited for the event: a callback alone does not make the kernel's writes visible to other queues
  char name[HMM_NAME_BYTES];
};

struct inflight {
  pthread_mutex_t lock;
  struct condition changed;
  struct launch launches[MAX_LAUNCHES];
  uint8_t places[MAX_LAUNCHES]; // of those that somebody may have to wait for, in the order in which they were published
  _Atomic unsigned count;
  uint64_t published;
  _Atomic bool in_place; // a launch was published that uses host pages where they are
  uint64_t launched[HMM_MAX_DEVICES];
  struct hmm_failed_launch failed[FAILED_LAUNCHES]; // a ring
  unsigned failed_turn;
};

void await_callbacks(void); // until no callback of a driver looks at a pager that can no longer be found
void forget_launches(struct hmm_pager *p); // at the end

// ---- for whoever takes pages away

// Waits for launches that use a page of `range` but for number `except`. -EAGAIN if one of them insists and is not decided: then give claims back and try again after
// await_decided. Claim before calling.
int await_conflicts(struct hmm_pager *p, struct page_range range, bool writers_only, int device, uint64_t except);
// The same with a bound: -ETIMEDOUT after it; null for ever.
int await_patiently(struct hmm_pager *p, struct page_range range, bool writers_only, int device, uint64_t except, struct patience *patience);
bool has_launches(struct hmm_pager *p, unsigned device); // under way
// That a kernel has ended is found out when somebody asks its event, as the first of these does. The others say what is known and ask nobody, so that a handler of signals may call them.
void note_ends(struct hmm_pager *p, struct page_range range); // asks about those that use a page of the range
bool in_use(struct hmm_pager *p, struct page_range range, bool writers_only, uint64_t except); // whether there is anything to wait for, but launch number `except` (0: none)
bool is_over(struct hmm_pager *p, struct page_range range, bool writers_only); // whether there is not even an event to be waited for
uint64_t used_until(struct hmm_pager *p, uint64_t page, bool writers_only); // where the use ends that a launch has of the page; `page` if none has
int await_decided(struct hmm_pager *p, struct patience *patience); // 0 or -ETIMEDOUT

// ---- for the gate

struct launch *publish(struct hmm_pager *p, const struct hmm_launch *request); // waits for a place; null without memory
struct launch *launch_of(struct hmm_pager *p, uint64_t number); // its place, which may be another's by now
bool is_undecided(struct hmm_pager *p, const struct launch *l, uint64_t number); // of the caller's launch, whose place may be another's by now: whether nothing of it has run
void withdraw(struct hmm_pager *p, struct launch *l);

// Kernels of several devices that use host pages where they are take turns on what one of them writes, in the order in which they were published: no word says whose turn it is. Waits for
// those before this one. 0, or 1 if it is to be withdrawn and made anew: one before it insists and may want its pages, or takes longer than a touch may wait.
int await_those_before(struct hmm_pager *p, const struct launch *l);

// One kernel that faults at a time: what it does wrong is known to be its own. 0, or -ETIMEDOUT if the one before takes longer than a touch may wait.
int await_turn(struct hmm_pager *p, struct launch *l);

// The kernel is the driver's. `event` is a reference of the table's, or null if there was none to be had: then the caller waits.
void attach(struct hmm_pager *p, struct launch *l, void *event);

// Notes the end of a kernel, if nobody has: a callback and all who look at its event may come at once.
void end_launch(struct hmm_pager *p, struct launch *l, uint64_t number, int status);
bool ask_for_a_call(struct hmm_pager *p, void *event, uint64_t number); // when it has ended; false if the driver refuses

// How a command ended, or how it is getting on if that is above CL_COMPLETE; false if the driver does not say.
bool ask(struct hmm_pager *p, void *event, int *outcome);
// The same for a driver that will not tell us: waited for here. If the end cannot be found out, the launch stays under way: nobody gets pages that a kernel may still write.
int wait_for(struct hmm_pager *p, void *event);

#endif
