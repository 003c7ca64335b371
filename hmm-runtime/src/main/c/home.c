// home.c - the one way in which pages come home: for a fault, a view, or whoever needs the host's copy.
//
// In numbered steps, for a batch of pages, in one call:
//   1 claim each page that has to change with TO_HOST, then
//   2 wait for the launches in flight that conflict (claim first, wait then: gate.c has the other half),
//   3 copy what only a device has into the alias,
//   4 map, if asked for,
//   5 settle each claim, with its pin if a view asked for one, and wake whoever waits.
// A fault takes the same way for every page, also where nothing is to be copied: every mapping is installed, and every protection lifted, under a claim.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "claim.h"
#include "crew.h"
#include "device_fault.h"
#include "dma.h"
#include "failure.h"
#include "forbid.h"
#include "home.h"
#include "inflight.h"
#include "mappings.h"
#include "memory.h"
#include "notice.h"
#include "pager.h"
#include "record.h"
#include "trap.h"

#define BATCH_BYTES (4ULL << 20)
#define UNDER_WAY 4
#define FAULT 8  // beside hmm_fetch_flags, which has 64 as well: map every page, whatever its state
#define AHEAD 16 // of a fault: nobody waits for any of these pages
#define MAPPED 32 // of a fault: the pages are mapped and protected
#define PATIENT 128 // of a fetch: of pages that one launch uses, and waits for it
#define HERE 512 // of a fault: in the thread that has touched the page, which waits for nobody

struct batch {
  struct claim *claims;
  size_t count;
  struct copies copies;
  struct hmm_record *record; // or null
  struct hmm_record space;   // for that of a part of a fetch
};

struct fetch {
  struct hmm_pager *p;
  uint64_t flags;
  uint8_t *outcomes; // of page `first` on
  uint64_t first;
  struct hmm_moved *moved;
  struct hmm_failure *failure;
  struct patience *patience; // null: for ever
};

struct left { // pages of a pass that are for the next one
  bool busy;     // somebody else has them claimed
  bool launched; // launches use them
};

enum { DONE, CLAIMED, BUSY };
enum { OUTCOME_ALREADY = 1, OUTCOME_MOVED, OUTCOME_NOTHING };

static bool exclusive(const struct fetch *f) { return f->flags & HMM_EXCLUSIVE; }

static int done(const struct fetch *f, uint64_t page, uint8_t outcome) {
  if (f->outcomes) f->outcomes[page - f->first] = outcome;
  return DONE;
}

static bool may_touch(const struct fetch *f, uint64_t w) {
  enum state s = word_state(w);
  return s != POISONED && s != UNMAPPED && (exclusive(f) ? word_writable(w) : word_readable(w));
}

// Pins a page that needs nothing else. Without pins there is nothing to do.
static int settle_in_place(const struct fetch *f, uint64_t page, uint64_t w, uint64_t next) {
  if (f->flags & HMM_PIN) {
    if (word_pins(w, exclusive(f)) == MAX_PINS) return fail(f->failure, HMM_TOO_MANY_PINS, page, w, 0, HMM_CALL_NONE, 0);
    next = word_pin(next, exclusive(f));
  }
  if (next == w || change_word(f->p, page, &w, next)) return done(f, page, OUTCOME_ALREADY);
  return -EINTR; // somebody was quicker: look again
}

// Whether devices lose something by a claim, so that launches there may be in its way.
static bool must_wait(const struct fetch *f, uint64_t before) {
  return word_state(before) == DEVICE || (exclusive(f) && word_sharers(before));
}

static int claim(const struct fetch *f, struct batch *b, uint64_t page, uint64_t w) {
  if (f->flags & HMM_STAY && must_wait(f, w)) return fail(f->failure, HMM_WOULD_MOVE, page, w, 0, HMM_CALL_NONE, 0);
  if (f->flags & HMM_PIN && word_pins(w, exclusive(f)) == MAX_PINS) return fail(f->failure, HMM_TOO_MANY_PINS, page, w, 0, HMM_CALL_NONE, 0);
  if (!claim_page(f->p, page, &w, exclusive(f), &b->claims[b->count])) return -EINTR;
  b->count++;
  return CLAIMED;
}

