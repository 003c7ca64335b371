/*
 * Devices whose kernels fault, beside a host that faults: device_fault.c, device_evict.c, range.c and what home.c does for such devices, as a model that spin checks exhaustively. README.md says how.
 *
 * Who takes part                                        in the runtime
 *   Cpu        a Java thread that loads and stores        any Java code; the crew that serves its faults is written into its process
 *   Kernel     a thread of the device                     loads and stores of a kernel; the crew that serves its faults is written into its process as well
 *   Fetcher    a Java thread that brings a page home      native fetch, called from Java: a view, `hmm_take_home`
 *   Safepoint  the garbage collector                      stops Java code between any two steps, waits for threads that stand in a fault
 *
 * As in page-protocol.pml: of a copy matters whether it is the latest, one bit for the host's and one for that in each device's range. A copy passes the bit on as it was when the copy began.
 * A place of the budget belongs to a page that is listed, or to whoever has taken the page off the list to evict it.
 */

#ifndef PAGES
#define PAGES 2
#endif
#ifndef PLACES
#define PLACES 1
#endif
#ifdef TWO_DEVICES
#define DEVICES 2
#else
#define DEVICES 1
#endif
#ifdef REFUSED
#define KERNELS 2
#define KERNEL_OPS 2
#define CPU_OPS 0
#elif defined(TWO_KERNELS) || defined(TWO_DEVICES)
#define KERNELS 2
#define KERNEL_OPS 2
#define CPU_OPS 1
#else
#define KERNELS 1
#define KERNEL_OPS 3
#define CPU_OPS 2
#endif
#ifdef FETCHED
#define FETCHES 1
#else
#define FETCHES 0
#endif

#define HOST 0
#define SHARED 1
#define DEVICE 2
#define PEERS 3
#define TO_HOST 4

#define NONE 0
#define READ_ONLY 1
#define READ_WRITE 2

typedef Range {      /* of one device, for a page */
    byte map;        /* what the device's mapping allows */
    bit there;       /* there is memory for it */
    bit listed;      /* and it is no victim yet */
    bit latest
}

typedef Page {
    byte state;
    byte was;        /* TO_HOST: the state before */
    byte has;        /* bit d: device d has it */
    byte map;        /* what the host's mapping allows */
    bit latest;      /* the host's copy */
    Range on[DEVICES]
}

Page page[PAGES];
byte taken[DEVICES]; /* places */
byte faulting;       /* Java threads that stand in a fault */
bool stopped;

#define JAVA (!stopped)
#define HAS(p, d) (page[p].has >> (d) & 1)
#define OTHERS(p, d) (page[p].has & ~(1 << (d)))
#define SOURCE(devices) ((devices) & 1 -> 0 : DEVICES - 1)
#define MEMORY(d) (page[0].on[d].there + page[1].on[d].there)

#define STALE_READ 1
#define LOST_WRITE 2
#define OVER_BUDGET 3
#ifdef ONLY
#define REQUIRE(kind, condition) assert(ONLY != kind || (condition))
#else
#define REQUIRE(kind, condition) assert(condition)
#endif

inline claim(p) {
    page[p].was = page[p].state;
    page[p].state = TO_HOST
}

inline settle(p, s, devices) {
    page[p].state = s;
    page[p].has = devices;
    page[p].was = 0
}

/* What was taken away gives its place back, unless somebody has chosen the page: then it is his. */
inline take_from(p, d) {
    d_step {
        page[p].on[d].map = NONE;
        if
        :: page[p].on[d].there && page[p].on[d].listed -> taken[d]--; page[p].on[d].listed = 0
        :: else
        fi;
        page[p].on[d].there = 0;
        page[p].on[d].latest = 0
    }
}

inline take_from_all(p, devices) {
    if :: (devices) & 1 -> take_from(p, 0) :: else fi;
    if :: (devices) & 2 -> take_from(p, DEVICES - 1) :: else fi
}

inline copy_home(p, d) {
    d_step { snapshot = page[p].on[d].latest };
    d_step { page[p].latest = snapshot; snapshot = 0 }
}

