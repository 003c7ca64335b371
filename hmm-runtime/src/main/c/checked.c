// checked.c - the trap of a heap whose memory is reached through views only.
//
// Nothing is ever mapped where the program's pointers point, so no touch there is to be served, and there is no mapping to keep in step with the words. All else is as under the other traps.
#include "trap.h"

static int succeed(struct hmm_pager *p) { return (void)p, 0; }
static int change_nothing(struct hmm_pager *p, uint64_t first, uint64_t end) { return (void)p, (void)first, (void)end, 0; }
static int install_nothing(struct hmm_pager *p, uint64_t first, uint64_t end, bool writable) { return (void)writable, change_nothing(p, first, end); }
static int restrict_nothing(struct hmm_pager *p, uint64_t first, uint64_t end, int access) { return (void)access, change_nothing(p, first, end); }
static void wake_nobody(struct hmm_pager *p, uint64_t first, uint64_t end) { (void)p, (void)first, (void)end; }

const struct trap checked_trap = {
    .open = succeed,
    .close = succeed,
    .install = install_nothing,
    .upgrade = change_nothing,
    .install_empty = change_nothing,
    .forbid = install_nothing,
    .set_access = restrict_nothing,
    .may_pin = succeed,
    .wake = wake_nobody,
};
