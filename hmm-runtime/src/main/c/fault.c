// fault.c - one fault: what it needs, and what comes along.
//
// What comes along (stream.c) is in the same state, on the same device and in the same region. A long stretch is served in pieces: the first wakes the thread, the others are brought
// by all of the crew who have nothing to do while it is busy with that.
#include <errno.h>

#include "claim.h"
#include "crew.h"
#include "device_fault.h"
#include "fault.h"
#include "home.h"
#include "inflight.h"
#include "notice.h"
#include "pager.h"
#include "record.h"
#include "stream.h"
#include "trap.h"

#define FIRST_PIECE_BYTES (256ULL << 10)
#define PIECE_BYTES (2ULL << 20)
#define SHORT_BATCH_BYTES (64ULL << 10) // of pages that were touched at the same time: whoever has read so few serves them sooner than another could begin to
#define HABIT 3     // times that a page was read and then written, until that is expected of it
#define CREDIT 32   // times that it is relied on then, before it has to be shown again
#define TRIES 3 // of a copy that fails, before the touch becomes an error; the page stays where it is

// Where the stretch of alike pages ends that begins at `page`.
static uint64_t stretch(const struct hmm_pager *p, uint64_t page, uint64_t word, uint64_t pages) {
  uint64_t end = page + 1;
  while (end < page + pages && end < p->config.page_count && !atomic_load_explicit(&p->region_starts[end], memory_order_relaxed) && word_alike(word, load_word(p, end))) end++;
  return end;
}

static uint64_t pages_in(const struct hmm_pager *p, uint64_t bytes) {
  uint64_t pages = bytes >> p->config.page_shift;
  return pages > CLAIMS_OF_A_FAULT ? CLAIMS_OF_A_FAULT : pages ? pages : 1;
}

// A word that host and kernels change in turns is read first and written then: two faults, and two changes of its mapping.
// Where that has become a habit of a page, a touch that reads it takes it as one that writes does. That costs the device
// its copy, so it ends by itself unless it is shown again; and a kernel that is reading the page is left its copy.
static bool writes_next(struct hmm_pager *p, const struct fault *f, uint64_t word, uint64_t end) {
  if (!p->habits || f->write || end > f->page + 1 || word_state(word) != DEVICE || !word_writable(word)) return false;
  uint8_t habit = atomic_load_explicit(&p->habits[f->page], memory_order_relaxed);
  if (habit < HABIT) return false;
  atomic_store_explicit(&p->habits[f->page], (uint8_t)(habit - 1), memory_order_relaxed); // whoever loses a count to another only learns later
  return habit > HABIT && !in_use(p, (struct page_range){f->page, end}, false, 0);
}

static void note_upgrade(struct hmm_pager *p, const struct fault *f, uint64_t word) {
  if (!p->habits || !f->write || word_state(word) != SHARED) return;
  uint8_t habit = atomic_load_explicit(&p->habits[f->page], memory_order_relaxed);
  if (habit < HABIT) habit = habit + 1 < HABIT ? (uint8_t)(habit + 1) : HABIT + CREDIT;
  atomic_store_explicit(&p->habits[f->page], habit, memory_order_relaxed);
}

static unsigned touch_of(bool write, bool mapped) { return (write ? TOUCH_WRITE : 0) | (mapped ? TOUCH_MAPPED : 0); }

// Nobody waits for these pages: whoever touches one that did not come will hear why.
void bring_ahead(struct hmm_pager *p, const struct ahead *a) {
  struct hmm_failure ignored;
  struct patience patience = new_patience(a->first, a->write, 0);
  if (!word_alike(a->word, load_word(p, a->first))) return; // something else has become of it meanwhile
  struct hmm_record space, *record = new_record(p, &space, HMM_RECORD_AHEAD, a->first, a->write);
  int result = fetch_for_fault(p, a->first, stretch(p, a->first, a->word, a->end - a->first), touch_of(a->write, a->mapped) | TOUCH_AHEAD, &patience, &ignored, record);
  if (record && record->pages) end_record(p, record, result);
  else drop_record(p, record);
}

// Answers the fault with its page and those behind it up to `at`, which are in the same state. Returns whether they came.
static bool serve_piece(struct hmm_pager *p, const struct fault *f, uint64_t word, uint64_t at) {
  const unsigned asked = touch_of(f->write, f->mapped);
  note_ends(p, (struct page_range){f->page, at});
  unsigned touch = writes_next(p, f, word, at) ? asked | TOUCH_WRITE : asked;
  struct hmm_failure failure = {0};
  struct patience patience = new_patience(f->page, f->write, f->thread);
  struct hmm_record space, *record = new_record(p, &space, HMM_RECORD_FAULT, f->page, f->write);
  count(p, f->write ? HMM_FAULTS_WRITE : HMM_FAULTS_READ, 1); // before the thread goes on: who asks after its touch finds it counted
  int result = fetch_for_fault(p, f->page, at, touch, &patience, &failure, record);
  if (result && touch != asked) result = fetch_for_fault(p, f->page, at, touch = asked, &patience, &failure, record); // to read it may be allowed
  note_upgrade(p, f, word);
  for (int tries = 1; result && result != -EACCES && result != -ETIMEDOUT && tries < TRIES; tries++) { // alone now: a neighbour may have been at fault
    result = fetch_for_fault(p, f->page, f->page + 1, touch, &patience, &failure, record);
  }
  if (result == -EACCES && at > f->page + 1) result = fetch_for_fault(p, f->page, f->page + 1, touch, &patience, &failure, record);
  bool given_up = result == -ETIMEDOUT && patience.told;
  if (result && !given_up) { // before the answer, which can be the end of the process
    struct patience refused = patience;
    if (result == -ETIMEDOUT) failure.reason = 0;
    tell_refused(p, &refused, &failure);
  }
  p->trap->answer(p, f, result, (uint64_t)failure.word);
  end_record(p, record, result); // the thread goes on already
  if (patience.told) tell(p, &patience, given_up ? HMM_NOTICE_GIVEN_UP : HMM_NOTICE_ENDED);
  if (result) count(p, HMM_ERRORS, 1);
  return !result;
}

