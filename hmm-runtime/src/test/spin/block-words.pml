/*
 * What stands for the words of a block that nobody has written yet: block.h and PageTable.java, as a model that spin
 * checks exhaustively. README.md says how.
 *
 * Who takes part                                                       in the runtime
 *   Owner     frees, protects and allocates, one change at a time      RegionChanges, under its lock or of pages that nobody has
 *   Toucher   touches a page to write it: claims, maps, settles        a fault, which takes no lock
 *   Looker    reads a word                                             whoever decides by a word alone
 *
 * The block is that of one region or of none, or its first page is of a region and the others are of none.
 */

#define PAGES 2
#ifndef CHANGES
#define CHANGES 3
#endif
#ifndef TOUCHERS
#define TOUCHERS 1
#endif
#ifndef LOOKERS
#define LOOKERS 1
#endif

/* A word: 0 and two more that a block stands for, and those that only a written word can have. */
#define ZERO 0              /* EMPTY, to be read and written, version 0 */
#define BLOCK_UNMAPPED 1
#define BLOCK_READ_ONLY 2
#define UNMAPPED 3
#define EMPTY 4
#define READ_ONLY 5
#define CLAIMED 6
#define HOST 7

#define without_region(w) (w == BLOCK_UNMAPPED || w == UNMAPPED)
#define may_write(w) (w == ZERO || w == EMPTY || w == HOST)
#define of_a_block(w) (w <= BLOCK_READ_ONLY)

byte words[PAGES];
byte kind;              /* the count of the block: what its words are, as one of them, */
bool written, writing;  /* and whether they say it themselves, or are about to */
bool mapped[PAGES];

/* Not in the runtime: what must hold. */
bool gone[PAGES];       /* the page has no region, and whoever took it away has changed its word */
bool fixed[PAGES];      /* the same for being written */
byte changes;           /* by the owner; odd while one is under way */
bool ended;

inline load(p, w) {
    w = words[p];
    if
    :: w != ZERO
    :: else ->
        atomic { w = kind; seen = written };
        if
        :: !seen
        :: else ->
#ifndef MUTANT_LOOK_ONCE
            w = words[p]    /* reach: written-while-looking */
#else
            w = ZERO
#endif
        fi;
        seen = false
    fi
}

inline write_out() {
    do
    :: atomic { says = kind; seen = written; half = writing };
        if
        :: seen -> atomic { says = 0; seen = false; half = false; i = 0; break }
        :: !seen && says != ZERO && !half ->
#ifdef MUTANT_SAY_SO_FIRST
            atomic {
                if
                :: !written && !writing && kind == says -> written = true; kind = ZERO; half = true
                :: else
                fi
            }
            if
            :: half ->
                i = 0;
                do
                :: i == PAGES -> break
                :: else -> atomic { if :: words[i] == ZERO -> words[i] = says :: else fi; i++ }
                od
            :: else
            fi
#else
            atomic {
                if
                :: !written && !writing && kind == says -> writing = true
                :: else
                fi
            }
#endif
        :: else ->
            i = 0;
            do
            :: i == PAGES || says == ZERO -> break
            :: else -> atomic { if :: words[i] == ZERO -> words[i] = says :: else fi; i++ }
            od;
            i = 0;
            atomic {
                if
                :: !written && kind == says && writing == half -> written = true; kind = ZERO; writing = false     /* reach: written-out */
                :: else                                                                                            /* reach: somebody-else-wrote-it-out */
                fi
            }
        fi
    od
}

/* Compare and set; `done` says whether it was. */
inline change(p, w, next) {
    done = true;
#ifndef MUTANT_DO_NOT_WRITE_OUT
    if
    :: of_a_block(w) ->
        atomic { done = written || kind == w };
        if
        :: done -> write_out()
        :: else
        fi
    :: else
    fi;
#endif
    if
    :: done ->
        atomic {
            if
            :: words[p] == w -> words[p] = next
            :: else -> done = false
            fi
        }
    :: else
    fi
}

