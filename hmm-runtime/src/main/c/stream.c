// stream.c - what comes along with a fault of the host: which pages a stream of them is going to want.
//
// A scan must run near the speed of a bulk fetch, and a random touch must bring one page. So a fault that begins where an earlier one has ended belongs to a stream, and
// brings four times as many pages as the one before, up to what the runtime has published; all others bring their page alone.
//
// A long window leaves a page in its middle where it is, its mark. A thread that comes to it is going to want the next window, which is brought while it reads the second half of this one; so it does not
// find the crew with nothing to do at the end of each.
#include "pager.h"
#include "stream.h"

#define GROWTH 4
#define MARKED_BYTES (4ULL << 20) // of a window, from which on it has a mark

uint64_t most_wanted(const struct hmm_pager *p) { return p->config.ahead_bytes >> p->config.page_shift; }

bool continues_a_stream(struct hmm_pager *p, uint64_t page) {
  bool any = false;
  if (most_wanted(p) <= 1) return false;
  pthread_mutex_lock(&p->streams.lock);
  for (int i = 0; i < STREAMS && !any; i++) any = p->streams.all[i].pages && (p->streams.all[i].next == page || p->streams.all[i].mark == page);
  pthread_mutex_unlock(&p->streams.lock);
  return any;
}

struct page_range wanted(struct hmm_pager *p, uint64_t page, uint64_t most) {
  uint64_t first = page, pages = 1;
  if (most_wanted(p) <= 1) return (struct page_range){page, page + 1};
  pthread_mutex_lock(&p->streams.lock);
  struct stream *s = NULL, *marked = NULL, *under_way = NULL;
  for (int i = 0; i < STREAMS && !s; i++) {
    struct stream *it = &p->streams.all[i];
    if (it->pages && it->next == page) s = it;
    else if (it->mark && it->mark == page && most > 1 && !word_alike(load_word(p, page - 1), load_word(p, page))) marked = it; // else what the window has brought is away again
    else if (it->under_way && page < it->next && page >= it->begun) under_way = it;
  }
  if (!s && marked) {
    s = marked;
    first = s->next;
  }
  if (s) {
    pages = s->pages * GROWTH;
    if (pages > most) pages = most;
  }
  if (!s && !under_way) {
    s = &p->streams.all[p->streams.turn++ % STREAMS];
    s->under_way = 0;
  }
  if (s) {
    uint64_t begun = s->under_way ? s->begun : first;
    *s = (struct stream){.next = first + pages, .pages = pages, .under_way = s->under_way + (pages > 1), .begun = begun};
  }
  pthread_mutex_unlock(&p->streams.lock);
  return (struct page_range){first, first + pages};
}

uint64_t leave_mark(struct hmm_pager *p, struct page_range window) {
  uint64_t mark = 0;
  if ((window.end - window.first) << p->config.page_shift < MARKED_BYTES) return 0;
  pthread_mutex_lock(&p->streams.lock);
  for (int i = 0; i < STREAMS && !mark; i++) {
    struct stream *s = &p->streams.all[i];
    if (s->pages == window.end - window.first && s->next == window.end) mark = s->mark = window.first + s->pages / 2;
  }
  pthread_mutex_unlock(&p->streams.lock);
  return mark;
}

void arrived(struct hmm_pager *p, struct page_range window) {
  pthread_mutex_lock(&p->streams.lock);
  for (int i = 0; i < STREAMS; i++) {
    struct stream *s = &p->streams.all[i];
    if (s->under_way && s->begun <= window.first && window.end <= s->next) s->under_way--;
  }
  pthread_mutex_unlock(&p->streams.lock);
}
