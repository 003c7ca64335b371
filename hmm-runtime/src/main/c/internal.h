// internal.h - what the files of the native part share. The exported side is hmm_pager.h.
//
// | file | holds |
// | --- | --- |
// | pager.c | opening and closing, the crew that serves faults, counters, steps for tests |
// | fault.c | what to do about one fault, and what to bring along |
// | claim.c, claim.h | claims for the host: made, settled, and who waits for them woken |
// | device_fault.c, device_evict.c, device_wait.c, device_turn.c, range.c, faulting.h | devices whose kernels fault |
// | home.c | claim, wait, copy, map, settle: the one way in which pages come home |
// | peer.c | the way from one device to another, without the host |
// | change.c | what is done to pages where they are: rights, contents, host memory, frames, undoing a move |
// | forbid.c | keeping the host out of what Java has claimed for a device, and not out of what was pinned meanwhile |
// | inflight.c, inflight.h | launches in flight, and who waits for them |
// | overwrite.c | what a launch overwrites |
// | gate.c | the last step of a launch |
// | resident.c, block.h | what it must find of its pages, and what is known of many at once |
// | memory.c | host memory behind pages |
// | dma.c | copies between host and device memory, and between devices |
// | staging.c, packed.c, gather.c, staging.h | copies through pinned staging memory; those that nobody waits for yet; what lies apart, carried by a kernel |
// | sharing.c, sharing.h | one such copy by several threads |
// | uffd.c, sigsegv.c, sigbus.c | the traps: how a touch is noticed and how mappings are changed |
// | checked.c | and that of a heap in which there is nothing to notice |
// | requests.c | what the handler of a signal hands to the crew |
// | signals.c | the signal handlers, their place in the chain of handlers, and how a touch becomes an error |
// | answers.c | how userfaultfd's trap tells an error |
// | mappings.c | the protection of every page under the SIGSEGV trap, in fewer mappings than the process may have |
// | condition.c, condition.h | what threads wait for under a lock |
// | record.c | records of what was served, for those who want to see it |
// | notice.c | tells of touches that wait long or are refused |
// | probe.c | tries a trap with real faults |
// | word.h | the page word |
//
// Locks are leaves, but for `insist_lock`, which is taken first and held until that launch is enqueued, and `callback_lock`, which is held over `launch_lock`; no fault ever takes either. No other lock is held over an OpenCL call or a wait
// for a device, except that of a staging lane, which guards just that; from device to device two of them, taken in the order of their devices.
#ifndef HMM_INTERNAL_H
#define HMM_INTERNAL_H

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "block.h"
#include "cl.h"
#include "condition.h"
#include "hmm_pager.h"
#include "sharing.h"
#include "staging.h"
#include "word.h"

#ifndef MADV_DONTNEED_LOCKED // since Linux 5.18
#define MADV_DONTNEED_LOCKED 24
#endif

#define MAX_PAGERS 256
#define MAX_LAUNCHES 256
#define USES_INLINE 8
#define STREAMS 8
#define FAULTS_AT_ONCE 16
#define CLAIMS_OF_A_FAULT 512
#define ANSWERS 16
#define AHEADS 64
#define NOTICES 16
#define FAILED_LAUNCHES 32
#define STUCK (HMM_MAX_DEVICES * HMM_STAGING_SLOTS + 16)
#ifndef STUCK_NANOS // how long a command is believed in that nobody can wait for; tests are less patient
#define STUCK_NANOS (10ULL * 1000000000ULL)
#endif

struct touch { // as a signal tells it
  struct faulting *device; // as of a fault
  uint32_t offset;
  uint64_t page;
  bool write;
  bool mapped; // the page is mapped, and only protected
};

struct fault {
  uint64_t page;
  bool write;
  bool mapped; // the page is mapped, and only protected
  uint32_t thread; // that touched, 0 if unknown
  void *slot; // the trap's own
  struct faulting *device; // whose kernel's it is, in that device's range; null: the host's
  uint32_t offset; // in the page, of a kernel's
  uint64_t read; // when, of a kernel's (`fault_clock`)
};

