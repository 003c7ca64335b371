/*
 * The page protocol of hmm4j, as a model that spin checks exhaustively. README.md says how, and what each configuration covers.
 *
 * Who takes part                                   in the runtime
 *   Cpu        a Java thread that loads and stores     any Java code, with the native fault path that serves it written into its process: while a fault is
 *                                                      served the thread stands still, so the two never run at once
 *   Launcher   a Java thread that migrates, launches   ToDevice, LaunchGate, and the native gate
 *   Evictor    a Java thread that brings pages home    Evictor, views, prefetch to the host: native fetch called from Java
 *   Mover      a Java thread that only migrates        prefetch to a device; launches enter the gate beside it
 *   Dropper    a Java thread that drops copies         Evictor, of pages that the host or other devices have, too
 *   Kernel     what a launch runs, on its device
 *   Discarder, RegionMover, Freer  a Java thread that   RegionChanges, RegionMove: see region-changes.pml
 *              changes a region
 *   Safepoint  the garbage collector                   stops Java code between any two steps, waits for threads that stand in a fault
 *
 * A step that begins with JAVA is Java code: it waits while Java is stopped. All others are native code, kernels or hardware, which nothing stops.
 *
 * Data. What matters of a copy is whether it is the latest: one bit for the host and for each device's frame. A write makes its copy the only latest one, a copy passes
 * the bit on as it was when the copy began (a later write must not be counted on), and a write needs the bit too, because it changes a part of the page.
 *
 * The version of a page word is represented by who made the claim (`by`): versions are compared only to learn whether a claim still stands.
 * Reading a word and changing it by compare-and-set is one step here: the set happens only if nothing changed in between.
 */

/* ---- scenarios: one -D chooses one; what is not said has the default below ---------------------------------------------------------------------------------- */

#define READ_OR_WRITE(q) if :: mode[q] = READS :: mode[q] = WRITES fi
#define AT_ANY_ADDRESS(uses) if :: uses(0) :: uses(1) fi
#define READ_OR_WRITE_HERE(q) if :: mode[q] = READS_HERE :: mode[q] = WRITES_HERE fi

#if defined(TWO_DEVICES)
#define START START_ANYWHERE

#elif defined(THREE_DEVICES)
#define DEVICES 3
#define START START_ON_PEERS

#elif defined(DROPPED)
#define DEVICES 3
#define CPUS 0
#define DROPS 2
#define START START_ANYWHERE START_ON_PEERS

#elif defined(DROPPED_AND_TOUCHED)
#define LAUNCHERS 1
#define LAUNCHES 2
#define CPU_OPS 2
#define DROPS 2
#define START START_ANYWHERE

#elif defined(ONE_DEVICE)
#define DEVICE_OF_1 0
#define START START_ANYWHERE

#elif defined(LAUNCH_AGAIN)
#define LAUNCHES 2
#define CPUS 0

#elif defined(TWO_THREADS)
#define LAUNCHERS 1
#define CPUS 2
#define HANDLERS 2
#define CPU_OPS 2
#define START START_ANYWHERE

#elif defined(EVICTION)
#define LAUNCHERS 1
#define LAUNCHES 2
#define EVICTIONS 2
#define START START_ANYWHERE

#elif defined(LONG_RUN)
#define LAUNCHERS 1
#define LAUNCHES 3
#define CPU_OPS 4
#define LOSSES 2

#elif defined(CROSSED)
#define PAGES 2
#define START START_ON_HOST :: place(PEERS, 0, 3, NONE, 6)
#define MODES_0 mode[0] = READS; mode[1] = WRITES
#define MODES_1 mode[0] = WRITES; mode[1] = READS

#elif defined(INSISTENT)
#define PAGES 2
#define LOSSES 0
#define START START_SOMEWHERE
#define MODES_0 mode[0] = WRITES; mode[1] = WRITES
#define MODES_1 mode[0] = WRITES; mode[1] = WRITES

#elif defined(TOGETHER)
#define PAGES 2
#define WRITTEN_TOGETHER
#define CPU_LOADS
#define START START_ON_HOST :: place(PEERS, 0, 3, NONE, 6) :: place(DEVICE, 1, 0, NONE, 4)
#define MODES_0 mode[0] = READS; mode[1] = READS
#define MODES_1 mode[0] = WRITES; mode[1] = WRITES

#elif defined(BESIDE)
#define PAGES 2
#define WRITTEN_TOGETHER
#define MOVERS 1
#define CPUS 0
#define DROPS 1
#define START START_ON_HOST :: place(SHARED, 0, 1, READ_ONLY, 3) :: place(PEERS, 0, 3, NONE, 6)
#define MODES_0 mode[0] = READS; mode[1] = READS
#define MODES_1 mode[0] = WRITES; mode[1] = WRITES

#elif defined(RANGE_OF_A_PEER)
#define PAGES 2
#define MOVES_BOTH_FROM_PEER
#define CPU_LOADS
#define START :: place(PEERS, 0, 3, NONE, 6) :: place(DEVICE, 0, 0, NONE, 2) :: place(DEVICE, 1, 0, NONE, 4)
#define MODES_0 mode[0] = WRITES; mode[1] = READS
#define MODES_1 mode[0] = WRITES; mode[1] = WRITES

#elif defined(OUTPUTS)
#define PAGES 2
#define HAS_OUTPUTS
#define START :: i == 0 -> place(HOST, 0, 0, READ_WRITE, 1) :: i == 1 -> place(SHARED, 0, 3, READ_ONLY, 7) :: place(PEERS, 0, 3, NONE, 6)
#define MODES_0 mode[0] = OVERWRITES; mode[1] = OVERWRITES
#define MODES_1 mode[0] = READS

#elif defined(SAME_OUTPUTS)
#define PAGES 2
#define HAS_OUTPUTS
#define CPUS 0
#define START START_SOMEWHERE
#define MODES_0 mode[0] = OVERWRITES; mode[1] = OVERWRITES
#define MODES_1 mode[0] = OVERWRITES; mode[1] = OVERWRITES

#elif defined(TWO_FAULTS)
#define PAGES 2
#define LAUNCHERS 1
#define CPUS 2
#define START START_SOMEWHERE
#define MODES_0 mode[0] = READS; mode[1] = WRITES

#elif defined(IN_PLACE)
#define HAS_IN_PLACE
#define START START_ANYWHERE
#define MODES_0 READ_OR_WRITE_HERE(0)

#elif defined(TURNS)
#define HAS_IN_PLACE
#define DEVICES 3
#define MOVERS 1
#define DEVICE_OF_MOVER 2
#define CPUS 0
#define START START_ON_HOST :: place(DEVICE, 1, 0, NONE, 4) :: place(SHARED, 0, 4, READ_ONLY, 9) :: place(PEERS, 0, 6, NONE, 12) :: place(DEVICE, 2, 0, NONE, 8)
#define MODES_0 READ_OR_WRITE_HERE(0)
#define MODES_1 READ_OR_WRITE_HERE(0)

#elif defined(VIEWED)
#define HAS_IN_PLACE
#define VIEWS 1
#define CPUS 0
#define START START_SOMEWHERE :: place(SHARED, 0, 2, NONE, 5)
#define MODES_0 READ_OR_WRITE_HERE(0)

#elif defined(UNTOUCHED)
#define HAS_EMPTY
#define MAPPING_FAILS
#define LAUNCHERS 1
#define CPUS 2
#define HANDLERS 2
#define START :: place(EMPTY, 0, 0, NONE, 1) :: place(EMPTY, 0, 0, READ_ONLY, 1) :: place(HOST, 0, 0, NONE, 1)

#elif defined(UNDONE)
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define MOVERS 1
#define MOVER_UNDOES
#define LAUNCHERS 1
#define START START_SOMEWHERE :: place(EMPTY, 0, 0, NONE, 1) :: place(SHARED, 0, 2, NONE, 5) :: place(SHARED, 0, 1, NONE, 3) :: place(DEVICE, 1, 0, NONE, 4)

#elif defined(RELOCATED)
#define PAGES 2
#define HAS_OUTPUTS
#define RELOCATIONS 1
#define CPUS 0
#define START :: i == 0 -> place(SHARED, 0, 1, NONE, 3) :: place(DEVICE, 0, 0, NONE, 2)
#define MODES_0 mode[0] = READS; mode[1] = WRITES
#define MODES_1 mode[0] = OVERWRITES

#elif defined(DISCARDED)
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define HAS_IN_PLACE
#define CPUS 0
#define DISCARDS 1
#define START :: place(HOST, 0, 0, NONE, 1) :: place(DEVICE, 1, 0, NONE, 4) :: place(SHARED, 0, 2, NONE, 5) :: place(EMPTY, 0, 0, NONE, 1)
#define MODES_0 READ_OR_WRITE_HERE(0)

#elif defined(DISCARDED_AND_TOUCHED)
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define LAUNCHERS 1
#define LAUNCHES 2
#define CPU_OPS 2
#define DISCARDS 1
#define START START_ON_HOST :: place(SHARED, 0, 1, READ_ONLY, 3) :: place(DEVICE, 0, 0, NONE, 2) :: place(EMPTY, 0, 0, READ_ONLY, 1)

#elif defined(DISCARDED_OUTPUTS)
#define PAGES 2
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define HAS_OUTPUTS
#define LAUNCHERS 1
#define DISCARDS 1
#define START :: i == 0 -> place(HOST, 0, 0, READ_WRITE, 1) :: i == 0 -> place(EMPTY, 0, 0, NONE, 1) :: i == 1 -> place(SHARED, 0, 3, READ_ONLY, 7)
#define MODES_0 mode[0] = OVERWRITES; mode[1] = OVERWRITES

#elif defined(DISCARDED_BESIDE_VIEWS)
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define LAUNCHERS 1
#define CPUS 0
#define VIEWS 1
#define DISCARDS 1
#define START START_SOMEWHERE :: place(EMPTY, 0, 0, NONE, 1)

#elif defined(DISCARDED_UNDONE)
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define MOVERS 1
#define MOVER_UNDOES
#define LAUNCHERS 1
#define CPUS 0
#define DISCARDS 1
#define START START_SOMEWHERE :: place(EMPTY, 0, 0, NONE, 1) :: place(SHARED, 0, 1, NONE, 3) :: place(DEVICE, 1, 0, NONE, 4)

#elif defined(MOVED)
#define PAGES 2
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define MOVES_REGION
#define LAUNCHERS 1
#define START START_MOVED
#define MODES_0 AT_ANY_ADDRESS(READ_OR_WRITE)

#elif defined(MOVED_IN_PLACE)
#define PAGES 2
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define HAS_IN_PLACE
#define MOVES_REGION
#define START START_MOVED
#define CPUS 0
#define MODES_0 AT_ANY_ADDRESS(READ_OR_WRITE_HERE)
#define MODES_1 mode[0] = WRITES

#elif defined(FREED)
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define FREES
#define LAUNCHERS 1
#define LAUNCHES 2
#define CPU_OPS 2
#define START START_SOMEWHERE :: place(SHARED, 0, 1, READ_ONLY, 3) :: place(EMPTY, 0, 0, NONE, 1)

#elif defined(FREED_IN_PLACE)
#define HAS_EMPTY
#define HAS_HOST_LOCK
#define HAS_IN_PLACE
#define FREES
#define CPUS 0
#define START START_SOMEWHERE :: place(EMPTY, 0, 0, NONE, 1)
#define MODES_0 READ_OR_WRITE_HERE(0)

#elif defined(RANGES)
#define PAGES 2
#define EVICTIONS 1
#define LAUNCHERS 1
#define LAUNCHES 2
#define MODES_0 mode[0] = READS; mode[1] = WRITES
#endif

