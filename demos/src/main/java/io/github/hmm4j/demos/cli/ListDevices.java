package io.github.hmm4j.demos.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;

/// `hmm devices`.
final class ListDevices implements Callable<Integer> {
    @Mixin
    private BindingOption binding = new BindingOption();

    private final Catalog.DeviceListing devices;
    private final PrintWriter out;

    ListDevices(Catalog.DeviceListing devices, PrintWriter out) {
        this.devices = devices;
        this.out = out;
    }

    @Override
    public Integer call() throws Exception {
        devices.print(binding.binding(), out);
        out.flush();
        return ExitCode.OK;
    }
}