// How a touch is noticed and how mappings change. Installing and waking are done under a claim; the others may come late and then cost one spurious fault.
// A trap without `wait` notices none: its heap has no crew, and nobody calls what only a crew does.
struct trap {
  int (*open)(struct hmm_pager *);
  int (*close)(struct hmm_pager *); // 0, or -errno if the program's mapping could not be taken away
  // Waits for faults. Returns how many; 0 if the crew is to look whether it is to stop; -errno if none can be noticed
  // any more, and then every touch is an error already.
  int (*wait)(struct hmm_pager *, struct fault *, int capacity);
  void (*ring)(struct hmm_pager *); // makes `wait` return
  // Maps host pages, and wakes nobody: who touched them shall find their words settled. `writable` still respects the protection of the region.
  int (*install)(struct hmm_pager *, uint64_t first, uint64_t end, bool writable);
  // Gives pages that are mapped for reading, as far as they are mapped, the right to be written. Those that are not fault once more.
  int (*upgrade)(struct hmm_pager *, uint64_t first, uint64_t end);
  // Maps pages that have no host memory yet, which then reads as zeros, writable.
  int (*install_empty)(struct hmm_pager *, uint64_t first, uint64_t end);
  int (*forbid)(struct hmm_pager *, uint64_t first, uint64_t end, bool keep_reading);
  // After the words of pages have changed: takes away what they no longer allow (0 nothing, 1 reading, 2 all), and ends what was answered for them.
  int (*set_access)(struct hmm_pager *, uint64_t first, uint64_t end, int access);
  int (*may_pin)(struct hmm_pager *); // -ENOMEM if what is pinned would leave too few mappings for the rest
  void (*wake)(struct hmm_pager *, uint64_t first, uint64_t end); // those who wait for a claim without a new mapping
  void (*put_back)(struct hmm_pager *, const struct fault *); // a fault that `wait` has returned comes again
  // Ends a fault: 0, or the touch becomes an error of the thread, if the page's word is still what it was `judged` by; else it is made again.
  void (*answer)(struct hmm_pager *, const struct fault *, int result, uint64_t judged);
  // In the handler of the signal that the touch has become: whether it may be made again; else it is an error.
  bool (*touched)(struct hmm_pager *, struct touch, const void *signal_context);
  const struct range_trap *range; // how kernels' faults are noticed where touches are noticed like this (faulting.h), or null
  int signal; // or 0
  bool waits_for_claims; // whether a fault on a claimed page must wait here, or sleeps until it is woken
};

extern const struct trap uffd_trap, sigsegv_trap, sigbus_trap, checked_trap;

struct device {
  struct hmm_device_config config;
  void *queue; // ours, so that a fault never stands behind a migration
  char *range; // of a device whose kernels fault: where page 0 is, and page p is frame p; else null
  _Atomic(struct faulting *) faulting; // that device, or null
  struct lane lanes[LANES];
  struct gather gather;
  _Atomic bool lost; // a command was given up: its frames and all that it may still write to are never used again
};

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
  uint64_t look_at, look_pause; // when whoever waits for the launch asks how it is getting on
  uint64_t silent_since; // nobody has answered that from then on; 0: the last answer was one
  bool synchronised; // somebody has waited for the event: a callback alone does not make the kernel's writes visible to other queues
  char name[HMM_NAME_BYTES];
};

struct stream {
  uint64_t next;      // page behind what the stream has brought so far
  uint64_t pages;     // what the last fault of it brought
  unsigned under_way; // such windows of which some pages are not here yet
  uint64_t begun;     // where the first of those begins
  uint64_t mark;      // a page of the last one that was left where it is: whoever touches it makes the stream go on; 0: none
};

struct ahead { // pages to bring along, by whoever of the crew has nothing else to do
  uint64_t first, end;
  uint64_t word; // what they looked like
  bool write, mapped;
};

struct page_range {
  uint64_t first, end;
};

struct stuck { // a command that was given up, and the host pages that it may still write to
  void *event;
  uint64_t first, end;
};

struct step {
  bool armed;
  int stopped;
};

struct answers { // see answers.c
  pthread_mutex_t lock;
  _Atomic int count; // that stand, or are about to
  _Atomic int hearing; // signal handlers that are opening what was closed
  _Atomic uint64_t given[ANSWERS];
  unsigned turn;
  _Atomic bool all_closed;
};

struct mappings { // of a range of pages, see mappings.c
  char *at; // page p begins at at + (p << shift)
  uint64_t count;
  unsigned shift;
  bool (*is_kept)(const void *of, uint64_t page); // not to be closed for want of mappings
  const void *of;
  uint8_t *access; // by page: what the kernel allows
  uint64_t hand;   // where to go on closing
  struct mappings *next; // of all that there are
};