/* home.c: claim, withhold, copy, take, map, settle. */
inline fetch(p, write, maps) {
    atomic { page[p].state != TO_HOST -> claim(p) };
    if
#ifdef MUTANT_COPY_BEFORE_WITHHOLDING
    :: page[p].was == DEVICE -> copy_home(p, SOURCE(page[p].has)); page[p].on[SOURCE(page[p].has)].map = READ_ONLY
#else
    :: page[p].was == DEVICE -> page[p].on[SOURCE(page[p].has)].map = READ_ONLY; copy_home(p, SOURCE(page[p].has))   /* reach: withheld */
#endif
    :: page[p].was == PEERS -> copy_home(p, SOURCE(page[p].has))
    :: else
    fi;
#ifdef MUTANT_TAKE_LATE
    if :: maps -> page[p].map = (write || page[p].was == HOST -> READ_WRITE : READ_ONLY) :: else fi;
    if :: write -> take_from_all(p, page[p].has) :: else fi;
#else
    if :: write -> take_from_all(p, page[p].has) :: else fi;
    if :: maps -> page[p].map = (write || page[p].was == HOST -> READ_WRITE : READ_ONLY) :: else fi;
#endif
    d_step { settle(p, (write || page[p].was == HOST -> HOST : SHARED), (write -> 0 : page[p].has)) }
}

/* What others have a copy of is theirs. */
inline settle_left(p, d) {
    if
#ifdef MUTANT_FORGET_PEERS
    :: page[p].was == PEERS -> settle(p, HOST, 0)
#else
    :: page[p].was == PEERS -> settle(p, DEVICE, OTHERS(p, d))
#endif
    :: page[p].was == SHARED && OTHERS(p, d) -> settle(p, SHARED, OTHERS(p, d))
    :: else -> settle(p, HOST, 0)
    fi
}

/* device_fault.c: makes room. Leaves `placed`, or not if there is no victim now. */
inline make_place(d) {
    if
    :: atomic { taken[d] < PLACES -> taken[d]++; placed = 1 }
    :: atomic { taken[d] >= PLACES && page[0].on[d].listed -> page[0].on[d].listed = 0; v = 0; chosen = 1 }
    :: atomic { taken[d] >= PLACES && page[PAGES - 1].on[d].listed -> page[PAGES - 1].on[d].listed = 0; v = PAGES - 1; chosen = 1 }
    :: atomic { taken[d] >= PLACES && !page[0].on[d].listed && !page[PAGES - 1].on[d].listed }
    fi;
    if
    :: chosen ->
        if
        :: atomic { !page[v].on[d].there -> placed = 1 }                                       /* it has gone by itself */
        :: atomic { page[v].on[d].listed -> placed = 1 }                                       /* and has come again */
#ifdef MUTANT_EVICT_WITHOUT_CLAIM
        :: atomic { page[v].on[d].there && !page[v].on[d].listed };
#else
        :: atomic { page[v].on[d].there && !page[v].on[d].listed && page[v].state == TO_HOST -> page[v].on[d].listed = 1 }   /* reach: kept */
        :: atomic { page[v].on[d].there && !page[v].on[d].listed && HAS(v, d) && page[v].state != TO_HOST -> claim(v) };
#endif
#ifdef MUTANT_EVICT_IN_JAVA
           JAVA;
#endif
           if
           :: page[v].was == DEVICE || page[v].state == DEVICE ->
               page[v].on[d].map = READ_ONLY;
               copy_home(v, d)                                                                 /* reach: written-back */
           :: else
           fi;
           take_from(v, d);
           d_step { settle_left(v, d); placed = 1 }
        fi;
        d_step { chosen = 0; v = 0 }
    :: else
    fi
}

/* What a page that did not come has found: nobody else has it claimed, and the device has it by another fault. It goes, for a page of the access's own. */
inline look_again(p, d) {
    if
#ifdef MUTANT_TAKE_FROM_CLAIM
    :: atomic { HAS(p, d) -> claim(p) };
#else
    :: atomic { HAS(p, d) && page[p].state != TO_HOST -> claim(p) };
#endif
       if
       :: page[p].was == DEVICE ->
           page[p].on[d].map = READ_ONLY;
           copy_home(p, d)                                                                     /* reach: came-meanwhile */
       :: else
       fi;
       take_from(p, d);
       d_step { settle_left(p, d) }
    :: atomic { !HAS(p, d) || page[p].state == TO_HOST }
    fi
}

#define ENOUGH(p, d, write) (page[p].on[d].map >= READ_ONLY + (write))

