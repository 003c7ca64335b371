package io.github.hmm4j.migrate;

import io.github.hmm4j.account.Cause;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.space.PageRange;
import io.github.hmm4j.space.Protection;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What is done to pages under a claim that others must wait for, and to the host's mappings.
///
/// It is native code: each claim is made, carried out and released in one native call, and where the program reaches pages by its own pointers, the host's mapping is kept in step with the page words.
///
/// Threads: any.
public interface HostSide {

    /// What the host's copy of pages is wanted for.
    enum Access {
        /// Read through a view: devices may keep their copy.
        READ_VIEW(false, true, false),
        /// Write through a view: the host's copy is the only one.
        WRITE_VIEW(true, true, false),
        /// Make the host copy valid as well, whatever the protection.
        SHARE(false, false, false),
        /// Make the host copy the only one, whatever the protection.
        BRING_HOME(true, false, false),
        /// Let kernels read the host's pages where they are: like the third, and what nobody has touched is the host's
        /// from now on, with memory.
        READ_IN_PLACE(false, false, true),
        /// Let kernels write there, too.
        WRITE_IN_PLACE(true, false, true);

        private final boolean exclusive;
        private final boolean pins;
        private final boolean inPlace;

        Access(boolean exclusive, boolean pins, boolean inPlace) {
            this.exclusive = exclusive;
            this.pins = pins;
            this.inPlace = inPlace;
        }

        /// Whether the host's copy becomes the only one.
        public boolean isExclusive() {
            return exclusive;
        }

        /// Whether the pages are pinned, for a view.
        public boolean pins() {
            return pins;
        }

        /// Whether kernels are to use the host's pages.
        public boolean isInPlace() {
            return inPlace;
        }
    }

    /// Brings pages home and, for views, pins them: each page is pinned in the same step that makes it usable, and all of them or none.
    ///
    /// @throws io.github.hmm4j.error.AccessViolationException if a view's access is forbidden
    /// @throws io.github.hmm4j.error.PagePoisonedException    if contents are lost
    /// @throws io.github.hmm4j.error.DeviceLostException      if a device is lost; the pages that only it held are poisoned
    /// @throws io.github.hmm4j.error.HmmException             if a copy failed; those pages are where they were
    MigrationReport fetch(PageRange pages, Access access, Cause cause);

    /// Makes the host's copy the only one of pages that may lie apart: as [#fetch] of each range with [Access#BRING_HOME], but while some are copied others are on their way.
    ///
    /// @param ranges in ascending order, none touching another
    /// @throws io.github.hmm4j.error.HmmException as `fetch` does; then some of the pages have come, and the others are where they were or lost with their device
    void bringHome(List<PageRange> ranges, Cause cause);

    /// Brings pages that other devices have straight to this one, as far as nobody has claimed or uses them; those stay where they are. The pages have frames here. The caller holds the
    /// device's lock.
    ///
    /// @param crossing what the device gets of them
    /// @return what came; null if they have to go through the host
    /// @throws io.github.hmm4j.error.HmmException if a copy failed; those pages are where they were, or lost with their device
    @Nullable Crossed cross(DeviceMirror mirror, PageRange pages, Crossing crossing);

    /// What a device gets of pages, and what its frames say then.
    ///
    /// @param writes   it becomes their owner; else it gets a copy to read, and the others keep theirs
    /// @param regionId whose bytes the frames hold
    /// @param clock    of their last use
    record Crossing(boolean writes, int regionId, int clock, Cause cause) {}

    /// What has come.
    ///
    /// @param came by page of the range
    record Crossed(BitSet came, long bytes) {}

    /// Takes the pins of a view away.
    void unpin(PageRange pages, boolean write);

    /// Takes the host's permission to touch pages away, after they were claimed for a device. Done late, when the claim is lost already, it costs a fault and no more: what others have pinned meanwhile is left alone.
    ///
    /// @param keepReading only the permission to write
    void forbid(PageRange pages, boolean keepReading);

    /// What ordinary loads and stores may do from now on. To be called when the words say so already, also of pages that have a region again: then no error from before is left, for
    /// system calls neither.
    void setAccess(PageRange pages, Protection protection);

    /// Makes pages empty and gives their host memory back, in one step as seen by everybody who touches them. The caller holds the host lock exclusively.
    void discard(PageRange pages);

    /// Moves pages, all of which have frames, to others of the same device, with their contents where those are valid there; the frames that they had are free then. If this throws, some of the first pages have moved. The caller
    /// holds the device's lock, which is open meanwhile, and the host lock shared.
    ///
    /// @param frame the first of as many that lie in one piece and are nobody's
    void relocate(DeviceMirror mirror, PageRange pages, int frame);

    /// Gives pages back to the host that `moved` names, as far as nobody has used or moved them since. The caller holds the host lock shared.
    ///
    /// @return how many
    int takeBack(UndoLog moved);

    /// How many pages of a range may be on a device at a time whose kernels fault; what is there beyond that goes, as far as no kernel was just given it, or with the next that come. Pages that had a quota with
    /// others, and are in this range, have it no more.
    ///
    /// @param most or [io.github.hmm4j.space.PlacementAdvice#NO_QUOTA]
    /// @throws IllegalArgumentException if that is less than what one instruction of each thread may touch
    void setQuota(DeviceMirror mirror, PageRange pages, long most);

    /// Whether a command that was given up may still write to the host memory of pages: then neither that nor their addresses may be used again.
    boolean mayBeWritten(PageRange pages);

    /// Gives the host memory of those pages back to the operating system that are on a device. The caller holds the device's lock, and nothing that was moved there under it is going to
    /// be undone.
    void releaseHostMemory(DeviceMirror mirror, PageRange pages);
}
