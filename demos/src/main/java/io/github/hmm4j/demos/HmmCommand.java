package io.github.hmm4j.demos;

import java.util.List;

/// Stands where the command line will be: prints what the launcher handed over.
final class HmmCommand {
    private HmmCommand() {}

    public static void main(String[] args) {
        System.out.println(List.of(args));
    }
}
