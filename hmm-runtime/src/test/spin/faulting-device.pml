/*
 * A device whose kernels fault, beside a host that faults: device_fault.c, device_evict.c, range.c and what home.c does for such a device, as a model that spin checks exhaustively. README.md says how.
 *
 * Who takes part                                        in the runtime
 *   Cpu        a Java thread that loads and stores        any Java code; the crew that serves its faults is written into its process
 *   Kernel     a thread of the device                     loads and stores of a kernel; the crew that serves its faults is written into its process as well
 *   Fetcher    a Java thread that brings a page home      native fetch, called from Java: a view, `hmm_take_home`
 *   Safepoint  the garbage collector                      stops Java code between any two steps, waits for threads that stand in a fault
 *
 * As in page-protocol.pml: of a copy matters whether it is the latest, one bit for the host's and one for that in the device's range. A copy passes the bit on as it was when the copy began.
 * A place of the budget belongs to a page that is listed, or to whoever has taken the page off the list to evict it.
 */

#ifndef PAGES
#define PAGES 2
#endif
#ifndef PLACES
#define PLACES 1
#endif
#ifdef TWO_KERNELS
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
#define TO_HOST 3

#define NONE 0
#define READ_ONLY 1
#define READ_WRITE 2

typedef Page {
    byte state;
    byte was;       /* TO_HOST: the state before */
    byte map;       /* what the host's mapping allows */
    byte dmap;      /* what the device's does */
    bit there;      /* the range has memory for it */
    bit listed;     /* and it is no victim yet */
    byte latest;    /* bit 0: the host's copy; bit 1: the device's */
}

Page page[PAGES];
byte taken;         /* places */
byte faulting;      /* Java threads that stand in a fault */
bool stopped;

#define JAVA (!stopped)
#define LATEST_ON_HOST(p) (page[p].latest & 1)
#define LATEST_ON_DEVICE(p) (page[p].latest >> 1)
#define HAS(p) (page[p].state == SHARED || page[p].state == DEVICE)
#define MEMORY (page[0].there + page[1].there)

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

inline settle(p, s) {
    page[p].state = s;
    page[p].was = 0
}


/* What was taken away gives its place back, unless somebody has chosen the page: then it is his. */
inline take_from_device(p) {
    d_step {
        page[p].dmap = NONE;
        if
        :: page[p].there && page[p].listed -> taken--; page[p].listed = 0
        :: else
        fi;
        page[p].there = 0;
        page[p].latest = page[p].latest & 1
    }
}

/* home.c: claim, withhold, copy, take, map, settle. */
inline fetch(p, write, maps) {
    atomic { page[p].state != TO_HOST -> claim(p) };
#ifdef MUTANT_COPY_BEFORE_WITHHOLDING
    if
    :: page[p].was == DEVICE ->
        d_step { snapshot = LATEST_ON_DEVICE(p) };
        d_step { page[p].latest = (page[p].latest & 2) | snapshot; snapshot = 0 };
        page[p].dmap = READ_ONLY
    :: else
    fi;
#else
    if
    :: page[p].was == DEVICE ->
        page[p].dmap = READ_ONLY;                                                              /* reach: withheld */
        d_step { snapshot = LATEST_ON_DEVICE(p) };
        d_step { page[p].latest = (page[p].latest & 2) | snapshot; snapshot = 0 }
    :: else
    fi;
#endif
#ifdef MUTANT_TAKE_LATE
    if :: maps -> page[p].map = (write || page[p].was == HOST -> READ_WRITE : READ_ONLY) :: else fi;
    if :: write && page[p].there -> take_from_device(p) :: else fi;
#else
    if :: write && page[p].was != HOST -> take_from_device(p) :: else fi;
    if :: maps -> page[p].map = (write || page[p].was == HOST -> READ_WRITE : READ_ONLY) :: else fi;
#endif
    d_step { settle(p, (write || page[p].was == HOST -> HOST : SHARED)) }
}

/* device_fault.c: makes room. Leaves `placed`, or not if there is no victim now. */
inline make_place() {
    if
    :: atomic { taken < PLACES -> taken++; placed = 1 }
    :: atomic { taken >= PLACES && page[0].listed -> page[0].listed = 0; v = 0; chosen = 1 }
    :: atomic { taken >= PLACES && page[PAGES - 1].listed -> page[PAGES - 1].listed = 0; v = PAGES - 1; chosen = 1 }
    :: atomic { taken >= PLACES && !page[0].listed && !page[PAGES - 1].listed }
    fi;
    if
    :: chosen ->
        if
        :: atomic { !page[v].there -> placed = 1 }                                             /* it has gone by itself */
        :: atomic { page[v].listed -> placed = 1 }                                             /* and has come again */
#ifdef MUTANT_EVICT_WITHOUT_CLAIM
        :: atomic { page[v].there && !page[v].listed };
#else
        :: atomic { page[v].there && !page[v].listed && page[v].state == TO_HOST -> page[v].listed = 1 }   /* reach: kept */
        :: atomic { page[v].there && !page[v].listed && HAS(v) -> claim(v) };
#endif
#ifdef MUTANT_EVICT_IN_JAVA
           JAVA;
#endif
           if
           :: page[v].was == DEVICE || page[v].state == DEVICE ->
               page[v].dmap = READ_ONLY;
               d_step { snapshot = LATEST_ON_DEVICE(v) };
               d_step { page[v].latest = (page[v].latest & 2) | snapshot; snapshot = 0 }       /* reach: written-back */
           :: else
           fi;
           take_from_device(v);
           d_step { settle(v, HOST); placed = 1 }
        fi;
        d_step { chosen = 0; v = 0 }
    :: else
    fi
}