// Step 1 for one page: DONE, CLAIMED, BUSY (somebody else has it claimed) or -errno.
static int claim_or_finish(const struct fetch *f, struct batch *b, uint64_t page) {
  int result;
  do {
    uint64_t w = load_word(f->p, page);
    if (f->flags & (HMM_PIN | FAULT) && !may_touch(f, w)) return fail(f->failure, HMM_REFUSED, page, w, 0, HMM_CALL_NONE, 0);
    enum state s = word_state(w);
    if (s == TO_HOST || (s == TO_DEVICE && f->flags & HERE)) return BUSY;
    if (f->flags & HMM_IN_PLACE && s != POISONED && s != UNMAPPED) {
      bool here = (s == HOST || (s == SHARED && !exclusive(f))) && is_backed(f->p, page);
      result = here ? done(f, page, OUTCOME_ALREADY) : claim(f, b, page, w);
      continue;
    }
    if (f->flags & FAULT || (f->flags & HMM_PIN && f->flags & HMM_MAP)) { // also what is here may lack its mapping
      result = claim(f, b, page, w);
      continue;
    }
    switch (s) {
    case EMPTY:
      if (!(f->flags & HMM_PIN)) return done(f, page, OUTCOME_ALREADY);
      result = exclusive(f)                  ? settle_in_place(f, page, w, word_next(w, HOST, 0, 0, 0))
               : (w & MARKED_READ) ? settle_in_place(f, page, w, w)
                                             : settle_in_place(f, page, w, word_next(w, EMPTY, 0, 0, MARKED_READ));
      break;
    case HOST: result = settle_in_place(f, page, w, w); break;
    case SHARED: result = exclusive(f) ? claim(f, b, page, w) : settle_in_place(f, page, w, w); break;
    case TO_DEVICE: // a read beside a read claim leaves it alone, everything else takes the page back
      if (!exclusive(f) && !(w & WRITE_INTENT)) result = settle_in_place(f, page, w, w);
      else if (exclusive(f) && word_sharers(w)) result = claim(f, b, page, w);
      else result = settle_in_place(f, page, w, word_shared(w, word_sharers(w)));
      break;
    case DEVICE:
    case PEERS: result = claim(f, b, page, w); break;
    default: return done(f, page, OUTCOME_NOTHING);
    }
  } while (result == -EINTR);
  return result;
}

// Where the run of adjacent claims ends that begins with claim i and must wait for launches; i if it need not. The claims are in order of pages.
static size_t waiting_run(const struct fetch *f, const struct batch *b, size_t i) {
  size_t j = i;
  while (j < b->count && must_wait(f, b->claims[j].before) && (j == i || b->claims[j].page == b->claims[j - 1].page + 1)) j++;
  return j;
}

static bool waits_for_launch(const struct fetch *f, uint64_t page) {
  return must_wait(f, load_word(f->p, page)) && in_use(f->p, (struct page_range){page, page + 1}, !exclusive(f), 0);
}

// Step 2.
static int await_launches(const struct fetch *f, const struct batch *b) {
  for (size_t i = 0; i < b->count;) {
    size_t j = waiting_run(f, b, i);
    if (j == i) {
      i++;
      continue;
    }
    struct page_range range = {b->claims[i].page, b->claims[j - 1].page + 1};
    if (f->flags & HERE && !is_over(f->p, range, !exclusive(f))) return -EAGAIN;
    if (f->flags & HERE) return 0;
    if (f->flags & FAULT && in_use(f->p, range, !exclusive(f), 0)) count(f->p, HMM_WAITS, 1);
    int result = await_patiently(f->p, range, !exclusive(f), -1, 0, f->patience);
    if (result) return result;
    i = j;
  }
  return 0;
}

static bool continues(const struct batch *b, size_t i) { return i < b->count && b->claims[i].page == b->claims[i - 1].page + 1; }

// A device whose kernels fault goes on while its pages leave: first it does not write to them any more.
static int withhold_pages(const struct fetch *f, const struct batch *b) {
  for (size_t i = 0; i < b->count && f->p->faulting.first; i++) {
    const uint64_t first = b->claims[i].page, before = b->claims[i].before;
    if (word_state(before) != DEVICE) continue;
    while (continues(b, i + 1) && word_state(b->claims[i + 1].before) == DEVICE && word_device(b->claims[i + 1].before) == word_device(before)) i++;
    int result = withhold(f->p, word_device(before), first, b->claims[i].page + 1);
    if (result) return fail_errno(f->failure, first, result, HMM_CALL_FORBID);
  }
  return 0;
}

