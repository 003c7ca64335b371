// faulting.h - devices whose kernels fault: each runs in host memory, in a range of addresses of its own, of which pages are mapped only while their words say that the device has them.
//
// | file | holds |
// | --- | --- |
// | range.c | the device's range: which pages are there, within a budget, and who must not go |
// | range_uffd.c, range_sigsegv.c | how its pages are mapped and taken away, and threads woken that sleep there |
// | device_fault.c | a kernel's fault: what the page's word allows, brought under a claim of its own |
// | device_evict.c | what leaves the device, for whatever reason |
// | device_wait.c | threads of kernels that wait for views, and for those of other devices |
// | device_turn.c | which thread's turn it is, where kernels of several devices take a page from each other |
//
// What is mapped is a cache of the page words, and may always allow less. A page is mapped, and a protection lifted, under a claim of it; so is a page taken away that the device has.
// Nothing here waits for anybody: a fault on a page that somebody has claimed is left alone, and made again when that claim ends.
//
// The lock of `struct faulting_devices` is a leaf and guards all of these structures. What has no owner is mapped and taken away under it: strays, and pages whose words say that nobody has them any more.
#ifndef HMM_FAULTING_H
#define HMM_FAULTING_H

#include "claim.h"
#include "mappings.h"
#include "pager.h"
#include "stream.h"
#include "trap.h"

#define EVICTED_BYTES (2ULL << 20) // together, so that the processors are told once
#define EVICTED_PAGES 512
#define ALONG_PAGES 256
#define PAGES_OF_AN_INSTRUCTION 32 // a gather of sixteen, each of which straddles two pages
#define MAX_FAULTING_THREADS 256
#define VIOLATIONS 256 // that are remembered: as many as launches

enum presence { ABSENT, PRESENT, STRAY };

struct resident {
  uint32_t older, newer; // page + 1, of the pages that are there, in the order in which they came
  _Atomic uint16_t holds; // by threads that were just given it: it is no victim
  uint8_t presence;
};

struct holder { // a thread of the device
  uint32_t thread; // of the operating system, 0: nobody yet
  uint64_t last;   // when it has faulted last, as a count
  uint64_t series; // since when it faults for one and the same instruction (`struct faulting_devices`)
  uint64_t given;  // when it has faulted last, in nanoseconds of CLOCK_MONOTONIC
  uint64_t ran;    // and how long it had run then, in nanoseconds
  uint32_t pages[PAGES_OF_AN_INSTRUCTION]; // page + 1, that it was given last; all of them held
  unsigned turn;
};

struct device_wait { // of a thread
  uint64_t page, deadline; // in nanoseconds of CLOCK_MONOTONIC
  uint64_t read;           // when its fault was
  uint32_t thread;
  bool write;
  bool over;
  bool turn; // it waits for its turn, and looks again at `deadline`; else for a view
};

// Pages of which no more may be there at once than a number; apart from others. What is there of them is counted with what becomes of each, so that a quota may come and go at any time.
struct quota {
  uint64_t first, end, most;
  uint64_t there;
};

// How faults in a range are noticed, and how its mappings change; the other half of a trap.
struct range_trap {
  int (*open)(struct faulting *); // 0 or -errno; -ENOTSUP if faults cannot be noticed here
  void (*close)(struct faulting *);
  // Maps pages that are not there, filled; all of them or none. `from` is where their contents begin, null for zeros.
  int (*fill)(struct faulting *, uint64_t first, uint64_t end, const char *from, bool writable);
  int (*protect)(struct faulting *, uint64_t first, uint64_t end); // what can be written can only be read
  int (*lift)(struct faulting *, uint64_t first, uint64_t end);    // what is there can be written
  int (*show)(struct faulting *, uint64_t first, uint64_t end);    // or can be read, if it was closed for want of mappings
  void (*drop)(struct faulting *, uint64_t first, uint64_t end);   // the pages and their memory
  void (*wake)(struct faulting *, uint64_t first, uint64_t end);   // the threads that sleep there
  // Whether a fault would not be made again, since what is there is mapped well enough by now; `writable` says that it may be mapped to be written.
  bool (*allows)(const struct faulting *, const struct fault *, bool writable);
  bool by_signal;
};

