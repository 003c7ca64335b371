// gate.c - the gate: the last step of a launch, in one call. It publishes (inflight.c), commits what is to be overwritten (overwrite.c), checks, and enqueues.
//
// A launch that lost its pages to the host several times insists: it publishes, and then moves what is missing itself, page by page, under claims. Only one thing could
// stand in its way: a claim that waits for this very launch on a page not moved yet. Such a claim is given back (`-EAGAIN`).
// While it waits for a launch of another device it holds up whoever touches the page that it has claimed. So it waits as long as a touch may, and is then withdrawn.
//
// What a kernel reads must be as it was at one moment. A page that held once is not safe until the launch is enqueued: the host waits for the launch, but another device that
// takes a page to write it does not wait for a launch that reads its own copy. So all words are checked after the last page has come, and what is gone is moved anew. A check that
// passes sees one moment, although it looks page by page: whoever brings a page to the device waits, with its claim made, for the launches that are published on it, so whatever held
// at its end did so from its beginning.
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cl.h"
#include "claim.h"
#include "device_fault.h"
#include "dma.h"
#include "failure.h"
#include "inflight.h"
#include "memory.h"
#include "notice.h"
#include "overwrite.h"
#include "pager.h"
#include "peer.h"
#include "record.h"
#include "resident.h"
#include "table.h"

#define ROUNDS 16 // of an insistent launch, before it lets go of everything and is made again

// What a claimed page's contents are worth to the device, brought into its frame, or home where it is used in place.
// The page may be on another device, on the host, or nowhere. `home` becomes whether the host has it now.
static int bring(struct hmm_pager *p, unsigned device, bool in_place, uint64_t page, uint64_t before, uint64_t number, bool *home, struct hmm_failure *failure) {
  struct patience patience = new_patience(page, true, 0); // a touch behind our claim ends in time, too
  int waited = await_patiently(p, (struct page_range){page, page + 1}, false, -1, number, &patience);
  if (waited) return waited == -EAGAIN ? -EDEADLK : waited; // only one insists at a time: a mistake of ours
  bool on_device = !in_place && word_sharers(before) >> device & 1;
  *home = !is_away(before);
  if (is_away(before) && !in_place && !on_device) {
    int result = bring_across(p, source_of(p, before), device, page, 1, before, failure);
    if (result != -ENOTSUP) return result;
  }
  if ((in_place || word_state(before) != EMPTY) && !on_device) {
    int result = back(p, page, page + 1);
    if (result) return fail_errno(failure, page, result, HMM_CALL_NONE);
  }
  if (is_away(before) && !on_device) {
    unsigned source = source_of(p, before);
    int status = dma_to_host(p, source, page, 1, NULL);
    if (status) return fail_cl(p, failure, page, before, status, HMM_CALL_READ, source);
    *home = true;
  }
  if (on_device || in_place) return 0;
  int status = dma_to_device(p, device, page, word_state(before) == EMPTY);
  return status ? fail_cl(p, failure, page, before, status, HMM_CALL_WRITE, device) : 0;
}

// Whose bytes the frame of a moved page holds.
static void note_region(const struct hmm_pager *p, const struct hmm_launch *request, uint64_t page) {
  const struct hmm_use *windows = (const struct hmm_use *)(uintptr_t)request->windows;
  const struct device *d = &p->devices[request->device];
  for (uint64_t i = 0; i < request->window_count && request->region_ids; i++) {
    if (page < windows[i].first || page >= windows[i].end) continue;
    extents_set(&d->config.region_of_frame, (uint64_t)frame_of(d, page), ((const int32_t *)(uintptr_t)request->region_ids)[i]);
  }
}

// A page that was moved, for its record.
static void describe(struct hmm_record *r, uint64_t before, unsigned device, int result) {
  bool copied = !result && word_state(before) != EMPTY && !(word_sharers(before) >> device & 1);
  r->pages = 1;
  r->found = word_state(before);
  r->copied_pages = copied;
  r->device = copied ? (int64_t)device : -1;
  r->copied = nanos(); // claiming and waiting are a part of it here
}

