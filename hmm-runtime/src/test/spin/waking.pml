/*
 * How touches that sleep are woken: the messages of userfaultfd, which uffd.c reads and fault.c drops where somebody else has the page claimed; as a model that spin checks exhaustively.
 * README.md says how. Everywhere else waiting is a condition that becomes true.
 *
 * Who takes part                                            in the runtime
 *   Toucher   loads or stores; the kernel puts it to sleep     any thread
 *   Crew      reads a message and serves it                    threads of the fault path
 *   Claimer   claims the page, takes its mapping away or       a fetch, a discard, an insistent launch
 *             not, settles, wakes
 */

#define TOUCHERS 2

#define NONE 0
#define READ_ONLY 1
#define READ_WRITE 2

bool claimed;
byte map = NONE;
bool asleep[TOUCHERS];
bool message[TOUCHERS];      /* not read yet */
bool writes[TOUCHERS];
byte done;

#define ENOUGH(t) (map >= READ_ONLY + writes[t])

inline wake() {
    d_step { asleep[0] = 0; asleep[1] = 0 }
}

/* A thread is asleep before anybody can read its message. */
proctype Toucher(byte t) {
    if :: writes[t] = 0 :: writes[t] = 1 fi;
    do
    :: atomic { ENOUGH(t) -> done++; break }
    :: atomic { !ENOUGH(t) -> asleep[t] = 1; message[t] = 1 };
       !asleep[t]                                                                              /* reach: woken */
    od
}

/* fetch_for_fault: a page that somebody has claimed is left to him, who wakes. Else claim, map, settle, wake. */
inline serve(t) {
#ifdef MUTANT_LOOK_BEFORE_READING
    if
    :: busy -> busy = 0
    :: atomic { !busy && !claimed -> claimed = 1 };
#else
    if
    :: atomic { claimed };                                                                     /* reach: dropped */
    :: atomic { !claimed -> claimed = 1 };
#endif
       if
       :: map < READ_ONLY + writes[t] -> map = READ_ONLY + writes[t]
       :: else
       fi;
#ifdef MUTANT_WAKE_BEFORE_SETTLING
       wake();
       claimed = 0
#else
       claimed = 0;
       wake()
#endif
    fi
}

proctype Crew() {
    byte first;
#ifdef MUTANT_LOOK_BEFORE_READING
    bool busy;
#endif
end:
    do
#ifdef MUTANT_LOOK_BEFORE_READING
    :: busy = claimed;
       if
       :: atomic { message[0] -> message[0] = 0; first = 0 }
       :: atomic { message[1] -> message[1] = 0; first = 1 }
       fi;
       serve(first)
#else
    :: atomic { message[0] -> message[0] = 0; first = 0 };
       serve(first)
    :: atomic { message[1] -> message[1] = 0; first = 1 };
       serve(first)
#endif
    od
}

proctype Claimer() {
    atomic { !claimed -> claimed = 1 };
    if
    :: map = NONE
    :: skip
    fi;
#ifdef MUTANT_WAKE_BEFORE_SETTLING
    wake();
    claimed = 0
#else
    claimed = 0;
#ifndef MUTANT_CLAIMER_WAKES_NOBODY
    wake()                                                                                     /* reach: wakes */
#endif
#endif
}

init {
    atomic {
        run Toucher(0);
        run Toucher(1);
        run Crew();
        run Crew();
        run Claimer()
    };
    done == TOUCHERS
}
