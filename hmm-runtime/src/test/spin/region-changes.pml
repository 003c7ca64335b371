/*
 * What the program does to regions: their contents are given up, they move to another address, and they are freed. A part of page-protocol.pml, which includes it where DISCARDS, MOVES_REGION or FREES is defined.
 */

#if DISCARDS > 0
#ifdef MUTANT_DISCARD_BESIDE_KERNELS_HERE
#define AWAITS_KERNELS 0
#else
#define AWAITS_KERNELS works_in_place
#endif
#ifdef MUTANT_DISCARD_WAITS_HOLDING_CLAIM
#define DISCARD_GIVES_BACK 0
#else
#define DISCARD_GIVES_BACK 1
#endif

/*
 * The host's memory has a hole, which reads as zeros: a copy like any other, and the only one. Launches that have found the page go on with what it was: what they write there is nobody's,
 * as if they had ended before.
 */
inline punch(p) {
    d_step {
        page[p].latest = 1;
        page[p].written = 0;
#ifdef HAS_OUTPUTS
        page[p].pending = 0;
#endif
        r = 0;
        do
        :: r == LAUNCHERS -> break
        :: r < LAUNCHERS -> launch[r].dead = launch[r].dead | ((launch[r].phase != FREE && launch[r].mode[p] != UNUSED && !IS_HERE(launch[r].mode[p])) << p); r++
        od;
        r = 0
    }
}

/*
 * Gives up what page p holds: hmm_discard. A native call, made from Java with HostLock, so that nobody insists, or opens a view.
 *   1 claim TO_HOST, from any state; a page that somebody else has claimed so is waited for
 *   2 if any launch works in place, wait for those that use the page; if one is not decided that overwrites it, give the claim back and wait for the decision
 *   3 drop the mapping
 *   4 punch a hole into the host's memory
 *   5 settle EMPTY, whatever devices had
 */
inline discard(p) {
    do
#ifdef MUTANT_DISCARD_WITHOUT_CLAIM
    :: atomic { page[p].state != TO_HOST -> set_empty_unchecked(p) };
       page[p].map = NONE;
       punch(p);
       break
#endif
    :: atomic { page[p].state != TO_HOST -> claim_for_host(p, 1); r = LAUNCHERS };             /* 1 */
       if                                                                                      /* 2 */
       :: AWAITS_KERNELS -> await_conflicts(p, 1, NO_DEVICE, DISCARD_GIVES_BACK)
       :: !AWAITS_KERNELS                                                                      /* reach: waits-for-nobody */
       fi;
       if
       :: r == LAUNCHERS ->
#ifdef MUTANT_PUNCH_BEFORE_FORBIDDING
           punch(p);
           page[p].map = NONE;
#else
#ifndef MUTANT_DISCARD_KEEPS_MAPPING
           page[p].map = NONE;                                                                 /* 3 */
#endif
           punch(p);                                                                           /* 4 */
#endif
#ifdef MUTANT_DISCARD_KEEPS_COPIES
           atomic { give_back(p) };
#else
           d_step { set_empty(p) };                                                            /* 5 */
#endif
           break
       :: r > LAUNCHERS ->
           atomic { !INSISTED(p, 1, NO_DEVICE) -> r = 0 }                                      /* reach: waits-for-decision */
       fi
    od
}

#ifdef MUTANT_DISCARD_WITHOUT_CLAIM
inline set_empty_unchecked(p) {
    page[p].sharers = 0;
    page[p].state = EMPTY;
    page[p].owner = 0;
    page[p].intent = 0;
    page[p].by = NOBODY;
    page[p].was = 0
}
#endif

#ifdef MUTANT_DISCARD_UNDER_VIEW
#define REFUSES(p) 0
#else
#define REFUSES(p) IS_PINNED(p)
#endif

/* A Java thread that gives up contents, which nobody is going to ask for. */
proctype Discarder() {
    byte discards, p, r;
#ifdef HAS_OUTPUTS
    if :: works_in_place = 0 :: works_in_place = 1 fi; /* elsewhere in the heap */
#endif
    do
    :: atomic {
           JAVA && discards < DISCARDS && !host_shared && !host_exclusive ->
           discards++;
           host_exclusive = 1;
#if PAGES == 2
           if :: p = 0 :: p = 1 fi
#endif
       };
       if
       :: REFUSES(p) -> skip                                                                   /* reach: refused */
       :: else -> discard(p)
       fi;
       atomic { JAVA -> host_exclusive = 0; p = 0 }                                            /* reach: discarded */
    :: atomic { JAVA && discards == DISCARDS -> break }
    od
}
#endif

