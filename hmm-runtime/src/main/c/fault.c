// fault.c - one fault: what it needs, and what comes along.
//
// A scan must run near the speed of a bulk fetch, and a random touch must bring one page. So a fault that begins where an earlier one has ended belongs to a stream, and
// brings four times as many pages as the one before, up to what the runtime has published; all others bring their page alone. What comes along is in the same state,
// on the same device and in the same region. A long stretch is served in pieces: the first wakes the thread, the others are brought while it is busy with that.
#include <errno.h>

#include "internal.h"

#define PIECE_BYTES (256ULL << 10)
#define GROWTH 4
#define TRIES 3 // of a copy that fails, before the touch becomes an error; the page stays where it is

static bool alike(uint64_t a, uint64_t b) {
  return word_state(a) == word_state(b) && word_device(a) == word_device(b) && word_writable(a) == word_writable(b) && word_readable(a) == word_readable(b);
}

// How many pages the stream wants that this fault belongs to; notes where it will be then.
static uint64_t wanted(struct hmm_pager *p, uint64_t page) {
  uint64_t most = p->config.ahead_bytes >> p->config.page_shift, pages = 1;
  if (most <= 1) return 1;
  pthread_mutex_lock(&p->stream_lock);
  struct stream *s = NULL;
  for (int i = 0; i < STREAMS && !s; i++) {
    if (p->streams[i].pages && p->streams[i].next == page) s = &p->streams[i];
  }
  if (s) {
    pages = s->pages * GROWTH;
    if (pages > most) pages = most;
  } else {
    s = &p->streams[p->stream_turn++ % STREAMS];
  }
  *s = (struct stream){page + pages, pages};
  pthread_mutex_unlock(&p->stream_lock);
  return pages;
}

// Where the stretch of alike pages ends that begins at `page`.
static uint64_t stretch(const struct hmm_pager *p, uint64_t page, uint64_t word, uint64_t pages) {
  uint64_t end = page + 1;
  while (end < page + pages && end < p->config.page_count && !atomic_load_explicit(&p->region_starts[end], memory_order_relaxed) && alike(word, load_word(p, end))) end++;
  return end;
}

static int serve_one(struct hmm_pager *p, const struct fault *f) {
  step(p, HMM_STEP_NOTICED);
  uint64_t word = load_word(p, f->page);
  uint64_t end = stretch(p, f->page, word, wanted(p, f->page));
  uint64_t piece = PIECE_BYTES >> p->config.page_shift;
  if (piece > CLAIMS_OF_A_FAULT) piece = CLAIMS_OF_A_FAULT;
  if (!piece) piece = 1;
  struct hmm_failure failure = {0};
  uint64_t at = end - f->page > piece ? f->page + piece : end;
  int result = fetch_for_fault(p, f->page, at, f->write, false, &failure);
  for (int tries = 1; result && result != -EACCES && tries < TRIES; tries++) { // alone now: a neighbour may have been at fault
    result = fetch_for_fault(p, f->page, f->page + 1, f->write, false, &failure);
  }
  if (result == -EACCES && at > f->page + 1) result = fetch_for_fault(p, f->page, f->page + 1, f->write, false, &failure);
  count(p, f->write ? HMM_FAULTS_WRITE : HMM_FAULTS_READ, 1);
  p->trap->answer(p, f, result);
  if (result) count(p, HMM_ERRORS, 1);
  if (!result && at < end) promote(p);
  while (!result && at < end) {
    uint64_t until = end - at > piece ? at + piece : end;
    result = fetch_for_fault(p, at, until, f->write, true, &failure); // nobody waits for these: whoever touches them will hear of an error
    at = until;
  }
  return result;
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
    if (kept && faults[kept - 1].page == faults[i].page && !faults[i].slot) faults[kept - 1].write |= faults[i].write;
    else faults[kept++] = faults[i];
  }
  return kept;
}

void serve(struct hmm_pager *p, struct fault *faults, int n) {
  count(p, HMM_FAULTS_MESSAGES, (uint64_t)n);
  n = sorted(faults, n);
  if (n > 1) promote(p);
  for (int i = 0; i < n; i++) {
    set_rest(faults + i + 1, n - i - 1);
    serve_one(p, &faults[i]);
    n = i + 1 + set_rest(NULL, 0); // what this one had to hand on is somebody else's by now
  }
}