static unsigned on_devices(const struct claim *c) { return word_holders(c->before); }

// And when their contents are here, what the host is going to write is not there any more. They are the host's from then on, also if the rest fails.
static void take_pages(const struct fetch *f, struct batch *b) {
  for (size_t i = 0; i < b->count && f->p->faulting.first && exclusive(f); i++) {
    uint64_t first = b->claims[i].page;
    unsigned devices = on_devices(&b->claims[i]);
    if (!devices) continue;
    b->claims[i].taken = true;
    while (continues(b, i + 1) && on_devices(&b->claims[i + 1]) == devices) b->claims[++i].taken = true;
    take_from_devices(f->p, devices, first, b->claims[i].page + 1);
  }
}

// Nobody says which of several commands has failed: told is the first page that came from the device.
static int fail_copy(const struct fetch *f, const struct batch *b, int status, unsigned device) {
  const struct claim *c = b->claims;
  while (!is_away(c->before) || !(word_holders(c->before) >> device & 1)) c++;
  return fail_cl(f->p, f->failure, c->page, c->before, status, HMM_CALL_READ, device);
}

// Step 3: long copies become commands that are waited for in `land`.
static int copy(const struct fetch *f, struct batch *b) {
  for (size_t i = 0; i < b->count;) {
    uint64_t before = b->claims[i].before;
    size_t j = i + 1;
    if (is_away(before)) {
      unsigned device = source_of(f->p, before);
      const struct device *d = &f->p->devices[device];
      if (f->flags & HERE && !dma_reaches(f->p, device, b->claims[i].page)) return -EAGAIN;
      while (continues(b, j) && is_away(b->claims[j].before) && word_holders(b->claims[j].before) >> device & 1
             && dma_contiguous(d, frame_of(d, b->claims[j - 1].page), frame_of(d, b->claims[j].page))) {
        j++;
      }
      int result = back(f->p, b->claims[i].page, b->claims[i].page + (j - i));
      if (result) return fail_errno(f->failure, b->claims[i].page, result, HMM_CALL_NONE);
      int status = dma_to_host(f->p, device, b->claims[i].page, j - i, f->flags & FAULT ? NULL : &b->copies);
      if (f->moved && b->copies.staged) f->moved->runs++;
      if (status) return fail_copy(f, b, status, f->flags & FAULT ? device : b->copies.failed_device);
    } else if (f->flags & HMM_IN_PLACE) {
      while (continues(b, j) && !is_away(b->claims[j].before)) j++;
      int result = back(f->p, b->claims[i].page, b->claims[i].page + (j - i));
      if (result) return fail_errno(f->failure, b->claims[i].page, result, HMM_CALL_NONE);
    }
    i = j;
  }
  dma_send(f->p, &b->copies);
  return 0;
}

// What a claimed page becomes, if the claim is for reading, and if it is for writing.
static uint64_t landed_to_read(uint64_t w, uint64_t before) {
  switch (word_state(before)) {
  case EMPTY: return word_next(w, EMPTY, 0, 0, MARKED_READ);
  case DEVICE: return word_shared(w, 1u << word_device(before));
  default: return word_shared(w, word_sharers(before));
  }
}

static uint64_t landed_to_write(uint64_t w, uint64_t before) {
  (void)before;
  return word_next(w, HOST, 0, 0, 0);
}

// Kernels write zeros nowhere by themselves: what nobody has touched has memory now, so it is the host's.
static uint64_t landed_in_place(uint64_t w, uint64_t before) {
  return word_state(before) == EMPTY ? word_next(w, HOST, 0, 0, 0) : landed_to_read(w, before);
}

static becoming *landed(const struct fetch *f) {
  if (exclusive(f)) return landed_to_write;
  return f->flags & HMM_IN_PLACE ? landed_in_place : landed_to_read;
}

