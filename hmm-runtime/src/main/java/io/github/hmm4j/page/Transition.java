package io.github.hmm4j.page;

import static io.github.hmm4j.page.PageState.DEVICE;
import static io.github.hmm4j.page.PageState.EMPTY;
import static io.github.hmm4j.page.PageState.HOST;
import static io.github.hmm4j.page.PageState.PEERS;
import static io.github.hmm4j.page.PageState.POISONED;
import static io.github.hmm4j.page.PageState.SHARED;
import static io.github.hmm4j.page.PageState.TO_DEVICE;
import static io.github.hmm4j.page.PageState.TO_HOST;
import static io.github.hmm4j.page.PageState.UNMAPPED;

import java.util.EnumSet;
import java.util.Set;

/// Every change a page word can go through.
///
/// | transition | from -> to | who may | undone by |
/// | --- | --- | --- | --- |
/// | `FIRST_TOUCH` | `EMPTY -> HOST` | host access, write | - |
/// | `CLAIM_FOR_DEVICE` | `EMPTY, HOST, SHARED -> TO_DEVICE` | migrator | `RELEASE`, `ABORT` |
/// | `COMMIT_SHARED` | `TO_DEVICE -> SHARED` | the claimer, read intent | host write, eviction |
/// | `COMMIT_DEVICE` | `TO_DEVICE -> DEVICE` | the claimer, write intent | fetch, `TAKE_BACK` |
/// | `RELEASE` | `TO_DEVICE ->` what it was | the claimer, when it gives up | - |
/// | `TAKE_BACK` | `DEVICE -> EMPTY, HOST, SHARED` | the gate: a launch that was going to overwrite the page, and is withdrawn before anybody could bring it home | - |
/// | `ABORT` | `TO_DEVICE -> HOST, SHARED` | host access that the claim forbids; the claimer's copy is wasted | - |
/// | `CLAIM_FOR_HOST` | `DEVICE, SHARED, TO_DEVICE -> TO_HOST`; native code from any state but `TO_HOST` and `UNMAPPED` | host access, eviction; a fault, for the mapping alone | `RESTORE` |
/// | `LAND_SHARED` | `TO_HOST -> SHARED` | the claimer, read intent | - |
/// | `LAND_HOST` | `TO_HOST -> HOST` | the claimer, write intent | - |
/// | `RESTORE` | `TO_HOST -> DEVICE, SHARED`; native code to what it was | the claimer, when the copy failed or there was none to make | - |
/// | `DROP_COPY` | `SHARED -> SHARED, HOST` | eviction of a copy that the host has, too | - |
/// | `DROP_PEER` | `PEERS -> PEERS, DEVICE` | eviction of a copy that other devices have, too | - |
/// | `UNDO` | `TO_HOST -> EMPTY, HOST, SHARED` | a launch that moved the page here and then did not happen | - |
/// | `DISCARD` | any unclaimed, or `TO_DEVICE`, `-> EMPTY` | the program: contents are dead | - |
/// | `PROTECT` | any unclaimed -> itself | the program | - |
/// | `MARK_READ` | `EMPTY -> EMPTY` | host access, read: remembered as the zero page | - |
/// | `POISON` | `TO_HOST, DEVICE -> POISONED` | whoever finds the device lost, or that the kernel failed which was to write the page | `DISCARD` |
/// | `UNMAP` | any but `TO_HOST` `-> UNMAPPED` | the program frees the page | - |
/// | `MAP` | `UNMAPPED -> EMPTY` | the program allocates at this address again | - |
/// | `MOVE_IN` | `UNMAPPED -> EMPTY, HOST, SHARED, DEVICE, PEERS, POISONED` | the program moves a region: its pages in their new place, or in the old one if that fails | - |
///
/// Native code makes and ends all `TO_HOST` claims, from more states than the rows say: a fault claims a page of any state to install its mapping, and what goes from device to device (`peer.c`) is
/// claimed so, too, and becomes `DEVICE` or `PEERS`; and so is what a launch is going to overwrite and others have, from its publication until its kernel is enqueued (`overwrite.c`). What Java changes is checked here; what only native code does is here for the drawing, and for tests, which make words by it.
public enum Transition {
    FIRST_TOUCH(EnumSet.of(EMPTY), EnumSet.of(HOST)),
    CLAIM_FOR_DEVICE(EnumSet.of(EMPTY, HOST, SHARED), EnumSet.of(TO_DEVICE)),
    COMMIT_SHARED(EnumSet.of(TO_DEVICE), EnumSet.of(SHARED)),
    COMMIT_DEVICE(EnumSet.of(TO_DEVICE), EnumSet.of(DEVICE)),
    RELEASE(EnumSet.of(TO_DEVICE), EnumSet.of(EMPTY, HOST, SHARED)),
    TAKE_BACK(EnumSet.of(DEVICE), EnumSet.of(EMPTY, HOST, SHARED)),
    ABORT(EnumSet.of(TO_DEVICE), EnumSet.of(HOST, SHARED)),
    CLAIM_FOR_HOST(EnumSet.of(DEVICE, SHARED, TO_DEVICE), EnumSet.of(TO_HOST)),
    LAND_SHARED(EnumSet.of(TO_HOST), EnumSet.of(SHARED)),
    LAND_HOST(EnumSet.of(TO_HOST), EnumSet.of(HOST)),
    RESTORE(EnumSet.of(TO_HOST), EnumSet.of(DEVICE, SHARED)),
    DROP_COPY(EnumSet.of(SHARED), EnumSet.of(SHARED, HOST)),
    DROP_PEER(EnumSet.of(PEERS), EnumSet.of(PEERS, DEVICE)),
    UNDO(EnumSet.of(TO_HOST), EnumSet.of(EMPTY, HOST, SHARED)),
    DISCARD(EnumSet.of(EMPTY, HOST, SHARED, DEVICE, PEERS, TO_DEVICE, POISONED), EnumSet.of(EMPTY)),
    PROTECT(EnumSet.of(EMPTY, HOST, SHARED, DEVICE, PEERS, POISONED), EnumSet.of(EMPTY, HOST, SHARED, DEVICE, PEERS, POISONED)),
    MARK_READ(EnumSet.of(EMPTY), EnumSet.of(EMPTY)),
    POISON(EnumSet.of(TO_HOST, DEVICE), EnumSet.of(POISONED)),
    UNMAP(EnumSet.complementOf(EnumSet.of(TO_HOST, UNMAPPED)), EnumSet.of(UNMAPPED)),
    MAP(EnumSet.of(UNMAPPED), EnumSet.of(EMPTY)),
    MOVE_IN(EnumSet.of(UNMAPPED), EnumSet.of(EMPTY, HOST, SHARED, DEVICE, PEERS, POISONED));

    private final int from; // bit s for state s
    private final int to;

    Transition(Set<PageState> from, Set<PageState> to) {
        this.from = bits(from);
        this.to = bits(to);
    }

    private static int bits(Set<PageState> states) {
        return states.stream().mapToInt(state -> 1 << state.ordinal()).sum();
    }

    /// Whether this may take a page from one state to another.
    public boolean allows(PageState source, PageState target) {
        boolean listed = (from >>> source.ordinal() & to >>> target.ordinal() & 1) != 0;
        return listed && (this != PROTECT || source == target);
    }
}