#ifndef PAGES
#define PAGES 1
#endif
#ifndef DEVICES
#define DEVICES 2
#endif
#ifndef LAUNCHERS
#define LAUNCHERS 2
#endif
#ifndef LAUNCHES
#define LAUNCHES 1             /* of each launcher */
#endif
#ifndef DEVICE_OF_1
#define DEVICE_OF_1 1          /* where launcher 1 launches; launcher 0 uses device 0 */
#endif
#ifndef MODES_0
#define MODES_0 READ_OR_WRITE(0)
#endif
#ifndef MODES_1
#define MODES_1 READ_OR_WRITE(0)
#endif
#ifndef LOSSES
#define LOSSES 1               /* times that the gate may find a page gone before the launch insists */
#endif
#ifndef CPUS
#define CPUS 1
#endif
#ifndef CPU_OPS
#define CPU_OPS 1              /* loads or stores of each CPU thread */
#endif
#ifndef HANDLERS
#define HANDLERS 1             /* threads that serve faults */
#endif
#ifndef EVICTIONS
#define EVICTIONS 0
#endif
#ifndef MOVERS
#define MOVERS 0               /* who move pages to device 0 for nobody's launch, with its lock open */
#endif
#ifndef DEVICE_OF_MOVER
#define DEVICE_OF_MOVER 0
#endif
#ifndef VIEWS
#define VIEWS 0                /* that are opened and closed, one after the other */
#endif
#ifndef RELOCATIONS
#define RELOCATIONS 0          /* of both pages within device 0 */
#endif
#ifndef DISCARDS
#define DISCARDS 0             /* of a page's contents */
#endif
#ifndef DROPS
#define DROPS 0                /* copies that are dropped, on any of the devices */
#endif
#ifndef START
#define START START_ON_HOST
#endif

/* ---- page words, mappings, copies -------------------------------------------------------------------------------------------------------------------------- */

/* State of a page word. Where EMPTY is not said to be looked at, it is a HOST page without a mapping; POISONED is left out, and UNMAPPED where no region moves or goes. */
#define HOST 0
#define SHARED 1
#define DEVICE 2
#define PEERS 3
#define TO_DEVICE 4
#define TO_HOST 5
#define EMPTY 6      /* reads as zeros, and its memory need not hold any */
#define UNMAPPED 7   /* no region */
#if defined(MOVES_REGION) || defined(FREES)
#define HAS_UNMAPPED
#endif

/* What the app mapping of a page allows, and what an access needs. */
#define NONE 0
#define READ_ONLY 1
#define READ_WRITE 2

/* What a launch does to a page. */
#define UNUSED 0
#define READS 1
#define READS_HERE 2 /* the host's page, in place */
#define WRITES 3
#define OVERWRITES 4 /* all of it, without looking */
#define WRITES_HERE 5
#define CHANGES(m) ((m) >= WRITES)
#define ONLY_READS(m) ((m) == READS || (m) == READS_HERE)
#ifdef HAS_IN_PLACE
#define IS_HERE(m) ((m) == READS_HERE || (m) == WRITES_HERE)
#else
#define IS_HERE(m) 0
#endif

#define NOBODY 0
#define BIT(d) (1 << (d))
#define NO_DEVICE DEVICES

/* What nobody has touched becomes the host's where kernels use it in place. */
#ifdef HAS_EMPTY
#define TO_USE_HERE(p) (CHANGES(mode[p]) || page[p].was == EMPTY)
#else
#define TO_USE_HERE(p) CHANGES(mode[p])
#endif

typedef Page {
    byte state;
    byte owner;      /* DEVICE: the owner. TO_DEVICE: the target. TO_HOST: what it was before. Else 0 */
    byte sharers;    /* devices with a valid read copy. SHARED: besides the host's. PEERS: at least two, and the host's copy is stale */
    bit intent;      /* of a claim: 1 is write */
    byte by;         /* TO_DEVICE: 1 + the launcher whose claim it is. Represents the version */
    byte was;        /* TO_HOST: the state before the claim. The claimer remembers it; kept here, because there is one claimer */
    byte map;        /* the app mapping, a cache of the word */
    /* The rest is not in the runtime: it is what the properties are about. */
    byte latest;     /* bit 0: host copy; bit 1 + d: frame of device d */
    byte filling;    /* bit d: a copy into the frame of d is under way */
    byte draining;   /* bit d: a copy out of the frame of d is under way */
#if DROPS > 0 || defined(HAS_OUTPUTS)
    byte dropped;    /* bit d: device d has given its copy up, and launches that began before may still read its frame */
#endif
#if VIEWS > 0
    byte pins;       /* of the view that is open: READ_PIN, WRITE_PIN */
#endif
#ifdef HAS_EMPTY
    bit written;     /* since the page was allocated */
#endif
#ifdef MOVER_UNDOES
    bit used;        /* a launch of the mover's device has used it since it came: last_use */
#endif
#ifdef HAS_OUTPUTS
    bit pending;     /* the owner's frame holds nobody's bytes, and a kernel is going to overwrite them */
#endif
}

Page page[PAGES];

#define READ_PIN 1
#define WRITE_PIN 2
#if VIEWS > 0
#define IS_PINNED(p) page[p].pins
#ifdef MUTANT_GATE_SEES_NO_PINS
#define PINNED_AGAINST(p, m) 0
#else
#define PINNED_AGAINST(p, m) ((m) != UNUSED && (page[p].pins == WRITE_PIN || (CHANGES(m) && page[p].pins == READ_PIN)))
#endif
#else
#define IS_PINNED(p) 0
#define PINNED_AGAINST(p, m) 0
#endif
#ifdef HAS_EMPTY
#define NOTE_WRITTEN(p) page[p].written = 1
#else
#define NOTE_WRITTEN(p) skip
#endif
#ifdef HAS_UNMAPPED
#define IS_UNMAPPED(p) (page[p].state == UNMAPPED)
#else
#define IS_UNMAPPED(p) 0
#endif
#ifdef HAS_OUTPUTS
#define IS_PENDING(p) page[p].pending
#else
#define IS_PENDING(p) 0
#endif
#if DROPS > 0 || defined(HAS_OUTPUTS)
#define IS_DROPPED(p, d) ((page[p].dropped >> (d)) & 1)
#else
#define IS_DROPPED(p, d) 0
#endif
#ifdef MOVES_REGION
bit copied; /* what page 0 holds is on its way to page 1 */
bit told;   /* the program has the new address */
#define IS_TOLD(p) (p == 0 || told)
#define NOTE_ELSEWHERE(p) page[1 - p].latest = (copied -> 0 : page[1 - p].latest)
#else
#define IS_TOLD(p) 1
#define NOTE_ELSEWHERE(p) skip
#endif
#define LATEST_ON_HOST(p) (page[p].latest & 1)
#define LATEST_ON(p, d) ((page[p].latest >> (1 + (d))) & 1)
#define LATEST_ON_SHARERS(p) ((page[p].latest & (page[p].sharers << 1)) == (page[p].sharers << 1))

/* Whether a launch on d may use the page: PageWord.isOwnedBy, isReadableOn; or usable_in_place of word.h. */
#define HOLDS(p, d, m) \
    ((m) == UNUSED || !PINNED_AGAINST(p, m) && HOLDS_UNPINNED(p, d, m))
#define HOLDS_UNPINNED(p, d, m) \
    (  (!IS_HERE(m) && page[p].state == DEVICE && page[p].owner == (d)) \
    || (READS_COPIES(p, m) && (page[p].sharers & BIT(d))) \
    || (IS_HERE(m) && HOLDS_HERE(p, m)))
#ifdef MUTANT_WRITE_HERE_BESIDE_COPIES
#define HOLDS_HERE(p, m) (page[p].state == HOST || page[p].state == SHARED)
#else
#define HOLDS_HERE(p, m) (page[p].state == HOST || (page[p].state == SHARED && (m) == READS_HERE))
#endif
#ifdef MUTANT_WRITER_LEAVES_PEERS
#define READS_COPIES(p, m) (page[p].state == PEERS || ((m) == READS && (page[p].state == SHARED || page[p].state == TO_DEVICE)))
#else
#define READS_COPIES(p, m) ((m) == READS && (page[p].state == SHARED || page[p].state == PEERS || page[p].state == TO_DEVICE))
#endif

/* The host has a valid copy, and nobody has claimed the page. */
#ifdef HAS_EMPTY
#define IS_ON_HOST(p) (page[p].state == HOST || page[p].state == SHARED || page[p].state == EMPTY)
#else
#define IS_ON_HOST(p) (page[p].state == HOST || page[p].state == SHARED)
#endif

/* The host has no valid copy, and nobody has claimed the page. */
#define IS_ON_DEVICES_ONLY(p) (page[p].state == DEVICE || page[p].state == PEERS)

/* Of a page that is claimed TO_HOST: which devices had it. */
#define HAD_IT(p) (page[p].sharers | ((page[p].was == DEVICE) << page[p].owner))
#define WAS_ON_DEVICES_ONLY(p) (page[p].was == DEVICE || page[p].was == PEERS)

/* ---- launches in flight ------------------------------------------------------------------------------------------------------------------------------------ */

#define FREE 0
#define PUBLISHED 1  /* not decided yet */
#define RUNNING 2

typedef Record {
    byte phase;
    byte device;
    bit insistent;
    byte mode[PAGES];
#ifdef HAS_IN_PLACE
    bit behind;     /* the other launch was published when this one was, and is the same still */
#endif
#if DISCARDS > 0
    byte dead;      /* bit p: the contents of page p were discarded after this launch had found it, so what it does there is nobody's any more */
#endif
}

Record launch[LAUNCHERS];
#ifdef HAS_HOST_LOCK
bit host_exclusive; /* HostLock, a Java lock */
bit host_shared;
#endif
bit insisting;      /* one launch at a time may insist: two would wait for each other */

#if DISCARDS > 0
bit works_in_place; /* a launch was published that uses the host's page */
#define IS_DEAD(r, p) ((launch[r].dead >> (p)) & 1)
#else
#define IS_DEAD(r, p) 0
#endif

/* Whether who takes page p from those who use it (all of them, or the writers only), and fills the frame of device d if there is one, must wait for launch r. */
#define CONFLICTS(r, p, all, d) \
    (launch[r].phase != FREE && (CHANGES(launch[r].mode[p]) || (ONLY_READS(launch[r].mode[p]) && ((all) || launch[r].device == (d)))))
#define INSISTS(r, p, all, d) (CONFLICTS(r, p, all, d) && launch[r].phase == PUBLISHED && launch[r].insistent)
#define USES_FRAME(r, p, d) (launch[r].phase != FREE && launch[r].device == (d) && launch[r].mode[p] != UNUSED)
#define RUNS_ON(r, p, d) (launch[r].phase == RUNNING && launch[r].device == (d) && launch[r].mode[p] != UNUSED && !IS_HERE(launch[r].mode[p]))
#define RUNS_WRITING(r, p) (launch[r].phase == RUNNING && CHANGES(launch[r].mode[p]) && !IS_HERE(launch[r].mode[p]) && !IS_DEAD(r, p))
#define RUNS_USING(r, p) \
    (launch[r].phase == RUNNING && launch[r].mode[p] != UNUSED && !IS_DROPPED(p, launch[r].device) && !IS_HERE(launch[r].mode[p]) && !IS_DEAD(r, p))
