package io.github.hmm4j;

import java.util.List;

/// Classes that are initialised when a heap is opened, so that none is first needed when the Java heap is full. A class
/// whose initialisation fails is broken for as long as the program runs (`NoClassDefFoundError`), and whoever claims,
/// undoes, releases or frees needs these. A heap that cannot be opened because of that has nothing to lose yet.
///
/// By name, since most are of other packages' own; those with `$1` are what javac makes of a `switch` over an enum.
/// `EarlyClassesTest` finds what is missing here.
final class EarlyClasses {

    private EarlyClasses() {}

    static void initialize() {
        List<String> names = List.of(
                "Access", "Arg$Intent", "Launch$Moves", "ManagedHeap$1", "Plan", "Relief", // what calls take and return, and how they are sorted out
                "account.Cause", "account.Counter", "account.Direction",
                "device.Completion", "device.FramePool$Room", "device.ScalarType", "device.ScalarType$Kind", "device.ValueType", "error.KernelEnqueuedError",
                "migrate.Claims", "migrate.Overwrites", "migrate.PageMove", "migrate.PageMove$1", "migrate.PageOutcome", "migrate.RegionMove", "migrate.RegionMove$1", "migrate.Steps$Step",
                "migrate.ToDevice", "migrate.ToDevice$Effort",
                "migrate.ToDevice$Intent", "migrate.HostSide$Access",
                "mirror.InvalidationKind", "mirror.Snapshot$1", "mirror.SnapshotCode",
                "page.PageState", "page.PageWord", "page.PageWord$1", "page.Transition", "pager.NativeFailure",
                "policy.Candidates", "policy.Candidates$Cost", "policy.LeastRecentlyUsed", "space.PlacementAdvice", "space.Protection",
                "timeline.CommandEvent", "timeline.CommandEvent$Kind", "timeline.EvictionEvent",
                "timeline.FetchEvent", "timeline.LaunchEvent",
                "timeline.LongTouchEvent", "timeline.MigrationEvent", "timeline.ReplayEvent");
        for (int i = 0; i < names.size(); i++) {
            initialize(EarlyClasses.class.getPackageName() + "." + names.get(i));
        }
    }

    private static void initialize(String name) {
        try {
            Class.forName(name, true, EarlyClasses.class.getClassLoader());
        } catch (ClassNotFoundException _) {
            return; // another compiler makes something else of a switch
        }
    }
}
