/// Migration: plan, claim, copy, commit.
///
/// - **To a device** ([ToDevice][io.github.hmm4j.migrate.ToDevice]) is best effort: a page that somebody else takes meanwhile is `RACED`, one that a view holds is `PINNED`,
///   and neither is an exception. The host copy stays the valid one until the commit, so the claim can be taken away at any moment.
/// - **From another device** what the host has not goes straight there ([HostSide#cross][io.github.hmm4j.migrate.HostSide]); where it cannot, it comes home first.
/// - **To the host** ([HostSide][io.github.hmm4j.migrate.HostSide]) is mandatory: it succeeds, or the page stays where it was and the error is typed, or, if its device is lost, the page is poisoned.
///
/// - **For a kernel that misses pages** ([DeviceFaults][io.github.hmm4j.migrate.DeviceFaults]) what it has written down is ordered, room is made, and it goes to the device as above.
///
/// Rules. No claim is held while waiting for somebody else's claim or for a view. A claim is settled in every way out of the method that made it. Pages are moved
/// to a device under that device's lock, from a device without it. Whoever takes a page from a device claims it first and then waits for the launches in flight
/// that conflict ([InFlight][io.github.hmm4j.mirror.InFlight]).
///
/// Locks, in the order they may be taken: the [turn][io.github.hmm4j.mirror.DeviceTable#turn()] of a device's page table, for one round of a launch; a device's [lock][io.github.hmm4j.mirror.DeviceMirror#lock()] (frames, moves to it), then the
/// [HostLock][io.github.hmm4j.migrate.HostLock] (of pages: shared by whoever brings them home, exclusive for changes of regions). All may be held while waiting for copies and launches; none while
/// waiting for a view to close.
///
/// Policy is not here: who is evicted is decided by a [VictimSource][io.github.hmm4j.migrate.VictimSource] that the façade wires in.
///
/// Internal, but for [MigrationReport] and [PageOutcome].
@NullMarked
package io.github.hmm4j.migrate;

import org.jspecify.annotations.NullMarked;
