/// The software page table: one 64-bit word per page, which is the only truth about where the page is.
///
/// ```
///            first touch           claim            commit (write intent)
///   EMPTY ---------------> HOST -----------> TO_DEVICE ------------> DEVICE(d)
///     |                     ^ ^                | |                       |
///     |                     | `- release/abort-' | commit (read intent)  | claim: view, eviction, peer
///     |                     |                    v                       v
///     |                     |                 SHARED(d,e,..) <------- TO_HOST
///     |                     `---- host write, or last copy dropped -----'
///     |                                                      DEVICE(d), PEERS(d,e,..) <--> TO_HOST: from device to device, home, dropped
///     `--- claim; the device fills with zeros, nothing is copied --> TO_DEVICE       any --> POISONED, UNMAPPED
/// ```
///
/// | state | valid copy | who may use it |
/// | --- | --- | --- |
/// | `EMPTY` | none; it reads as zeros | host reads in place |
/// | `HOST` | host | host reads and writes |
/// | `SHARED` | host and every device of its set | all of them read |
/// | `PEERS` | every device of its set, at least two; not the host | those devices read |
/// | `DEVICE` | one device | that device reads and writes |
/// | `TO_DEVICE` | host, and the devices of its set if any | host reads under read intent; any other host touch aborts the claim |
/// | `TO_HOST` | as before the claim | nobody starts anything; whoever needs the page waits |
/// | `POISONED` | none, the contents are lost with their device, or with a kernel that failed | a touch is an error |
/// | `UNMAPPED` | none, no region is here | nobody |
///
/// [Transition][io.github.hmm4j.page.Transition] is the table of what may follow what: it names who may do it and what undoes it, and a test walks every pair of states
/// against it.
///
/// Invariants. Until a commit the source of a claim is a valid copy; a claim can be given up at any time before its commit and never after; every transition
/// changes the version, so that a commit by somebody whose claim was taken away fails; pins change nothing else and leave the version alone; an entry of a
/// device's page table means something only while the word says that the device has the page.
///
/// Untouched memory. Of 2 MiB of which no word was ever changed the table keeps one word for all ([PageTable][io.github.hmm4j.page.PageTable]), so that an untouched terabyte is
/// allocated, protected and freed in milliseconds. The first change of a word writes them out; to look at one never does.
///
/// Memory order. Words are read with acquire and changed with compare-and-set. A thread that sees a word sees everything that was done before the transition to it.
///
/// Internal.
@NullMarked
package io.github.hmm4j.page;

import org.jspecify.annotations.NullMarked;
