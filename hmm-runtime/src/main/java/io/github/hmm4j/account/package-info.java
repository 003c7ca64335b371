/// What happened, how often, how many bytes, and why. The enums are the only source; the documents are generated from them.
///
/// Threads: any. Counting never waits and never fails.
@NullMarked
package io.github.hmm4j.account;

import org.jspecify.annotations.NullMarked;