// Makes one page hold, and keep holding. 0, 1 if it cannot (a view, the protection, lost, or a launch that uses it took too long), or -errno.
static int insist_on(struct hmm_pager *p, struct launch *l, uint64_t page, const struct hmm_use *use, struct hmm_launch *request, struct hmm_move *move, struct hmm_failure *failure) {
  bool writes = use->writes, in_place = use->in_place;
  while (true) {
    uint64_t w = load_word(p, page);
    if (pinned_against(w, writes)) return 1;
    if (holds(p, l->device, use, page, w)) return 0;
    switch (word_state(w)) {
    case POISONED:
    case UNMAPPED: return 1;
    case TO_HOST: wait_settled(p, page); continue;
    default: break;
    }
    if (writes ? !word_writable(w) : !word_readable(w)) return 1;
    if (!in_place && frame_of(&p->devices[l->device], page) < 0) return 1;
    struct claim c;
    if (!claim_page(p, page, &w, true, &c)) continue;
    struct hmm_record space, *record = in_place ? NULL : new_record(p, &space, HMM_RECORD_INSIST, page, writes);
    bool home = false;
    int result = in_place ? 0 : p->trap->forbid(p, page, page + 1, !writes);
    if (result) result = fail_errno(failure, page, result, HMM_CALL_FORBID);
    if (!result) result = bring(p, l->device, in_place, page, w, l->number, &home, failure);
    unsigned holders = (is_away(w) ? word_holders(w) : word_sharers(w)) | (in_place ? 0 : 1u << l->device); // all copies stay valid that only are read
    if (!result && !in_place) note_region(p, request, page);
    uint64_t next, left = result == -EIO ? left_after(w, failure) : w;
    if (result && word_state(w) == TO_DEVICE) next = word_shared(c.word, word_sharers(w));
    else if (result) next = word_next(c.word, word_state(left), word_device(left), word_sharers(left), left & MARKED_READ);
    else if (writes) next = in_place ? word_next(c.word, HOST, 0, 0, 0) : word_next(c.word, DEVICE, l->device, 0, 0);
    else next = home ? word_shared(c.word, holders) : word_peers(c.word, holders);
    uint64_t committed = settle_to(p, &c, next);
    wake_claimed(p, &c, 1);
    if (record) describe(record, w, l->device, result);
    end_record(p, record, result);
    if (result == -ETIMEDOUT) return 1; // the caller comes again, and waits without claims first
    if (result) return result;
    if (word_state(committed) == POISONED) return 1; // by a launch that was waited for
    if (in_place) return 0; // at home it stays, whatever becomes of the launch
    request->moved++;
    if (move) *move = (struct hmm_move){committed, w};
    return 0;
  }
}

static int insist(struct hmm_pager *p, struct launch *l, struct hmm_launch *request, struct hmm_failure *failure) {
  struct hmm_move *moves = (struct hmm_move *)(uintptr_t)request->moves;
  for (int writing = 1; writing >= 0; writing--) { // a page that one use writes and another reads must end up written
    uint64_t pages_before = 0;
    for (uint64_t i = 0; i < present(request); i++) {
      const struct hmm_use *u = &l->uses[i];
      for (uint64_t page = u->first; page < u->end && (u->writes != 0) == writing; page++) {
        int result = insist_on(p, l, page, u, request, moves ? &moves[pages_before + page - u->first] : NULL, failure);
        if (result > 0) request->missing = page;
        if (result) return result;
      }
      pages_before += u->end - u->first;
    }
  }
  return 0;
}

static void release_events(struct hmm_pager *p, void **events, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) p->cl.release_event(events[i]);
}

// A command of ours on the kernel's queue, behind all that is there. One that fails must not be lost on those behind it.
static int copy_argument(struct hmm_pager *p, void *queue, const struct hmm_argument_copy *c, bool back, void **before, void **event) {
  void *frames = (void *)(uintptr_t)c->from, *copy = (void *)(uintptr_t)c->to;
  unsigned waits = before ? 1 : 0;
  if (!frames) {
    cl_transfer *transfer = back ? p->cl.enqueue_read : p->cl.enqueue_write;
    return transfer(queue, copy, 0, 0, c->bytes, (void *)(uintptr_t)c->from_offset, waits, before, event);
  }
  return p->cl.enqueue_copy(queue, back ? copy : frames, back ? frames : copy, back ? 0 : c->from_offset, back ? c->from_offset : 0, c->bytes, waits, before, event);
}

