package io.github.hmm4j.account;

/// What is counted. Pages are pages of the heap's page size.
public enum Counter {
    MIGRATE_TO_DEVICE_PAGES("migrate.toDevice", "pages copied from the host to a device"),
    MIGRATE_TO_HOST_PAGES("migrate.toHost", "pages copied from a device to the host"),
    MIGRATE_PEER_PAGES("migrate.peer", "pages copied from one device to another, without the host"),
    MIGRATE_FILLED_PAGES("migrate.filled", "empty pages that a device filled with zeros, so that nothing was copied"),
    MIGRATE_UNCOPIED_PAGES("migrate.uncopied", "pages that changed place without a copy: old contents dead, or already there"),
    MIGRATE_RACED_PAGES("migrate.raced", "pages that somebody else took while they were being moved; the copy was wasted"),
    MIGRATE_PINNED_PAGES("migrate.pinned", "pages left where they are because a view holds them"),
    MIGRATE_UNDONE_PAGES("migrate.undone", "pages put back because the launch they moved for failed, or, where they were to be overwritten, because it went round again"),
    MIGRATE_GATHERED("migrate.gathered", "copies home of what a kernel had carried together from where it lay apart on a device"),
    MIGRATE_GATHERS_GIVEN_UP("migrate.gathersGivenUp", "times that such a kernel failed, or would have been wrong: then its device does without"),
    COPY_RUNS("copy.runs", "contiguous copies submitted to a copy engine"),
    RELOCATED_PAGES("relocate.pages", "pages moved within a device to make a contiguous window"),
    EVICTED_CLEAN_PAGES("evict.clean", "device copies dropped without a transfer"),
    EVICTED_DIRTY_PAGES("evict.dirty", "pages copied home to make room"),
    EVICTED_QUOTA_PAGES("evict.quota", "pages whose frames went because their region has a quota"),
    LAUNCHES("launch.count", "kernels launched"),
    LAUNCH_RETRIES("launch.retries", "times the gate found a page gone and the launch went round again"),
    LAUNCH_WAITS("launch.waits", "times a launch waited for a view of another thread to close"),
    DEVICE_FAULT_ROUNDS("device.faultRounds", "times a kernel that goes through the page table was launched again because pages were missing"),
    DEVICE_FAULTS_READ("device.faultsRead", "pages that such kernels asked for to read and did not find, each once until it comes, in however many rounds it was missed"),
    DEVICE_FAULTS_WRITE("device.faultsWrite", "pages that they asked for to write, and did not find or had only to read; counted in the same way"),
    DEVICE_AHEAD("device.ahead", "pages that came along with those that a kernel missed"),
    DEVICE_AHEAD_USED("device.aheadUsed", "of these, pages that a kernel used while they were there; not known where kernels fault"),
    DEVICE_AHEAD_WASTED("device.aheadWasted", "of these, pages that none used before they left or the launch ended; not known where kernels fault"),
    DEVICE_AHEAD_LATE("device.aheadLate", "pages that were to come along and for which no frame was free"),
    DEVICE_BROUGHT_READ("device.broughtRead", "pages brought in the middle of a kernel that read them"),
    DEVICE_BROUGHT_WRITE("device.broughtWrite", "pages brought in the middle of a kernel that wrote them"),
    DEVICE_UPGRADES("device.upgraded", "pages that a device had to read, and got to write in the middle of a kernel"),
    DEVICE_EVICTED("device.evicted", "pages that made room in the middle of a kernel"),
    DEVICE_WRITTEN_BACK("device.writtenBack", "of these, pages that were copied home"),
    DEVICE_REFUSED("device.refused", "accesses in the middle of a kernel that found no page they may have"),
    TABLE_BYTES("device.tableBytes", "bytes of page tables written to devices"),
    VIEWS_OPENED("view.opened", "host views opened"),
    VIEW_FETCHED_PAGES("view.fetched", "pages that opening a view brought home"),
    WRITE_UPGRADES("view.upgraded", "pages that came home without a copy, because the host's was valid already"),
    FAULTS_READ("fault.read", "touches for reading that were served"),
    FAULTS_WRITE("fault.write", "touches for writing that were served"),
    FAULT_MESSAGES("fault.messages", "touches that the operating system reported, repetitions included"),
    FAULT_FIRST_TOUCHES("fault.first", "pages that got their first host memory in a fault"),
    FAULT_FETCHED_PAGES("fault.fetched", "pages copied home for a fault"),
    FAULT_UPGRADES("fault.upgraded", "shared pages that the host took over to write, without a copy"),
    FAULT_REMAPPED("fault.remapped", "pages that were on the host already and only lacked their mapping"),
    FAULT_ABORTS("fault.aborted", "migrations of a page to a device that a touch took away"),
    FAULT_AHEAD("fault.ahead", "of the pages of these faults, those that came along with the one touched"),
    FAULT_IN_THREAD("fault.inThread", "of the touches that were served, those that their own thread served"),
    FAULT_WAITS("fault.waits", "times that serving a fault waited for a launch"),
    LONG_WAITS("wait.long", "touches, and launches behind views, that waited for 100 ms or longer"),
    FAULT_ERRORS("fault.errors", "touches that ended in an error"),
    MAP_NANOS("map.nanos", "nanoseconds spent on mapping pages for the host, several at a time"),
    RELEASED_PAGES("host.released", "pages whose host memory was given back while they were on a device"),
    POISONED_PAGES("page.poisoned", "pages whose contents were lost with their device, or with the kernel that was to write them"),
    TRACE_LOST("trace.lost", "happenings that neither flight recorder nor trace file was told of, because a buffer was full");

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