inline forbid_host(p, write) {
    if
    :: page[p].was == DEVICE || page[p].was == PEERS
    :: write && page[p].was != DEVICE && page[p].was != PEERS -> page[p].map = NONE
    :: !write && page[p].was != DEVICE && page[p].was != PEERS && page[p].map == READ_WRITE -> page[p].map = READ_ONLY
    :: else
    fi
}

/* One fault of a kernel. It need not help: the access is made again. */
inline serve_kernel(p, d, write) {
    if
    :: atomic { page[p].state == TO_HOST };                                                    /* left alone */
       page[p].state != TO_HOST                                                                /* reach: woken */
    :: atomic { page[p].state != TO_HOST && HAS(p, d) && page[p].on[d].there && !ENOUGH(p, d, write) -> claim(p) };
       if
       :: page[p].was == SHARED -> page[p].map = NONE                                          /* reach: upgraded */
       :: else
       fi;
       take_from_all(p, OTHERS(p, d));
       page[p].on[d].map = READ_WRITE;
       d_step { settle(p, DEVICE, 1 << d) }
    :: atomic { ENOUGH(p, d, write) }
    :: atomic { page[p].state != TO_HOST && !HAS(p, d) };
       make_place(d);
       if
       :: !placed
       :: placed ->
           if
           :: atomic { page[p].state == TO_HOST || HAS(p, d) -> taken[d]--; placed = 0 }       /* somebody was quicker */
#ifdef REFUSED
           :: atomic { !refused && page[p].state != TO_HOST && !HAS(p, d) -> claim(p); refused = 1 };
              forbid_host(p, write);
              d_step { settle(p, page[p].was, page[p].has); taken[d]--; placed = 0 };
              look_again(p, d)
#endif
           :: atomic { page[p].state != TO_HOST && !HAS(p, d) -> claim(p) };
#ifndef MUTANT_FORBID_LATE
              forbid_host(p, write);
#endif
#if DEVICES == 2 && !defined(MUTANT_CROSS_WITHOUT_WITHHOLDING)
              if :: page[p].was == DEVICE -> page[p].on[SOURCE(page[p].has)].map = READ_ONLY :: else fi;   /* reach: crosses */
#endif
              d_step {
                  page[p].on[d].there = 1;
                  page[p].on[d].listed = 1;
                  placed = 0;
                  REQUIRE(OVER_BUDGET, MEMORY(d) <= PLACES);
                  snapshot = (page[p].was == DEVICE || page[p].was == PEERS -> page[p].on[SOURCE(page[p].has)].latest : page[p].latest)
              };
              d_step {
                  page[p].on[d].latest = snapshot;
                  snapshot = 0;
                  page[p].on[d].map = (page[p].has -> READ_ONLY : READ_ONLY + write)           /* reach: brought */
              };
#ifdef MUTANT_FORBID_LATE
              forbid_host(p, write);
#endif
              if
#ifdef MUTANT_LEAVE_OTHERS
              :: write && page[p].has -> page[p].on[d].map = READ_WRITE
#else
              :: write && page[p].has -> take_from_all(p, page[p].has); page[p].on[d].map = READ_WRITE
#endif
              :: else
              fi;
              d_step {
                  if
                  :: write -> settle(p, DEVICE, 1 << d)
                  :: !write && (page[p].was == DEVICE || page[p].was == PEERS) -> settle(p, PEERS, page[p].has | 1 << d)
                  :: else -> settle(p, SHARED, page[p].has | 1 << d)
                  fi
              }
           fi
       fi
    fi
}

/* Nobody else's copy is the latest any more. */
inline written_by(p, d) {
    page[p].latest = 0;
    page[p].on[0].latest = 0;
    page[p].on[DEVICES - 1].latest = 0;
    page[p].on[d].latest = 1
}

proctype Kernel(byte d) {
    byte ops, p, v;
    bit write, placed, chosen, snapshot, refused;
    do
    :: atomic { ops < KERNEL_OPS -> ops++; if :: p = 0 :: p = PAGES - 1 fi; if :: write = 0 :: write = 1 fi };
       do
       :: d_step {
              ENOUGH(p, d, write) ->
              if
              :: write -> REQUIRE(LOST_WRITE, page[p].on[d].latest); written_by(p, d)
              :: else -> REQUIRE(STALE_READ, page[p].on[d].latest)
              fi
          };
          break
       :: atomic { !ENOUGH(p, d, write) };
          serve_kernel(p, d, write)
       od;
       atomic { p = 0; write = 0 }
    :: atomic { ops == KERNEL_OPS -> break }
    od
}