struct hmm_pager {
  struct hmm_config config;
  struct cl cl;
  unsigned place; // among the pagers of the process
  const struct trap *trap;
  pid_t process; // that has the crew
  int uffd;
  char *doorbell;
  pthread_t ringer;
  bool ringing;
  void *requests; // of the traps whose touches are signals
  sigjmp_buf *on_error; // of a heap that is being tried: where a touch goes that becomes an error
  _Atomic int inside; // signal handlers that use this heap

  _Atomic uint64_t *words;
  _Atomic uint64_t *changes; // by block of pages: see block.h
  unsigned block_shift;      // log2 of its pages
  const _Atomic uint8_t *region_starts;
  _Atomic uint8_t *backed;
  uint64_t page_bytes;
  struct device devices[HMM_MAX_DEVICES];
  unsigned device_count;

  pthread_mutex_t launch_lock;
  struct condition launch_changed;
  struct launch launches[MAX_LAUNCHES];
  uint8_t in_flight[MAX_LAUNCHES]; // places of those that somebody may have to wait for, in the order in which they were published
  _Atomic unsigned in_flight_count;
  uint64_t published;
  _Atomic bool works_in_place; // a launch was published that uses host pages where they are
  uint64_t launched[HMM_MAX_DEVICES];
  pthread_mutex_t insist_lock;
  struct hmm_failed_launch failed_launches[FAILED_LAUNCHES]; // a ring, under launch_lock
  unsigned failed_launch_turn;

  struct sharing sharing;

  pthread_mutex_t stuck_lock;
  struct stuck stuck[STUCK];
  unsigned stuck_count;

  pthread_mutex_t settle_lock;
  struct condition settle_changed;
  _Atomic int settle_waiters;

  pthread_mutex_t crew_lock;
  struct condition crew_changed;
  bool led;
  _Atomic bool stopping; // set under the lock
  int crew, idle;
  struct ahead aheads[AHEADS];
  unsigned ahead_first, ahead_count; // a ring

  _Atomic uint8_t *habits; // of pages; null if a touch is to bring what it asks for and no more (fault.c)
  pthread_mutex_t stream_lock;
  struct stream streams[STREAMS];
  unsigned stream_turn;

  pthread_mutex_t notice_lock;
  struct condition notice_changed;
  struct hmm_notice notices[NOTICES]; // a ring
  unsigned notice_first, notice_count;
  unsigned waits_told; // of which the end is still to be told
  bool notices_ended;

  pthread_mutex_t forbid_lock;
  struct condition forbid_changed;
  struct forbidding *forbiddings; // under way
  _Atomic int forbidding_count;

  _Atomic(struct faulting *) faulting; // the devices whose kernels fault, a list that only grows; or null
  pthread_mutex_t faulting_lock;       // over what is known of their ranges
  // A fault may have been answered with others, and be served when its thread has long gone on: then it says nothing of that thread, nor of the kernel that runs. So it has a time, that before it was read.
  _Atomic uint64_t fault_clock;
  struct answers answers;   // of userfaultfd's trap
  struct mappings mappings; // of the SIGSEGV trap
  _Atomic uint64_t counts[HMM_COUNTERS];

  _Atomic bool recording;
  _Atomic int records_open; // begun and not ended
  _Atomic(struct ring *) ring; // of records; stays once it is there
  pthread_mutex_t record_lock; // one takes records at a time; nobody who serves takes this

  _Atomic int steps_armed;
  pthread_mutex_t step_lock;
  struct condition step_changed;
  struct step steps[HMM_STEPS];
};

static inline void count(struct hmm_pager *p, enum hmm_counter c, uint64_t n) {
  if (n) atomic_fetch_add_explicit(&p->counts[c], n, memory_order_relaxed);
}
static inline char *app_of(const struct hmm_pager *p, uint64_t page) {
  return (char *)(uintptr_t)(p->config.app + (page << p->config.page_shift));
}
static inline char *alias_of(const struct hmm_pager *p, uint64_t page) {
  return (char *)(uintptr_t)(p->config.alias + (page << p->config.page_shift));
}

