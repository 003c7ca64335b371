package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.Bench;
import io.github.hmm4j.demos.harness.Demo;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/// The tree of commands: each demo and each benchmark is a command of its own, and so is `all` of them.
public final class HmmCommandLine {
    private static final String ALL = "all";

    private final Catalog catalog;
    private final PrintWriter out;
    private final PrintWriter err;

    public HmmCommandLine(Catalog catalog, PrintWriter out, PrintWriter err) {
        this.catalog = catalog;
        this.out = out;
        this.err = err;
    }

    /// Carries out one command; returns its exit code.
    public int run(String... args) {
        CommandLine hmm = new CommandLine(group("hmm", "command",
            "Heterogeneous memory management for Java and OpenCL.", List.of("devices", "demo", "bench")));
        hmm.addSubcommand("devices", command("devices", "List the devices and how each would be used.",
            new ListDevices(catalog.devices(), out)));
        hmm.addSubcommand("demo", demoCommands());
        hmm.addSubcommand("bench", benchCommands());
        hmm.setOut(out).setErr(err).setCaseInsensitiveEnumValuesAllowed(true).setUsageHelpAutoWidth(true);
        Failures failures = new Failures();
        hmm.setParameterExceptionHandler(failures).setExecutionExceptionHandler(failures);
        refuseUnknownArguments(hmm);
        return hmm.execute(demosWithoutNameAreAll(args));
    }

    /// Only a [Group] takes in what it does not know, to say it better than picocli would.
    private static void refuseUnknownArguments(CommandLine command) {
        command.getCommandSpec().parser().unmatchedArgumentsAllowed(command.getCommand() instanceof Group);
        command.getSubcommands().values().forEach(HmmCommandLine::refuseUnknownArguments);
    }

    /// `hmm demo --json FILE` is `hmm demo all --json FILE`; `hmm demo --help` explains the command itself.
    private static String[] demosWithoutNameAreAll(String[] args) {
        boolean noName = args.length == 1 || (args.length > 1 && args[1].startsWith("-"));
        boolean help = args.length > 1 && (args[1].equals("--help") || args[1].equals("-h"));
        if (args.length == 0 || !args[0].equals("demo") || !noName || help) {
            return args;
        }
        return Stream.concat(Stream.of("demo", ALL), Arrays.stream(args).skip(1)).toArray(String[]::new);
    }

    private CommandSpec demoCommands() {
        // No name is the same as "all", see demosWithoutNameAreAll.
        CommandSpec group = group("demo", "demo", "Run one demo, or all of them (the default).",
            namesAndAll(catalog.demos().stream().map(Demo::name)));
        group.usageMessage().synopsisSubcommandLabel("[NAME]");
        for (Demo demo : catalog.demos()) {
            CommandSpec one = command(demo.name(), demo.description(), new RunDemos(List.of(demo), out, err));
            group.addSubcommand(demo.name(), addOptionsOf(demo, demo.name(), one));
        }
        CommandSpec all = command(ALL, "Run all demos and end with one table.",
            new RunDemos(catalog.demos(), out, err));
        catalog.demos().forEach(demo -> addOptionsOf(demo, demo.name(), all));
        return group.addSubcommand(ALL, all);
    }

    private CommandSpec benchCommands() {
        CommandSpec group = group("bench", "benchmark", "Run one benchmark, or all of them; discrete, svm and micro run by themselves only.",
            namesAndAll(Stream.concat(catalog.benches().stream().map(Bench::name), Stream.of(RunSvm.NAME, RedoReport.NAME, RunMicro.NAME))));
        for (Bench bench : catalog.benches()) {
            CommandSpec one = command(bench.name(), bench.question(), new RunBenches(List.of(bench), out, err));
            group.addSubcommand(bench.name(), addOptionsOf(bench, bench.name(), one));
        }
        group.addSubcommand(RunSvm.NAME, command(RunSvm.NAME, RunSvm.DESCRIPTION, new RunSvm(out, err)));
        group.addSubcommand(RedoReport.NAME, command(RedoReport.NAME, RedoReport.DESCRIPTION, new RedoReport(out)));
        group.addSubcommand(RunMicro.NAME, command(RunMicro.NAME, RunMicro.DESCRIPTION, new RunMicro(out, err)));
        List<Bench> ofAll = catalog.benches().stream().filter(Bench::isOneOfAll).toList();
        CommandSpec all = command(ALL, "Run all benchmarks but discrete, svm and micro, and end with one table.",
            new RunBenches(ofAll, out, err));
        ofAll.forEach(bench -> addOptionsOf(bench, bench.name(), all));
        return group.addSubcommand(ALL, all);
    }

    /// Lenient because a demo need not have options of its own.
    private static CommandSpec addOptionsOf(Object owner, String name, CommandSpec command) {
        return command.addMixin(name, CommandSpec.forAnnotatedObjectLenient(owner));
    }

    private static CommandSpec command(String name, String description, Callable<Integer> body) {
        CommandSpec spec = CommandSpec.forAnnotatedObject(body).name(name);
        spec.addOption(OptionSpec.builder("-h", "--help").usageHelp(true).arity("0").type(boolean.class)
            .description("Show this help and exit.").build());
        spec.usageMessage().description(description).sortOptions(false);
        return spec;
    }

    private static CommandSpec group(String name, String kind, String description, List<String> names) {
        CommandSpec spec = command(name, description, new Group(kind, names));
        spec.usageMessage().synopsisSubcommandLabel("NAME");
        return spec;
    }

    private static List<String> namesAndAll(Stream<String> names) {
        return Stream.concat(names, Stream.of(ALL)).toList();
    }
}