// The kernel between the copies of its arguments; `event` is that of the last command. With a status nothing of it is in the queue any more, unless there is an event: then the kernel has
// run, and what it wrote has not come back.
static int enqueue_commands(struct hmm_pager *p, struct hmm_launch *request, const struct table_writes *before, enum hmm_call *failed, void **event) {
  const struct hmm_argument_copy *copies = (const struct hmm_argument_copy *)(uintptr_t)request->copies;
  void *queue = (void *)(uintptr_t)request->queue;
  uint64_t count = 0;
  int status = 0;
  void **waits = before->events;
  if (request->copy_count) {
    if (!(waits = malloc((before->count + request->copy_count) * sizeof *waits))) return OUT_OF_HOST_MEMORY;
    if (before->count) memcpy(waits, before->events, before->count * sizeof *waits);
  }
  *failed = HMM_CALL_COPY;
  for (; count < request->copy_count && !status; count += !status) status = copy_argument(p, queue, &copies[count], false, NULL, &waits[before->count + count]);
  if (!status) {
    *failed = HMM_CALL_KERNEL;
    unsigned wait_count = before->count + (unsigned)count;
    const size_t *offset = (const size_t *)(uintptr_t)request->offset, *global = (const size_t *)(uintptr_t)request->global;
    status = p->cl.enqueue_kernel(queue, (void *)(uintptr_t)request->kernel, (unsigned)request->dimensions, offset, global, (const size_t *)(uintptr_t)request->local, wait_count,
                                  wait_count ? waits : NULL, event);
  }
  if (status && count) p->cl.flush(queue); // if that fails, waiting sets them going
  for (uint64_t i = 0; i < count && status; i++) await_command(p, waits[before->count + i]); // they read frames that are nobody's launch's from now on
  if (request->copy_count) {
    release_events(p, waits + before->count, count);
    free(waits);
  }
  for (uint64_t i = 0; i < request->copy_count && !status; i++) {
    if (!copies[i].back) continue;
    void *last = *event;
    status = copy_argument(p, queue, &copies[i], true, &last, event);
    *failed = HMM_CALL_COPY;
    if (status) *event = last;
    else release_events(p, &last, 1);
  }
  return status;
}

static int enqueue(struct hmm_pager *p, struct launch *l, struct hmm_launch *request, const struct table_writes *before, struct hmm_failure *failure) {
  void *event = NULL, *queue = (void *)(uintptr_t)request->queue;
  enum hmm_call call = HMM_CALL_KERNEL;
  const bool faults = l->faults;
  int status = enqueue_commands(p, request, before, &call, &event);
  if (!event) return fail_cl(p, failure, 0, 0, status, call, l->device);
  take_overwrites(p, request); // before the launch counts as decided, and can fail: then they are poisoned like all that it writes
  // From here on the kernel is the driver's, and whatever fails must not look as if it were not: the launch is under way, and its end has to be found out.
  bool kept = !p->cl.retain_event(event); // one reference for the caller, one for the table
  uint64_t number = l->number;
  note_use(p, request); // before the launch counts as decided: whoever waits for that sees the use
  attach(p, l, kept ? event : NULL);
  request->event = (uint64_t)(uintptr_t)event;
  if (status) { // what the kernel has written is lost, however it ends
    p->cl.flush(queue);
    wait_for(p, event);
    end_launch(p, l, number, status);
    return fail_cl(p, failure, 0, 0, status, call, l->device);
  }
  // The driver is asked to call back only by whoever waits (inflight.c), but where the kernel faults: what comes behind it waits for the end of all of them. There it is flushed afterwards, since
  // a driver need not call back for what has ended before it was asked to. The caller's reference keeps the event alive here, whatever that leads to.
  bool told = !faults || ask_for_a_call(p, event, number);
  bool flushed = !p->cl.flush(queue);
  int outcome = CL_COMPLETE + 1;
  if (!kept || !told || !flushed) outcome = wait_for(p, event);
  else if (!faults || !ask(p, event, &outcome)) outcome = CL_COMPLETE + 1;
  if (outcome <= CL_COMPLETE) end_launch(p, l, number, outcome);
  return 0;
}