/* In place, and what waits there for a page that comes home over its head. */
#define RUNS_HERE(r, p) (launch[r].phase == RUNNING && IS_HERE(launch[r].mode[p]))
#define USES_HERE(r, p) (launch[r].phase != FREE && IS_HERE(launch[r].mode[p]))
#define CLASH(p, m, n) (IS_HERE(m) && IS_HERE(n) && (CHANGES(m) || CHANGES(n)))
#ifdef HAS_IN_PLACE
#define ANY_RUNS_HERE(p) (RUNS_HERE(0, p) || RUNS_HERE(LAUNCHERS - 1, p))
#else
#define ANY_RUNS_HERE(p) 0
#endif
#if LAUNCHERS == 1
#define ANY_RUNS_ON(p, d) RUNS_ON(0, p, d)
#define ANY_RUNS_WRITING(p) RUNS_WRITING(0, p)
#define ANY_RUNS_USING(p) RUNS_USING(0, p)
#define INSISTED(p, all, d) INSISTS(0, p, all, d)
#else
#define ANY_RUNS_ON(p, d) (RUNS_ON(0, p, d) || RUNS_ON(1, p, d))
#define ANY_RUNS_WRITING(p) (RUNS_WRITING(0, p) || RUNS_WRITING(1, p))
#define ANY_RUNS_USING(p) (RUNS_USING(0, p) || RUNS_USING(1, p))
#define INSISTED(p, all, d) (INSISTS(0, p, all, d) || INSISTS(1, p, all, d))
#endif

/* ---- Java and its safepoint -------------------------------------------------------------------------------------------------------------------------------- */

bit stopped;                 /* Java code waits for the safepoint to end */
byte faulting;               /* Java threads that stand in a page fault: in Java state, so no safepoint without them */
byte handlers = HANDLERS;    /* threads of the fault path that are idle */
bit device_lock[DEVICES];    /* DeviceMirror.lock, a Java lock: who fills frames of the device */

#define JAVA (!stopped)

/* ---- properties -------------------------------------------------------------------------------------------------------------------------------------------- */

/* Each kind of violation is a variable of its own, so that pan's message names it. -DONLY=KIND leaves the other kinds unchecked. */
#define STALE_READ 1
#define LOST_WRITE 2
#define CONFLICTING_COPY 3
#define OVERLAP 4
#define MAPPING_EXCEEDS_WORD 5
#define ORPHANED_CLAIM 6
#define TORN_READ 7

bit stale_read;            /* the CPU loads, or a launch passes the gate with, a copy that is not the latest */
bit lost_write;            /* a copy becomes the valid one and is not the latest, or the CPU stores into one that is not valid */
bit conflicting_copy;      /* a frame is filled while a kernel uses it or something else fills it, or drained while a kernel writes it */
bit overlap;               /* the CPU loads beside a kernel that writes, or stores beside a kernel that uses the page */
bit mapping_exceeds_word;  /* the app mapping allows what the word forbids */
bit orphaned_claim;        /* all have ended, and a page is still claimed */
bit torn_read;             /* of two pages that are written together, once, a kernel reads one from before and one from after */

#ifdef ONLY
#define CHECKS(KIND) (ONLY == KIND)
#else
#define CHECKS(KIND) 1
#endif
#define REQUIRE(kind, KIND, holds) kind = (CHECKS(KIND) && !(holds)); assert(!kind)

/* Where the word says what is valid, that must be the latest, and the mapping must not allow more. */
inline check_valid(p) {
    if
    :: page[p].state == HOST ->
        REQUIRE(lost_write, LOST_WRITE, LATEST_ON_HOST(p))
#ifdef HAS_EMPTY
    :: page[p].state == EMPTY ->
        REQUIRE(lost_write, LOST_WRITE, !page[p].written);
        REQUIRE(mapping_exceeds_word, MAPPING_EXCEEDS_WORD, page[p].map <= READ_ONLY)
#endif
#ifdef HAS_UNMAPPED
    :: page[p].state == UNMAPPED ->
        REQUIRE(mapping_exceeds_word, MAPPING_EXCEEDS_WORD, page[p].map == NONE)
#endif
    :: page[p].state == SHARED ->
        REQUIRE(lost_write, LOST_WRITE, LATEST_ON_HOST(p) && LATEST_ON_SHARERS(p));
        REQUIRE(mapping_exceeds_word, MAPPING_EXCEEDS_WORD, page[p].map <= READ_ONLY)
    :: page[p].state == PEERS ->
        assert(page[p].sharers & (page[p].sharers - 1)); /* at least two */
        REQUIRE(lost_write, LOST_WRITE, LATEST_ON_SHARERS(p));
        REQUIRE(mapping_exceeds_word, MAPPING_EXCEEDS_WORD, page[p].map == NONE)
    :: page[p].state == DEVICE ->
        REQUIRE(overlap, OVERLAP, !IS_PINNED(p));
        REQUIRE(lost_write, LOST_WRITE, LATEST_ON(p, page[p].owner) || IS_PENDING(p));
        REQUIRE(mapping_exceeds_word, MAPPING_EXCEEDS_WORD, page[p].map == NONE)
    :: else
    fi
}

/* ---- changes of a page word -------------------------------------------------------------------------------------------------------------------------------- */

inline set_host_or_shared(p, devices) {
    page[p].sharers = devices;
    page[p].state = (page[p].sharers -> SHARED : HOST);
    page[p].owner = 0;
    page[p].intent = 0;
    page[p].by = NOBODY;
    page[p].was = 0;
    check_valid(p)
}

#ifdef HAS_EMPTY
inline set_empty(p) {
    page[p].sharers = 0;
    page[p].state = EMPTY;
    page[p].owner = 0;
    page[p].intent = 0;
    page[p].by = NOBODY;
    page[p].was = 0;
    check_valid(p)
}
#endif

inline set_device(p, d) {
    page[p].state = DEVICE;
    page[p].owner = d;
    page[p].sharers = 0;
    page[p].intent = 0;
    page[p].by = NOBODY;
    page[p].was = 0;
    check_valid(p)
}

inline set_peers(p, devices) {
    page[p].sharers = devices;
    page[p].state = PEERS;
    page[p].owner = 0;
    page[p].intent = 0;
    page[p].by = NOBODY;
    page[p].was = 0;
    check_valid(p)
}

/* The claim of native code, from any state but itself. Where the page was stays readable in the word. */
inline claim_for_host(p, write) {
    page[p].was = page[p].state;
    page[p].state = TO_HOST;
#ifndef MUTANT_RESTORE_JAVA_CLAIM
    page[p].intent = write
#endif
}

/*
 * The claimer does not go on. A claim of Java that it took away is not put back: Java's commit may have failed meanwhile, and the claim would then be nobody's
 * (MUTANT_RESTORE_JAVA_CLAIM is fetch, putting it back after a read).
 */
inline give_back(p) {
    if
    :: page[p].was == TO_DEVICE -> d_step { set_host_or_shared(p, page[p].sharers) }     /* reach: java-claim-lost */
    :: page[p].was == DEVICE -> set_device(p, page[p].owner)
#ifdef HAS_EMPTY
    :: page[p].was == EMPTY -> set_empty(p)
#endif
#ifdef MUTANT_GIVE_PEERS_BACK_AS_SHARED
    :: page[p].was == HOST || page[p].was == SHARED || page[p].was == PEERS -> set_host_or_shared(p, page[p].sharers)
#else
    :: page[p].was == HOST || page[p].was == SHARED -> set_host_or_shared(p, page[p].sharers)
    :: page[p].was == PEERS -> d_step { set_peers(p, page[p].sharers) }                  /* reach: gives-peers-back */
#endif
    fi
}

/* ---- copies: two steps, and anything may happen in between ------------------------------------------------------------------------------------------------- */

#define WITHOUT(set, d) ((set) & (255 - BIT(d)))

inline begin_fill(p, d) {
    d_step {
        REQUIRE(conflicting_copy, CONFLICTING_COPY, !ANY_RUNS_ON(p, d) && !(page[p].filling & BIT(d)));
        page[p].filling = page[p].filling | BIT(d);
#ifdef HAS_OUTPUTS
        page[p].dropped = WITHOUT(page[p].dropped, d);
#endif
        page[p].latest = WITHOUT(page[p].latest, 1 + (d)) | (LATEST_ON_HOST(p) << (1 + (d)))
    }
}

inline begin_drain(p, d) {
    d_step {
        REQUIRE(conflicting_copy, CONFLICTING_COPY, !ANY_RUNS_WRITING(p) && !ANY_RUNS_HERE(p) && !(page[p].filling & BIT(d)));
        REQUIRE(mapping_exceeds_word, MAPPING_EXCEEDS_WORD, page[p].map == NONE);
        page[p].draining = page[p].draining | BIT(d);
        page[p].latest = (page[p].latest & 254) | LATEST_ON(p, d)
    }
}

/* Which of the devices that had a claimed page it is copied from: any. */
inline choose_source(p) {
    if
    :: HAD_IT(p) & BIT(0) -> from = 0
    :: HAD_IT(p) & BIT(1) -> from = 1
#if DEVICES == 3
    :: HAD_IT(p) & BIT(2) -> from = 2
#endif
    fi
}

/* From frame to frame. The host's copy has no part in it. */
inline begin_direct(p, d) {
    atomic {
        choose_source(p);
        REQUIRE(conflicting_copy, CONFLICTING_COPY,
                !ANY_RUNS_WRITING(p) && !ANY_RUNS_ON(p, d) && !(page[p].filling & (BIT(from) | BIT(d))));
        page[p].draining = page[p].draining | BIT(from);
        page[p].filling = page[p].filling | BIT(d);
        page[p].latest = WITHOUT(page[p].latest, 1 + (d)) | (LATEST_ON(p, from) << (1 + (d)))
    }
}

inline end_direct(p, d) {
    page[p].draining = WITHOUT(page[p].draining, from);
    page[p].filling = WITHOUT(page[p].filling, d);
    from = 0
}

#ifdef HAS_IN_PLACE
inline end_homecoming(p) {
    page[p].draining = WITHOUT(page[p].draining, from);
    page[p].sharers = HAD_IT(p);
    from = 0
}
#endif

/* ---- DESIGN 4.5, device to host: native ------------------------------------------------------------------------------------------------------------------- */

/* Looks at the launches one by one. Leaves r at LAUNCHERS, or above it if the claim was given back. */
inline await_conflicts(p, all, d, gives_back) {
    r = 0;
    do
    :: r >= LAUNCHERS -> break
    :: atomic { r < LAUNCHERS && !CONFLICTS(r, p, all, d) -> r++ }
    :: atomic { gives_back && r < LAUNCHERS && INSISTS(r, p, all, d) -> give_back(p); r = LAUNCHERS + 1 }
    od
}

#ifdef MUTANT_WAIT_HOLDING_CLAIM
#define GIVES_BACK 0
#else
#define GIVES_BACK 1
#endif
#ifdef MUTANT_PEER_WAITS_HOLDING_CLAIM
#define PEER_GIVES_BACK 0
#else
#define PEER_GIVES_BACK 1
#endif

/* What nobody can be writing, a read takes without a wait. */
#define MUST_WAIT(p, write) (page[p].was == DEVICE || ((write) && page[p].sharers))
inline await_users(p, write) {
    if
    :: MUST_WAIT(p, write) -> await_conflicts(p, write, NO_DEVICE, GIVES_BACK)
    :: else -> r = LAUNCHERS
    fi
}

#ifdef MUTANT_RESTORE_JAVA_CLAIM
#define PUTS_BACK(p, write) (!(write) && page[p].was == TO_DEVICE && !page[p].intent)
#else
#define PUTS_BACK(p, write) 0
#endif