#ifdef HAS_UNMAPPED
#if defined(MUTANT_MOVE_TAKES_CLAIMED) || defined(MUTANT_FREE_TAKES_CLAIMED)
#define MAY_TAKE(p) 1
#else
#define MAY_TAKE(p) (page[p].state != TO_HOST)
#endif

inline set_unmapped(p) {
    page[p].state = UNMAPPED;
    page[p].owner = 0;
    page[p].sharers = 0;
    page[p].intent = 0;
    page[p].by = NOBODY;
    page[p].was = 0
}
#endif

#ifdef MOVES_REGION
#ifdef MUTANT_MOVE_WITHOUT_DEVICE_LOCKS
#define MOVE_LOCKS 0
#else
#define MOVE_LOCKS 1
#endif
#define IS_TIED(p) (page[p].state == PEERS || (page[p].state == DEVICE && aperture))

/* What page `from` was, in the place of page p: MOVE_IN. A claim counts as what it was before. */
inline move_in(p) {
    if
    :: were == DEVICE -> set_device(p, owner)
    :: were == EMPTY -> set_empty(p)
    :: were == PEERS -> set_peers(p, sharers)
    :: were == HOST || were == SHARED || were == TO_DEVICE -> set_host_or_shared(p, sharers)
    fi
}

inline forbid_old() {
    page[0].map = NONE
}

/* Reads the host's page, if that is what the region has. A store that comes later, to either address, is not in what was read. */
inline copy_host_page() {
    d_step {
        page[1].latest = (were == HOST || were == SHARED || were == TO_DEVICE || were == EMPTY -> LATEST_ON_HOST(0) : 0);
        copied = 1
    }
}

inline settle_at_new_address() {
    atomic {
        JAVA ->
        page[1].written = page[1].written || page[0].written;
        told = 1;
        if
        :: were == DEVICE ->                                                                   /* reach: takes-its-frame-along */
            REQUIRE(conflicting_copy, CONFLICTING_COPY, !ANY_RUNS_ON(0, owner) && !((page[0].filling | page[1].filling) & BIT(owner)));
            page[1].latest = page[1].latest | (LATEST_ON(0, owner) << (1 + owner))
        :: else
        fi;
#ifndef MUTANT_MOVE_KEEPS_COPIES
        sharers = 0;                                                                           /* they go with the old address */
#endif
        page[0].latest = 0;
        move_in(1)
    }
}

/*
 * A Java thread that moves a region to another address: RegionMove. It has the locks of all devices, and HostLock; what it waits for are faults, which wait for no Java thread, and kernels.
 *   1 the new pages become a region, which nobody was told of
 *   2 and are nobody's again: UNMAPPED, without a mapping, however they were touched meanwhile
 *   3 bring home what cannot go along: what several devices have, and what lies in an aperture
 *   4 take the old pages: UNMAPPED
 *   5 drop their mapping, wait for the launches that use them, copy what the host has
 *   6 settle what they were at the new address; a page of one device takes its frame along. Or put all back
 */
proctype RegionMover() {
    byte r, from, were, owner, sharers;
    bit aperture;
    atomic { JAVA && !device_lock[0] -> device_lock[0] = MOVE_LOCKS; if :: aperture = 0 :: aperture = 1 fi };
    atomic { JAVA && !device_lock[1] -> device_lock[1] = MOVE_LOCKS };
    atomic { JAVA -> page[1].latest = 1; set_empty(1) };                                       /* 1 */
    atomic { JAVA && !host_shared && !host_exclusive -> host_exclusive = 1 };
#ifndef MUTANT_MOVE_LEAVES_TARGET_OPEN
    atomic { JAVA && page[1].state != TO_HOST -> set_unmapped(1) };                            /* 2 */
#ifndef MUTANT_MOVE_LEAVES_TARGET_MAPPED
    page[1].map = NONE;
#endif
#endif
    do
    :: atomic { JAVA && IS_TIED(0) };
       fetch(0, 1, !IS_TIED(0), 0)                                                             /* 3 */
    :: atomic {
           JAVA && MAY_TAKE(0) && !IS_TIED(0) ->
           were = page[0].state;
           owner = page[0].owner;
           sharers = page[0].sharers;
           set_unmapped(0);                                                                    /* 4 */
           break
       }
    od;
#ifdef MUTANT_MOVE_COPIES_BEFORE_FORBIDDING
    copy_host_page();
#endif
#ifdef MUTANT_MOVE_SETTLES_BEFORE_FORBIDDING
    copy_host_page();
    settle_at_new_address();
#endif
    forbid_old();                                                                              /* 5 */
#ifndef MUTANT_MOVE_UNDER_KERNELS
    do
    :: r == LAUNCHERS -> break
#ifdef MUTANT_MOVE_UNDER_KERNELS_HERE
    :: r < LAUNCHERS && IS_HERE(launch[r].mode[0]) -> r++
#endif
    :: atomic { r < LAUNCHERS && !CONFLICTS(r, 0, 1, NO_DEVICE) -> r++ }
    od;
#endif
#if !defined(MUTANT_MOVE_COPIES_BEFORE_FORBIDDING) && !defined(MUTANT_MOVE_SETTLES_BEFORE_FORBIDDING)
    copy_host_page();
#endif
#ifndef MUTANT_MOVE_SETTLES_BEFORE_FORBIDDING
    if                                                                                         /* 6 */
    :: settle_at_new_address()                                                                 /* reach: moved */
    :: atomic {                                                                                /* reach: put-back */
           JAVA ->
           copied = 0;
           page[1].latest = 0;
#ifdef MUTANT_MOVE_PUTS_BACK_AS_HOST
           set_host_or_shared(0, 0)
#else
           move_in(0)
#endif
       }
    fi;
#endif
    atomic { r = 0; were = 0; owner = 0; sharers = 0; aperture = 0; copied = 0 };
    atomic { JAVA -> host_exclusive = 0; device_lock[0] = 0; device_lock[1] = 0 }
}
#endif

