/// How the host gets at managed memory.
///
/// Checked access: the program opens a [HostView][io.github.hmm4j.pager.HostView] of a range, which brings its pages home and pins them until it is closed. A touch of a managed segment
/// without a view is refused by the Java runtime, never silently stale.
@NullMarked
package io.github.hmm4j.pager;

import org.jspecify.annotations.NullMarked;
