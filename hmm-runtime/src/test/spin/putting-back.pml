/*
 * What becomes of touches that a thread of the crew has read together with one that makes it wait: serve, promote and put_back (fault.c, crew.c, uffd.c, requests.c); as a model that spin
 * checks exhaustively. README.md says how.
 *
 * Who takes part                                            in the runtime
 *   Toucher   loads or stores, and sleeps until it is woken    any thread
 *   Crew      one leads, and reads all touches that are there; threads of the fault path
 *             serves them one by one
 *   Claimer   claims a page, takes its mapping away or not,    a fetch, a discard
 *             settles, wakes
 *   Launch    uses one page; may last until every touch of     a launch, insistent or not, in flight
 *             the other page has been served
 *
 * Without -DREQUESTS the trap is userfaultfd: a touch sleeps in the kernel, its message may be dropped, and to put it back is to wake the thread, which touches again. With it the trap is a
 * signal: a touch is a request on the stack of its thread, which is in the crew's list or in the hands of one of the crew, and whose memory is gone once it is answered.
 */

#define TOUCHERS 3
#define PAGE_OF(t) ((t) > 0)   /* 1 and 2 touch page 1 */

#define NONE 0
#define READ_ONLY 1
#define READ_WRITE 2

/* Of a touch. */
#define NOWHERE 0
#define LISTED 1   /* not read yet */
#define IN_HANDS 2

/* Of the launch. */
#define UNDECIDED 1 /* and insists */
#define RUNNING 2
#define OVER 3

bool claimed[2];
byte map[2];
bool asleep[TOUCHERS];
byte where[TOUCHERS];
bool writes[TOUCHERS];
bool done[TOUCHERS];
bool led;
byte used;     /* the page that the launch uses */
byte phase;

#define ENOUGH(t) (map[PAGE_OF(t)] >= READ_ONLY + writes[t])
#define IS_LISTED(t) (where[t] == LISTED)
#define BIT(t) (1 << (t))

/* Everybody who sleeps on a page. */
inline wake(page) {
#ifndef REQUESTS
    d_step {
        asleep[0] = asleep[0] && page != 0;
        asleep[1] = asleep[1] && page != 1;
        asleep[2] = asleep[2] && page != 1
    }
#else
    skip
#endif
}

proctype Toucher(byte t) {
    writes[t] = (t == 2); /* so that one touch of page 1 may be served by what is not enough for the other */
    do
    :: atomic { ENOUGH(t) -> done[t] = 1; break }
    :: atomic { !ENOUGH(t) -> asleep[t] = 1; where[t] = LISTED };
       !asleep[t]                                                                              /* reach: woken */
    od
}

/* The touch is made again. */
inline put_back(s) {
#ifdef REQUESTS
    d_step { assert(where[s] == IN_HANDS); where[s] = LISTED }
#elif defined(MUTANT_PUT_BACK_UNLESS_MAPPED)
    if
    :: map[PAGE_OF(s)] == NONE -> wake(PAGE_OF(s))
    :: map[PAGE_OF(s)] != NONE
    fi
#else
    wake(PAGE_OF(s))
#endif
}

/* To be called before a wait: what was read and not begun is put back, and another leads. */
inline promote(t) {
#ifdef MUTANT_PUT_BACK_WHAT_IS_SERVED
    mine = mine | BIT(t);
#endif
#ifndef MUTANT_WAIT_WITH_THE_REST
    s = 0;
    do
    :: s == TOUCHERS -> break
#ifndef MUTANT_FORGET_THE_REST
    :: s < TOUCHERS && (mine & BIT(s)) -> put_back(s); s++
#endif
    :: s < TOUCHERS && !(mine & BIT(s)) -> s++
#ifdef MUTANT_FORGET_THE_REST
    :: s < TOUCHERS && (mine & BIT(s)) -> s++
#endif
    od;
#ifndef MUTANT_SERVE_WHAT_WAS_PUT_BACK
    mine = 0;
#endif
    s = 0;
#endif
#ifndef MUTANT_KEEP_THE_LEAD
    d_step { led = led && !leads; leads = 0 }
#endif
}