/* All words of the block at once; `done` says whether. */
inline set_block(w) {
#ifdef MUTANT_SET_IN_TWO_STEPS
    done = !written && !writing;
    if
    :: done -> kind = w
    :: else
    fi
#else
    atomic {
#ifdef MUTANT_SET_WHILE_IN_WRITING
        done = !written;
#else
        done = !written && !writing;
#endif
        if
        :: done -> kind = w         /* reach: all-at-once */
        :: else
        fi
    }
#endif
}

inline set_word(p, to) {
    do
    :: load(p, w);
        if
        :: w == CLAIMED -> words[p] != CLAIMED
        :: w != CLAIMED && w == to -> break
        :: else ->
            change(p, w, to);
            if
            :: done -> break
            :: else
            fi
        fi
    od
}

/* Words first, then mappings; of a block that is not written there are none. */
inline take_away(block, word) {
    set_block(block);
    if
    :: done
    :: else ->
        p = 0;
        do
        :: p == PAGES -> break
        :: else -> set_word(p, word); p++       /* reach: page-by-page */
        od
    fi;
    p = 0;
    do
    :: p == PAGES -> break
    :: else ->
        atomic {
            if
            :: block == BLOCK_UNMAPPED -> gone[p] = true
            :: else -> fixed[p] = true
            fi;
            if
            :: written -> mapped[p] = false
            :: else
            fi;
            assert(!mapped[p]);
            p++
        }
    od
}

inline give(pages) {
    p = 0;
    do
    :: p == pages -> break
    :: else -> atomic { gone[p] = false; fixed[p] = false; p++ }
    od;
    if
    :: pages == PAGES -> set_block(ZERO)
    :: else -> done = false
    fi;
    if
    :: done
    :: else ->
        p = 0;
        do
        :: p == pages -> break
        :: else ->
            load(p, w);
            if
            :: without_region(w) || w == READ_ONLY || w == BLOCK_READ_ONLY -> set_word(p, EMPTY)
            :: else
            fi;
            p++
        od
    fi
}

active proctype Owner()
{
    byte w, i, p, says, n;
    bool seen, half, done, whole = true;
    do
    :: n == CHANGES -> break
    :: else ->
        changes++;
        if
        :: gone[1] && gone[0] ->
            if
            :: give(PAGES); whole = true
            :: give(1); whole = false           /* reach: a-part */
            fi
        :: whole && !gone[0] ->
            if
            :: take_away(BLOCK_UNMAPPED, UNMAPPED)
            :: fixed[0] -> give(PAGES)
            :: !fixed[0] -> take_away(BLOCK_READ_ONLY, READ_ONLY)
            fi
        :: !whole && !gone[0] ->                /* the first page alone */
            set_word(0, UNMAPPED);
            atomic { gone[0] = true; mapped[0] = false }
        fi;
        atomic { changes++; n++; w = 0; p = 0; done = false }
    od;
    ended = true
}

active [TOUCHERS] proctype Toucher()
{
    byte w, i, p, says;
    bool seen, half, done, late;
    if
    :: p = 0
    :: p = 1
    fi;
    late = ended;
    do
    :: load(p, w);
        if
        :: w == CLAIMED -> words[p] != CLAIMED
        :: w != CLAIMED && !may_write(w) ->
            assert(!late || gone[p] || fixed[p]);       /* reach: refused */
            atomic { w = 0; p = 0; done = false; late = false; break }
        :: else ->
            change(p, w, CLAIMED);
            if
            :: done ->
                assert(!gone[p] && !fixed[p]);
                mapped[p] = true;                       /* reach: mapped */
                atomic { words[p] = HOST; w = 0; p = 0; done = false; late = false; break }
            :: else
            fi
        fi
    od
}

active [LOOKERS] proctype Looker()
{
    byte w, p, at;
    bool seen;
    if
    :: p = 0
    :: p = 1
    fi;
    at = changes;
    load(p, w);
    atomic {
        if
        :: at == changes && at % 2 == 0 -> assert(without_region(w) == gone[p])     /* reach: looked */
        :: else
        fi;
        w = 0; p = 0; at = 0
    }
}