// Brings pages that nobody waits for, but for the mark, with the crew's help.
static void serve_rest(struct hmm_pager *p, const struct fault *f, uint64_t word, struct page_range rest, uint64_t mark) {
  uint64_t piece = pages_in(p, PIECE_BYTES);
  for (uint64_t at = rest.first, to; at < rest.end; at = to == mark ? to + 1 : to) {
    to = rest.end - at > piece ? at + piece : rest.end;
    if (at < mark && mark < to) to = mark;
    share_ahead(p, (struct ahead){at, to, word, f->write, f->mapped});
  }
  work_ahead(p);
}

// The fault has met a mark: its page alone, and then the next window, if the stream goes on there with pages that are like those so far.
static void serve_mark(struct hmm_pager *p, const struct fault *f, uint64_t word, struct page_range window) {
  if (!serve_piece(p, f, word, f->page + 1) || window.first >= p->config.page_count || !word_alike(word, load_word(p, window.first))) return;
  if (atomic_load_explicit(&p->region_starts[window.first], memory_order_relaxed)) return;
  uint64_t end = stretch(p, window.first, word, window.end - window.first);
  serve_rest(p, f, word, (struct page_range){window.first, end}, end == window.end ? leave_mark(p, window) : 0);
}

static void serve_window(struct hmm_pager *p, const struct fault *f, uint64_t word, struct page_range window) {
  uint64_t first = pages_in(p, FIRST_PIECE_BYTES), end = stretch(p, f->page, word, window.end - window.first);
  uint64_t at = end - f->page > first ? f->page + first : end;
  uint64_t mark = end == window.end ? leave_mark(p, window) : 0; // before the thread goes on
  if (serve_piece(p, f, word, at) && at < end) serve_rest(p, f, word, (struct page_range){at, end}, mark);
}

static void serve_one(struct hmm_pager *p, const struct fault *f) {
  step(p, HMM_STEP_NOTICED);
  uint64_t word = load_word(p, f->page);
  struct page_range window = {f->page, f->page + 1};
  if (word_state(word) != TO_HOST) window = wanted(p, f->page, most_wanted(p));
  if (window.first == f->page) serve_window(p, f, word, window);
  else serve_mark(p, f, word, window);
  if (window.end - window.first > 1) arrived(p, window);
}

bool serve_here(struct hmm_pager *p, struct touch t) {
  step(p, HMM_STEP_NOTICED);
  const struct fault f = {.page = t.page, .write = t.write, .mapped = t.mapped};
  const unsigned asked = touch_of(t.write, t.mapped);
  uint64_t word = load_word(p, t.page);
  if (continues_a_stream(p, t.page)) return false; // all that it wants comes quicker with the help of the crew
  if (!may_fetch_here(p, t.page, word, t.write)) return false;
  struct hmm_record space, *record = new_record(p, &space, HMM_RECORD_FAULT, t.page, t.write);
  int result = fetch_here(p, t.page, writes_next(p, &f, word, t.page + 1) ? asked | TOUCH_WRITE : asked, record);
  if (result) {
    drop_record(p, record);
    return false;
  }
  wanted(p, t.page, 1);
  note_upgrade(p, &f, word);
  end_record(p, record, 0);
  count(p, HMM_FAULTS_MESSAGES, 1);
  count(p, t.write ? HMM_FAULTS_WRITE : HMM_FAULTS_READ, 1);
  count(p, HMM_IN_THREAD, 1);
  return true;
}

// In order of pages, the same page once, as a write if one of its touches is.
static int sorted(struct fault *faults, int n) {
  for (int i = 1; i < n; i++) {
    struct fault f = faults[i];
    int j = i;
    for (; j > 0 && faults[j - 1].page > f.page; j--) faults[j] = faults[j - 1];
    faults[j] = f;
  }
  int kept = 0;
  for (int i = 0; i < n; i++) {
    if (kept && faults[kept - 1].page == faults[i].page && !faults[i].slot) {
      faults[kept - 1].write |= faults[i].write;
      faults[kept - 1].mapped &= faults[i].mapped;
    } else {
      faults[kept++] = faults[i];
    }
  }
  return kept;
}

// Those of kernels go to the end. Returns how many are the host's.
static int parted(struct fault *faults, int n) {
  int host = 0;
  for (int i = 0; i < n; i++) {
    if (faults[i].device) continue;
    struct fault f = faults[i];
    faults[i] = faults[host];
    faults[host++] = f;
  }
  return host;
}

void serve(struct hmm_pager *p, struct fault *faults, int n) {
  int host = parted(faults, n);
  if (host < n && n > 1) promote(p);
  if (host < n) serve_device(p, faults + host, n - host);
  n = host;
  count(p, HMM_FAULTS_MESSAGES, (uint64_t)n);
  n = sorted(faults, n);
  if ((uint64_t)n << p->config.page_shift > SHORT_BATCH_BYTES) promote(p);
  for (int i = 0; i < n; i++) {
    set_rest(faults + i + 1, n - i - 1);
    serve_one(p, &faults[i]);
    n = i + 1 + set_rest(NULL, 0); // what this one had to hand on is somebody else's by now
  }
}