// What step 4 has to do for a page.
enum mapping { LEAVE_UNMAPPED, MAP_ZEROS, MAP_TO_READ, MAP_TO_WRITE, LIFT_PROTECTION };

static enum mapping mapping_for(const struct fetch *f, const struct claim *c) {
  uint64_t before = c->before, after = landed(f)(c->word, before);
  if (!word_readable(before)) return LEAVE_UNMAPPED; // it came home, but nobody may touch it
  if (word_state(after) != HOST || !word_writable(after)) return MAP_TO_READ;
  if (word_state(before) == EMPTY && !(before & MARKED_READ) && !(f->flags & HMM_IN_PLACE)) return MAP_ZEROS;
  // What was read has memory and a mapping, as a rule. Where the touch itself has met the mapping nothing else is missing, and if it has gone since, there is another touch.
  return f->flags & MAPPED && !is_away(before) ? LIFT_PROTECTION : MAP_TO_WRITE;
}

static int map_run(const struct fetch *f, enum mapping what, uint64_t first, uint64_t end) {
  const struct trap *trap = f->p->trap;
  if (what == LEAVE_UNMAPPED) return 0;
  if (what == MAP_ZEROS) return trap->install_empty(f->p, first, end);
  int result = back(f->p, first, end); // Linux maps what a file has
  if (result) return result;
  return what == LIFT_PROTECTION ? trap->upgrade(f->p, first, end) : trap->install(f->p, first, end, what == MAP_TO_WRITE);
}

// Step 4. Runs of pages that are mapped alike.
static int map(const struct fetch *f, const struct batch *b) {
  const bool timed = b->count > 1; // two looks at the clock are a hundredth of one touch
  uint64_t started = timed ? nanos() : 0;
  int result = 0;
  for (size_t i = 0; i < b->count && !result;) {
    enum mapping what = mapping_for(f, &b->claims[i]);
    size_t j = i + 1;
    while (continues(b, j) && mapping_for(f, &b->claims[j]) == what) j++;
    uint64_t first = b->claims[i].page;
    result = map_run(f, what, first, b->claims[j - 1].page + 1);
    if (result) result = fail_errno(f->failure, first, result, HMM_CALL_MAP);
    i = j;
  }
  if (timed) count(f->p, HMM_MAP_NANOS, nanos() - started);
  return result;
}

// What has come home for good by the time that the rest of its batch fails.
static uint64_t taken_to_write(uint64_t w, uint64_t before) { return is_doomed(w, before) ? poisoned(w, before) : landed_to_write(w, before); }
static uint64_t taken_to_read(uint64_t w, uint64_t before) { return is_doomed(w, before) ? poisoned(w, before) : landed_to_read(w, before); }

// Every page of the batch from number `from` on is again where it was; those of a lost device are poisoned, and those that a failed kernel was to write.
static void restore_from(const struct fetch *f, struct batch *b, size_t from, const struct hmm_failure *failure) {
  dma_wait(f->p, &b->copies);
  for (size_t i = from; i < b->count; i++) {
    const struct claim *c = &b->claims[i];
    uint64_t left = c->taken ? settle(f->p, c, exclusive(f) ? taken_to_write : taken_to_read, NO_PIN) : settle_back(f->p, c, failure);
    if (f->flags & FAULT && c->page == f->first) f->failure->word = (int64_t)left; // what the touch is judged by
  }
  // Who touched the first page of a fault is woken when the fault is answered, and not sent through it again before.
  size_t woken = f->flags & FAULT && !(f->flags & AHEAD) && from == 0 && b->count && b->claims[0].page == f->first ? 1 : from;
  wake_claimed(f->p, b->claims + woken, b->count - woken);
  b->count = from;
}

static void restore(const struct fetch *f, struct batch *b, const struct hmm_failure *failure) { restore_from(f, b, 0, failure); }

// A launch never blocks faults on pages that it does not use: neighbours that it uses do not come along. Those are the pages from the first such one on.
static void leave_used(const struct fetch *f, struct batch *b) {
  for (size_t i = f->flags & AHEAD || b->claims[0].page != f->first ? 0 : 1; i < b->count; i++) {
    uint64_t page = b->claims[i].page;
    if (must_wait(f, b->claims[i].before) && in_use(f->p, (struct page_range){page, page + 1}, !exclusive(f), 0)) {
      restore_from(f, b, i, NULL);
      return;
    }
  }
}

