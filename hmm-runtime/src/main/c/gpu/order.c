// order.c - what comes after what. Two commands that use the same bytes, one of which writes them, must be ordered by a
// queue, a wait list or a wait of the host's; that a status was polled or a callback came is no order. So a copy into
// what a running kernel uses, overlapping writes through sub-buffers and a polled status that another queue relies on
// are one offence, found whether or not it went wrong this time.
//
// Each queue counts its commands; a clock says of every queue up to which command somebody comes after it. Threads of
// the host share one clock: what one thread has waited for, another may have heard of in ways that nobody sees here.
#include <stdlib.h>
#include <string.h>

#include "gpu.h"

static uint64_t host[MAX_QUEUES], sequences[MAX_QUEUES]; // sequences go on where a slot's last queue ended
static bool taken[MAX_QUEUES];
static unsigned slots;

unsigned take_slot(void) {
  unsigned i = 0;
  while (i < MAX_QUEUES && taken[i])
    i++;
  if (i == MAX_QUEUES) return i;
  taken[i] = true;
  if (i >= slots) slots = i + 1;
  return i;
}

void free_slot(unsigned slot) { taken[slot] = false; }

static void learn(uint64_t *known, const uint64_t *other, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    if (other[i] > known[i]) known[i] = other[i];
  }
}

bool new_clock(struct command *c) {
  c->known = calloc(slots + 1, sizeof *c->known);
  c->known_count = slots;
  if (c->known) learn(c->known, host, slots);
  return c->known;
}

void learn_command(struct command *c, const struct command *earlier) {
  learn(c->known, earlier->known, earlier->known_count < c->known_count ? earlier->known_count : c->known_count);
}

void host_learns(const struct command *c) { learn(host, c->known, c->known_count); }

void host_learns_queue(const struct queue *q) { learn(host, q->all, slots); }

bool place_in_order(struct command *c, bool after_all) {
  struct queue *q = c->queue;
  learn(c->known, after_all ? q->all : q->known, c->known_count);
  q->sequence = ++sequences[q->slot];
  c->sequence = q->sequence;
  if (q->in_order || after_all) c->known[q->slot] = c->sequence;
  check_order(c);
  c->known[q->slot] = c->sequence; // who comes after this command
  learn(q->all, c->known, c->known_count);
  if (q->in_order || c->type == CL_COMMAND_BARRIER) learn(q->known, c->known, c->known_count);
  return true;
}

void forget_accesses(struct access *accesses, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    unuse_frames(accesses[i].frames);
}

static void check_access(const struct command *c, const struct access *a, struct memory *root) {
  unsigned kept = 0;
  for (unsigned i = 0; i < root->access_count; i++) {
    struct access *e = &root->accesses[i];
    if (host[e->slot] >= e->sequence) { // everybody comes after it from now on
      forget_accesses(e, 1);
      continue;
    }
    root->accesses[kept++] = *e;
    bool ordered = e->slot < c->known_count && c->known[e->slot] >= e->sequence;
    if (ordered || c->gated || is_doubtful(a, e)) continue; // of a gated command it is not known yet what it comes after
    tell_conflict(root, a, e);
  }
  root->access_count = kept;
}

static void note_access(struct memory *root, const struct access *a) {
  if (root->access_count == root->access_room) {
    unsigned room = root->access_room ? root->access_room * 2 : 8;
    struct access *more = room <= 1u << 16 ? realloc(root->accesses, room * sizeof *more) : NULL;
    if (more) {
      root->accesses = more;
      root->access_room = room;
    } else if (!root->access_count) {
      return;
    } else { // the oldest is forgotten
      forget_accesses(root->accesses, 1);
      memmove(root->accesses, root->accesses + 1, (root->access_count - 1) * sizeof *root->accesses);
      root->access_count--;
    }
  }
  root->accesses[root->access_count] = *a;
  use_frames(root->accesses[root->access_count++].frames);
}

void check_order(struct command *c) {
  for (unsigned i = 0; i < c->access_count; i++)
    check_access(c, &c->accesses[i], c->accessed[i]);
  for (unsigned i = 0; i < c->access_count; i++) {
    c->accesses[i].slot = c->queue->slot;
    c->accesses[i].sequence = c->sequence;
    note_access(c->accessed[i], &c->accesses[i]);
  }
}
