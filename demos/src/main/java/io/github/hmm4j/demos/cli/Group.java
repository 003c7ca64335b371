package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.UsageException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Unmatched;

/// A command that only leads to others. It is reached itself when no known name follows, and says which there are.
final class Group implements Callable<Integer> {
    /// Taken in instead of refused by picocli, so that an unknown name is told apart from an unknown option.
    @Unmatched
    private List<String> words = new ArrayList<>();

    private final String kind;
    private final List<String> names;

    /// @param kind what the names are: `demo`
    /// @param names what there is
    Group(String kind, List<String> names) {
        this.kind = kind;
        this.names = names;
    }

    @Override
    public Integer call() throws UsageException {
        String choice = "choose one of " + String.join(", ", names);
        if (words.isEmpty()) {
            throw new UsageException("missing %s: %s".formatted(kind, choice));
        }
        throw new UsageException("unknown %s '%s': %s".formatted(kind, words.getFirst(), choice));
    }
}
