/// How the host gets at managed memory.
///
/// **Transparent** access: any load or store of any code. A touch of a page that is not there is a page fault, which native code serves ([NativePager][io.github.hmm4j.pager.NativePager]);
/// how the fault is noticed is the choice of the [Ladder][io.github.hmm4j.pager.Ladder]. This package is the Java side of that: it opens the native part, and stands in for it behind the interfaces
/// of the layers below ([HostSide][io.github.hmm4j.migrate.HostSide], [LaunchGate][io.github.hmm4j.migrate.LaunchGate], [InFlight][io.github.hmm4j.mirror.InFlight]).
///
/// **Checked** access: the program opens a [HostView][io.github.hmm4j.pager.HostView] of a range, which brings its pages home and pins them until it is closed. A touch of a managed segment
/// without a view is refused by the Java runtime, never silently stale. Native code moves the pages here as well; it only notices no touch. With transparent access views are bulk fetches.
///
/// Internal, but for [HostAccess], [HostView] and [HostPin].
@NullMarked
package io.github.hmm4j.pager;

import org.jspecify.annotations.NullMarked;