// Gives back what launches in flight use, so that nobody who touches the other pages of a fetch waits for a launch. Returns whether there were any.
static bool leave_launched(const struct fetch *f, struct batch *b) {
  size_t kept = 0, n = b->count;
  for (size_t i = 0; i < n;) {
    size_t j = waiting_run(f, b, i);
    bool used = j > i && in_use(f->p, (struct page_range){b->claims[i].page, b->claims[j - 1].page + 1}, !exclusive(f), 0);
    if (j == i) j++;
    for (; i < j; i++) {
      struct claim c = b->claims[i];
      if (!used || !in_use(f->p, (struct page_range){c.page, c.page + 1}, !exclusive(f), 0)) {
        b->claims[kept++] = c;
        continue;
      }
      give_back(f->p, &c, 1, NULL);
    }
  }
  b->count = kept;
  return kept < n;
}

// What those who have pinned a page rely on.
static int relied_on(const struct fetch *f, const struct claim *c) {
  uint64_t w = load_word(f->p, c->page);
  return word_pins(w, true) ? WRITABLE : word_pins(w, false) ? READABLE : CLOSED;
}

// Mapping has failed, perhaps half way. What it has mapped goes again, before the words say that it never was. What was mapped to be written may have been written to meanwhile, and its contents are
// here: it is the host's, whatever devices had of it, unless it has got no memory. And what cannot be closed, since that fails as well, may be read from now on: then that is what its word says.
static void take_mappings_back(const struct fetch *f, struct batch *b) {
  for (size_t i = 0; i < b->count;) {
    int kept = relied_on(f, &b->claims[i]);
    size_t j = i + 1;
    while (continues(b, j) && relied_on(f, &b->claims[j]) == kept) j++;
    bool closed = kept == WRITABLE || !f->p->trap->forbid(f->p, b->claims[i].page, b->claims[j - 1].page + 1, kept == READABLE);
    for (; i < j; i++) {
      struct claim *c = &b->claims[i];
      c->taken |= exclusive(f) ? word_state(c->before) != EMPTY || has_memory(f->p, c->page) : !closed && is_away(c->before);
    }
  }
}

// What has been claimed, for its record.
static void describe(const struct fetch *f, const struct batch *b) {
  struct hmm_record *r = b->record;
  r->pages = b->count;
  r->copied_pages = r->upgraded_pages = 0;
  if (b->count) {
    r->first = b->claims[0].page;
    r->found = word_state(b->claims[0].before);
  }
  for (size_t i = 0; i < b->count; i++) {
    uint64_t before = b->claims[i].before;
    if (is_away(before)) {
      r->copied_pages++;
      r->device = source_of(f->p, before);
    }
    r->upgraded_pages += word_state(before) == SHARED && exclusive(f);
  }
}

// Steps 4 and 5, after the copies have ended.
static int land(const struct fetch *f, struct batch *b) {
  bool waits = b->copies.count || b->copies.staged;
  int status = dma_wait(f->p, &b->copies);
  int result = status ? fail_copy(f, b, status, b->copies.failed_device) : 0;
  if (b->record && waits) b->record->copied = nanos();
  step(f->p, HMM_STEP_COPIED);
  if (!result) take_pages(f, b);
  if (!result && f->flags & HMM_PIN && f->flags & HMM_MAP) await_forbidden(f->p, (struct page_range){b->claims[0].page, b->claims[b->count - 1].page + 1});
  if (!result && f->flags & HMM_MAP && (result = map(f, b))) take_mappings_back(f, b);
  if (b->record) b->record->mapped = f->flags & HMM_MAP ? nanos() : b->record->copied;
  if (result) {
    restore(f, b, f->failure);
    return result;
  }
  step(f->p, HMM_STEP_MAPPED);
  enum pin pin = !(f->flags & HMM_PIN) ? NO_PIN : exclusive(f) ? WRITE_PIN : READ_PIN;
  for (size_t i = 0; i < b->count; i++) {
    const struct claim *c = &b->claims[i];
    settle(f->p, c, landed(f), pin);
    done(f, c->page, OUTCOME_MOVED);
    if (f->moved) {
      f->moved->claimed++;
      f->moved->copied += is_away(c->before);
      if (is_away(c->before)) f->moved->devices |= 1u << source_of(f->p, c->before);
    }
  }
  wake_claimed(f->p, b->claims, b->count);
  b->count = 0;
  return 0;
}

