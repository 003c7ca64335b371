// answers.c - how a touch becomes an error where userfaultfd notices it: the page is closed, so that the thread meets a signal when it makes its touch again.
//
// An answer is meant for one touch and closes the page to everybody, system calls included. So it ends when the thread has heard it (the signal handler, sigsegv.c), when
// somebody maps the page or changes what may be done with it, and, since nobody tells us when a system call has heard it, after a moment. To end an answer is never wrong: what
// may be done with a page is in its word and in what is mapped, and whoever has not heard it makes its touch again, faults and is judged afresh.
//
// To give one is wrong once somebody has made the page good. So it is given under a lock, to a page whose word is what it was judged by; whoever maps a page has changed its
// word by a claim before it asks, under the lock, what answers there are.
//
// Answers are few, so the mappings that they split are few. If there is no room for even one mapping more (the limit is the whole process's), the page is poisoned, which takes
// none, and where that cannot be (before Linux 6.6, or something is mapped there) the whole heap is closed, which takes none either; whoever meets that opens it again.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "answers.h"
#include "memory.h"
#include "pager.h"
#include "trap.h"

#ifndef UFFDIO_POISON // since Linux 6.6; older headers do not have it, older kernels refuse it
struct uffdio_poison {
  struct uffdio_range range;
  __u64 mode;
  __s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#define UFFDIO_POISON_MODE_DONTWAKE ((__u64)1 << 0)
#endif

// An answer is page + 1, and in the lowest bits what the handler must know.
#define POISON 1ULL // the kernel tells it as SIGBUS, past our handler
#define FAILED 2ULL // the word does not say why
#define WROTE 4ULL
#define FLAG_BITS 3

static uint64_t page_of(uint64_t answer) { return (answer >> FLAG_BITS) - 1; }

static bool set_protection(const struct hmm_pager *p, uint64_t first, uint64_t end, int protection) {
  return !mprotect(app_of(p, first), (size_t)((end - first) << p->config.page_shift), protection);
}

// Readable and writable is how everything is mapped but for answers, so more than these pages does no harm.
static bool lift(struct hmm_pager *p, uint64_t first, uint64_t end) {
  bool all = atomic_exchange(&p->answers.all_closed, false);
  if (!all && set_protection(p, first, end, PROT_READ | PROT_WRITE)) return true;
  return set_protection(p, 0, p->config.page_count, PROT_READ | PROT_WRITE);
}

static void end_answer(struct hmm_pager *p, _Atomic uint64_t *at) {
  uint64_t answer = atomic_exchange(at, 0);
  if (!answer) return; // heard meanwhile
  uint64_t page = page_of(answer);
  if (answer & POISON) unmap_pages(p, page, page + 1); // refuses only what is not mapped at all
  else lift(p, page, page + 1);
  atomic_fetch_sub(&p->answers.count, 1);
}

void end_answers(struct hmm_pager *p, uint64_t first, uint64_t end) {
  // In this order: an answer that no longer counts was taken by somebody who counts as hearing until its page is open.
  if (!atomic_load(&p->answers.count) && !atomic_load(&p->answers.hearing)) return;
  pthread_mutex_lock(&p->answers.lock);
  for (int i = 0; i < ANSWERS; i++) {
    uint64_t answer = atomic_load(&p->answers.given[i]);
    if (answer && page_of(answer) >= first && page_of(answer) < end) end_answer(p, &p->answers.given[i]);
  }
  // Whoever hears an answer takes it from the table before he opens its page, and may be stopped in between.
  if (atomic_load(&p->answers.hearing) || atomic_load(&p->answers.all_closed)) lift(p, first, end);
  pthread_mutex_unlock(&p->answers.lock);
}

bool answers_stand(struct hmm_pager *p) { return atomic_load(&p->answers.count); }

static bool poison(struct hmm_pager *p, uint64_t page) {
  struct uffdio_poison all = {.range = {(uint64_t)(uintptr_t)app_of(p, page), p->page_bytes}, .mode = UFFDIO_POISON_MODE_DONTWAKE};
  if (!ioctl(p->uffd.fd, UFFDIO_POISON, &all)) return true;
  if (all.updated > 0) unmap_pages(p, page, page + 1); // a part of it is not enough; who wants to map it waits for our lock
  return false;
}

static uint64_t close_page(struct hmm_pager *p, uint64_t page, int protection) {
  if (set_protection(p, page, page + 1, protection)) return 0;
  if (protection == PROT_NONE && poison(p, page)) return POISON;
  if (set_protection(p, 0, p->config.page_count, protection)) atomic_store(&p->answers.all_closed, true);
  return 0;
}

// The place of this page's answer, or one that is free now.
static _Atomic uint64_t *place_for(struct hmm_pager *p, uint64_t page) {
  struct answers *a = &p->answers;
  _Atomic uint64_t *place = NULL;
  for (int i = 0; i < ANSWERS; i++) {
    uint64_t answer = atomic_load(&a->given[i]);
    if (answer && page_of(answer) == page) place = &a->given[i];
    else if (!answer && !place) place = &a->given[i];
  }
  if (!place) place = &a->given[a->turn++ % ANSWERS];
  end_answer(p, place);
  return place;
}

void give_answer(struct hmm_pager *p, const struct fault *f, int result, uint64_t judged) {
  struct answers *a = &p->answers;
  pthread_mutex_lock(&a->lock);
  atomic_fetch_add(&a->count, 1); // before looking at the word: whoever maps the page claims it before looking for answers
  if (same_version(load_word(p, f->page), judged)) {
    _Atomic uint64_t *place = place_for(p, f->page);
    uint64_t answer = (f->page + 1) << FLAG_BITS | (result == -EACCES ? 0 : FAILED) | (f->write ? WROTE : 0);
    // Others may go on reading what just must not be written.
    atomic_store(place, answer | close_page(p, f->page, f->write && word_readable(judged) ? PROT_READ : PROT_NONE));
  } else {
    atomic_fetch_sub(&a->count, 1);
  }
  pthread_mutex_unlock(&a->lock);
}

static uint64_t take(struct hmm_pager *p, uint64_t page) {
  for (int i = 0; i < ANSWERS; i++) {
    uint64_t answer = atomic_load(&p->answers.given[i]);
    if (answer && !(answer & POISON) && page_of(answer) == page && atomic_compare_exchange_strong(&p->answers.given[i], &answer, 0)) {
      atomic_fetch_sub(&p->answers.count, 1);
      return answer;
    }
  }
  return 0;
}

static bool allows(uint64_t w, bool write) {
  enum state s = word_state(w);
  return s != POISONED && s != UNMAPPED && (write ? word_writable(w) : word_readable(w));
}

bool hear_answer(struct hmm_pager *p, uint64_t page, bool write) {
  // Before the answer is taken: from then on nobody else knows that the page is closed.
  atomic_fetch_add(&p->answers.hearing, 1);
  uint64_t answer = take(p, page);
  bool open = lift(p, page, page + 1);
  atomic_fetch_sub(&p->answers.hearing, 1);
  if (!open) return true;
  return answer & FAILED || !allows(load_word(p, page), write || answer & WROTE);
}