// The page whose bytes begin there.
static inline uint64_t page_of_alias(const struct hmm_pager *p, const char *host) { return (uint64_t)(host - alias_of(p, 0)) >> p->config.page_shift; }
static inline struct block block_of(const struct hmm_pager *p, uint64_t page) {
  uint64_t first = page >> p->block_shift << p->block_shift, pages = 1ULL << p->block_shift;
  return (struct block){&p->changes[page >> p->block_shift], &p->words[first], pages < p->config.page_count - first ? pages : p->config.page_count - first};
}
static inline uint64_t load_word(const struct hmm_pager *p, uint64_t page) {
  struct block b = block_of(p, page);
  return word_in_block(&b, page & ((1ULL << p->block_shift) - 1));
}
static inline bool change_word(struct hmm_pager *p, uint64_t page, uint64_t *expected, uint64_t next) {
  struct block b = block_of(p, page);
  return change_in_block(&b, page & ((1ULL << p->block_shift) - 1), expected, next);
}
static inline bool is_written(const struct hmm_pager *p, uint64_t page) { return atomic_load(&p->changes[page >> p->block_shift]) & BLOCK_WRITTEN; }
static inline uint64_t next_block(const struct hmm_pager *p, uint64_t page) { return (page | ((1ULL << p->block_shift) - 1)) + 1; }
// Of a range, the next stretch from `r->first` on that lies in blocks which are BLOCK_WRITTEN: others have nothing that could be taken away. Returns false if there is none
// before `end`.
static inline bool next_written(const struct hmm_pager *p, struct page_range *r, uint64_t end) {
  while (r->first < end && !is_written(p, r->first)) r->first = next_block(p, r->first);
  r->end = r->first;
  while (r->end < end && is_written(p, r->end)) r->end = next_block(p, r->end);
  if (r->end > end) r->end = end;
  return r->first < end;
}
static inline uint64_t nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}
int fail(struct hmm_failure *failure, enum hmm_reason reason, uint64_t page, uint64_t word, int64_t status, enum hmm_call call, unsigned device);
int fail_cl(struct hmm_pager *p, struct hmm_failure *failure, uint64_t page, uint64_t word, int64_t status, enum hmm_call call, unsigned device);
int fail_errno(struct hmm_failure *failure, uint64_t page, int negative_errno, enum hmm_call call);

// pager.c
void step_slow(struct hmm_pager *p, enum hmm_step step);
static inline void step(struct hmm_pager *p, enum hmm_step s) {
  if (atomic_load_explicit(&p->steps_armed, memory_order_relaxed)) step_slow(p, s);
}
// Starts a thread that takes none of the signals that are sent to the process: those are for the program's threads.
// What it makes itself (SIGSEGV and the like) must be told.
sigset_t sent_by_others(void); // all signals but those
int start_own_thread(pthread_t *thread, const pthread_attr_t *attributes, void *(*main)(void *), void *arg);
void promote(struct hmm_pager *p); // lets somebody else read faults, and the rest of those read already; called before whatever may take long
void share_ahead(struct hmm_pager *p, struct ahead a);
void work_ahead(struct hmm_pager *p); // on what is shared, until nothing is left
void rouse(struct hmm_pager *p); // those who are idle look again what they wait for
int set_rest(const struct fault *faults, int n); // what this thread has read and not begun to serve; returns how much was left of what was set before
void wait_settled(struct hmm_pager *p, uint64_t page);
void settled(struct hmm_pager *p); // after words have left TO_HOST
struct hmm_pager *pager_at(uintptr_t address); // whose program may touch it, or whose kernels, where that is a signal
struct hmm_pager *pager_in(unsigned place); // or null

// signals.c
int install_signal_handler(int signal); // SIGSEGV or SIGBUS
void await_handlers(struct hmm_pager *p); // lets those go who wait in the signal handler, once no other can find the heap
void take_signals(const void *signal_context); // where the handler of SIGBUS may be interrupted again

// requests.c
int open_requests(struct hmm_pager *p);
void close_requests(struct hmm_pager *p);
bool ask_crew(struct hmm_pager *p, struct touch touch); // and sleeps; only calls that a signal handler may make. Whether the touch may be made again
void let_requests_go(struct hmm_pager *p); // when the crew has gone
// For a trap; as it says there.
int wait_for_requests(struct hmm_pager *p, struct fault *faults, int capacity);
void ring_for_requests(struct hmm_pager *p);
void put_request_back(struct hmm_pager *p, const struct fault *f);
void answer_request(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged);
// Of a kernel, which sleeps like any other until somebody wakes those who have touched the page.
void park_request(struct hmm_pager *p, const struct fault *f);
void wake_parked(struct hmm_pager *p, const struct faulting *device, uint64_t first, uint64_t end);

