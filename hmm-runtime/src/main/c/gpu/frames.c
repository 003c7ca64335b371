// frames.c - kernels that go through the page table of hmm.clh. Such a kernel is given all of a buffer, its image, and uses the frames that its table names: those bytes and no others
// count as its own, since others may be copied at the same time. The table is written by commands before the kernel, or by the host before it is enqueued, so what it names is known when the kernel runs. Until then a command that nothing orders with it
// is in doubt, and that is decided as the kernel begins.
//
// Programs are known by the options that the library builds them with, kernels by the names of their arguments. Where a driver does not tell those, all of the image counts.
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

enum { READS = 1, WRITES = 2 }; // as in the table's entries
#define FRAME_SHIFT 2           // of an entry

struct frames {
  unsigned refs;
  bool known;
  unsigned shift; // log2 of a frame
  size_t first, count; // byte of the root at which the first one begins; how many there are
  struct memory *root;
  struct access own; // the kernel's, without a reference
  struct access *doubts;
  unsigned doubt_count, doubt_room;
  unsigned char ways[]; // of each frame; nothing before it is known
};

struct frames *use_frames(struct frames *f) {
  if (f) f->refs++;
  return f;
}

static void forget_doubts(struct frames *f) {
  forget_accesses(f->doubts, f->doubt_count);
  free(f->doubts);
  f->doubts = NULL;
  f->doubt_count = f->doubt_room = 0;
}

void unuse_frames(struct frames *f) {
  if (!f || --f->refs) return;
  forget_doubts(f);
  free(f);
}

// What is done to a byte, and up to where the same is done.
static unsigned ways(const struct access *a, size_t at, size_t *end) {
  const struct frames *f = a->frames;
  *end = a->end;
  if (!f) return a->write ? READS | WRITES : READS;
  size_t frame = (at - f->first) >> f->shift;
  if (frame >= f->count) return 0; // less than a frame, behind the last
  size_t next = f->first + ((frame + 1) << f->shift);
  if (next < *end) *end = next;
  return f->ways[frame];
}

bool conflict(struct access *a, struct access *b) {
  size_t end = a->end < b->end ? a->end : b->end, next = end;
  for (size_t at = a->first > b->first ? a->first : b->first; at < end; at = next) {
    size_t a_end, b_end;
    unsigned of_a = ways(a, at, &a_end), of_b = ways(b, at, &b_end);
    next = a_end < b_end ? a_end : b_end;
    if (!of_a || !of_b || !((of_a | of_b) & WRITES)) continue;
    if (a->frames) *a = (struct access){.first = at, .end = a_end, .write = of_a & WRITES, .by = a->by};
    if (b->frames) *b = (struct access){.first = at, .end = b_end, .write = of_b & WRITES, .by = b->by};
    return true;
  }
  return false;
}

static const char *does(const struct access *a) {
  return a->by.kernel ? a->write ? "may write" : "reads" : a->write ? "writes" : "reads";
}

void tell_conflict(const struct memory *root, const struct access *a, const struct access *earlier) {
  struct access mine = *a, other = *earlier;
  if (!conflict(&mine, &other)) return;
  char me[DOER], they[DOER];
  offend("unordered use", "%s %s bytes [%zu, %zu) of buffer %p and %s %s [%zu, %zu): no queue, wait list or wait orders them",
         name_doer(&mine.by, me), does(&mine), mine.first, mine.end, root->object.handle, name_doer(&other.by, they), does(&other), other.first, other.end);
}

static void doubt(struct frames *f, const struct access *other) {
  if (f->doubt_count == f->doubt_room) {
    unsigned room = f->doubt_room ? f->doubt_room * 2 : 8;
    struct access *more = realloc(f->doubts, room * sizeof *more);
    if (!more) return;
    f->doubts = more;
    f->doubt_room = room;
  }
  f->doubts[f->doubt_count] = *other;
  use_frames(f->doubts[f->doubt_count++].frames);
}

static bool is_unknown(const struct access *a) { return a->frames && !a->frames->known; }

bool is_doubtful(const struct access *a, const struct access *b) {
  bool apart = a->end <= b->first || b->end <= a->first || !(a->write || b->write);
  if (apart || !(is_unknown(a) || is_unknown(b))) return false;
  if (is_unknown(a)) doubt(a->frames, b);
  else doubt(b->frames, a);
  return true;
}

bool take_frames(struct command *c, unsigned access, const struct table_form *form, const uint32_t *entries) {
  struct access *a = &c->accesses[access];
  size_t count = (a->end - a->first) >> form->shift;
  struct frames *f = calloc(1, sizeof *f + count);
  if (!f) return false;
  f->refs = 1;
  f->shift = form->shift;
  f->first = a->first;
  f->count = count;
  f->root = c->accessed[access];
  a->frames = c->frames = f;
  f->own = *a;
  c->table = entries;
  c->table_pages = form->pages;
  return true;
}

void know_frames(struct command *c) {
  struct frames *f = c->frames;
  unsigned allowed = f->own.write ? READS | WRITES : READS;
  for (size_t page = 0; page < c->table_pages; page++) {
    uint32_t entry = c->table[page], frame = entry >> FRAME_SHIFT;
    if (frame < f->count) {
      f->ways[frame] |= (unsigned char)(entry & allowed);
    } else if (entry & (READS | WRITES)) {
      char text[DOER];
      offend("table beyond its memory", "%s: entry %zu of its page table names frame %u of %zu, in an image of %zu bytes", name_doer(&f->own.by, text), page, frame, f->count, f->own.end - f->own.first);
    }
  }
  f->known = true;
  for (unsigned i = 0; i < f->doubt_count; i++) {
    const struct access *d = &f->doubts[i];
    if (is_unknown(d)) doubt(d->frames, &f->own);
    else tell_conflict(f->root, &f->own, d);
  }
  forget_doubts(f);
}

void have_no_frames(struct command *c) {
  c->frames->known = true;
  forget_doubts(c->frames);
}
