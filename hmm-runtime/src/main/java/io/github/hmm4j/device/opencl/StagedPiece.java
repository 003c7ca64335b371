package io.github.hmm4j.device.opencl;

import io.github.hmm4j.device.CopyRun;
import java.util.ArrayList;
import java.util.List;

/// A part of a run that fits a staging slot.
///
/// @param slotOffsetBytes where it lies in its slot
record StagedPiece(long hostAddressBytes, ClMemory memory, long offsetBytes, long slotOffsetBytes, long lengthBytes) {

    /// Cuts runs into slots: each inner list fits one slot, and all but the last fill it.
    static List<List<StagedPiece>> cut(List<CopyRun> runs, long slotBytes) {
        var slots = new ArrayList<List<StagedPiece>>();
        long used = slotBytes;
        for (CopyRun run : runs) {
            for (long done = 0; done < run.lengthBytes(); ) {
                if (used == slotBytes) {
                    slots.add(new ArrayList<>());
                    used = 0;
                }
                long bytes = Math.min(run.lengthBytes() - done, slotBytes - used);
                slots.getLast().add(new StagedPiece(
                        run.hostAddressBytes() + done, (ClMemory) run.memory(), run.offsetBytes() + done, used, bytes));
                used += bytes;
                done += bytes;
            }
        }
        return slots;
    }

    /// How much of a slot its pieces take.
    static long end(List<StagedPiece> slot) {
        StagedPiece last = slot.getLast();
        return last.slotOffsetBytes() + last.lengthBytes();
    }
}