#ifdef HAS_EMPTY
#define STAYS_HOST(p) (page[p].was != EMPTY)
#else
#define STAYS_HOST(p) 1
#endif
#ifdef MAPPING_FAILS
bit failed; /* once */
#endif

#ifdef MUTANT_PEERS_TAKEN_FOR_SHARED
#define COMES_HOME(p) (page[p].was == DEVICE)
#else
#define COMES_HOME(p) WAS_ON_DEVICES_ONLY(p)
#endif

#if VIEWS > 0
#define PIN(p, pin) if :: (pin) -> page[p].pins = pin :: else fi
#else
#define PIN(p, pin) skip
#endif
#ifdef MUTANT_FAILED_MAPPING_LEAVES_EMPTY
#define MAY_BE_WRITTEN(p) (page[p].map == READ_WRITE && page[p].was != EMPTY)
#elif defined(MUTANT_FAILED_MAPPING_KEEPS_COPIES)
#define MAY_BE_WRITTEN(p) (page[p].map == READ_WRITE && page[p].was == EMPTY)
#else
#define MAY_BE_WRITTEN(p) (page[p].map == READ_WRITE)
#endif

#ifdef MAPPING_FAILS
/* The system call that maps fails half way. */
inline fail_half_way(p, maps) {
    if
    :: maps && !failed ->                                                                      /* the touch is made again */
        failed = 1;
        page[p].intent = MAY_BE_WRITTEN(p);                                                    /* reach: mapping-fails */
        page[p].map = NONE;
        atomic {
            if
            :: page[p].intent -> set_host_or_shared(p, 0)                                      /* reach: may-have-been-written */
            :: !page[p].intent -> give_back(p)
            fi;
            r = LAUNCHERS + 1
        }
    :: else
    fi;
}
#endif

/* Steps 3 to 5, for a page that is claimed and that no launch uses. */
inline land(p, write, maps, pin) {
    if
    :: COMES_HOME(p) ->                                                                        /* 3 */
        atomic { choose_source(p); begin_drain(p, from) };
        d_step {                                                                               /* reach: fetched */
            page[p].draining = WITHOUT(page[p].draining, from);
            page[p].sharers = HAD_IT(p);
            from = 0
        }
    :: !COMES_HOME(p) -> d_step { r = 0 }                                                             /* reach: fetched-without-copy */
    fi;
    if
    :: maps ->                                                                                 /* 4 */
        page[p].map = ((write) || (page[p].sharers == 0 && STAYS_HOST(p) && !PUTS_BACK(p, write)) -> READ_WRITE : READ_ONLY)
    :: else
    fi;
#ifdef MAPPING_FAILS
    fail_half_way(p, maps);
#endif
    d_step {                                                                                   /* 5 */
        if
#ifdef MAPPING_FAILS
        :: r > LAUNCHERS -> skip
#endif
#ifdef HAS_EMPTY
        :: r <= LAUNCHERS && page[p].was == EMPTY && !(write) -> set_empty(p)                  /* reach: reads-zeros */
        :: r <= LAUNCHERS && !(page[p].was == EMPTY && !(write)) -> set_host_or_shared(p, ((write) -> 0 : page[p].sharers))
#else
        :: PUTS_BACK(p, write) -> page[p].state = TO_DEVICE; page[p].was = 0
        :: else -> set_host_or_shared(p, ((write) -> 0 : page[p].sharers))
#endif
        fi;
        r = 0;
        PIN(p, pin)
    }
}
inline bring(p, write, maps) { land(p, write, maps, 0) }

/*
 * Brings page p to the host, for writing or only for reading, unless `done` holds. Called by the fault path, and by Java for views, evictions and outputs.
 *   1 claim TO_HOST, from any state; a page that somebody else has claimed so is waited for, holding nothing
 *   2 wait for the launches that conflict; if one of them insists and is not decided, give the claim back and wait for the decision
 *   3 copy from the device, or from any of its peers
 *   4 install the mapping, under the claim
 *   5 settle: HOST after a write; after a read what the page was, with a device that owned it, or its peers, as sharers
 */
inline fetch(p, write, done, maps) {
    do
    :: atomic { page[p].state != TO_HOST && (done) -> break }
#ifdef MUTANT_LIFT_OUTSIDE_CLAIM
    :: atomic { write && page[p].state == TO_DEVICE && page[p].sharers == 0 -> set_host_or_shared(p, 0) };
       page[p].map = READ_WRITE;
       break
#endif
#ifdef MUTANT_MAP_OUTSIDE_CLAIM
    :: atomic { !(write) && page[p].state == SHARED && page[p].map == NONE -> skip };
       page[p].map = READ_ONLY;
       break
#endif
#ifdef MUTANT_WAIT_BEFORE_CLAIM
    :: atomic { page[p].state != TO_HOST && !(done) -> await_conflicts(p, write, NO_DEVICE, GIVES_BACK) };
       atomic { page[p].state != TO_HOST -> claim_for_host(p, write); r = LAUNCHERS };
#else
    :: atomic { page[p].state != TO_HOST && !(done) -> claim_for_host(p, write); r = 0 };      /* 1 */
       await_users(p, write);                                                                  /* 2 */
#endif
       if
       :: r == LAUNCHERS -> bring(p, write, maps); break
       :: r > LAUNCHERS ->
           atomic { !INSISTED(p, write, NO_DEVICE) -> r = 0 }                                  /* reach: waits-for-decision */
       fi
    od
}

#define IS_HOME(q, write) (page[q].state == HOST || (page[q].state == SHARED && !(write)))
#define IS_FREE(q, write) (IS_HOME(q, write) || (page[q].state != TO_HOST && !INSISTED(q, write, NO_DEVICE)))

/*
 * The same for both pages in one call, as views and evictions do. Claims what it can; a page that somebody else has claimed, or that has to be given back, is left
 * for the next pass. Between passes it waits, holding nothing.
 */
inline fetch_both(write) {
    do
    :: IS_HOME(0, write) && IS_HOME(PAGES - 1, write) -> break
    :: else ->
       p = 0;
       do
       :: p == PAGES -> break
       :: atomic { p < PAGES && (page[p].state == TO_HOST || IS_HOME(p, write)) -> p++ }
       :: atomic { p < PAGES && page[p].state != TO_HOST && !IS_HOME(p, write) -> claim_for_host(p, write); mine = mine | BIT(p); p++ }
       od;
       p = 0;
       do
       :: p < PAGES && (mine & BIT(p)) ->
           if
           :: atomic { MUST_WAIT(p, write) && CONFLICTS(0, p, write, NO_DEVICE) -> give_back(p); mine = WITHOUT(mine, p); p++ }    /* reach: leaves-one-page */
           :: await_users(p, write);
              if
              :: r <= LAUNCHERS -> p++
#ifdef MUTANT_KEEP_THE_REST
              :: r > LAUNCHERS -> mine = WITHOUT(mine, p); p = PAGES; atomic { !INSISTED(0, write, NO_DEVICE) && !INSISTED(PAGES - 1, write, NO_DEVICE) }
#else
              :: r > LAUNCHERS ->                                                              /* nothing is kept while it waits for the decision */
                  mine = WITHOUT(mine, p);
                  p = 0;
                  do
                  :: p == PAGES -> break
                  :: atomic { p < PAGES && (mine & BIT(p)) -> give_back(p); p++ }                /* reach: gives-all-back */
                  :: p < PAGES && !(mine & BIT(p)) -> p++
                  od;
                  mine = 0
#endif
              fi
           fi
       :: p < PAGES && !(mine & BIT(p)) -> p++
       :: p == PAGES -> break
       od;
       p = 0;
       do
       :: p < PAGES && (mine & BIT(p)) -> bring(p, write, 1); p++
       :: p < PAGES && !(mine & BIT(p)) -> p++
       :: p == PAGES -> break
       od;
       atomic { IS_FREE(0, write) && IS_FREE(PAGES - 1, write) -> mine = 0; r = 0; p = 0 }
    od
}

/* ---- device to device: native ------------------------------------------------------------------------------------------------------------------------------ */

#if defined(MUTANT_PEER_FILLS_UNDER_KERNELS) || defined(MUTANT_PEER_FILLS_UNDER_READERS)
#define FILLED(d) NO_DEVICE
#else
#define FILLED(d) d
#endif

/* Steps 3 and 4 of what follows, for a page that is claimed, and that no launch uses which conflicts. */
inline copy_and_settle(p, d, m) {
    if
    :: HAD_IT(p) & BIT(d) -> d_step { r = 0 }                                                  /* reach: peer-had-it */
    :: else ->
        begin_direct(p, d);                                                                    /* 3 */
        d_step { end_direct(p, d) }                                                            /* reach: copied-directly */
    fi;
    d_step {                                                                                   /* reach: moved-from-peer */
        r = 0;
        moved = 1;
        if
        :: CHANGES(m) -> set_device(p, d)                                                      /* 4 */
        :: else -> set_peers(p, HAD_IT(p) | BIT(d))
        fi
    }
}

/*
 * Brings page p from the devices that have it to device d, for mode m, if the host has no valid copy. The caller holds d's lock. Returns if the page is in another state,
 * also if somebody has claimed it: Java looks again. What was moved is done, and `moved` says so: whoever looked at it again could go on with another device for ever, taking the page
 * from each other, without one of them getting to the gate, and so to insist.
 *   1 claim TO_HOST, from DEVICE or PEERS
 *   2 wait for the launches that conflict: to read, those that write the page, and those that use d's frame; to write, all that use it. If one of them insists and is not decided,
 *     give the claim back and wait for the decision
 *   3 copy from frame to frame, unless d has the page; the host's copy stays as it is, stale
 *   4 settle: DEVICE to write, PEERS to read
 */
inline move_from_peer(p, d, m) {
    do
    :: atomic { !IS_ON_DEVICES_ONLY(p) || HOLDS(p, d, m) -> break }
    :: atomic { IS_ON_DEVICES_ONLY(p) && !HOLDS(p, d, m) -> claim_for_host(p, CHANGES(m)); r = 0 };    /* 1 */
#ifdef MUTANT_PEER_DOES_NOT_WAIT
       r = LAUNCHERS;
#else
       await_conflicts(p, CHANGES(m), FILLED(d), PEER_GIVES_BACK);                             /* 2 */
#endif
       if
       :: r == LAUNCHERS -> copy_and_settle(p, d, m); break
       :: r > LAUNCHERS ->
           atomic { !INSISTED(p, CHANGES(m), FILLED(d)) -> r = 0 }                             /* reach: peer-waits-for-decision */
       fi
    od
}

#ifdef MOVES_BOTH_FROM_PEER
/* The same for both pages in one call, which leaves in `mine` those that it has moved. A page that has to be given back is left, and so is what somebody else has claimed: Java looks again. */
inline move_both_from_peer(d) {
    do
    :: p == PAGES -> break
    :: atomic { p < PAGES && (!IS_ON_DEVICES_ONLY(p) || HOLDS(p, d, mode[p])) -> p++ }
    :: atomic { p < PAGES && IS_ON_DEVICES_ONLY(p) && !HOLDS(p, d, mode[p]) -> claim_for_host(p, CHANGES(mode[p])); mine = mine | BIT(p); p++ }
    od;
    p = 0;
    do
    :: p < PAGES && (mine & BIT(p)) ->
        await_conflicts(p, CHANGES(mode[p]), FILLED(d), PEER_GIVES_BACK);
        if
        :: r > LAUNCHERS -> mine = WITHOUT(mine, p); p++                                       /* reach: leaves-one-page */
        :: else -> p++
        fi
    :: p < PAGES && !(mine & BIT(p)) -> p++
    :: p == PAGES -> break
    od;
    p = 0;
    do
    :: p < PAGES && (mine & BIT(p)) -> copy_and_settle(p, d, mode[p]); p++
    :: p < PAGES && !(mine & BIT(p)) -> p++
    :: p == PAGES -> break
    od;
    atomic { r = 0; p = 0; moved = 0 }                                                         /* reach: moved-both */
}
#define IS_MOVED(p) (mine & BIT(p))
#else
#define IS_MOVED(p) 0
#endif

