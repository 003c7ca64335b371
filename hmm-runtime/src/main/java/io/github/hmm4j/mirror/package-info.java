/// Device mirrors: what each device's page table says, what is in flight on it, and how others keep a mirror of their own in step.
///
/// Two ways to be a mirror. A [DeviceMirror][io.github.hmm4j.mirror.DeviceMirror] belongs to a device that pages migrate to; its entries are frames, and they mean
/// something only while the page word says that the device has the page. Anybody else subscribes to invalidations
/// ([Notifier][io.github.hmm4j.mirror.Notifier]) and takes snapshots under the read-begin, read-retry rule; no device and no migration is needed for that.
///
/// The handshake of launches and everybody who takes pages away ([InFlight][io.github.hmm4j.mirror.InFlight]):
///
/// ```
/// launch                                     host access, eviction, free
/// 1 publish {pages, modes}                   1 claim the page word
/// 2 check all page words                     2 look for published launches that conflict
/// 3 enqueue, or withdraw if a word is gone   3 wait for them, then move the page
/// ```
///
/// Each side writes before it reads, so whoever comes second sees the other: either the launch finds the claim and withdraws, or the claimer finds the launch and waits.
///
/// Launches that use pages in place have no word between them. Before its third step such a launch waits for those of other devices that were published before it and use a page that one of both
/// writes.
///
/// A launch that goes through the device's own page table ([DeviceTable][io.github.hmm4j.mirror.DeviceTable]) publishes as well, and its second step makes the entries from the words: a page
/// that is claimed or not there is an entry that the kernel finds empty, and no reason to withdraw.
///
/// Internal, but for what `hmm-runtime/docs/api.md` names.
@NullMarked
package io.github.hmm4j.mirror;

import org.jspecify.annotations.NullMarked;