// uffd.c, for a trap that has userfaultfd and its own way to hear of touches
int uffd_begin(struct hmm_pager *p); // maps and registers `app`; what is left to be done at the end is to close `uffd` and to unmap
int uffd_install(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable);
int uffd_upgrade(struct hmm_pager *p, uint64_t first, uint64_t end);
int uffd_install_empty(struct hmm_pager *p, uint64_t first, uint64_t end);
int uffd_forbid(struct hmm_pager *p, uint64_t first, uint64_t end, bool keep_reading);
int uffd_set_access(struct hmm_pager *p, uint64_t first, uint64_t end, int access);
int uffd_may_pin(struct hmm_pager *p);

// answers.c
void give_answer(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged); // then wake the thread
bool hear_answer(struct hmm_pager *p, uint64_t page, bool write); // in the signal handler: whether the touch is an error; else it may be made again
void end_answers(struct hmm_pager *p, uint64_t first, uint64_t end);
bool answers_stand(struct hmm_pager *p);

// mappings.c
enum { CLOSED, READABLE, WRITABLE };
int begin_mappings(struct mappings *m, char *at, uint64_t count, unsigned shift, bool (*is_kept)(const void *of, uint64_t page), const void *of); // all pages are closed
int open_mappings(struct hmm_pager *p); // those of `app`, which is mapped like that
void end_mappings(struct mappings *m);
int set_mapping(struct mappings *m, uint64_t first, uint64_t end, uint8_t access);
int lower_mapping(struct mappings *m, uint64_t first, uint64_t end); // what is writable becomes readable
void shut_mapping(struct mappings *m, uint64_t first, uint64_t end); // closes it, if need be with all others of `m`
bool is_mapped(const struct mappings *m, uint64_t page, uint8_t access); // at least like that
int mappings_for_pins(struct hmm_pager *p); // 0, or -ENOMEM if pinned pages have their share already
uint64_t limit_mappings(uint64_t most); // for tests; returns what it was

// record.c
bool start_record(struct hmm_pager *p, struct hmm_record *r, enum hmm_record_kind kind, uint64_t first, bool write);
void end_record(struct hmm_pager *p, struct hmm_record *r, int result); // never waits; nothing if `r` is null
void drop_record(struct hmm_pager *p, const struct hmm_record *r); // there is nothing to tell
// `r` if records are wanted, else null; all that costs when they are not.
static inline struct hmm_record *new_record(struct hmm_pager *p, struct hmm_record *r, enum hmm_record_kind kind, uint64_t first, bool write) {
  return atomic_load_explicit(&p->recording, memory_order_relaxed) && start_record(p, r, kind, first, write) ? r : NULL;
}

// fault.c
void serve(struct hmm_pager *p, struct fault *faults, int n);
bool serve_here(struct hmm_pager *p, struct touch touch); // in the thread that touches; false if somebody would have to be waited for, or the crew knows better: nothing has changed then
void bring_ahead(struct hmm_pager *p, const struct ahead *a);

// device_fault.c, device_evict.c; of all devices whose kernels fault, if none is named
void serve_device(struct hmm_pager *p, const struct fault *faults, int n);
int take_home(struct hmm_pager *p, uint64_t first, uint64_t end); // what they have of a range, for the price of waiting for claims
// Under claims of pages: from then on that device, whose own they are, does not write to them (0 or -errno); and then, that these devices (bit d for device d) have them no more.
int withhold(struct hmm_pager *p, unsigned device, uint64_t first, uint64_t end);
void take_from_devices(struct hmm_pager *p, unsigned devices, uint64_t first, uint64_t end);
int restrict_device(struct hmm_pager *p, uint64_t first, uint64_t end, uint64_t access); // after the words: as `set_access` of a trap
void forget_dead(struct hmm_pager *p, uint64_t first, uint64_t end); // what they have of pages that have no region any more
void device_begins(struct hmm_pager *p, const struct launch *l);
void device_ends(struct hmm_pager *p, const struct launch *l); // takes no lock but its own
bool violation_of(struct hmm_pager *p, uint64_t launch, struct hmm_violation *violation);
// device_wait.c
uint64_t next_wait_over(struct hmm_pager *p); // when a kernel has waited for a view as long as it may; 0: none waits
void end_waits(struct hmm_pager *p); // of those
// range.c
void wake_devices(struct hmm_pager *p, uint64_t first, uint64_t end); // their threads that sleep there
void close_faulting(struct hmm_pager *p);

