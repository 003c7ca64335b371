package io.github.hmm4j.demos;

import io.github.hmm4j.demos.bench.Benches;
import io.github.hmm4j.demos.bfs.BfsDemo;
import io.github.hmm4j.demos.cli.Catalog;
import io.github.hmm4j.demos.cli.HmmCommandLine;
import io.github.hmm4j.demos.devices.DeviceList;
import io.github.hmm4j.demos.gather.GatherDemo;
import io.github.hmm4j.demos.harness.Demo;
import io.github.hmm4j.demos.join.JoinDemo;
import io.github.hmm4j.demos.matmul.MatmulDemo;
import io.github.hmm4j.demos.plain.PlainDemo;
import io.github.hmm4j.demos.stream.StreamDemo;
import io.github.hmm4j.demos.tree.TreeDemo;
import io.github.hmm4j.demos.unmodified.UnmodifiedDemo;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// The `hmm` command: every demo and benchmark of the project behind one command line.
///
/// Exit codes: 0 done and right, 1 a wrong result or a failure, 2 the command line makes no sense.
public final class HmmCommand {
    private HmmCommand() {}

    public static void main(String[] args) {
        PrintWriter out = new PrintWriter(System.out, false, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        Catalog catalog = new Catalog(demos(), Benches.all(), DeviceList::of);
        int exitCode = new HmmCommandLine(catalog, out, err).run(args);
        out.flush();
        err.flush();
        System.exit(exitCode);
    }

    /// In the order in which `hmm demo all` runs them.
    static List<Demo> demos() {
        return List.of(new MatmulDemo(), new TreeDemo(), new BfsDemo(), new UnmodifiedDemo(), new GatherDemo(),
            new StreamDemo(), new JoinDemo(), new PlainDemo());
    }
}