// The same for a part of a fetch, whose record ends with it; that of a fault goes on.
static int land_recorded(const struct fetch *f, struct batch *b) {
  int result = land(f, b);
  end_record(f->p, b->record, result);
  b->record = NULL;
  return result;
}

// Whether a launch that was waited for has failed, so that some of the pages hold nothing.
static bool any_doomed(const struct fetch *f, const struct batch *b) {
  for (size_t i = 0; i < b->count; i++) {
    if (is_doomed(load_word(f->p, b->claims[i].page), b->claims[i].before)) return true;
  }
  return false;
}

// Steps 1 to 3 for as many pages as a batch takes; pages that are left for the next pass are marked 0 in `outcomes`. -EAGAIN if a launch insists, which needs
// these pages before it can start: then nothing is claimed by this batch, and nothing must be by others while one waits for the launch to be decided. -ETIMEDOUT if a launch took
// too long: nothing is claimed then either.
static int start(const struct fetch *f, struct batch *b, uint64_t first, uint64_t end, struct left *left) {
  bool leaves = !(f->flags & (FAULT | PATIENT)), used;
  int result;
again:
  result = 0;
  if (!(f->flags & HERE)) note_ends(f->p, (struct page_range){first, end});
  used = leaves && in_use(f->p, (struct page_range){first, end}, !exclusive(f), 0);
  for (uint64_t page = first; page < end && result >= 0; page++) {
    if (f->outcomes && f->outcomes[page - f->first]) continue; // by an earlier pass
    if (used && waits_for_launch(f, page)) { // looked at before it is claimed, so that a launch that is entering does not lose it for nothing
      left->launched = true;
      continue;
    }
    result = claim_or_finish(f, b, page);
    if (result == BUSY) left->busy = true;
  }
  if (result >= 0 && b->count) {
    if (b->record) b->record->claimed = nanos();
    step(f->p, HMM_STEP_CLAIMED);
    if (f->flags & FAULT) leave_used(f, b);
    if (leaves) left->launched |= leave_launched(f, b); // those that were published meanwhile
    if (b->record) describe(f, b);
    result = await_launches(f, b);
    if (b->record) b->record->waited = nanos();
    if (!result && any_doomed(f, b)) {
      restore(f, b, NULL);
      goto again; // they are poisoned now
    }
    if (!result) result = withhold_pages(f, b);
    if (!result) result = copy(f, b);
    if (b->record) b->record->copied = nanos();
  }
  if (result < 0) restore(f, b, result == -EAGAIN || result == -ETIMEDOUT ? NULL : f->failure);
  return result < 0 ? result : 0;
}

static void unpin_done(const struct fetch *f, uint64_t end) {
  for (uint64_t page = f->first; page < end; page++) {
    if (f->outcomes[page - f->first] != OUTCOME_ALREADY && f->outcomes[page - f->first] != OUTCOME_MOVED) continue;
    unpin_page(f->p, page, exclusive(f));
  }
  if (f->p->faulting.first) hmm_wake_device(f->p, f->first, end); // kernels may have met these pins
}

// Ends what is under way. Returns `result`, or the first failure.
static int land_all(const struct fetch *f, struct batch *batches, int result) {
  for (unsigned i = 0; i < UNDER_WAY; i++) {
    struct batch *b = &batches[i];
    if (!b->count) continue;
    struct fetch quiet = *f; // one failure is enough; what the others have copied is good
    struct hmm_failure second;
    if (result) quiet.failure = &second;
    int one = land_recorded(&quiet, b);
    if (!result) result = one;
  }
  return result;
}