// home.c
// Page `first` was touched; after a failure that was its own, `failure->word` is how its word was left. The others come along, but for those that launches use. With TOUCH_AHEAD nobody waits for the first either; with TOUCH_MAPPED they are mapped already, as far as is known.
enum touch_kind { TOUCH_WRITE = 1, TOUCH_MAPPED = 2, TOUCH_AHEAD = 4 };
struct patience;
// -ETIMEDOUT if launches took longer than `patience` has.
int fetch_for_fault(struct hmm_pager *p, uint64_t first, uint64_t end, unsigned touch, struct patience *patience, struct hmm_failure *failure, struct hmm_record *record);
// The same for a touch of one page in the handler of a signal: waits for nobody, and needs little of the stack. -EBUSY if somebody has the page claimed, -EAGAIN if a launch uses it or only
// commands reach it.
int fetch_here(struct hmm_pager *p, uint64_t page, unsigned touch, struct hmm_record *record);
bool may_fetch_here(struct hmm_pager *p, uint64_t page, uint64_t word, bool write); // whether it is worth a try

// notice.c
// How long somebody waits for launches who holds claims meanwhile, so that others wait for him. It is counted from the first wait on: most need none, and a look at the clock costs as much as a claim.
struct patience {
  uint64_t deadline;        // nanoseconds of CLOCK_MONOTONIC; 0: for ever, or no wait yet
  struct hmm_notice notice; // who waits; nothing is told of `thread` 0
  bool told;
};
struct patience new_patience(uint64_t page, bool write, uint32_t thread);
void begin_to_wait(const struct hmm_pager *p, struct patience *patience); // once
void tell(struct hmm_pager *p, struct patience *patience, enum hmm_notice_kind kind); // takes no lock but its own
void tell_refused(struct hmm_pager *p, struct patience *patience, const struct hmm_failure *failure);

// inflight.c
void await_callbacks(void); // until no callback of a driver looks at a pager that can no longer be found
// Waits for launches that use a page of `range` but for number `except`. -EAGAIN if one of them insists and is not decided: then give claims back and try again after
// await_decided. Claim before calling.
int await_conflicts(struct hmm_pager *p, struct page_range range, bool writers_only, int device, uint64_t except);
// The same with a bound: -ETIMEDOUT after it; null for ever.
int await_patiently(struct hmm_pager *p, struct page_range range, bool writers_only, int device, uint64_t except, struct patience *patience);
bool in_use(struct hmm_pager *p, struct page_range range, bool writers_only); // whether there is anything to wait for
bool has_launches(struct hmm_pager *p, unsigned device); // under way
bool is_over(struct hmm_pager *p, struct page_range range, bool writers_only); // whether there is not even an event to be waited for
uint64_t used_until(struct hmm_pager *p, uint64_t page, bool writers_only); // where the use ends that a launch has of the page; `page` if none has
int await_decided(struct hmm_pager *p, struct patience *patience); // 0 or -ETIMEDOUT

// peer.c
// Copies pages that are contiguous on both sides and claimed, straight from one device's frames to another's. 0, -EIO, or -ENOTSUP if that is only possible through the host's pages.
int bring_across(struct hmm_pager *p, unsigned from, unsigned to, uint64_t page, uint64_t pages, uint64_t before, struct hmm_failure *failure);

// table.c
struct table_writes { // commands that the kernel has to wait for: if one fails, the entries are wrong and it must not run
  void **events;
  unsigned count, gaps;
};
// Brings the entries of the device's page table up to date for a launch that is published and not enqueued yet. `writes` is to be ended whatever comes of it.
int show_table(struct hmm_pager *p, struct hmm_table *table, unsigned device, void *queue, struct table_writes *writes, struct hmm_failure *failure);
void end_table_writes(struct hmm_pager *p, struct table_writes *writes);

