// sigsegv.c - the trap that memory protection and a signal make.
//
// The thread that touches stops in the signal handler (signals.c), which hands the touch to the crew (requests.c).
#include <signal.h>

#include "device_fault.h"
#include "faulting.h"
#include "mappings.h"
#include "memory.h"
#include "pager.h"
#include "requests.h"
#include "trap.h"

static int segv_open(struct hmm_pager *p) {
  int result = open_requests(p);
  if (!result && (result = open_mappings(p))) close_requests(p);
  return result;
}

static int segv_close(struct hmm_pager *p) {
  close_requests(p);
  end_mappings(&p->mappings);
  return unmap_app(p);
}

static int segv_install(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable) { return set_mapping(&p->mappings, first, end, writable ? WRITABLE : READABLE); }
static int segv_upgrade(struct hmm_pager *p, uint64_t first, uint64_t end) { return set_mapping(&p->mappings, first, end, WRITABLE); }
static int segv_install_empty(struct hmm_pager *p, uint64_t first, uint64_t end) {
  int result = back(p, first, end); // the touch itself would be too late to learn that there is none
  return result ? result : set_mapping(&p->mappings, first, end, WRITABLE);
}

static int segv_forbid(struct hmm_pager *p, uint64_t first, uint64_t end, bool keep_reading) {
  int result = 0;
  for (struct page_range r = {first, first}; !result && next_written(p, &r, end); r.first = r.end) {
    result = keep_reading ? lower_mapping(&p->mappings, r.first, r.end) : set_mapping(&p->mappings, r.first, r.end, CLOSED);
  }
  return result;
}

static int segv_set_access(struct hmm_pager *p, uint64_t first, uint64_t end, int access) {
  return access == 2 ? 0 : segv_forbid(p, first, end, access == 1); // what the words allow is mapped when it is touched
}

static void segv_wake(struct hmm_pager *p, uint64_t first, uint64_t end) { wake_devices(p, first, end); }

static bool segv_touched(struct hmm_pager *p, struct touch touch, const void *signal_context) {
  (void)signal_context;
  return ask_crew(p, touch);
}

const struct trap sigsegv_trap = {
    .open = segv_open,
    .close = segv_close,
    .wait = wait_for_requests,
    .ring = ring_for_requests,
    .install = segv_install,
    .upgrade = segv_upgrade,
    .install_empty = segv_install_empty,
    .forbid = segv_forbid,
    .set_access = segv_set_access,
    .may_pin = mappings_for_pins,
    .wake = segv_wake,
    .put_back = put_request_back,
    .answer = answer_request,
    .touched = segv_touched,
    .range = &sigsegv_range,
    .signal = SIGSEGV,
    .waits_for_claims = true,
};
