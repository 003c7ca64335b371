package io.github.hmm4j.demos.micro;

import io.github.hmm4j.demos.device.PagesAlone;
import io.github.hmm4j.mirror.DeviceMirror;
import io.github.hmm4j.mirror.ManagedPages;
import io.github.hmm4j.space.PageRange;

/// Two ranges of pages, of which one is on a device, and of the other every second run of sixteen.
final class PagesInRuns implements AutoCloseable {
    static final int PAGES = 4096;
    static final int DEVICE = PagesAlone.DEVICE;
    private static final int RUN = 16;

    private final PagesAlone alone = new PagesAlone(2 * PAGES);
    final DeviceMirror mirror = alone.mirror();
    final ManagedPages heap = alone.heap();
    final PageRange resident;
    final PageRange mixed;

    PagesInRuns() {
        PageRange all = alone.pages();
        resident = new PageRange(all.first(), all.first() + PAGES);
        mixed = new PageRange(all.first() + PAGES, all.end());
        for (long page = all.first(); page < all.end(); page++) {
            if (resident.contains(page) || (page - mixed.first()) / RUN % 2 == 0) {
                alone.moveToDevice(page, true);
            }
        }
    }

    @Override
    public void close() {
        alone.close();
    }
}