/* ---- DESIGN 4.4, host to device: Java --------------------------------------------------------------------------------------------------------------------- */

inline take_rights(p, m) {
    if
    :: CHANGES(m) -> page[p].map = NONE
#ifdef MUTANT_PROTECT_GRANTS
    :: m == READS -> page[p].map = READ_ONLY
#else
    :: m == READS && page[p].map == READ_WRITE -> page[p].map = READ_ONLY
    :: m == READS && page[p].map != READ_WRITE
#endif
    fi
}

#ifdef MUTANT_TAKE_UNDER_KERNELS_HERE
#define KEEPS_HOST_COPY(r, p) 0
#else
#define KEEPS_HOST_COPY(r, p) USES_HERE(r, p)
#endif

#ifdef MOVER_UNDOES
bit came, came_empty, came_beside_own; /* the mover's page; and what it was before */
#define NOTE_COMMITTED(p) if :: me == LAUNCHERS -> page[p].by = 1 + me; page[p].used = 0; came = 1 :: else fi
#else
#define NOTE_COMMITTED(p) skip
#endif

/*
 * Moves page p to device d, if it is not there yet. The caller holds the device's lock. Never waits for a claim while it has one.
 *   1 claim TO_DEVICE
 *   2 write-protect (to read) or drop (to write) the mapping. It may come late, when the claim is lost: it only ever takes rights away
 *   3 wait for older launches that still use the frame, or the host's copy in place; then copy, unless the device has the page
 *   4 commit, if the claim still stands
 */
inline migrate(p, d, m) {
    do
    :: atomic { JAVA && (HOLDS(p, d, m) || IS_UNMAPPED(p)) -> break }
#if VIEWS > 0
    :: atomic { JAVA && PINNED_AGAINST(p, m) && IS_ON_HOST(p) -> break }                       /* reach: pinned */
#endif
    :: atomic { JAVA && !HOLDS(p, d, m) && IS_ON_DEVICES_ONLY(p) };
       move_from_peer(p, d, m);                                                                /* a native call */
       atomic {
           JAVA ->
           if
#ifdef MUTANT_UNDO_WHAT_CROSSED
           :: moved -> moved = 0; if :: me == LAUNCHERS -> came = 1; page[p].by = 1 + me; page[p].used = 0 :: else fi; break
#elif !defined(MUTANT_LOOK_AGAIN)
           :: moved -> moved = 0; break
#endif
           :: else -> moved = 0
           fi
       }
    :: atomic {
           JAVA && !HOLDS(p, d, m) && !PINNED_AGAINST(p, m) && IS_ON_HOST(p) ->
#ifdef MOVER_UNDOES
           came_empty = (me == LAUNCHERS -> page[p].state == EMPTY : came_empty);
           came_beside_own = (me == LAUNCHERS -> (page[p].sharers >> d) & 1 : came_beside_own);
#endif
           page[p].state = TO_DEVICE;                                                          /* 1 */
           page[p].owner = d;
           page[p].intent = (m == WRITES);
           page[p].by = 1 + me;
#ifndef MUTANT_COPY_ANYWAY
           had = (page[p].sharers >> d) & 1
#endif
       };
       atomic { JAVA -> take_rights(p, m) };                                                   /* 2 */
       r = 0;
       do
       :: r == LAUNCHERS -> break
#if defined(MUTANT_FILL_UNDER_KERNELS) || defined(MUTANT_BRING_UNDER_READERS)
       :: atomic { JAVA && r < LAUNCHERS -> r++ }
#else
       :: atomic { JAVA && r < LAUNCHERS && !USES_FRAME(r, p, d) && !KEEPS_HOST_COPY(r, p) -> r++ }                      /* 3 */
#endif
       od;
       if
       :: atomic { JAVA && had -> had = 0 }                                                    /* reach: has-it-already */
       :: atomic { JAVA && !had };
          d_step { REQUIRE(mapping_exceeds_word, MAPPING_EXCEEDS_WORD, page[p].state == TO_HOST ||
                  page[p].by != 1 + me || page[p].map <= (page[p].intent -> NONE : READ_ONLY)) };
          begin_fill(p, d);
          page[p].filling = WITHOUT(page[p].filling, d)
       fi;
       atomic {
#ifdef COMMIT_WAITS
           page[p].state != TO_HOST &&
#endif
           JAVA ->
           if
           :: page[p].state == TO_DEVICE && page[p].by == 1 + me && m == WRITES -> set_device(p, d); NOTE_COMMITTED(p)
           :: page[p].state == TO_DEVICE && page[p].by == 1 + me && m == READS -> set_host_or_shared(p, page[p].sharers | BIT(d)); NOTE_COMMITTED(p)
           :: page[p].state != TO_DEVICE || page[p].by != 1 + me -> skip                       /* reach: raced */
           fi;
           r = 0
       };
       break
    od
}

/* ---- DESIGN 4.6, the gate: one native call ---------------------------------------------------------------------------------------------------------------- */

inline publish(insists) {
    d_step {
        launch[me].phase = PUBLISHED;
        launch[me].device = d;
        launch[me].insistent = insists;
        launch[me].mode[0] = mode[0];
#ifdef HAS_IN_PLACE
        launch[me].behind = (launch[1 - me].phase != FREE);
#endif
#if DISCARDS > 0
        works_in_place = works_in_place || IS_HERE(mode[0]);
#endif
#if PAGES == 2
        launch[me].mode[1] = mode[1]
#endif
    }
}

inline clear(l) {
    launch[l].phase = FREE;
    launch[l].device = 0;
    launch[l].insistent = 0;
    launch[l].mode[0] = UNUSED;
#if PAGES == 2
    launch[l].mode[1] = UNUSED;
#endif
#if DISCARDS > 0
    launch[l].dead = 0;
#endif
#ifdef HAS_IN_PLACE
    launch[l].behind = 0;
    launch[1 - l].behind = 0
#endif
}

#ifdef HAS_OUTPUTS
#define IS_TAKEN(p) ((taken >> (p)) & 1)
#else
#define IS_TAKEN(p) 0
#endif

/* Looks at the words one by one; leaves p at PAGES if all hold. */
inline check() {
    p = 0;
    do
    :: p == PAGES -> break
    :: atomic {
           p < PAGES && (HOLDS(p, d, mode[p]) || IS_TAKEN(p)) ->
           REQUIRE(stale_read, STALE_READ, mode[p] == UNUSED || mode[p] == OVERWRITES || (IS_HERE(mode[p]) -> LATEST_ON_HOST(p) : LATEST_ON(p, d)));
           p++
       }
    :: atomic { p < PAGES && !HOLDS(p, d, mode[p]) && !IS_TAKEN(p) -> break }
    od
}

#ifdef HAS_IN_PLACE
#ifdef MUTANT_TURNS_BEHIND_INSISTING
#define GIVES_WAY 0
#else
#define GIVES_WAY 1
#endif
/*
 * Kernels of two devices that use a page in place, where one writes: the one published first goes first. Leaves p at 0 if that one insists, and so may wait for this launch to go.
 */
inline await_turn() {
    if
    :: atomic { p == PAGES && !(launch[me].behind && launch[1 - me].device != d && CLASH(0, mode[0], launch[1 - me].mode[0])) }
    :: atomic { p < PAGES }
    :: atomic { GIVES_WAY && p == PAGES && launch[me].behind && launch[1 - me].insistent && CLASH(0, mode[0], launch[1 - me].mode[0]) -> p = 0 }    /* reach: gives-way */
#ifdef MUTANT_NO_TURNS
    :: atomic { p == PAGES }
#endif
    fi
}
#endif

#define IS_QUIET(q) ((mode[q] == UNUSED || IS_HERE(mode[q]) || !(page[q].filling & BIT(d))) && (!CHANGES(mode[q]) || !page[q].draining))
inline enqueue() {
    d_step {
        REQUIRE(conflicting_copy, CONFLICTING_COPY, IS_QUIET(0) && IS_QUIET(PAGES - 1));
#ifdef HAS_IN_PLACE
        REQUIRE(overlap, OVERLAP, !(launch[1 - me].phase == RUNNING && launch[1 - me].device != d && CLASH(0, mode[0], launch[1 - me].mode[0])));
#endif
#ifdef MOVER_UNDOES
        page[0].used = page[0].used || (d == DEVICE_OF_MOVER && mode[0] != UNUSED);
#endif
        launch[me].phase = RUNNING;
        launch[me].insistent = 0
    }
}

/*
 * An insistent launch moves page p itself. Native, and the caller holds the device's lock.
 *   1 claim TO_HOST, from any state
 *   2 take the rights away that the page will not have, before anything is copied
 *   3 wait for launches that conflict, and for those that use the frame. None of them insists
 *   4 copy from a device that has it, if the host has not, else from the host
 *   5 settle
 */
inline move_insistently(p) {
    do
    :: atomic { HOLDS(p, d, mode[p]) -> break }
#if VIEWS > 0
    :: atomic { PINNED_AGAINST(p, mode[p]) -> refused = 1; break }                             /* reach: finds-a-view */
#endif
#ifdef HAS_UNMAPPED
    :: atomic { IS_UNMAPPED(p) && mode[p] != UNUSED -> refused = 1; break }                    /* reach: finds-no-region */
#endif
    :: atomic { !HOLDS(p, d, mode[p]) && !PINNED_AGAINST(p, mode[p]) && page[p].state != TO_HOST && !IS_UNMAPPED(p) -> claim_for_host(p, CHANGES(mode[p])); r = 0 };    /* 1 */
#ifndef MUTANT_TAKE_RIGHTS_LATE
       if                                                                                      /* 2 */
       :: !IS_HERE(mode[p]) -> atomic { take_rights(p, mode[p]) }
       :: IS_HERE(mode[p])
       fi;
#endif
       do
       :: r == LAUNCHERS -> break
#ifdef MUTANT_INSIST_HERE_UNDER_KERNELS
       :: r < LAUNCHERS && IS_HERE(mode[p]) -> r++
#endif
       :: atomic {                                                                             /* 3 */
              r < LAUNCHERS && (r == me || !CONFLICTS(r, p, CHANGES(mode[p]) || IS_HERE(mode[p]), d)) -> r++
          }
       od;
       if                                                                                      /* 4 */
#ifdef HAS_IN_PLACE
       :: IS_HERE(mode[p]) && WAS_ON_DEVICES_ONLY(p) ->
           atomic { choose_source(p); begin_drain(p, from) };
           d_step { end_homecoming(p) }                                                        /* reach: insists-and-brings-home */
#endif
       :: IS_HERE(mode[p]) && !WAS_ON_DEVICES_ONLY(p)
       :: !IS_HERE(mode[p]) && (HAD_IT(p) & BIT(d))
       :: !IS_HERE(mode[p]) && !(HAD_IT(p) & BIT(d)) && WAS_ON_DEVICES_ONLY(p) ->
           begin_direct(p, d);
           d_step { end_direct(p, d) }                                                         /* reach: insists-on-a-peers-page */
       :: !IS_HERE(mode[p]) && !(HAD_IT(p) & BIT(d)) && !WAS_ON_DEVICES_ONLY(p) ->
           begin_fill(p, d);
           page[p].filling = WITHOUT(page[p].filling, d)
       fi;
#ifdef MUTANT_TAKE_RIGHTS_LATE
       atomic { take_rights(p, mode[p]) };
#endif
       atomic {                                                                                /* 5 */
           r = 0;
           if
#ifdef HAS_IN_PLACE
           :: IS_HERE(mode[p]) -> set_host_or_shared(p, (CHANGES(mode[p]) -> 0 : page[p].sharers))
#endif
           :: CHANGES(mode[p]) && !IS_HERE(mode[p]) -> set_device(p, d)
#ifdef MUTANT_INSIST_FROM_PEER_AS_SHARED
           :: mode[p] == READS && WAS_ON_DEVICES_ONLY(p) -> set_host_or_shared(p, HAD_IT(p) | BIT(d))
#else
           :: mode[p] == READS && WAS_ON_DEVICES_ONLY(p) -> set_peers(p, HAD_IT(p) | BIT(d))
#endif
           :: mode[p] == READS && !WAS_ON_DEVICES_ONLY(p) -> set_host_or_shared(p, page[p].sharers | BIT(d))
           fi
       };
       break
    od
}