// forbid.c
void await_forbidden(struct hmm_pager *p, struct page_range pages); // by whoever has claimed them, before he maps them for a pin

// memory.c
// Gives host memory to the pages that may have none; 0 or -errno, -ENOSPC if there is none to give.
int give(const struct hmm_pager *p, uint64_t first, uint64_t end);
// They have it, and a claim or a pin of the caller's keeps others from taking it away.
void note_backed(struct hmm_pager *p, uint64_t first, uint64_t end);
int back(struct hmm_pager *p, uint64_t first, uint64_t end); // both, for pages that the caller has claimed
int punch(struct hmm_pager *p, uint64_t first, uint64_t end); // under claims
int map_app(struct hmm_pager *p, int protection); // the program's mapping of the file, of which no page is there yet
int unmap_pages(struct hmm_pager *p, uint64_t first, uint64_t end); // takes userfaultfd's mapping of them away: what it maps is theirs again with the next touch
int unmap_app(struct hmm_pager *p); // a touch of it is an ordinary stray one from now on
bool has_memory(const struct hmm_pager *p, uint64_t page); // at least in part
static inline bool is_backed(const struct hmm_pager *p, uint64_t page) {
  return atomic_load_explicit(&p->backed[page], memory_order_relaxed);
}

// dma.c
struct copies { // commands under way
  void *events[16];
  unsigned devices[16];
  struct page_range pages[16];
  int count;
  uint32_t staged;               // devices from which parts are under way through slots: bit d is set for device d
  _Atomic uint64_t staged_failure; // how one of those has failed, whoever has seen it: its device, and in the lower half its status; 0 if none has
  unsigned failed_device;        // of the command that failed
};
int dma_open(struct hmm_pager *p, struct device *d);
void dma_close(struct hmm_pager *p, struct device *d);
int32_t frame_of(const struct device *d, uint64_t page); // -1 if it has none
// Copies `pages` pages that are contiguous on both sides; `async` may leave commands under way, which `dma_wait` ends. 0 or an OpenCL status.
int dma_to_host(struct hmm_pager *p, unsigned device, uint64_t page, uint64_t pages, struct copies *async);
bool dma_reaches(const struct hmm_pager *p, unsigned device, uint64_t page); // whether dma_to_host of this page is memcpy
void dma_send(struct hmm_pager *p, struct copies *copies); // nothing more is asked for soon
int dma_wait(struct hmm_pager *p, struct copies *copies);
// Waits until a command has ended, also if the wait itself fails. 0, the status of a bad end, or COMMAND_STUCK if it was given up; the event stays the caller's.
#define COMMAND_STUCK 1
int await_command(struct hmm_pager *p, void *event);
int dma_end_stuck(struct hmm_pager *p); // waits once more for commands that were given up; -EBUSY if one may still write to host pages
bool dma_may_write(struct hmm_pager *p, uint64_t first, uint64_t end); // whether a command that was given up may still write to these host pages
int dma_to_device(struct hmm_pager *p, unsigned device, uint64_t page, bool zero);
// Begins a copy of pages that are contiguous on both sides, on the device's queue, which is to be flushed; `event` is its end, or null if it is over. 0 or an OpenCL status.
int dma_within(struct hmm_pager *p, unsigned device, int32_t from, int32_t to, uint64_t pages, void **event);
// Between frames of two devices, of pages that are contiguous on both. 0, NO_WAY_ACROSS if that would need a buffer of the host's, or an OpenCL status; then `failed` is whose it is.
#define NO_WAY_ACROSS 1
int dma_across(struct hmm_pager *p, unsigned from, unsigned to, uint64_t page, uint64_t pages, unsigned *failed);
int dma_finish(struct hmm_pager *p, unsigned device, void *event, struct page_range pages); // waits for a command, releases its event, returns its outcome; `pages` are the host pages it writes to
int dma_give_up(struct hmm_pager *p, unsigned device, void *event, struct page_range pages); // for one that does not end: an OpenCL status
int dma_flush(struct hmm_pager *p, void *queue);
bool dma_is_gone(struct hmm_pager *p, struct device *d); // neither is sent what is in its queue, nor can there be another: what it has will never be read
bool dma_contiguous(const struct device *d, int32_t a, int32_t b); // whether frame b follows frame a in one memory object

#endif