// What is left to do once the launch is published. 0 if its kernel was enqueued, 1 if a page was missing, or -errno.
static int pass(struct hmm_pager *p, struct launch *l, struct hmm_launch *request, struct hmm_failure *failure) {
  // Each further round is one in which another device has taken a page to write it. A launch there that loses its pages to us comes to insist itself, and waits for us with that.
  for (int round = 0; round < (request->insist ? ROUNDS : 1); round++) {
    int result = request->insist ? insist(p, l, request, failure) : 0;
    if (result) return result;
    request->missing = first_missing(p, request);
    if (request->missing == p->config.page_count) break;
  }
  if (request->missing < p->config.page_count) return 1;
  step(p, HMM_STEP_CHECKED);
  struct table_writes writes = {NULL, 0, 0};
  int result = await_those_before(p, l);
  if (result) return result;
  result = request->table ? show_table(p, request, &writes, failure) : 0;
  if (!result) result = enqueue(p, l, request, &writes, failure);
  end_table_writes(p, &writes);
  return result;
}

static int refuse_lost(struct hmm_pager *p, const struct hmm_launch *request, struct hmm_failure *failure) {
  if (!atomic_load(&p->devices[request->device].lost)) return 0;
  return fail(failure, HMM_OPENCL, 0, 0, DEVICE_NOT_AVAILABLE, HMM_CALL_KERNEL, (unsigned)request->device);
}

// Where its kernel faults nothing has to be there, but one runs at a time.
HMM_API int hmm_launch_begin(struct hmm_pager *p, struct hmm_launch *request, struct hmm_failure *failure) {
  request->number = 0;
  int result = refuse_lost(p, request, failure);
  if (result) return result;
  struct launch *l = publish(p, request);
  if (!l) return fail_errno(failure, 0, -ENOMEM, HMM_CALL_NONE);
  step(p, HMM_STEP_PUBLISHED);
  result = await_turn(p, l);
  if (result) withdraw(p, l);
  else request->number = l->number;
  return result == -ETIMEDOUT ? 0 : result;
}

HMM_API int hmm_launch_go(struct hmm_pager *p, struct hmm_launch *request, struct hmm_failure *failure) {
  struct table_writes none = {NULL, 0, 0};
  request->event = 0;
  int result = refuse_lost(p, request, failure);
  if (!result) result = enqueue(p, launch_of(p, request->number), request, &none, failure);
  if (result) hmm_launch_withdraw(p, request->number);
  return result;
}

HMM_API int hmm_launch_withdraw(struct hmm_pager *p, uint64_t number) {
  struct launch *l = launch_of(p, number);
  if (!is_undecided(p, l, number)) return 0; // its kernel runs or has ended, and its place may be another's
  device_ends(p, l); // before another one may run
  withdraw(p, l);
  return 0;
}

HMM_API int hmm_launch_enter(struct hmm_pager *p, struct hmm_launch *request, struct hmm_failure *failure) {
  request->event = 0;
  request->moved = 0;
  request->missing = p->config.page_count;
  if (p->devices[request->device].range) {
    int begun = hmm_launch_begin(p, request, failure);
    return begun || !request->number ? begun : hmm_launch_go(p, request, failure);
  }
  int result = refuse_lost(p, request, failure);
  if (result) return result;
  bool insists = request->insist || request->overwrite_count; // as others see it
  if (insists) pthread_mutex_lock(&p->insist_lock);
  result = -ENOMEM;
  struct launch *l = publish(p, request);
  if (l) {
    request->number = l->number;
    step(p, HMM_STEP_PUBLISHED);
    request->missing = commit_overwrites(p, request);
    if (request->missing < p->config.page_count) result = 1;
    else result = pass(p, l, request, failure);
    if (result && is_undecided(p, l, request->number)) { // else its kernel runs or has ended, and its place may be another's
      take_back_overwrites(p, request);
      withdraw(p, l);
    }
    if (result > 0) result = 0; // without an event
  } else {
    result = fail_errno(failure, 0, result, HMM_CALL_NONE);
  }
  if (insists) pthread_mutex_unlock(&p->insist_lock);
  return result;
}
