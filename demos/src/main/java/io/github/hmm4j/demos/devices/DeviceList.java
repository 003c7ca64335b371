package io.github.hmm4j.demos.devices;

import io.github.hmm4j.Hmm;
import io.github.hmm4j.HmmDevice;
import io.github.hmm4j.OpenClDevices;
import io.github.hmm4j.demos.device.Opening;
import io.github.hmm4j.demos.harness.Binding;
import io.github.hmm4j.demos.harness.DeviceReport;
import io.github.hmm4j.device.DeviceInfo;
import io.github.hmm4j.device.opencl.ClAdvice;
import io.github.hmm4j.device.opencl.ClApi;
import io.github.hmm4j.device.opencl.ClBinding;
import io.github.hmm4j.device.opencl.ClDevice;
import io.github.hmm4j.device.opencl.ClDeviceId;
import io.github.hmm4j.device.opencl.ClPlatforms;
import io.github.hmm4j.device.opencl.CopyChoice;
import io.github.hmm4j.error.HmmException;
import io.github.hmm4j.pager.HostAccess;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Looks at every device by opening a default heap on it, so that what is said is what happens.
public final class DeviceList {
    private DeviceList() {}

    /// All devices, or the one that `--device` stands for.
    ///
    /// @throws io.github.hmm4j.error.NoDeviceException if there is nothing, or nothing of that name
    public static List<DeviceReport> of(Binding binding, Optional<String> device) {
        return device.map(selector -> List.of(of(binding, selector))).orElseGet(() -> of(binding));
    }

    /// All devices that a binding finds, by number, and after them what cannot be used.
    ///
    /// @throws io.github.hmm4j.error.NoDeviceException if there is nothing at all; says what to install
    public static List<DeviceReport> of(Binding binding) {
        ClBinding through = Opening.binding(binding);
        ClApi api = OpenClDevices.api(through);
        ClPlatforms.Survey survey = ClPlatforms.survey(api);
        List<ClDeviceId> found = survey.usable();
        if (found.isEmpty() && survey.ignored().isEmpty()) {
            throw ClAdvice.noDevice(through, survey.ignored());
        }
        List<DeviceReport> reports = new ArrayList<>();
        for (ClDeviceId id : found) {
            boolean chosen = id.equals(OpenClDevices.choose(found, ""));
            reports.add(report(reports.size(), api, id, chosen, through, twin(found, id)));
        }
        for (ClPlatforms.Ignored one : survey.ignored()) {
            String name = one.device().isEmpty() ? "all of " + one.platform() : one.device();
            reports.add(DeviceReport.ignored(one.platform(), name, through.toString(), one.why()));
        }
        return reports;
    }

    /// The device that `--device` stands for.
    ///
    /// @param selector its number or a part of its name; empty: the runtime chooses
    /// @throws io.github.hmm4j.error.NoDeviceException if there is none, or none matches
    public static DeviceReport of(Binding binding, String selector) {
        ClBinding through = Opening.binding(binding);
        ClApi api = OpenClDevices.api(through);
        List<ClDeviceId> found = ClPlatforms.devices(api);
        if (found.isEmpty()) {
            throw ClAdvice.noDevice(through, ClPlatforms.survey(api).ignored());
        }
        ClDeviceId id = OpenClDevices.choose(found, selector);
        return report(found.indexOf(id), api, id, id.equals(OpenClDevices.choose(found, "")), through, twin(found, id));
    }

    /// That another driver shows the same device, and which of both is taken.
    private static List<DeviceReport.Decision> twin(List<ClDeviceId> found, ClDeviceId id) {
        return found.stream().filter(id::isTwinOf).map(other -> Decisions.twin(found.indexOf(other), other, id,
            OpenClDevices.insteadOf(found, id).isPresent())).toList();
    }

    private static DeviceReport report(int number, ClApi api, ClDeviceId id, boolean chosen, ClBinding through,
        List<DeviceReport.Decision> twins) {
        Optional<DeviceReport.Use> use = Optional.empty();
        List<DeviceReport.Decision> decisions = List.of();
        Optional<DeviceReport.Offer> offer = Optional.empty();
        Optional<String> error = Optional.empty();
        try {
            offer = Optional.of(DeviceOffer.of(api, id));
            try (Hmm hmm = Hmm.builder().binding(through).device(Integer.toString(number)).open()) {
                DeviceReport.Use used = use(hmm);
                use = Optional.of(used);
                ClDevice device = (ClDevice) hmm.device().device();
                decisions = Decisions.of(id.info(), used, device.inPlace(), device.overlap());
            }
        } catch (HmmException e) {
            // One device that does not work must not hide the others.
            error = Optional.of(String.valueOf(e.getMessage()));
        }
        DeviceInfo info = id.info();
        return new DeviceReport(number, chosen, info.name(), info.kind().name(), id.platformName(), info.vendor(),
            info.driver(), info.binding(), info.computeUnits(), info.memoryBytes(), info.maxAllocationBytes(),
            info.baseAlignmentBytes(), info.unifiedMemory(), info.svm().stream().map(Enum::name).sorted().toList(),
            use, error, offer, Stream.concat(twins.stream(), decisions.stream()).toList(),
            Optional.of(new DeviceReport.WorkGroups(info.maxWorkGroupSize(), info.localMemoryBytes(),
                DeviceOffer.preferredMultiple(api, id))));
    }

    private static DeviceReport.Use use(Hmm hmm) {
        HmmDevice device = hmm.device();
        CopyChoice copy = ((ClDevice) device.device()).copyChoice();
        return new DeviceReport.Use(copy.name(), copy.toDeviceMegabytesPerSecond(), copy.toHostMegabytesPerSecond(),
            copy.why(), hmm.heap().capacityBytes(), device.budgetBytes(),
            device.hasAperture() ? "aperture" : "windows", Opening.hostAccess(hmm), hostAccessWhy(hmm.hostAccess()));
    }

    private static String hostAccessWhy(HostAccess access) {
        String systemCalls = !access.mode().isTransparent() || access.fromSystemCalls() ? "" : "; not from within system calls";
        return access.why() + systemCalls + (access.better().isEmpty() ? "" : "; better: " + access.better());
    }
}