#define ENOUGH(p, write) (page[p].dmap >= READ_ONLY + (write))

/* One fault of a kernel. It need not help: the access is made again. */
inline serve_kernel(p, write) {
    if
    :: atomic { page[p].state == TO_HOST };                                                    /* left alone */
       page[p].state != TO_HOST                                                                /* reach: woken */
    :: atomic { page[p].state != TO_HOST && HAS(p) && page[p].there && !ENOUGH(p, write) -> claim(p) };
       if
       :: page[p].was == SHARED -> page[p].map = NONE                                          /* reach: upgraded */
       :: else
       fi;
       page[p].dmap = READ_WRITE;
       d_step { settle(p, DEVICE) }
    :: atomic { ENOUGH(p, write) }
    :: atomic { page[p].state == HOST };
       make_place();
       if
       :: !placed
       :: placed ->
           if
           :: atomic { page[p].state != HOST -> taken--; placed = 0 }                          /* somebody was quicker */
           :: atomic { page[p].state == HOST -> claim(p) };
#ifndef MUTANT_FORBID_LATE
              if :: write -> page[p].map = NONE :: !write && page[p].map == READ_WRITE -> page[p].map = READ_ONLY :: else fi;
#endif
              d_step {
                  page[p].there = 1;
                  page[p].listed = 1;
                  placed = 0;
                  REQUIRE(OVER_BUDGET, MEMORY <= PLACES);
                  snapshot = LATEST_ON_HOST(p)
              };
              d_step {
                  page[p].latest = (page[p].latest & 1) | (snapshot << 1);
                  snapshot = 0;
                  page[p].dmap = READ_ONLY + write                                             /* reach: brought */
              };
#ifdef MUTANT_FORBID_LATE
              if :: write -> page[p].map = NONE :: !write && page[p].map == READ_WRITE -> page[p].map = READ_ONLY :: else fi;
#endif
              d_step { settle(p, (write -> DEVICE : SHARED)) }
           fi
       fi
    fi
}

proctype Kernel() {
    byte ops, p, v;
    bit write, placed, chosen, snapshot;
    do
    :: atomic { ops < KERNEL_OPS -> ops++; if :: p = 0 :: p = PAGES - 1 fi; if :: write = 0 :: write = 1 fi };
       do
       :: d_step {
              ENOUGH(p, write) ->
              if
              :: write -> REQUIRE(LOST_WRITE, LATEST_ON_DEVICE(p)); page[p].latest = 2
              :: else -> REQUIRE(STALE_READ, LATEST_ON_DEVICE(p))
              fi
          };
          break
       :: atomic { !ENOUGH(p, write) };
          serve_kernel(p, write)
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
              :: write -> REQUIRE(LOST_WRITE, LATEST_ON_HOST(p)); page[p].latest = 1
              :: else -> REQUIRE(STALE_READ, LATEST_ON_HOST(p))
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
           :: page[p].state == SHARED -> page[p].state = HOST; page[p].map = READ_WRITE
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
        :: page[1].latest = 3; page[1].state = SHARED; page[1].there = 1; page[1].listed = 1; page[1].dmap = READ_ONLY; page[1].map = READ_ONLY; taken = 1
        :: page[1].latest = 2; page[1].state = DEVICE; page[1].there = 1; page[1].listed = 1; page[1].dmap = READ_WRITE; taken = 1
        :: page[1].latest = 2; page[1].state = DEVICE; page[1].there = 1; page[1].listed = 1; page[1].dmap = READ_ONLY; taken = 1 /* what a failed fetch has left */
        fi;
        run Kernel();
#if KERNELS == 2
        run Kernel();
#endif
        run Cpu();
#if FETCHES > 0
        run Fetcher();
#endif
        run Safepoint()
    };
    atomic {
        _nr_pr == 1 ->
        assert(page[0].state != TO_HOST && page[1].state != TO_HOST && taken == MEMORY && taken == page[0].listed + page[1].listed);
        REQUIRE(LOST_WRITE, page[0].latest && page[1].latest)                                               /* reach: ended */
    }
}