proctype Cpu() {
    byte ops, p;
    bit write, snapshot;
    do
    :: atomic { JAVA && ops < CPU_OPS -> ops++; if :: p = 0 :: p = PAGES - 1 fi; if :: write = 0 :: write = 1 fi };
       do
       :: d_step {
              JAVA && page[p].map >= READ_ONLY + write ->
              if
              :: write -> REQUIRE(LOST_WRITE, page[p].latest); written_by(p, 0); page[p].on[0].latest = 0; page[p].latest = 1
              :: else -> REQUIRE(STALE_READ, page[p].latest)
              fi
          };
          break
       :: atomic { JAVA && page[p].map < READ_ONLY + write -> faulting++ };
          fetch(p, write, 1);
          faulting--                                                                           /* reach: served */
       od;
       atomic { p = 0; write = 0 }
    :: atomic { JAVA && ops == CPU_OPS -> break }
    od
}

proctype Fetcher() {
    byte ops, p;
    bit write, maps, snapshot;
    do
    :: atomic { JAVA && ops < FETCHES -> ops++; if :: p = 0 :: p = PAGES - 1 fi; if :: write = 0 :: write = 1 fi; if :: maps = 0 :: maps = 1 fi };
#ifdef MUTANT_DROP_IN_WORD_ONLY
       atomic {
           JAVA ->
           if
           :: page[p].state == SHARED -> page[p].state = HOST; page[p].has = 0; page[p].map = READ_WRITE
           :: else
           fi
       };
#else
       fetch(p, write, maps);
#endif
       atomic { p = 0; write = 0; maps = 0 }                                                          /* reach: fetched */
    :: atomic { JAVA && ops == FETCHES -> break }
    od
}

proctype Safepoint() {
    stopped = 1;
    faulting == 0;
    stopped = 0                                                                                /* reach: safepoint */
}

init {
    byte i;
    atomic {
        page[0].latest = 1;
        page[0].map = READ_WRITE;
        if /* the other one is anywhere */
        :: page[1].latest = 1; page[1].map = READ_WRITE
        :: page[1].latest = 1
        :: page[1].latest = 1; page[1].state = SHARED; page[1].has = 1; page[1].map = READ_ONLY; page[1].on[0].map = READ_ONLY
        :: page[1].state = DEVICE; page[1].has = 1; page[1].on[0].map = READ_WRITE
        :: page[1].state = DEVICE; page[1].has = 1; page[1].on[0].map = READ_ONLY /* what a failed fetch has left */
#if DEVICES == 2
        :: page[1].state = PEERS; page[1].has = 3; page[1].on[0].map = READ_ONLY; page[1].on[1].map = READ_ONLY;
           page[1].on[1].latest = 1; page[1].on[1].there = 1; page[1].on[1].listed = 1; taken[1] = 1
#endif
        fi;
        if
        :: page[1].has -> page[1].on[0].latest = 1; page[1].on[0].there = 1; page[1].on[0].listed = 1; taken[0] = 1
        :: else
        fi;
        run Kernel(0);
#if KERNELS == 2
        run Kernel(DEVICES - 1);
#endif
        run Cpu();
#if FETCHES > 0
        run Fetcher();
#endif
        run Safepoint()
    };
    atomic {
        _nr_pr == 1 ->
        assert(page[0].state != TO_HOST && page[1].state != TO_HOST);
        assert(taken[0] == MEMORY(0) && taken[0] == page[0].on[0].listed + page[1].on[0].listed);
        assert(taken[DEVICES - 1] == MEMORY(DEVICES - 1) && taken[DEVICES - 1] == page[0].on[DEVICES - 1].listed + page[1].on[DEVICES - 1].listed);
        REQUIRE(LOST_WRITE, page[0].latest || page[0].on[0].latest || page[0].on[DEVICES - 1].latest);
        REQUIRE(LOST_WRITE, page[1].latest || page[1].on[0].latest || page[1].on[DEVICES - 1].latest)        /* reach: ended */
    }
}
