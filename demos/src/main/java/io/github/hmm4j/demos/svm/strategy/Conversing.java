package io.github.hmm4j.demos.svm.strategy;

import io.github.hmm4j.demos.svm.strategy.OpenStrategy.Block;

/// A strategy under which a running kernel and the host see each other's stores.
public interface Conversing {
    /// Starts the kernel of `handshake.cl` and returns while it runs.
    ///
    /// @param flags    its two flags, both 0
    /// @param ended    where it leaves how many rounds it has answered
    /// @param patience looks at its flag before it gives the host up
    Conversation converse(Block flags, Block ended, int rounds, long patience);

    /// A kernel that runs; [#close()] waits for its end.
    interface Conversation extends AutoCloseable {
        @Override
        void close();
    }
}
