/*
 * Kernels of several devices that use host pages in place: await_those_before of inflight.c, as a model
 * that spin checks exhaustively. README.md says how.
 *
 * Who takes part                                                in the runtime
 *   Launch     publishes, brings pages home if it insists (then   the launch gate
 *              all that use them are waited for), waits for its
 *              turn, runs; or is withdrawn and made anew
 *
 * No word says which device has a page, so launches must not run at a time that share one which either writes, and must
 * not wait for each other for ever. Nobody gives up because time is over: that is for kernels that never end.
 */

#define LAUNCHES 3
#define PAGES 2

mtype = { NONE, PUBLISHED, INSISTING, RUNNING }

mtype state[LAUNCHES] = NONE;
byte uses[LAUNCHES];                    /* a bit for each page */
bool writes[LAUNCHES];
bool before[LAUNCHES * LAUNCHES];       /* [a * LAUNCHES + b]: b was published when a was, and is the same launch still */
bool claimed[PAGES];
bool insisting;                         /* the lock of those who insist */

#define DEVICE(l)       ((l) % 2)       /* two launches on one device: its queue keeps them in order */
#define BESIDE(a, b)    (DEVICE(a) != DEVICE(b) && (uses[a] & uses[b]) && (writes[a] || writes[b]))
#define UNDER_WAY(l)    (state[l] != NONE)

inline note_those_before() {
    d_step {
        i = 0;
        do
        :: i < LAUNCHES -> before[me * LAUNCHES + i] = UNDER_WAY(i); i++
        :: else -> break
        od;
        i = 0
    }
}

inline end() {
    d_step {
        state[me] = NONE;
        i = 0;
        do
        :: i < LAUNCHES -> before[i * LAUNCHES + me] = false; i++
        :: else -> break
        od;
        i = 0
    }
}

inline wait_until_unused(page) {        /* a claim that waits for launches, whatever they do with the page */
    i = 0;
    do
    :: i < LAUNCHES ->
        if
        :: i != me -> !(UNDER_WAY(i) && (uses[i] & (1 << page)))
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0
}

proctype Launch(byte me)
{
    byte i, page;
    bool insists, passes;
    do
    ::  if
        :: insists = false
        :: insists = true;
            atomic { !insisting -> insisting = true }
        fi;
#ifdef MUTANT_ORDER_BEFORE_PUBLISHING
        note_those_before();
        state[me] = (insists -> INSISTING : PUBLISHED);
#else
        atomic { note_those_before(); state[me] = (insists -> INSISTING : PUBLISHED) };
#endif
        passes = true;
        page = 0;
        do
        :: page == PAGES -> break
        :: page < PAGES && !(uses[me] & (1 << page)) -> page++
        :: page < PAGES && (uses[me] & (1 << page)) && !insists -> atomic { passes = passes && !claimed[page]; page++ }
        :: page < PAGES && (uses[me] & (1 << page)) && insists ->
            if
            :: claimed[page] = true;            /* it is not at home; and only one insists at a time */
                wait_until_unused(page);
                claimed[page] = false           /* reach: brings-home */
            :: skip
            fi;
            page++
        od;
        page = 0;
        i = 0;
        do
        :: passes && i < LAUNCHES ->
#ifdef MUTANT_WAIT_FOR_ALL
            if
            :: i == me || !UNDER_WAY(i) || !BESIDE(me, i) -> i++
            fi
#else
            if
            :: !(before[me * LAUNCHES + i] && BESIDE(me, i)) -> i++
#ifndef MUTANT_WAIT_FOR_INSISTING
            :: before[me * LAUNCHES + i] && BESIDE(me, i) && state[i] == INSISTING -> passes = false    /* reach: gives-way */
#endif
            fi
#endif
        :: else -> break
        od;
        if
        :: passes ->
            atomic {
                state[me] = RUNNING;
                if
                :: insists -> insisting = false
                :: else
                fi;
                i = 0;
                do
                :: i < LAUNCHES -> assert(i == me || state[i] != RUNNING || !BESIDE(me, i)); i++
                :: else -> break
                od;
                i = 0
            };
            end();
            break
        :: else ->
            assert(!insists);           /* nobody before it can insist */
            end()
        fi
    od
}

init {
    byte l;
    atomic {
        do
        :: l == LAUNCHES -> break
        :: l < LAUNCHES ->
            if
            :: uses[l] = 1
            :: l > 0 -> uses[l] = 2     /* pages are alike */
            :: uses[l] = 3
            fi;
            if
            :: writes[l] = true
            :: writes[l] = false
            fi;
            l++
        od;
        run Launch(0);
        run Launch(1);
        run Launch(2)
    }
}
