/*
 * What is known of a block of pages: block.h and resident.c, as a model that spin checks exhaustively. README.md says how.
 *
 * Who takes part                                                in the runtime
 *   Changer    takes a page away from the device, gives it back   whoever claims, protects or pins, in Java and in C
 *   Launcher   goes by what is noted, else looks at each word     the launch gate
 *
 * A launch that goes by what is noted must be as right as one that had seen all the words at that moment. That what it
 * finds word by word is enough is the business of page-protocol.pml.
 */

#define PAGES 2
#define CHANGERS 2
#define TURNS 1
#define LAUNCHERS 2
#define LOOKS 2

bool there[PAGES] = true;
byte changing;      /* the count of the block: who is in the middle of a change, */
byte changed;       /* and how many were made */
bool noted;         /* what a launch has found, */
byte noted_at;      /* and the count that the block had before */

inline begin_change() {
#ifndef MUTANT_SAY_SO_AFTERWARDS
    changing++
#else
    skip
#endif
}

inline end_change() {
#if defined(MUTANT_SAY_SO_AFTERWARDS)
    changed++
#elif defined(MUTANT_SAY_SO_BEFORE)
    skip
#else
    atomic { changing--; changed++ }
#endif
}

active [CHANGERS] proctype Changer()
{
    byte turn, at;
    do
    :: turn == TURNS -> break
    :: else ->
        if
        :: at = 0
        :: at = 1
        fi;
        begin_change();
#ifdef MUTANT_SAY_SO_BEFORE
        atomic { changing--; changed++ };
#endif
        if
        :: atomic { there[at] -> there[at] = false };
            end_change();
            there[at] = true        /* who gives takes nothing away, and says nothing */
        :: atomic { !there[at] -> skip };
            end_change()            /* somebody else was quicker */
        fi;
        turn++
    od
}

active [LAUNCHERS] proctype Launcher()
{
    byte look, i, before;
    bool known, middle;
    do
    :: look == LOOKS -> break
    :: else ->
        atomic { known = noted; before = noted_at };
        atomic {
            known = known && before == changed && changing == 0;
            if
            :: known -> assert(there[0] && there[1])    /* reach: goes-by-what-is-noted */
            :: else
            fi
        };
        if
        :: known
        :: else ->
            atomic { before = changed; middle = changing != 0 };
            i = 0;
            do
            :: i == PAGES -> break
            :: i < PAGES ->
                if
                :: there[i] -> i++
                :: else -> break
                fi
            od;
            if
            :: i == PAGES && !middle ->
                atomic { noted = true; noted_at = before }      /* reach: notes */
            :: else
            fi
        fi;
        look++
    od
}