/* ---- what a launch overwrites ------------------------------------------------------------------------------------------------------------------------------- */

#ifdef HAS_OUTPUTS
#define IS_OUTPUT(p) (p < PAGES && mode[p] == OVERWRITES)
#define IS_MINE(p) (page[p].state == TO_DEVICE && page[p].by == 1 + me)

/* Of device d, which no other launch uses by now, unless it has the page to read. */
inline empty_frame(p) {
    r = 0;
    do
    :: r == LAUNCHERS -> break
    :: atomic { JAVA && r < LAUNCHERS && !USES_FRAME(r, p, d) -> r++ }
    od;
    atomic {
        if
        :: !(were[p] & BIT(d)) ->
            REQUIRE(conflicting_copy, CONFLICTING_COPY, !ANY_RUNS_ON(p, d) && !(page[p].filling & BIT(d)));
            page[p].latest = WITHOUT(page[p].latest, 1 + (d))
        :: else
        fi;
        r = 0;
        p++
    }
}

/*
 * Claims all outputs for device d. Java, with the device's lock. Nobody waits for others with such claims: they are given back first.
 *   1 claim TO_DEVICE, in order of pages. What only other devices have is left to the gate, or comes home first (the launch of a kernel that goes through the device's page table)
 *   2 drop the mapping; wait for older launches that use the frame, which then gets nobody's bytes
 */
inline claim_outputs() {
    p = 0;
    do
    :: p == PAGES -> break
    :: atomic { JAVA && p < PAGES && (!IS_OUTPUT(p) || HOLDS(p, d, mode[p])) -> p++ }
    :: atomic {
           JAVA && IS_OUTPUT(p) && IS_ON_HOST(p) ->
           page[p].state = TO_DEVICE;                                                          /* 1 */
           page[p].owner = d;
           page[p].intent = 1;
           page[p].by = 1 + me;
           were[p] = page[p].sharers
       };
       atomic { JAVA -> take_rights(p, OVERWRITES) };                                          /* 2 */
       empty_frame(p)
    :: atomic {
           JAVA && IS_OUTPUT(p) && !HOLDS(p, d, mode[p]) && IS_ON_DEVICES_ONLY(p) ->           /* reach: leaves-to-the-gate */
           were[p] = page[p].sharers;
           noted = noted | BIT(p)
       };
       empty_frame(p)
    :: atomic { JAVA && IS_OUTPUT(p) && !HOLDS(p, d, mode[p]) && !IS_ON_HOST(p) -> r = p; noted = 0 };
       p = 0;
       do
       :: p == PAGES -> break
       :: atomic {
              JAVA && p < PAGES ->
              if
              :: IS_OUTPUT(p) && IS_MINE(p) -> set_host_or_shared(p, page[p].sharers)          /* reach: gives-outputs-back */
              :: else
              fi;
              p++
          }
       od;
       p = r;
       r = 0;
       fetch(p, 0, !IS_ON_DEVICES_ONLY(p), 0);
       atomic { JAVA && page[p].state != TO_DEVICE && page[p].state != TO_HOST -> p = 0 }
    od
}

/*
 * Native, behind the publication, which keeps others from going on. A claim that is lost stays so, and the check will find that. What only other devices have is claimed TO_HOST, which keeps their
 * frames as they are until the kernel is enqueued; a launch that insists brings it later, with its contents.
 */
inline commit_outputs(insists) {
    p = 0;
    do
    :: p == PAGES -> break
    :: atomic {
           p < PAGES ->
           if
           :: IS_OUTPUT(p) && IS_MINE(p) -> page[p].pending = 1; committed = committed | BIT(p); set_device(p, d)
#ifdef MUTANT_TAKE_OUTPUTS_UNCLAIMED
           :: IS_OUTPUT(p) && !(insists) && (noted & BIT(p)) && page[p].state == DEVICE && page[p].owner != d ->
               taken = taken | BIT(p); page[p].pending = 1; set_device(p, d)
#else
           :: IS_OUTPUT(p) && !(insists) && (noted & BIT(p)) && IS_ON_DEVICES_ONLY(p) && !HOLDS(p, d, mode[p]) -> claim_for_host(p, 1); taken = taken | BIT(p)
#endif
           :: else                                                                             /* reach: output-lost */
           fi;
           p++
       }
    od
}

#if LAUNCHERS == 1 || defined(MUTANT_TAKE_OUTPUTS_UNDER_KERNELS)
#define USED_BESIDE(p) 0
#else
#define USED_BESIDE(p) (p < PAGES && IS_TAKEN(p) && CONFLICTS(1 - me, p, 1, NO_DEVICE))
#endif

/* Nobody is waited for with these claims. Leaves p at PAGES if no other launch uses what is claimed. */
inline find_used() {
    p = 0;
    do
    :: atomic { p == PAGES || USED_BESIDE(p) -> break }                                        /* reach: output-used */
    :: atomic { p < PAGES && !USED_BESIDE(p) -> p++ }
    od
}

/* The kernel is enqueued, and the launch not decided yet. */
inline take_outputs() {
    p = 0;
    do
    :: p == PAGES -> break
    :: atomic {
           p < PAGES ->
           if
           :: IS_TAKEN(p) -> page[p].pending = 1; set_device(p, d)                             /* reach: takes-outputs */
           :: else
           fi;
           p++
       }
    od
}

#if DISCARDS > 0
#define IS_GIVEN_UP(p) (page[p].state != DEVICE || page[p].owner != d)
#else
#define IS_GIVEN_UP(p) 0
#endif

/* The launch is going to be withdrawn. */
inline take_outputs_back() {
    p = 0;
    do
    :: p == PAGES -> break
    :: atomic { p < PAGES && !(committed & BIT(p)) && !IS_TAKEN(p) -> p++ }
#ifdef MUTANT_TAKE_OUTPUTS_UNCLAIMED
    :: atomic { p < PAGES && IS_TAKEN(p) && page[p].state != TO_HOST -> page[p].pending = 0; from = 1 - d; set_device(p, from); from = 0; p++ }
#else
    :: atomic { p < PAGES && IS_TAKEN(p) -> give_back(p); p++ }                                /* reach: leaves-outputs-to-others */
#endif
#if DISCARDS > 0
    :: atomic { p < PAGES && (committed & BIT(p)) && page[p].state != TO_HOST && IS_GIVEN_UP(p) -> p++ }    /* reach: has-been-discarded */
#endif
    :: atomic {
           p < PAGES && (committed & BIT(p)) && page[p].state != TO_HOST && !IS_GIVEN_UP(p) ->    /* reach: takes-outputs-back */
           assert(page[p].state == DEVICE && page[p].owner == d);
           page[p].pending = 0;
#ifdef MUTANT_TAKE_COPIES_OF_OTHERS_BACK
           set_host_or_shared(p, were[p]);
#else
           page[p].dropped = page[p].dropped | WITHOUT(were[p], d);
           set_host_or_shared(p, were[p] & BIT(d));                                            /* what others had was nobody's meanwhile */
#endif
           p++
       }
    od
}
#endif

/* ---- processes --------------------------------------------------------------------------------------------------------------------------------------------- */

#ifdef MUTANT_NO_DEVICE_LOCK
#define LOCKS 0
#else
#define LOCKS 1
#endif
#ifdef MUTANT_INSIST_WITHOUT_LOCK
#define INSISTENT_LOCKS 0
#else
#define INSISTENT_LOCKS LOCKS
#endif

/* With no lock. A view that was in the way is not a loss. */
#if VIEWS > 0
#define AWAIT_VIEWS \
    if :: PINNED_AGAINST(0, mode[0]) -> atomic { JAVA && !PINNED_AGAINST(0, mode[0]) -> losses-- } :: else fi;
#else
#define AWAIT_VIEWS
#endif