// One pass over the range, several batches under way: while the device copies some, others are claimed or mapped.
static int pass(const struct fetch *f, uint64_t end, struct batch *batches, uint64_t batch_pages, struct left *left) {
  int result = 0;
  unsigned turn = 0;
  for (uint64_t at = f->first; at < end && !result;) {
    struct batch *b = &batches[turn % UNDER_WAY]; // the oldest
    if (b->count) result = land_recorded(f, b);
    if (!result) b->record = new_record(f->p, &b->space, HMM_RECORD_FETCH, at, exclusive(f));
    if (!result) result = start(f, b, at, at + batch_pages < end ? at + batch_pages : end, left);
    bool again = result == -EAGAIN || result == -ETIMEDOUT;
    if (result && !again) end_record(f->p, b->record, result);
    else if (!b->count) drop_record(f->p, b->record); // nothing to bring, or not yet
    if (again) {
      bool undecided = result == -EAGAIN;
      result = land_all(f, batches, 0);
      if (undecided) await_decided(f->p, NULL);
      else if (!result) return 0; // they are left over
      continue;
    }
    at += batch_pages;
    turn++;
  }
  return land_all(f, batches, result);
}

// Brings home what the launch uses that has the first of the pages left. They stay claimed while it runs, so that no launch after it takes them again.
static int await_one_launch(const struct fetch *f, uint64_t end, struct batch *batches, uint64_t batch_pages) {
  for (uint64_t page = f->first; page < end; page++) {
    if (f->outcomes[page - f->first]) continue;
    uint64_t until = used_until(f->p, page, !exclusive(f));
    if (until == page) continue; // that launch has ended: the next pass takes it
    if (until > page + batch_pages) until = page + batch_pages;
    struct fetch one = *f;
    struct left left = {0};
    struct patience patience = new_patience(page, exclusive(f), 0); // a touch of these pages ends in time, too
    one.patience = &patience;
    one.flags |= PATIENT;
    one.first = page;
    one.outcomes = f->outcomes + (page - f->first);
    int result = pass(&one, until < end ? until : end, batches, batch_pages, &left);
    if (!result && !one.outcomes[0]) { // in vain: as long again without claims, for those who wait behind them
      patience = new_patience(page, exclusive(f), 0);
      await_patiently(f->p, (struct page_range){page, page + 1}, !exclusive(f), -1, 0, &patience);
    }
    return result;
  }
  return 0;
}

// Whether a view, which touches its pages by itself, needs memory for one before it opens. What is on a device gets it
// when it comes, and what is only read as zeros stays free.
static bool view_needs_memory(const struct fetch *f, uint64_t page) {
  enum state s = word_state(load_word(f->p, page));
  return s != DEVICE && s != PEERS && s != POISONED && s != UNMAPPED && (s != EMPTY || exclusive(f));
}

static int give_view(const struct fetch *f, uint64_t end) {
  for (uint64_t page = f->first; page < end; page++) {
    uint64_t from = page;
    while (page < end && view_needs_memory(f, page)) page++;
    int result = give(f->p, from, page);
    if (result) return fail_errno(f->failure, from, result, HMM_CALL_NONE);
  }
  return 0;
}

// The pins of a view keep what its pages have.
static void note_view(const struct fetch *f, uint64_t end) {
  for (uint64_t page = f->first; page < end; page++) {
    if (word_state(load_word(f->p, page)) != EMPTY) note_backed(f->p, page, page + 1);
  }
}