#ifdef FREES
#ifdef MUTANT_FREE_WITHOUT_DEVICE_LOCKS
#define FREE_LOCKS 0
#else
#define FREE_LOCKS 1
#endif

inline forbid_freed() {
    page[0].map = NONE
}

/* The host's memory goes, and what comes to lie there reads as zeros. */
inline release_host() {
    d_step {
        page[0].latest = page[0].latest | 1;
        page[0].written = 0
    }
}

/* Waits for the launches that use the page: those that are published behind the new word find no region. */
inline await_last_users() {
    do
    :: r == LAUNCHERS -> break
#ifdef MUTANT_FREE_UNDER_KERNELS
    :: r < LAUNCHERS -> r++
#endif
#ifdef MUTANT_FREE_UNDER_KERNELS_HERE
    :: r < LAUNCHERS && IS_HERE(launch[r].mode[0]) -> r++
#endif
    :: atomic { r < LAUNCHERS && !CONFLICTS(r, 0, 1, NO_DEVICE) -> r++ }
    od
}

/* With the device's lock, so that nothing is on its way there: the frame is another page's from then on. */
inline free_frame(d) {
    atomic { JAVA && !(FREE_LOCKS && device_lock[d]) -> device_lock[d] = device_lock[d] | FREE_LOCKS };
    d_step {
        REQUIRE(conflicting_copy, CONFLICTING_COPY, !ANY_RUNS_ON(0, d) && !((page[0].filling | page[0].draining) & BIT(d)));
        page[0].latest = WITHOUT(page[0].latest, 1 + d)
    };
    atomic { JAVA -> device_lock[d] = device_lock[d] & !FREE_LOCKS }
}

/*
 * A Java thread that frees a region, and another that is given its addresses: RegionChanges.
 *   1 with HostLock, UNMAPPED; a page that somebody has claimed for the host is waited for
 *   2 drop the mapping
 *   3 wait for the launches that use the page
 *   4 free the frames
 *   5 release the host's memory
 *   6 a new region: EMPTY
 */
proctype Freer() {
    byte r, d;
    atomic { JAVA && !host_shared && !host_exclusive -> host_exclusive = 1 };
#ifdef MUTANT_FREE_FORBIDS_FIRST
    forbid_freed();
#endif
    atomic { JAVA && MAY_TAKE(0) -> set_unmapped(0) };                                         /* 1 */
    atomic { JAVA -> host_exclusive = 0 };
#if !defined(MUTANT_FREE_KEEPS_MAPPING) && !defined(MUTANT_FREE_FORBIDS_FIRST)
    forbid_freed();                                                                            /* 2 */
#endif
#ifdef MUTANT_RELEASE_UNDER_KERNELS
    release_host();
#endif
    await_last_users();                                                                        /* 3 */
    do
    :: d < DEVICES -> free_frame(d); d++                                                       /* 4 */
    :: else -> break
    od;
#ifndef MUTANT_RELEASE_UNDER_KERNELS
    release_host();                                                                            /* 5 */
#endif
    if
    :: atomic { JAVA -> set_empty(0) }                                                         /* reach: allocated-again */
    :: skip                                                                                    /* reach: nobodys */
    fi;
    atomic { r = 0; d = 0 }
}
#endif
