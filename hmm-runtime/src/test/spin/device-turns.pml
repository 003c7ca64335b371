/*
 * Whose turn it is where kernels of two devices take pages from each other (device_turn.c). README.md says how this is checked.
 *
 * A thread of each device makes instructions that need both pages at once; who has not got them faults on one of those that it lacks. Serving is one step here: faulting-device.pml has what it is made of. The host
 * takes a page now and then. A thread is as old as its oldest fault for the instruction that it is at.
 */

#ifndef INSTRUCTIONS
#define INSTRUCTIONS 3
#endif
#define HOST_TAKES 2
#define NOBODY 2
/* Faults of one instruction: two of its own, two after the other thread's whole instruction, and as many as the host makes necessary. */
#define MOST (4 + HOST_TAKES)

byte owner[2];
byte series[2];  /* 0: not in a fault for an instruction, and through */
byte faults[2];  /* for the instruction that it is at */
byte left;       /* threads that have instructions left */

#define OTHER(me) (1 - (me))
#ifdef MUTANT_KEEP_NOTHING
#define KEPT(me, p) false
#elif defined(MUTANT_KEEP_FROM_ALL)
#define KEPT(me, p) (owner[p] == OTHER(me) && series[OTHER(me)])
#elif defined(MUTANT_KEEP_FROM_OLDER)
#define KEPT(me, p) (owner[p] == OTHER(me) && series[OTHER(me)] > series[me])
#else
#define KEPT(me, p) (owner[p] == OTHER(me) && series[OTHER(me)] && series[OTHER(me)] < series[me])
#endif

/* Only the order of the two matters. */
inline begin_series(me) {
    if
    :: series[OTHER(me)] -> series[OTHER(me)] = 1; series[me] = 2
    :: else -> series[me] = 1
    fi
}

proctype Thread(byte me) {
    byte done, p;
    do
    :: done < INSTRUCTIONS ->
        do
        :: atomic { owner[0] == me && owner[1] == me -> series[me] = 0; faults[me] = 0; break }                   /* reach: through */
        :: atomic {
               owner[0] != me || owner[1] != me ->
               if :: owner[0] != me -> p = 0 :: owner[1] != me -> p = 1 fi;
#ifdef MUTANT_YOUNGER_WITH_EACH_FAULT
               begin_series(me);
#else
               if :: !series[me] -> begin_series(me) :: else fi;
#endif
               if :: faults[me] <= MOST -> faults[me]++ :: else fi;
               assert(faults[me] <= MOST)
           };
           if
           :: atomic { !KEPT(me, p) -> owner[p] = me; p = 0 }                                                        /* reach: taken */
           fi
        od;
        done++
    :: else -> break
    od;
    left--
}

proctype Host() {
    byte taken;
    do
    :: atomic { taken < HOST_TAKES && left -> taken++; owner[0] = NOBODY }
    :: atomic { taken < HOST_TAKES && left -> taken++; owner[1] = NOBODY }
    :: break                                                                                        /* reach: host */
    od
}

init {
    atomic {
        owner[0] = NOBODY;
        owner[1] = NOBODY;
        left = 2;
        run Thread(0);
        run Thread(1);
        run Host()
    }
}
