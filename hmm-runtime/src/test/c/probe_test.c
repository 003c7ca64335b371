// probe_test.c - rungs that fail when they are tried: the process goes on, and is told why.
#include "check.h"
#include "hmm_pager.h"
#include "system.h"

#include <errno.h>
#include <string.h>

static void refused(const struct shape *shape, enum failing what, int expected, const char *text) {
  char why[128];
  system_fails(what);
  CHECK_EQUAL(hmm_probe(shape->rung, why, sizeof why), expected);
  system_fails(NOTHING);
  if (strcmp(why, text)) check_failed(__FILE__, __LINE__, "why", "it says: %s", why);
  CHECK_EQUAL(hmm_probe(shape->rung, why, sizeof why), 0); // and leaves nothing behind that is in the way
  CHECK_EQUAL(why[0], 0);
}

// Linux 5.19 to 6.3: everything can be had but this, and a touch would find out too late.
static void write_protected_mappings_are_asked_for(const struct shape *shape) {
  if (shape->rung == HMM_SIGSEGV) return;
  refused(shape, WRITE_PROTECTED_MAPPINGS, -EINVAL,
          "mapping a page for reading only (UFFDIO_CONTINUE_MODE_WP, Linux 6.4): refused");
}

static void touches_by_signal_are_asked_for(const struct shape *shape) {
  if (shape->rung == HMM_UFFD_SIGBUS) refused(shape, TOUCHES_BY_SIGNAL, -EINVAL, "opening userfaultfd with a signal (UFFD_FEATURE_SIGBUS): refused");
}

static void a_touch_that_errs_does_not_end_the_process(const struct shape *shape) {
  if (shape->rung == HMM_SIGSEGV) return;
  refused(shape, MAPPINGS_AFTER_THE_FIRST, -ENOTSUP, "touch of a page without a mapping: an error");
}

// The thread that tries stays asleep, with all that it uses.
static void a_touch_without_an_answer_is_given_up(const struct shape *shape) {
  if (shape->rung != HMM_UFFD_SYSCALL || shape->quick) return; // takes as long as its patience
  refused(shape, WAKING, -ETIMEDOUT, "first touch: no answer");
}

static void a_rung_that_is_none_is_refused(const struct shape *shape) {
  (void)shape;
  CHECK_EQUAL(hmm_probe(HMM_CHECKED, NULL, 0), -EINVAL);
}

const struct test probe_tests[] = {
    {"write_protected_mappings_are_asked_for", write_protected_mappings_are_asked_for, NEEDS_TRAP | ONE_WAY},
    {"touches_by_signal_are_asked_for", touches_by_signal_are_asked_for, NEEDS_TRAP | ONE_WAY},
    {"a_touch_that_errs_does_not_end_the_process", a_touch_that_errs_does_not_end_the_process, NEEDS_TRAP | ONE_WAY},
    {"a_touch_without_an_answer_is_given_up", a_touch_without_an_answer_is_given_up, NEEDS_TRAP | ONE_WAY},
    {"a_rung_that_is_none_is_refused", a_rung_that_is_none_is_refused, NEEDS_TRAP | ONE_WAY},
    {0},
};