proctype Launcher(byte me; byte d) {
    byte launches, losses, p, r, from;
    bit had, moved;
#if VIEWS > 0 || defined(HAS_UNMAPPED)
    bit refused;
#endif
    byte mode[PAGES];
#ifdef MOVES_BOTH_FROM_PEER
    byte mine;
#endif
#ifdef HAS_OUTPUTS
    byte were[PAGES]; /* the sharers of a page that is to be overwritten, from before its claim */
    byte committed;
    byte noted, taken; /* what only other devices have: left to the gate; claimed by it */
#endif
    do
    :: atomic {
           JAVA && launches < LAUNCHES ->
           launches++;
           if
           :: me == 0 -> MODES_0
           :: me == 1 -> MODES_1
           fi
       };
       do
#ifdef HAS_OUTPUTS
       :: losses < LOSSES && mode[0] == OVERWRITES ->
           atomic { JAVA && !device_lock[d] -> device_lock[d] = LOCKS };
           claim_outputs();
           atomic { JAVA && launch[me].phase == FREE };
           atomic { !insisting -> insisting = 1 };
#ifdef MUTANT_COMMIT_OUTPUTS_EARLY
           commit_outputs(1);
#endif
#ifdef MUTANT_OUTPUTS_DO_NOT_INSIST
           publish(0);
#else
           publish(1);
#endif
           commit_outputs(0);
           find_used();
           if
           :: p == PAGES -> check()
           :: else
           fi;
           if
           :: p == PAGES -> take_outputs(); enqueue(); losses = LOSSES + 1
           :: else ->
#ifndef MUTANT_KEEP_OUTPUTS
               take_outputs_back();
#endif
               atomic { clear(me); losses++ }                                                  /* reach: outputs-withdrawn */
           fi;
           atomic { insisting = 0; committed = 0; noted = 0; taken = 0; were[0] = 0; were[1] = 0 };
           atomic { JAVA -> device_lock[d] = 0 }
       :: losses > LOSSES -> break
       :: losses < LOSSES && mode[0] != OVERWRITES ->
#else
       :: losses < LOSSES ->
#endif
           if
           :: atomic { JAVA }                                                                  /* everything may be there already */
           :: atomic { JAVA && !device_lock[d] -> device_lock[d] = LOCKS };
              p = 0;
#ifdef MOVES_BOTH_FROM_PEER
              move_both_from_peer(d);
#endif
              do
              :: p < PAGES && IS_MOVED(p) -> p++
#ifdef HAS_IN_PLACE
              :: p < PAGES && IS_HERE(mode[p]) -> fetch(p, TO_USE_HERE(p), HOLDS(p, d, mode[p]) || IS_UNMAPPED(p), 1); p++    /* InPlacePages */
#endif
              :: p < PAGES && !IS_HERE(mode[p]) && !IS_MOVED(p) -> migrate(p, d, mode[p]); p++
              :: p == PAGES -> break
              od;
#ifdef MOVES_BOTH_FROM_PEER
              mine = 0;
#endif
              atomic { JAVA -> device_lock[d] = 0 }
           fi;
           atomic { JAVA && launch[me].phase == FREE };
#ifdef MUTANT_CHECK_BEFORE_PUBLISH
           check();
           if
           :: p == PAGES -> publish(0)
           :: else
           fi;
#else
           publish(0);
           check();
#ifdef HAS_IN_PLACE
           await_turn();
#endif
#ifdef MUTANT_GATE_IN_JAVA
           JAVA;
#endif
#endif
           if
           :: p == PAGES -> enqueue(); break
           :: else ->
               d_step { clear(me); losses++ }                                                  /* reach: withdrawn */
               AWAIT_VIEWS
           fi
       :: losses == LOSSES ->
#ifdef GIVES_UP
           break
#else
           atomic { JAVA && (!INSISTENT_LOCKS || !device_lock[d]) -> device_lock[d] = device_lock[d] | INSISTENT_LOCKS };
#ifdef HAS_HOST_LOCK
           atomic { JAVA && host_shared == 0 && !host_exclusive -> host_exclusive = 1 };
#endif
#ifdef HAS_OUTPUTS
           claim_outputs();
#endif
           atomic { JAVA && launch[me].phase == FREE };
#ifndef MUTANT_TWO_INSIST
           atomic { !insisting -> insisting = 1 };
#endif
           publish(1);
#ifdef HAS_OUTPUTS
           commit_outputs(1);
#endif
           do
           :: p = 0;
              do
              :: p < PAGES -> move_insistently(p); p++
              :: else -> break
              od;
#if VIEWS > 0 || defined(HAS_UNMAPPED)
              if
              :: refused -> d_step { clear(me); p = 0 }; break
              :: else
              fi;
#endif
#ifndef MUTANT_INSIST_PAGE_BY_PAGE
              check();
#endif
#ifdef HAS_IN_PLACE
              await_turn();
#endif
              if
              :: p == PAGES -> enqueue(); break
              :: p < PAGES -> d_step { p = 0 }                                                 /* reach: moves-again */
              fi
           od;
#ifdef HAS_HOST_LOCK
           host_exclusive = 0;
#endif
           insisting = 0;
#ifdef HAS_OUTPUTS
           d_step { committed = 0; noted = 0; were[0] = 0; were[1] = 0 };
#endif
           atomic { JAVA -> device_lock[d] = device_lock[d] & !INSISTENT_LOCKS };
#if VIEWS > 0
           if
           :: refused -> atomic { JAVA && !PINNED_AGAINST(0, mode[0]) -> refused = 0 }
           :: !refused -> break
           fi
#elif defined(HAS_UNMAPPED)
           refused = 0;                                                                        /* an error: there is no such region */
           break
#else
           break
#endif
#endif
       od;
       atomic { losses = 0; p = 0; mode[0] = UNUSED; mode[PAGES - 1] = UNUSED }
    :: atomic { JAVA && launches == LAUNCHES -> break }
    od
}

#ifdef MOVER_UNDOES
/*
 * What page p was moved to device d for does not happen: hmm_undo. The host's copy has stayed what it was, so it is the page's again, unless a kernel there has used the page.
 *   1 with HostLock shared, which keeps out who insists: claim TO_HOST, if nobody has changed the word since. What has crossed from a peer is not among it
 *   2 wait for the launches that use the page
 *   3 look whether one has been enqueued; settle what it was, or what it is
 */
inline undo(p, d) {
#ifdef MUTANT_UNDO_BESIDE_INSISTING
    atomic { JAVA -> host_shared = 0 };
#else
    atomic { JAVA && !host_exclusive -> host_shared = 1 };
#endif
#ifdef MUTANT_UNDO_LOOKS_FIRST
    used = page[p].used;
#endif
    if
    :: atomic { came && page[p].by == 1 + me && page[p].state != TO_HOST -> claim_for_host(p, 1); r = 0 };    /* 1 */
       do
       :: r == LAUNCHERS -> break
#ifdef MUTANT_UNDO_DOES_NOT_WAIT
       :: r < LAUNCHERS -> r++
#endif
       :: atomic { r < LAUNCHERS && !CONFLICTS(r, p, 1, NO_DEVICE) -> r++ }                    /* 2 */
       od;
       atomic {                                                                                /* 3 */
           r = 0;
#ifndef MUTANT_UNDO_LOOKS_FIRST
           used = page[p].used;
#endif
           if
           :: used && page[p].sharers -> set_host_or_shared(p, page[p].sharers)
           :: used && !page[p].sharers -> set_device(p, d)
#ifdef MUTANT_UNDO_LEAVES_EMPTY
           :: !used -> set_empty(p)
#else
           :: !used && came_empty -> set_empty(p)
           :: !used && !came_empty -> set_host_or_shared(p, WITHOUT(page[p].sharers, d) | (came_beside_own << d))
#endif
           fi
       };
       used = 0                                                                                /* reach: undone */
    :: atomic { !(came && page[p].by == 1 + me && page[p].state != TO_HOST) }             /* reach: of-others */
    fi;
    atomic { host_shared = 0; came = 0; came_empty = 0; came_beside_own = 0 }
}
#endif

/* Brings both pages to device 0 to be read there. The device's lock is open to those who only enter the gate: they do so without it. */
proctype Mover(byte me; byte d) {
    byte p, r, from;
    bit had, moved;
#ifdef MOVER_UNDOES
    bit used;
    byte m;
    atomic { JAVA && !device_lock[d] -> device_lock[d] = 1; if :: m = READS :: m = WRITES fi };
    migrate(p, d, m);
    undo(p, d);
#else
    atomic { JAVA && !device_lock[d] -> device_lock[d] = 1 };
    do
    :: p < PAGES -> migrate(p, d, READS); p++
    :: else -> break
    od;
#endif
    atomic { JAVA -> device_lock[d] = 0 }                                                      /* reach: moved */
}

/* A kernel may do its work at any time between its enqueueing and its end. */
proctype Kernel(byte l) {
    byte p;
end:
    do
    :: d_step {
           launch[l].phase == RUNNING ->
#ifdef WRITTEN_TOGETHER
           REQUIRE(torn_read, TORN_READ,
                   launch[l].mode[0] != READS || LATEST_ON(0, launch[l].device) == LATEST_ON(1, launch[l].device));
#endif
           p = 0;
           do
#ifdef HAS_IN_PLACE
           :: p < PAGES && launch[l].mode[p] == READS_HERE -> REQUIRE(stale_read, STALE_READ, LATEST_ON_HOST(p)); p++
           :: p < PAGES && launch[l].mode[p] == WRITES_HERE ->
               REQUIRE(lost_write, LOST_WRITE, LATEST_ON_HOST(p) && page[p].state != SHARED && !IS_ON_DEVICES_ONLY(p));
               page[p].latest = 1;
               NOTE_WRITTEN(p);
               NOTE_ELSEWHERE(p);
               p++
#endif
#if DISCARDS > 0
           :: p < PAGES && CHANGES(launch[l].mode[p]) && IS_DEAD(l, p) -> page[p].latest = WITHOUT(page[p].latest, 1 + launch[l].device); p++
#endif
           :: p < PAGES && CHANGES(launch[l].mode[p]) && !IS_HERE(launch[l].mode[p]) && !IS_DEAD(l, p) ->
               REQUIRE(lost_write, LOST_WRITE, launch[l].mode[p] == OVERWRITES || LATEST_ON(p, launch[l].device));
               page[p].latest = 2 << launch[l].device;
               NOTE_WRITTEN(p);
               NOTE_ELSEWHERE(p);
#ifdef HAS_OUTPUTS
               page[p].pending = 0;
#endif
               p++
           :: p < PAGES && !CHANGES(launch[l].mode[p]) && !IS_HERE(launch[l].mode[p]) -> p++
           :: else -> break
           od;
           p = 0
       };
#ifdef MUTANT_CALLBACK_IN_JAVA
       JAVA;
#endif
       d_step { clear(l) }                                                                     /* the event's callback */
    od
}

/* Loads and stores, by plain instructions; one that the mapping does not allow is a page fault, served by native code, and then repeated. */
proctype Cpu() {
    byte ops, p, r, from;
    bit writes;
    do
    :: atomic {
           JAVA && ops < CPU_OPS ->
           ops++;
#ifndef CPU_LOADS
           if :: writes = 0 :: writes = 1 fi;
#endif
#if PAGES == 2
           if :: p = 0 :: p = 1 fi
#endif
       };
       do
       :: atomic {
              JAVA && page[p].map >= READ_ONLY + writes ->
              if
#ifdef MOVES_REGION
              :: writes && p == 1 && !told                                                     /* it only came along with a page next door: no program has its address */
#endif
              :: writes && IS_TOLD(p) ->
                  REQUIRE(lost_write, LOST_WRITE, LATEST_ON_HOST(p) && page[p].state != SHARED && !IS_ON_DEVICES_ONLY(p));
                  REQUIRE(overlap, OVERLAP, !ANY_RUNS_USING(p));
                  page[p].latest = 1;
                  NOTE_WRITTEN(p);
                  NOTE_ELSEWHERE(p)
              :: else ->
                  REQUIRE(stale_read, STALE_READ, LATEST_ON_HOST(p));
                  REQUIRE(overlap, OVERLAP, !ANY_RUNS_WRITING(p))
              fi;
              break
          }
#ifdef HAS_UNMAPPED
       :: atomic { JAVA && page[p].map < READ_ONLY + writes && IS_UNMAPPED(p) -> break }       /* reach: refused */
#endif
       :: atomic { JAVA && page[p].map < READ_ONLY + writes -> faulting++ };
          atomic { handlers > 0 -> handlers-- };
#ifdef MUTANT_HANDLER_NEEDS_JAVA
          JAVA;
#endif
          fetch(p, writes, IS_UNMAPPED(p), 1);
          atomic { handlers++; faulting-- }                                                    /* reach: served */
       od;
       atomic { p = 0; writes = 0 }
    :: atomic { JAVA && ops == CPU_OPS -> break }
    od
}

/* Brings pages home, for one reason or another: a native call made from Java. */
proctype Evictor() {
    byte evictions, p, r, from, mine;
    bit maps, writes;
    do
    :: atomic {
           JAVA && evictions < EVICTIONS ->
           evictions++;
           if :: maps = 0 :: maps = 1 fi;
           if :: writes = 0 :: writes = 1 fi
       };
#if PAGES == 2
       fetch_both(writes);
#else
       fetch(p, writes, IS_HOME(p, writes), maps);
#endif
       atomic { JAVA -> p = 0; maps = 0; writes = 0 }                                          /* reach: evicted */
    :: atomic { JAVA && evictions == EVICTIONS -> break }
    od
}

#if DROPS > 0
/*
 * Drops copies of a page, whose frames then hold other bytes. Java, with the device's lock: nothing is copied there meanwhile.
 *   1 give up the copy, by one compare-and-set, if it is not the only one
 *   2 wait for launches that use the frame; none that comes now finds the page there
 */