inline answer(t) {
#ifdef REQUESTS
    d_step { assert(where[t] == IN_HANDS); where[t] = NOWHERE; asleep[t] = 0 }
#else
    skip
#endif
}

/* fetch_for_fault and what calls it. */
inline serve(t) {
    do
    :: atomic { claimed[PAGE_OF(t)] -> skip };
#ifdef REQUESTS
       promote(t);
       !claimed[PAGE_OF(t)];                                                                   /* reach: waits-for-a-claim */
#endif
       break                                                                                   /* reach: leaves-it */
    :: atomic { !claimed[PAGE_OF(t)] -> claimed[PAGE_OF(t)] = 1 };
       if
#ifdef REQUESTS
       :: used == PAGE_OF(t) && phase == UNDECIDED ->
           claimed[PAGE_OF(t)] = 0;
           wake(PAGE_OF(t));
           promote(t);
           phase != UNDECIDED                                                                  /* reach: waits-for-a-decision */
#endif
       :: used == PAGE_OF(t) && phase == RUNNING ->
           promote(t);
           phase == OVER;                                                                      /* reach: waits-for-a-launch */
           map_and_settle(t);
           break
       :: else ->
           map_and_settle(t);
           break
       fi
    od;
    answer(t)
}

/* By the claim, whose page nobody changes: what the touch wants, and what is there already. */
inline map_and_settle(t) {
    if
    :: map[PAGE_OF(t)] < READ_ONLY + writes[t] -> map[PAGE_OF(t)] = READ_ONLY + writes[t]
    :: else                                                                                    /* reach: finds-it-mapped */
    fi;
    claimed[PAGE_OF(t)] = 0;
    wake(PAGE_OF(t))
}

proctype Crew() {
    byte mine, s; /* what was read and is not begun */
    bool leads;
end:
    do
    :: atomic { !led -> led = 1; leads = 1 };
end_of_all:
       do
       :: atomic {
              leads && mine == 0 && (IS_LISTED(0) || IS_LISTED(1) || IS_LISTED(2)) ->
              s = 0;
              do
              :: s < TOUCHERS && IS_LISTED(s) -> where[s] = IN_HANDS; mine = mine | BIT(s); s++
              :: s < TOUCHERS && !IS_LISTED(s) -> s++
              :: s == TOUCHERS -> break
              od;
              s = 0
          };
          if
          :: d_step { led = 0; leads = 0 }                                                     /* many: another leads at once */
          :: skip
          fi
       :: mine & BIT(0) -> mine = mine & ~BIT(0); serve(0)
       :: !(mine & BIT(0)) && (mine & BIT(1)) -> mine = mine & ~BIT(1); serve(1)
       :: !(mine & (BIT(0) | BIT(1))) && (mine & BIT(2)) -> mine = mine & ~BIT(2); serve(2)
       :: !leads && mine == 0 -> break                                                         /* reach: stands-by */
       od
    od
}

proctype Claimer() {
    byte p;
    if :: p = 0 :: p = 1 fi;
    atomic { !claimed[p] -> claimed[p] = 1 };
    if
    :: map[p] = NONE
    :: skip
    fi;
    claimed[p] = 0;
    wake(p)
}

proctype Launch() {
    if :: used = 0 :: used = 1 fi;
    if
#ifdef REQUESTS
    :: phase = UNDECIDED; atomic { !claimed[used] -> phase = RUNNING }
#endif
    :: phase = RUNNING
    fi;
    if
    :: used == 0 -> done[1] && done[2]
    :: used == 1 -> done[0]
    fi;
    phase = OVER
}

init {
    atomic {
        run Toucher(0);
        run Toucher(1);
        run Toucher(2);
        /* Whoever promotes makes a new thread where none is idle: as many as can wait at a time, and one. */
        run Crew();
        run Crew();
#ifdef REQUESTS
        run Crew();
#endif
        if
        :: run Claimer()
        :: run Launch()
        fi
    };
    done[0] && done[1] && done[2]
}