HMM_API int hmm_fetch(struct hmm_pager *p, uint64_t first, uint64_t end, uint64_t flags, uint8_t *outcomes, struct hmm_moved *moved, struct hmm_failure *failure) {
  if (first >= end) return 0;
  uint64_t batch_pages = BATCH_BYTES >> p->config.page_shift ? BATCH_BYTES >> p->config.page_shift : 1;
  if (batch_pages > end - first) batch_pages = end - first;
  int result = -ENOMEM;
  struct hmm_failure unasked;
  if (!failure) failure = &unasked; // what happens to the pages depends on it
  uint8_t *own_outcomes = outcomes ? NULL : calloc(1, (size_t)(end - first));
  struct claim *claims = malloc(UNDER_WAY * (size_t)batch_pages * sizeof *claims);
  struct batch batches[UNDER_WAY] = {0};
  struct fetch f = {p, flags, outcomes ? outcomes : own_outcomes, first, moved, failure, NULL};
  if (!claims || !f.outcomes) {
    fail_errno(failure, first, result, HMM_CALL_NONE);
    goto out;
  }
  if (!(flags & HMM_MASKED)) memset(f.outcomes, 0, (size_t)(end - first)); // 0: not yet
  if (flags & HMM_PIN && !(flags & HMM_MAP) && (result = give_view(&f, end))) goto out;
  for (int i = 0; i < UNDER_WAY; i++) batches[i].claims = claims + (size_t)i * batch_pages;
  if (flags & HMM_PIN && flags & HMM_MAP && (result = p->trap->may_pin(p))) {
    fail_errno(failure, first, result, HMM_CALL_MAP);
    goto out;
  }
  while (true) {
    struct left left = {0};
    result = pass(&f, end, batches, batch_pages, &left);
    if (!result && left.launched) result = await_one_launch(&f, end, batches, batch_pages);
    if (result || (!left.busy && !left.launched)) break;
    for (uint64_t page = first; page < end; page++) { // nothing is claimed here
      if (!f.outcomes[page - first]) wait_settled(p, page);
    }
  }
  if (result && flags & HMM_PIN) unpin_done(&f, end);
  else if (flags & HMM_PIN) note_view(&f, end);
out:
  free(claims);
  free(own_outcomes);
  return result;
}

static unsigned flags_of(unsigned touch) {
  return HMM_MAP | FAULT | (touch & TOUCH_WRITE ? HMM_EXCLUSIVE : 0) | (touch & TOUCH_AHEAD ? AHEAD : 0) | (touch & TOUCH_MAPPED ? MAPPED : 0);
}

static void count_claimed(const struct fetch *f, const struct batch *b) {
  for (size_t i = 0; i < b->count; i++) {
    uint64_t before = b->claims[i].before;
    enum state s = word_state(before);
    count(f->p, s == EMPTY ? HMM_FIRST_TOUCHES : is_away(before) ? HMM_FETCHED : s == TO_DEVICE ? HMM_ABORTED : s == SHARED && exclusive(f) ? HMM_UPGRADES : HMM_REMAPPED, 1);
  }
}

int fetch_for_fault(struct hmm_pager *p, uint64_t first, uint64_t end, unsigned touch, struct patience *patience, struct hmm_failure *failure, struct hmm_record *record) {
  struct claim claims[CLAIMS_OF_A_FAULT];
  struct batch b = {.claims = claims, .record = record};
  struct fetch f = {p, flags_of(touch), NULL, first, NULL, failure, patience};
  while (true) {
    struct left left = {0};
    int result = start(&f, &b, first, end, &left);
    if (result == -EAGAIN && !(result = await_decided(p, patience))) continue;
    if (result) return result;
    count_claimed(&f, &b);
    count(p, HMM_AHEAD, touch & TOUCH_AHEAD || !b.count ? b.count : b.count - 1);
    if (b.count) result = land(&f, &b);
    if (result || !left.busy || !p->trap->waits_for_claims) return result; // who has claimed the page wakes those who touch it
    promote(p);
    wait_settled(p, first);
    return 0; // the touch is made again and finds what it finds
  }
}

// Looks before anything is claimed, so that nobody loses a claim to a touch that is handed on; under the claim it is looked at again.
bool may_fetch_here(struct hmm_pager *p, uint64_t page, uint64_t word, bool write) {
  const struct fetch f = {.p = p, .flags = write ? HMM_EXCLUSIVE : 0};
  enum state s = word_state(word);
  if (s == TO_HOST || s == TO_DEVICE || !may_touch(&f, word)) return false;
  if (is_away(word) && !dma_reaches(p, source_of(p, word), page)) return false;
  return !must_wait(&f, word) || is_over(p, (struct page_range){page, page + 1}, !write);
}

int fetch_here(struct hmm_pager *p, uint64_t page, unsigned touch, struct hmm_record *record) {
  struct claim claim;
  struct hmm_failure failure;
  struct left left = {0};
  struct batch b = {.claims = &claim, .record = record};
  struct fetch f = {p, flags_of(touch) | HERE, NULL, page, NULL, &failure, NULL};
  int result = start(&f, &b, page, page + 1, &left);
  if (result || left.busy) return result ? result : -EBUSY;
  count_claimed(&f, &b);
  return land(&f, &b);
}