proctype Dropper() {
    byte drops, p, d, r;
    do
    :: atomic {
           JAVA && drops < DROPS ->
           drops++;
#if PAGES == 2
           if :: p = 0 :: p = 1 fi;
#endif
           if
           :: !device_lock[0] -> d = 0
           :: !device_lock[1] -> d = 1
#if DEVICES == 3
           :: !device_lock[2] -> d = 2
#endif
           fi;
           device_lock[d] = 1
       };
       if
       :: atomic {
              JAVA && (page[p].state == SHARED || page[p].state == PEERS) && (page[p].sharers & BIT(d)) ->    /* 1 */
              page[p].dropped = page[p].dropped | BIT(d);
              if
              :: page[p].state == SHARED -> d_step { set_host_or_shared(p, WITHOUT(page[p].sharers, d)) }    /* reach: drops-beside-host */
              :: page[p].state == PEERS ->
                  if
                  :: WITHOUT(page[p].sharers, d) == BIT(0) -> d_step { set_device(p, 0) }                    /* reach: leaves-one-device */
                  :: WITHOUT(page[p].sharers, d) == BIT(1) -> set_device(p, 1)
                  :: WITHOUT(page[p].sharers, d) == BIT(2) -> set_device(p, 2)
                  :: else -> d_step { set_peers(p, WITHOUT(page[p].sharers, d)) }                            /* reach: leaves-peers */
                  fi
              fi
          };
#ifndef MUTANT_REUSE_UNDER_KERNELS
          do
          :: r == LAUNCHERS -> break
          :: atomic { JAVA && r < LAUNCHERS && !USES_FRAME(r, p, d) -> r++ }                          /* 2 */
          od;
#endif
          atomic {
              JAVA -> r = 0;
              REQUIRE(conflicting_copy, CONFLICTING_COPY, !ANY_RUNS_ON(p, d) && !((page[p].filling | page[p].draining) & BIT(d)));
              page[p].latest = WITHOUT(page[p].latest, 1 + d);
              page[p].dropped = WITHOUT(page[p].dropped, d)
          }
       :: atomic { JAVA && !((page[p].state == SHARED || page[p].state == PEERS) && (page[p].sharers & BIT(d))) }
       fi;
       atomic { JAVA -> device_lock[d] = 0; d = 0; p = 0 }                                                   /* reach: dropped */
    :: atomic { JAVA && drops == DROPS -> break }
    od
}
#endif

#if VIEWS > 0
#ifdef MUTANT_VIEW_BESIDE_WRITE_CLAIM
#define NO_INTENT(p) 1
#else
#define NO_INTENT(p) (!page[p].intent)
#endif

/* Opens views of a page, and looks at the host's copy through them: fetch with HMM_PIN. */
proctype Viewer() {
    byte views, p, r, from;
    bit writes;
    do
    :: atomic { JAVA && views < VIEWS -> views++; if :: writes = 0 :: writes = 1 fi };
#ifdef HAS_HOST_LOCK
       atomic { JAVA && !host_exclusive -> host_shared = 1 };
#endif
       do
#ifdef HAS_EMPTY
       :: atomic {
              page[p].state == EMPTY ->
              if
              :: writes -> set_host_or_shared(p, 0)
              :: else
              fi;
              page[p].pins = READ_PIN + writes;
              break
          }
#endif
       :: atomic {                                                                             /* no claim, and the version stays */
              page[p].state == HOST || (!writes && (page[p].state == SHARED || (page[p].state == TO_DEVICE && NO_INTENT(p)))) ->
              page[p].pins = READ_PIN + writes;
              break
          }
       :: atomic {                                                                             /* ends Java's claim */
              page[p].state == TO_DEVICE && (writes -> !page[p].sharers : !NO_INTENT(p)) ->
              set_host_or_shared(p, page[p].sharers);
              page[p].pins = READ_PIN + writes;                                                /* reach: takes-a-claim */
              break
          }
       :: atomic { IS_ON_DEVICES_ONLY(p) || (writes && (page[p].state == SHARED || (page[p].state == TO_DEVICE && page[p].sharers))) -> claim_for_host(p, writes); r = 0 };
          await_users(p, writes);
          if
#ifdef MUTANT_PIN_LATE
          :: r == LAUNCHERS -> land(p, writes, 0, 0); page[p].pins = READ_PIN + writes; break
#else
          :: r == LAUNCHERS -> land(p, writes, 0, READ_PIN + writes); break
#endif
          :: r > LAUNCHERS -> atomic { !INSISTED(p, writes, NO_DEVICE) -> r = 0 }
          fi
       od;
#ifdef HAS_HOST_LOCK
       atomic { JAVA -> host_shared = 0 };
#endif
#ifndef MUTANT_VIEW_BESIDE_KERNELS
       do                                                                                      /* InPlacePages.awaitKernels */
       :: r == LAUNCHERS -> break
       :: atomic { r < LAUNCHERS && !CONFLICTS(r, p, writes, NO_DEVICE) -> r++ }
       od;
#endif
       atomic {
           JAVA ->
           r = 0;
           REQUIRE(stale_read, STALE_READ, LATEST_ON_HOST(p));
           REQUIRE(overlap, OVERLAP, !ANY_RUNS_WRITING(p) && !(ANY_RUNS_HERE(p) && (writes || (RUNS_HERE(0, p) && CHANGES(launch[0].mode[p])))));
           if
           :: writes ->
               REQUIRE(lost_write, LOST_WRITE, page[p].state != SHARED && page[p].state != EMPTY && !IS_ON_DEVICES_ONLY(p));
               page[p].latest = 1;
               NOTE_WRITTEN(p)
           :: else
           fi
       };
       atomic { JAVA -> page[p].pins = 0; writes = 0 }                                         /* reach: viewed */
    :: atomic { JAVA && views == VIEWS -> break }
    od
}
#endif

#if RELOCATIONS > 0
/*
 * Gives pages other frames of device 0: hmm_relocate. A Java thread with the device's lock, in native calls.
 *   1 claim TO_HOST the first page, whatever it is, waiting for whoever has it; and those behind it up to one that somebody has
 *   2 wait for the launches of the device that use them
 *   3 copy what is there from frame to frame; what is not there gets a frame that holds nobody's bytes
 *   4 settle what it was
 */
proctype Relocator() {
    byte p, r, first, n, bits;
    atomic { JAVA && !device_lock[0] -> device_lock[0] = 1 };
    do
    :: first == PAGES -> break
    :: else ->
       atomic { JAVA };
       atomic { page[first].state != TO_HOST -> claim_for_host(first, 1); n = 1 };             /* 1 */
       if
       :: atomic { first + n < PAGES && page[PAGES - 1].state != TO_HOST -> claim_for_host(PAGES - 1, 1); n = 2 }    /* reach: claims-both */
       :: atomic { !(first + n < PAGES && page[PAGES - 1].state != TO_HOST) }
       fi;
       p = first;
       do
       :: p < first + n ->
           r = 0;
           do
           :: r == LAUNCHERS -> break
#ifdef MUTANT_RELOCATE_UNDER_KERNELS
           :: r < LAUNCHERS -> r++
#endif
           :: atomic { r < LAUNCHERS && !USES_FRAME(r, p, 0) -> r++ }                          /* 2 */
           od;
           p++
       :: else -> break
       od;
       p = first;
       do
       :: p < first + n ->
           d_step {                                                                            /* 3 */
               r = 0;
               REQUIRE(conflicting_copy, CONFLICTING_COPY, !ANY_RUNS_ON(p, 0) && !(page[p].filling & BIT(0)));
               page[p].draining = page[p].draining | (HAD_IT(p) & BIT(0));
               bits = (HAD_IT(p) & BIT(0) -> LATEST_ON(p, 0) << 1 : 0)
           };
           d_step {
               page[p].draining = WITHOUT(page[p].draining, 0);
               page[p].latest = (page[p].latest & 253) | bits;
               bits = 0
           };
           atomic { give_back(p); p++ }                                                        /* 4 */
       :: else -> break
       od;
       atomic { first = first + n; n = 0; p = 0; r = 0 }
    od;
    atomic { JAVA -> device_lock[0] = 0 }                                                      /* reach: relocated */
}
#endif

#if DISCARDS > 0 || defined(HAS_UNMAPPED)
#include "region-changes.pml"
#endif

proctype Safepoint() {
    stopped = 1;
    faulting == 0;
    stopped = 0                                                                                /* reach: safepoint */
}

/* Where a page can be while nobody is at work on it, with the mappings that its word allows. */
#define START_ON_HOST :: place(HOST, 0, 0, READ_WRITE, 1)
#define START_SOMEWHERE \
    START_ON_HOST :: place(HOST, 0, 0, NONE, 1) :: place(SHARED, 0, 3, NONE, 7) :: place(DEVICE, 0, 0, NONE, 2) :: place(PEERS, 0, 3, NONE, 6)
#define START_ON_PEERS \
    :: place(PEERS, 0, 3, NONE, 6) :: place(PEERS, 0, 5, NONE, 10) :: place(PEERS, 0, 7, NONE, 14) :: place(DEVICE, 2, 0, NONE, 8)
#define START_ANYWHERE \
    START_SOMEWHERE :: place(HOST, 0, 0, READ_ONLY, 1) :: place(SHARED, 0, 3, READ_ONLY, 7) \
    :: place(SHARED, 0, 1, READ_ONLY, 3) :: place(SHARED, 0, 1, NONE, 3) \
    :: place(SHARED, 0, 2, READ_ONLY, 5) :: place(SHARED, 0, 2, NONE, 5) :: place(DEVICE, 1, 0, NONE, 4)

/* Page 0 is where the region is, page 1 where it is going to be. A launch may name that already, by an address from before; a fault of a page next door may bring it along. */
#define START_MOVED \
    :: i == 0 -> place(HOST, 0, 0, READ_WRITE, 1) :: i == 0 -> place(HOST, 0, 0, NONE, 1) :: i == 0 -> place(EMPTY, 0, 0, NONE, 1) \
    :: i == 0 -> place(SHARED, 0, 3, READ_ONLY, 7) :: i == 0 -> place(DEVICE, 0, 0, NONE, 2) :: i == 0 -> place(PEERS, 0, 3, NONE, 6) \
    :: i == 1 -> place(UNMAPPED, 0, 0, NONE, 0)

inline place(a_state, an_owner, devices, a_map, copies) {
    page[i].state = a_state;
    page[i].owner = an_owner;
    page[i].sharers = devices;
    page[i].map = a_map;
    page[i].latest = copies
}

init {
    byte i;
    atomic {
        do
        :: i < PAGES -> if START fi; i++
        :: else -> break
        od;
        i = 0;
        run Kernel(0);
#if LAUNCHERS == 2
        run Kernel(1);
#endif
        run Launcher(0, 0);
#if LAUNCHERS == 2
        run Launcher(1, DEVICE_OF_1);
#endif
#if CPUS > 0
        run Cpu();
#endif
#if CPUS == 2
        run Cpu();
#endif
#if EVICTIONS > 0
        run Evictor();
#endif
#if DROPS > 0
        run Dropper();
#endif
#if VIEWS > 0
        run Viewer();
#endif
#if RELOCATIONS > 0
        run Relocator();
#endif
#if DISCARDS > 0
        run Discarder();
#endif
#ifdef MOVES_REGION
        run RegionMover();
#endif
#ifdef FREES
        run Freer();
#endif
#if MOVERS > 0
        run Mover(LAUNCHERS, DEVICE_OF_MOVER);
#endif
        run Safepoint()
    };
    /* All have ended but the kernels' processes: what the words say must be true. */
    atomic {
        _nr_pr == 1 + LAUNCHERS && launch[0].phase == FREE && launch[LAUNCHERS - 1].phase == FREE ->
        do
        :: i < PAGES ->
            REQUIRE(orphaned_claim, ORPHANED_CLAIM, page[i].state != TO_DEVICE && page[i].state != TO_HOST);
            check_valid(i);
            i++
        :: i == PAGES -> break                                                                 /* reach: ended */
        od
    }
}