extern const struct range_trap uffd_range, sigsegv_range;

struct faulting {
  struct hmm_pager *p;
  const struct range_trap *trap;
  char *ours;               // where we reach the pages that are there, whatever is mapped
  struct mappings mappings; // of sigsegv_range, and its file
  int memfd;
  struct faulting *next;
  unsigned device;
  char *range; // page p begins at range + p * page_bytes
  char *zeros; // one page of them
  struct resident *pages;
  uint32_t oldest, newest; // page + 1
  uint64_t budget;         // pages that may be there at once
  uint64_t taken;          // of them: there, or on their way in or out
  uint64_t strays;
  uint64_t most_along;  // pages that come along with one that was asked for
  struct quota *quotas; // in order of pages
  size_t quota_count;
  struct holder *holders;
  unsigned holder_count;
  struct stream streams[STREAMS]; // of faults, one behind the other
  unsigned stream_turn;
  uint64_t faults; // a clock for holders
  struct device_wait waits[MAX_FAULTING_THREADS]; // one for each thread
  _Atomic unsigned waiting;
  _Atomic uint64_t wait_over; // when the first of them has waited for as long as it may; 0: none has a bound
  uint64_t since; // when the kernel that runs has begun, or the last one has ended
  const struct launch *running; // or null
  struct hmm_violation violation; // its first; kind 0: none
  struct hmm_violation ended[VIOLATIONS]; // a ring of those of launches that have ended
  unsigned ended_turn;
};

static inline char *in_range(const struct faulting *f, uint64_t page) { return f->range + (page << f->p->config.page_shift); }
static inline char *contents(const struct faulting *f, uint64_t page) { return f->ours + (page << f->p->config.page_shift); }
static inline size_t range_bytes(const struct faulting *f) { return (size_t)(f->p->config.page_count << f->p->config.page_shift); }
static inline uint64_t tick(struct hmm_pager *p) { return atomic_fetch_add(&p->faulting.clock, 1) + 1; }
static inline void lock(struct faulting *f) { pthread_mutex_lock(&f->p->faulting.lock); }
static inline void unlock(struct faulting *f) { pthread_mutex_unlock(&f->p->faulting.lock); }
static inline bool device_has(const struct faulting *f, uint64_t w) { return word_holders(w) >> f->device & 1; }
// The other devices that have the page.
static inline unsigned others_of(const struct faulting *f, uint64_t w) { return word_holders(w) & ~(1u << f->device); }
static inline struct faulting *faulting_of(struct hmm_pager *p, uint64_t device) { return device < p->device_count ? p->devices[device].faulting : NULL; }
// The device in whose range an address lies, and how far behind its beginning; or null.
static inline struct faulting *device_at(const struct hmm_pager *p, uint64_t address, uint64_t *at) {
  struct faulting *f = p->faulting.first;
  while (f && (*at = address - (uint64_t)(uintptr_t)f->range) >> p->config.page_shift >= p->config.page_count) f = f->next;
  return f;
}

// range.c

void wake_there(struct faulting *f, uint64_t first, uint64_t end); // the device's threads that sleep there
// Places for pages: up to `wanted` that are free.
uint64_t take_places(struct faulting *f, uint64_t wanted);
void give_places_back(struct faulting *f, uint64_t places);
uint64_t free_places(struct faulting *f);
// How many pages more the quota of a page lets come, if nobody else of it does; UINT64_MAX if it has none.
uint64_t quota_left(struct faulting *f, uint64_t page);
bool over_quota(struct faulting *f, uint64_t page); // more is there than that
int put_quota(struct faulting *f, uint64_t first, uint64_t end, uint64_t most); // in place of what the pages had; 0 or -errno
// What has to go first so that this page can come, the oldest first: pages under its quota if that is used up. What is held stays. Their places are the caller's from then on.
size_t choose_victims(struct faulting *f, uint64_t page, uint64_t *victims, size_t most);
void keep_victim(struct faulting *f, uint64_t victim); // it could not go: its place is its own again
size_t evicted_at_once(struct faulting *f, uint64_t page); // how many go together for it, at most EVICTED_PAGES
void hold_for(struct faulting *f, uint32_t thread, uint64_t page); // what a thread is given is no victim until it was given PAGES_OF_AN_INSTRUCTION others
void let_holders_go(struct faulting *f);

