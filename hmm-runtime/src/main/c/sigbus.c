// sigbus.c - the trap of userfaultfd that tells the thread itself: what it touches without a mapping, or writes without permission, is SIGBUS there (UFFD_FEATURE_SIGBUS), and no message for
// the crew.
//
// So nobody has to be woken. The handler (signals.c) serves the touch by itself if that needs nobody else: if the page's contents are on the host, or in memory of a device that the host
// reaches, nobody has the page claimed, and no launch in flight is in the way, not even by an event that nobody has waited for. It goes the same way home as all others (home.c), with a
// claim that it makes, carries out and releases before it returns; the locks that it takes are leaves, which nobody holds who touches managed memory. Whatever else there is, it gives its
// claim back, hands the touch to the crew (requests.c) and sleeps: launches, claims, commands, streams, which are served in large pieces, and all that becomes an error.
//
// The kernel tells only touches from user mode. A system call on a page that is not mapped fails with EFAULT, as with HMM_UFFD_USER; a thread that blocks SIGBUS must not touch managed memory.
#include <signal.h>
#include <unistd.h>

#include "fault.h"
#include "memory.h"
#include "pager.h"
#include "requests.h"
#include "signals.h"
#include "trap.h"
#include "uffd.h"

static int bus_open(struct hmm_pager *p) {
  int result = open_requests(p);
  if (!result && (result = uffd_begin(p))) close_requests(p);
  return result;
}

static int bus_close(struct hmm_pager *p) {
  int result = unmap_app(p); // first: without the descriptor a touch would find the file's memory
  close(p->uffd.fd);
  close_requests(p);
  return result;
}

static void bus_wake(struct hmm_pager *p, uint64_t first, uint64_t end) { (void)p, (void)first, (void)end; } // nobody sleeps in the kernel

static bool bus_touched(struct hmm_pager *p, struct touch touch, const void *signal_context) {
  if (serve_here(p, touch)) return true;
  take_signals(signal_context); // it holds nothing any more, and may sleep for long
  return ask_crew(p, touch);
}

const struct trap sigbus_trap = {
    .open = bus_open,
    .close = bus_close,
    .wait = wait_for_requests,
    .ring = ring_for_requests,
    .install = uffd_install,
    .upgrade = uffd_upgrade,
    .install_empty = uffd_install_empty,
    .forbid = uffd_forbid,
    .set_access = uffd_set_access,
    .may_pin = uffd_may_pin,
    .wake = bus_wake,
    .put_back = put_request_back,
    .answer = answer_request,
    .touched = bus_touched,
    .signal = SIGBUS,
    .waits_for_claims = true,
};
