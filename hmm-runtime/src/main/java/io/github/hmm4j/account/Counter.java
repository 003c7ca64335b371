package io.github.hmm4j.account;

/// What is counted. Pages are pages of the heap's page size.
public enum Counter {
    MIGRATE_TO_DEVICE_PAGES("migrate.toDevice", "pages copied from the host to a device"),
    MIGRATE_TO_HOST_PAGES("migrate.toHost", "pages copied from a device to the host"),
    MIGRATE_FILLED_PAGES("migrate.filled", "empty pages that a device filled with zeros, so that nothing was copied"),
    MIGRATE_UNCOPIED_PAGES("migrate.uncopied", "pages that changed place without a copy: old contents dead, or already there"),
    MIGRATE_RACED_PAGES("migrate.raced", "pages that somebody else took while they were being moved; the copy was wasted"),
    MIGRATE_PINNED_PAGES("migrate.pinned", "pages left where they are because a view holds them"),
    MIGRATE_UNDONE_PAGES("migrate.undone", "pages put back because the launch they moved for failed"),
    COPY_RUNS("copy.runs", "contiguous copies submitted to a copy engine"),
    RELOCATED_PAGES("relocate.pages", "pages moved within a device to make a contiguous window"),
    EVICTED_CLEAN_PAGES("evict.clean", "device copies dropped without a transfer"),
    EVICTED_DIRTY_PAGES("evict.dirty", "pages copied home to make room"),
    LAUNCHES("launch.count", "kernels launched"),
    LAUNCH_RETRIES("launch.retries", "times the gate found a page gone and the launch went round again"),
    LAUNCH_WAITS("launch.waits", "times a launch waited for a view of another thread to close"),
    VIEWS_OPENED("view.opened", "host views opened"),
    VIEW_FETCHED_PAGES("view.fetched", "pages that opening a view brought home"),
    WRITE_UPGRADES("view.upgraded", "pages that came home without a copy, because the host's was valid already"),
    POISONED_PAGES("page.poisoned", "pages whose contents were lost with their device");

    private final String label;
    private final String meaning;

    Counter(String label, String meaning) {
        this.label = label;
        this.meaning = meaning;
    }

    /// Stable dotted name, for output that programs read.
    public String label() {
        return label;
    }

    /// One sentence for people.
    public String meaning() {
        return meaning;
    }
}