// Whether a victim has gone by itself, or had no owner and is taken away here. Then its place is free; else it is to be claimed first.
bool is_gone(struct faulting *f, uint64_t victim);

// How many pages shall come along with this one, which a kernel has asked for: more each time that a fault begins where what an earlier one has brought ends.
uint64_t pages_along(struct faulting *f, uint64_t page);

// Under claims of the pages and with places for them; `from` is where their contents begin, null for zeros. 0 or -errno, and then the places are given back; -EDQUOT if others have used
// up the quota meanwhile.
int map_there(struct faulting *f, uint64_t first, uint64_t end, const char *from, bool writable);
int protect_there(struct faulting *f, uint64_t first, uint64_t end);
int lift_there(struct faulting *f, uint64_t first, uint64_t end);
int show_there(struct faulting *f, uint64_t first, uint64_t end);
bool is_there(struct faulting *f, uint64_t page);
void unmap_there(struct faulting *f, uint64_t first, uint64_t end); // and gives their places back, but those of pages that somebody has chosen as victims: they are his

// device_evict.c

// A place for a page, made by evicting others if none is free or its quota is used up. 0 if there is none now: everybody who may go is on his way already, or has nowhere to go to.
uint64_t make_place(struct faulting *f, uint64_t page);
void evict_ahead(struct faulting *f, uint64_t page); // so that places are free when this is asked for
// Takes pages that the device has and the caller has claimed away from it, and settles the claims, which are in order of pages. Those that cannot go home stay, and are not `taken`.
// 0, or -errno of the first of them.
int evict_claimed(struct faulting *f, struct claim *claims, size_t n);
// A claimed page has come to the device, or goes from it.
typedef uint64_t becoming_there(uint64_t w, uint64_t before, unsigned device);
becoming_there left_device; // what others have a copy of is theirs
void settle_there(struct faulting *f, const struct claim *claims, size_t n, becoming_there *next); // and wakes whoever waits for them; what a failed kernel was to write is poisoned instead

// device_wait.c

// A thread has met a view: notes since when it waits, and says whether it has waited for as long as a touch may.
bool waits_too_long(struct faulting *f, const struct fault *fault);
void waits_no_more(struct faulting *f, const struct fault *fault);
void forget_waits(struct faulting *f); // the kernel has ended; the lock is held
// It is another thread's turn: sees to it that this one looks again soon. False if that cannot be noted.
bool waits_for_turn(struct faulting *f, const struct fault *fault);

// device_turn.c

void note_turn(struct faulting *f, struct holder *h, bool anew); // its thread faults, `anew` if it never did before; the lock is held
// Whether a page that another device has is to stay there for now, since a thread there was given it and has not used it yet, and has faulted for its instruction since before this one's did.
bool is_kept(struct faulting *f, uint64_t page, const struct fault *fault, uint64_t w);
uint64_t keep_at_most(uint64_t nanos); // how long a thread keeps a page that does not run; for tests; returns what it was

// A page of its own for an access that is refused, if the word is still the one that it was judged by and its kernel still runs, which is told; with a place for it. Returns whether the place was used.
bool map_stray(struct faulting *f, const struct fault *fault, uint64_t judged, int kind);
void drop_strays(struct faulting *f, uint64_t first, uint64_t end);
void drop_dead(struct faulting *f, uint64_t first, uint64_t end); // pages whose words say that they have no contents: no region, or poisoned

#endif
