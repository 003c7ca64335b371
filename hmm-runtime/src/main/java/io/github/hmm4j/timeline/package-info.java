/// What a heap does, over time: one place in the code reports each happening, and two consumers take it, the JDK's flight recorder and a trace file.
///
/// A happening is an object of a class that is an event of the flight recorder ([TimelineEvent]): its fields say what, its annotations say what the fields mean, and
/// `docs/events.md` is generated from them. [Timeline] hands such objects out where somebody wants them and null where nobody does, so that reporting costs a comparison
/// when all is off.
///
/// Times are nanoseconds of `System.nanoTime`, which is also the clock of the native part. Threads: any. Reporting never waits and never fails; what does not fit is
/// counted ([io.github.hmm4j.account.Counter#TRACE_LOST]).
///
/// Internal, but for [TraceFile].
@NullMarked
package io.github.hmm4j.timeline;

import org.jspecify.annotations.NullMarked;
